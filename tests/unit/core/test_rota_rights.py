"""Who may put whom on call, and who is asked when nobody was named."""

from __future__ import annotations

import pytest

from oncall_bot.core.config import Config, Person, Role, Schedule, Team
from oncall_bot.core.outcomes import SYSTEM, Actor
from oncall_bot.core.rights import Rights
from oncall_bot.core.rota_rights import leads, mates, may_set, may_take, who_may_set
from oncall_bot.core.rotations import parse_definition

DEFINITION = parse_definition(
    {
        "zone": "UTC",
        "layers": [{"start": "2026-01-05T09:00", "rotation": {"unit": "week"}, "users": ["ana"]}],
    }
)
CONFIG = Config(
    people={
        "ana": Person("ana", "Ana"),
        "bo": Person("bo", "Bo"),
        "eve": Person("eve", "Eve"),
        "max": Person("max", "Max"),
        "mia": Person("mia", "Mia", role=Role.MANAGER),
        "dee": Person("dee", "Dee", role=Role.ADMIN),
        "vic": Person("vic", "Vic", role=Role.VIEWER),
        "mel": Person("mel", "Mel", role=Role.VIEWER),
    },
    teams={"shop": Team("shop", members=("ana", "bo", "mel"), managers=("max",))},
    schedules={
        "shop": Schedule("shop", "shop", DEFINITION),
        "all": Schedule("all", None, DEFINITION),
    },
)

RIGHTS = Rights(CONFIG, {"slack:U0LEADER1": {"shop": Role.MANAGER}})


@pytest.mark.parametrize(
    ("who", "shop", "everybodys"),
    [
        ("ana", True, True),
        ("max", True, True),
        ("mia", True, True),
        ("dee", True, True),
        ("eve", False, True),
        ("vic", False, False),
        ("mel", True, True),
        ("nobody", False, False),
    ],
)
def test_a_schedule_is_set_by_its_team_and_by_who_leads(
    who: str,
    shop: bool,
    everybodys: bool,
) -> None:
    actor = Actor("person", who, who.title())
    assert (may_set(RIGHTS, "shop", actor), may_set(RIGHTS, "all", actor)) == (shop, everybodys)
    assert may_set(RIGHTS, "nowhere", actor) is False
    assert may_set(RIGHTS, "all", SYSTEM)


def test_a_refusal_names_who_may() -> None:
    assert who_may_set(CONFIG, "shop") == "people of team shop, managers and admins"
    assert who_may_set(CONFIG, "all") == "admins"


def test_who_leads_may_withdraw_what_others_asked() -> None:
    assert leads(RIGHTS, "shop") == {"max", "mia", "dee", "U0LEADER1"}
    assert leads(RIGHTS, "nowhere") == {"mia", "dee"}


def test_the_team_is_asked_without_the_asker_and_without_viewers() -> None:
    assert mates(RIGHTS, "shop", "ana") == ["bo", "mel"]
    assert mates(RIGHTS, "all", "ana") == ["bo", "eve", "max", "mia", "dee", "mel"]
    assert not may_take(RIGHTS, "vic")
