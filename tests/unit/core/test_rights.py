"""Who somebody is in a team, what that lets them do, and what a refusal tells them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oncall_bot.core.config import Config, Person, Role, Team
from oncall_bot.core.outcomes import SYSTEM, Actor
from oncall_bot.core.rights import RULES, Right, Rights

CONFIG = Config(
    people={
        "ana": Person("ana", "Ana Ruiz"),
        "bo": Person("bo", "Bo Lindt", role=Role.VIEWER),
        "eve": Person("eve", "Eve Other"),
        "max": Person("max", "Max Lead"),
        "mia": Person("mia", "Mia Chief", role=Role.MANAGER),
        "dee": Person("dee", "Dee Marsh", role=Role.ADMIN),
    },
    teams={
        "shop": Team("shop", members=("ana", "bo"), managers=("max",)),
        "data": Team("data", members=("eve",)),
    },
)
GRANTS = {"slack:U0LEAD001": {"shop": Role.MANAGER}, "person:eve": {"shop": Role.RESPONDER}}
STRICT = Rights(replace(CONFIG, default_role=Role.VIEWER), GRANTS)
OPEN = Rights(CONFIG, GRANTS)


def actor(key: str) -> Actor:
    kind = "slack" if key.startswith("U0") else "person"
    return Actor(kind, key, key)


@pytest.mark.parametrize(
    ("who", "shop", "data", "without_a_team"),
    [
        ("ana", "responder", "viewer", "responder"),
        ("bo", "responder", "viewer", "responder"),  # the team's word counts over a role elsewhere
        ("eve", "responder", "responder", "responder"),  # by a user group in shop
        ("max", "manager", "viewer", "manager"),
        ("mia", "manager", "manager", "manager"),
        ("dee", "admin", "admin", "admin"),
        ("U0LEAD001", "manager", "viewer", "manager"),
        ("U0NOBODY1", "viewer", "viewer", "viewer"),
    ],
)
def test_a_role_is_the_best_that_file_and_groups_say(
    who: str, shop: str, data: str, without_a_team: str
) -> None:
    roles = [STRICT.role_in(actor(who), team) for team in ("shop", "data", None)]
    assert roles == [shop, data, without_a_team]


def test_by_default_everybody_of_the_workspace_is_a_responder_unless_made_a_viewer() -> None:
    assert OPEN.role_in(actor("U0NOBODY1"), "shop") is Role.RESPONDER
    assert OPEN.role_in(actor("ana"), "data") is Role.RESPONDER
    assert OPEN.role_in(actor("bo"), "data") is Role.VIEWER


def test_whoever_was_paged_may_answer_and_nothing_more() -> None:
    may = {right for right in Right if STRICT.may(actor("U0NOBODY1"), right, "shop", paged=True)}
    assert may == {
        *(Right.LOOK, Right.ACKNOWLEDGE, Right.ESCALATE, Right.HAND_OVER),
        *(Right.MITIGATE, Right.RESOLVE, Right.NOTE),
    }


def test_every_right_has_its_rule_and_the_bot_itself_may_everything() -> None:
    assert set(RULES) == set(Right)
    assert all(STRICT.may(SYSTEM, right, "shop") for right in Right)


def test_a_refusal_says_what_is_needed_where_and_who_can_give_it() -> None:
    assert STRICT.refusal(actor("U0NOBODY1"), Right.RESOLVE, "shop") == (
        "Your role is viewer in team shop; to resolve incidents you need responder."
        " Ask Max Lead or an admin to give it to you."
    )
    assert STRICT.refusal(actor("ana"), Right.READ_AUDIT, None) == (
        "Your role is responder; to read the audit you need manager. Ask an admin to give it to you."
    )
