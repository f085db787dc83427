"""Rights where they count: inside the flow that would change something. On both databases."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from oncall_bot.core.config import Role
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.talk.orders import Act
from oncall_bot.core.talk.proposals import Proposal
from oncall_bot.flows.acknowledge import acknowledge, acknowledge_all, take_over
from oncall_bot.flows.api_tokens import create_token, revoke_token
from oncall_bot.flows.carry_out_proposal import carry_out_proposal
from oncall_bot.flows.catching_up import suggest_update
from oncall_bot.flows.declare import change_severity, declare, note
from oncall_bot.flows.drafting import request_draft
from oncall_bot.flows.escalate import escalate, hand_over, page_by_hand
from oncall_bot.flows.judge_runbook import call_none_fitting
from oncall_bot.flows.looking import run_checks
from oncall_bot.flows.resolve import mitigate, resolve
from oncall_bot.flows.set_override import set_override
from oncall_bot.flows.silence_incident import end_silence, silence_incident
from oncall_bot.flows.team_grants import groups_named, read_groups
from oncall_bot.store import views
from oncall_bot.store.transactions import Tx
from tests.component.flows.world import DOCUMENT, World

STRANGER = Actor("slack", "U0STRANGE", "Sam Strange")
HOUR = timedelta(hours=1)


def strict(**team: Any) -> dict[str, Any]:
    """The file of an installation in which only the team may act; ana is on call and in no team."""
    document = copy.deepcopy(DOCUMENT)
    document["rights"] = {"default": "viewer"}
    document["teams"]["shop"] |= {"members": ["bo", "cy"], "managers": ["cy"], **team}
    document["teams"]["data"] = {"members": ["ana"]}
    document["services"]["lake"] = {"team": "data", "policy": "primary"}
    return document


@pytest.fixture
def world(world: World) -> World:
    world.apply(strict())
    world.told(world.alert())
    return world


def proposal(act: Act, **args: str) -> Proposal:
    return Proposal("p1", act, 1, str(STRANGER), datetime(2100, 1, 1, tzinfo=UTC), args)


Doing = Callable[[Tx, Actor], Outcome | int]
EVERYTHING: dict[str, Doing] = {
    "acknowledge": lambda tx, who: acknowledge(tx, 1, who),
    "take": lambda tx, who: take_over(tx, 1, who),
    "acknowledge all": lambda tx, who: acknowledge_all(tx, [1], who),
    "escalate": lambda tx, who: escalate(tx, 1, who),
    "hand over": lambda tx, who: hand_over(tx, 1, "bo", who),
    "page": lambda tx, who: page_by_hand(tx, 1, "bo", who),
    "mitigate": lambda tx, who: mitigate(tx, 1, who),
    "resolve": lambda tx, who: resolve(tx, 1, who),
    "note": lambda tx, who: note(tx, 1, "it is the pool", who),
    "severity": lambda tx, who: change_severity(tx, 1, "SEV1", who),
    "declare": lambda tx, who: declare(tx, "It is broken", "SEV2", who, press_id="x"),
    "silence": lambda tx, who: silence_incident(tx, 1, HOUR, "", who),
    "runbook": lambda tx, who: call_none_fitting(tx, 1, who),
    "checks": lambda tx, who: run_checks(tx, 1, who),
    "draft": lambda tx, who: request_draft(tx, 1, "summary", who),
    "update": lambda tx, who: suggest_update(tx, 1, "internal", who),
    "override": lambda tx, who: set_override(tx, "primary", tx.now, tx.now + HOUR, "bo", who),
    "create token": lambda tx, who: create_token(
        tx, "x", who, sha256="a" * 64, prefix="a", scope="read"
    ),
    "revoke token": lambda tx, who: revoke_token(tx, "x", who),
    "card: resolve": lambda tx, who: carry_out_proposal(tx, proposal(Act.RESOLVE), who),
    "card: page": lambda tx, who: carry_out_proposal(tx, proposal(Act.PAGE, target="bo"), who),
}


def test_a_refused_act_changes_nothing_says_why_and_leaves_one_line_in_the_audit(
    world: World,
) -> None:
    tables = ("incident_event", "outbox", "page", "silence", "draft", "override", "api_token")
    state = "SELECT status, acked_by, severity, silence_id FROM incident ORDER BY id"

    def left() -> list[Any]:
        return [world.rows(f"SELECT count(*) FROM {one}") for one in tables] + world.rows(state)

    before = left()
    for n, (what, do) in enumerate(EVERYTHING.items(), start=1):
        done = world.store.write(do, STRANGER).result()
        assert isinstance(done, Outcome), what
        assert (done.done, done.refused) == (False, True), what
        assert len(done.reason) > 40, what
        assert left() == before, what
        refused = world.store.look(views.audit_trail, by=str(STRANGER), refused=True, limit=99)
        assert len(refused) == n, what
        assert done.reason in refused[0].text, what
    assert world.rows("SELECT count(*) FROM audit WHERE NOT refused AND actor LIKE 'slack%'") == [
        (0,)
    ]


def test_who_may_not_hears_who_can_do_it_now(world: World) -> None:
    world.ack(1, "bo")
    said = world.store.write(resolve, 1, STRANGER).result()
    assert said.refused
    assert said.reason.endswith("Bo Lindt has it and can do it now.")


def test_whoever_was_paged_may_answer_whatever_their_role(world: World) -> None:
    ana = world.person("ana")  # on call for shop, a member of data alone
    assert not world.store.write(page_by_hand, 1, "bo", ana).result().done
    assert world.store.write(acknowledge, 1, ana).result().done
    assert world.store.write(escalate, 1, ana).result().done
    assert world.store.write(resolve, 1, ana).result().done


def test_a_user_group_grants_a_role_until_somebody_leaves_it(world: World) -> None:
    world.apply(strict(roles={"responder": ["@shop-devs"], "manager": ["S0LEADERS"]}))
    assert world.store.look(groups_named) == ["@shop-devs", "S0LEADERS"]
    assert not world.store.write(resolve, 1, STRANGER).result().done
    both = {"@shop-devs": [STRANGER.key, "U0ANAANA1"], "S0LEADERS": [STRANGER.key]}
    assert world.store.write(read_groups, both).result() == 2
    number = world.store.look(lambda reader: reader.snapshot.number)

    def role(who: Actor) -> Role:
        return world.store.look(lambda reader: reader.snapshot.rights.role_in(who, "shop"))

    assert (role(STRANGER), role(world.person("ana"))) == (Role.MANAGER, Role.RESPONDER)
    assert world.store.write(read_groups, both).result() == 0
    assert world.store.write(read_groups, {}).result() == 0, "Slack failed: what was known stays"
    assert world.store.look(lambda reader: reader.snapshot.number) == number
    assert role(STRANGER) is Role.MANAGER
    assert world.store.write(read_groups, {"@shop-devs": [STRANGER.key], "S0LEADERS": []}).result()
    assert (role(STRANGER), role(world.person("ana"))) == (Role.RESPONDER, Role.VIEWER)
    assert world.store.write(resolve, 1, STRANGER).result().done
    world.apply(strict())
    assert role(STRANGER) is Role.VIEWER, "a group that the file names no more grants nothing"


def test_a_silence_is_as_long_as_the_role_allows(world: World) -> None:
    for who, hours, may in (("bo", 5, False), ("cy", 25, False), ("dee", 25, True)):
        for_ = timedelta(hours=hours)
        done = world.store.write(silence_incident, 1, for_, "", world.person(who)).result()
        assert (done.done, done.refused) == (may, not may), who
    shown = world.shown().silence
    assert shown is not None
    assert world.store.write(end_silence, shown.silence_id, STRANGER).result().refused
    assert world.store.write(end_silence, shown.silence_id, world.person("bo")).result().done


def test_a_silence_holds_back_nothing_that_another_team_waits_for(world: World) -> None:
    document = strict()
    document["routes"][-1] |= {
        "group_by": ["alertname", "app"],
        "service_from": ["app", "service"],
    }
    world.apply(document)
    world.clock.advance(120)  # a second incident of a team within a minute waits a little
    shared = world.alert("SlowDisk")
    world.told(shared)
    ours = world.open()[0].incident_id
    world.told({**shared, "app": "lake"})
    assert {s.team for s in world.open() if s.incident_id >= ours} == {"shop", "data"}
    for who, may in (("bo", False), ("cy", False), ("dee", True)):
        done = world.store.write(silence_incident, ours, HOUR, "", world.person(who)).result()
        assert (done.done, done.refused) == (may, not may), who
        assert may or "alerts of team data" in done.reason


def test_an_override_of_somebody_else_tells_both(world: World) -> None:
    now = world.clock.now
    cy = world.person("cy")
    done = world.store.write(set_override, "primary", now, now + HOUR, "bo", cy).result()
    assert done.done
    world.run()
    told = {got.to for got in world.slack if got.kind == "notice" and "Bo Lindt" in got.what}
    assert {"U0ANAANA1", "U0BOBOBO1"} <= told
