"""Several incidents ring one person as one message; caps delay and never drop; late pages come as one."""

from __future__ import annotations

import copy
import itertools
from datetime import timedelta
from typing import Any

from oncall_bot.core.incidents import CALM_AFTER_FLAP
from oncall_bot.flows.acknowledge import acknowledge_message
from oncall_bot.flows.claiming import claim
from oncall_bot.flows.delivered import delivered, take_back
from oncall_bot.flows.resolve import resolve
from oncall_bot.flows.silence_incident import end_silence, silence_incident
from oncall_bot.store import bundling, outbox, processes
from oncall_bot.store.outbox import Fate
from tests.component.flows.world import DOCUMENT, Got, World

LEASE = timedelta(minutes=2)


def with_voice(cap: str | None) -> dict[str, Any]:
    """Ana is called as well, at once, at most so often."""
    document = copy.deepcopy(DOCUMENT)
    document["people"]["ana"]["contacts"]["voice"] = "+491"
    document["personal_rules"] = {
        "high": [{"after": "0m", "by": by} for by in ("slack", "push", "voice")],
        "low": [{"after": "0m", "by": by} for by in ("slack", "push", "voice")],
    }
    if cap is not None:
        document["channels"]["voice"]["per_person"] = cap
    return document


def rings(
    world: World, road: str = "push", to: str = "ana-phone"
) -> list[tuple[float, tuple[int, ...]]]:
    """When the phone rang, in seconds since the first ring, and about which incidents."""
    got = [one for one in world.phone if (one.kind, one.to) == (road, to)]
    return [((one.at - got[0].at).total_seconds(), one.incidents) for one in got]


def dms(world: World) -> list[Got]:
    return [got for got in world.slack if (got.to, got.kind) == ("U0ANAANA1", "page")]


def claimed(world: World, owner: str = "me") -> list[Any]:
    rows: list[Any] = world.store.write(claim, owner, 100, LEASE).result()
    return rows


def loud(rows: list[Any]) -> Any:
    (row,) = [row for row in rows if row.kind == "loud"]
    return row


def at_once(world: World, *names: str) -> None:
    """These alerts each open an incident of their own, the brake past, and none has rung yet."""
    for name in names:
        world.told(world.alert(name))
        world.clock.advance(61)


# --- several at once ----------------------------------------------------------------------------------------------


def test_the_first_page_rings_at_once_and_what_follows_comes_as_one(world: World) -> None:
    for name in ("One", "Two", "Three", "Four"):
        world.told(world.alert(name))
    world.pass_time(20, step=0.5)
    assert rings(world) == [(0, (1,)), (3, (2, 3, 4))]
    assert [got.incidents for got in dms(world)] == [(1,), (2, 3, 4)]


def test_each_incident_says_in_whose_company_its_page_came(world: World) -> None:
    for name in ("One", "Two", "Three"):
        world.told(world.alert(name))
    world.pass_time(20, step=0.5)
    assert "push to Ana Ruiz was one message with incident 3" in world.timeline(2)
    assert any(
        line.startswith("push to Ana Ruiz waits until 12:00:03 UTC") for line in world.timeline(2)
    )
    (paged,) = world.shown(3).paged
    assert {(road.road, road.state, road.why) for road in paged.roads} == {
        ("push", "sent", "one message for 2 pages"),
        ("slack", "sent", "one message for 2 pages"),
    }


def test_what_is_acknowledged_meanwhile_drops_out_and_nothing_is_not_sent(world: World) -> None:
    for name in ("One", "Two", "Three"):
        world.told(world.alert(name))
    world.pass_time(2.5, step=0.5)
    world.ack(2)
    world.told(
        world.alert("Four")
    )  # it opens two seconds later, a second and a half after the last ring
    world.pass_time(2.5, step=0.5)
    assert rings(world)[1:] == [(3, (3,))]
    world.ack(4)
    world.pass_time(60, step=0.5)
    assert len(rings(world)) == 2


def test_whoever_answers_is_told_of_the_next_at_once(world: World) -> None:
    world.told(world.alert("One"))
    world.run()
    world.ack(1)
    world.told(world.alert("Two"))
    world.pass_time(2, step=0.5)
    assert rings(world) == [(0, (1,)), (2, (2,))]


def test_the_urgent_does_not_wait_behind_the_rest_and_takes_it_along(world: World) -> None:
    world.apply(with_voice(None))
    for name in ("One", "Two"):
        world.told(world.alert(name, severity="warning"))
        world.clock.advance(2)
        world.run()
    assert rings(world) == [(0, (1,))]
    world.told(world.alert("Worse", service="search"))
    world.clock.advance(2)
    world.run()
    assert rings(world)[1][1] == (2, 3)


def test_one_button_acknowledges_all_that_the_message_asks_for(world: World) -> None:
    at_once(world, "One", "Two", "Three")
    world.run()
    (message_id,) = {row[0] for row in world.rows("SELECT bundle_id FROM page")}
    assert message_id is not None
    world.ack(1, "bo")
    done = world.store.write(acknowledge_message, message_id, world.person("ana")).result()
    assert done.reason == "You have incidents 2, 3. Nobody else is paged."
    again = world.store.write(acknowledge_message, message_id, world.person("ana")).result()
    assert not again.done
    assert [world.shown(n).acked_by for n in (1, 2, 3)] == ["Bo Lindt", "Ana Ruiz", "Ana Ruiz"]


def test_the_message_about_several_is_drawn_again_when_one_of_them_changes(world: World) -> None:
    at_once(world, "One", "Two")
    world.run()
    (message_id,) = {row[0] for row in world.rows("SELECT bundle_id FROM page")}
    before = len([got for got in world.slack if got.what.startswith(f"card:{message_id}:")])
    world.ack(1)
    world.run()
    assert (
        len([got for got in world.slack if got.what.startswith(f"card:{message_id}:")])
        == before + 1
    )


# --- caps ---------------------------------------------------------------------------------------------------------


def test_past_the_cap_one_call_tells_of_all_that_waited_while_other_roads_ring(
    world: World,
) -> None:
    world.apply(with_voice("2/15m"))
    for n, name in enumerate(("One", "Two", "Three", "Four"), start=1):
        world.told(world.alert(name))
        world.pass_time(59, step=10)
        world.ack(n)
        world.told(world.alert(name), ended=True)
        world.pass_time(2, step=1)
    for name in ("Five", "Six"):
        world.told(world.alert(name))
        world.pass_time(61, step=10)
    world.pass_time(900, step=30)
    calls = rings(world, "voice", "+491")
    assert [about for _, about in calls[:2]] == [(1,), (2,)]
    assert calls[2][0] >= 900
    assert set(calls[2][1]) == {5, 6}
    assert [about for _, about in rings(world)[:6]] == [(1,), (2,), (3,), (4,), (5,), (6,)]
    assert any(
        line.startswith("voice to Ana Ruiz waits until 12:15:00 UTC")
        and "at most 2 in 15 min" in line
        for line in world.timeline(5)
    )


# --- late ---------------------------------------------------------------------------------------------------------


def test_after_a_long_downtime_one_message_tells_of_all_that_is_overdue(world: World) -> None:
    world.told(*[world.alert("Slow", service=service) for service in ("checkout", "search")])
    for name in ("One", "Two", "Three", "Four"):
        world.told(world.alert(name))
    world.clock.advance(42 * 60)
    world.pass_time(60, step=0.5)
    assert {n for _, about in rings(world) for n in about} == {1, 2, 3, 4, 5}
    assert len(rings(world)) <= 2
    assert len(dms(world)) <= 2


def test_pages_whose_timers_are_overdue_are_gathered_before_the_first_rings(world: World) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["routes"][1]["group_by"] = ["service"]
    world.apply(document)
    for n in range(7):
        world.told(world.alert("Slow", service=f"s{n}"))
        world.clock.advance(61)
    world.clock.advance(42 * 60)
    world.pass_time(60, step=0.5)
    assert rings(world)[0][1] == (1, 2, 3, 4, 5, 6, 7)
    assert len(rings(world)) == len(dms(world)) == 1


def test_the_first_step_of_an_overdue_page_is_late_by_its_timer_not_by_its_row(
    world: World,
) -> None:
    world.told(world.alert("Slow"))
    due = world.clock.now + timedelta(seconds=30)
    world.clock.advance(3600)
    world.run()
    rows = world.store.look(outbox.pages_of_incident, 1)
    assert {row.due_at for row in rows} == {due}


# --- failures and crashes -----------------------------------------------------------------------------------------


def test_after_a_crash_the_same_pages_go_again_under_the_same_key(world: World) -> None:
    at_once(world, "One", "Two")
    world.store.write(processes.beat, "gone", "1", world.clock.now).result()
    first = loud(claimed(world, "gone"))
    key = bundling.key_of(world.store.look(bundling.members, first.bundle_id))
    world.clock.advance(10)
    world.store.write(take_back).result()
    world.told(world.alert("Three"))
    world.clock.advance(3)
    second = loud(claimed(world))
    together = world.store.look(outbox.carried, second)
    assert {row.incident_id for row in together} == {1, 2}
    assert bundling.key_of(world.store.look(bundling.members, second.bundle_id)) == key


def test_what_was_refused_goes_again_with_all_that_came_since(world: World) -> None:
    at_once(world, "One", "Two")
    row = loud(claimed(world))
    before = bundling.key_of(world.store.look(bundling.members, row.bundle_id))
    fate = Fate("failed", answer="503", retry_after=timedelta(0))
    assert world.store.write(delivered, row.id, "me", fate).result() == "pending"
    world.told(world.alert("Three"))
    world.run()
    assert rings(world) == [(0, (1, 2, 3))]
    after = bundling.key_of(world.store.look(bundling.members, row.bundle_id))
    assert after != before


def test_a_page_that_ends_processes_takes_no_other_with_it(world: World) -> None:
    at_once(world, "One", "Two")
    for n in range(3):
        world.store.write(processes.beat, f"gone-{n}", "1", world.clock.now).result()
        claimed(world, f"gone-{n}")
        world.clock.advance(10)
        world.store.write(take_back).result()
    world.pass_time(40, step=1)
    assert [about for _, about in rings(world)] == [(1,), (2,)]


# --- flaps --------------------------------------------------------------------------------------------------------


def flap(world: World, seconds: float, *, up: float, down: float, step: float = 5) -> None:
    end = world.clock.now + timedelta(seconds=seconds)
    while world.clock.now < end:
        world.told(world.alert())
        started = world.clock.now
        world.pass_time(up, step=step)
        world.told(world.alert(), starts_at=started, ended=True)
        world.pass_time(down, step=step)


def gaps(world: World) -> list[float]:
    ats = [at for at, _ in rings(world)]
    return [b - a for a, b in itertools.pairwise(ats)]


def test_an_alert_that_flaps_rings_no_sooner_than_after_the_calm(world: World) -> None:
    flap(world, 1200, up=40, down=40, step=20)
    assert len(rings(world)) >= 3
    assert min(gaps(world)) >= CALM_AFTER_FLAP.total_seconds()


def test_what_still_fires_after_the_calm_rings(world: World) -> None:
    flap(world, 60, up=20, down=20)
    world.told(world.alert())
    world.pass_time(301, step=10)
    assert [at for at, _ in rings(world)][1] == 300


def test_the_calm_counts_from_a_ring_that_a_cap_made_late(world: World) -> None:
    world.apply(with_voice("1/10m"))
    world.told(world.alert("Other", service="search"))
    world.pass_time(5, step=1)
    world.told(world.alert())
    started = world.clock.now
    world.pass_time(610, step=10)
    called = [one.at for one in world.phone if one.kind == "voice" and 2 in one.incidents]
    world.told(world.alert(), starts_at=started, ended=True)
    world.pass_time(5, step=1)
    world.told(world.alert())
    world.pass_time(240, step=20)
    later = [one for one in world.phone if 2 in one.incidents and one.at > called[0]]
    assert later == []
    world.pass_time(120, step=20)
    assert [one.kind for one in world.phone if 2 in one.incidents and one.at > called[0]] != []


def test_a_silence_taken_back_is_no_flap_and_rings_at_once(world: World) -> None:
    world.told(world.alert())
    world.run()
    ana = world.person("ana")
    done = world.store.write(silence_incident, 1, timedelta(minutes=30), "wait", ana).result()
    assert done.done
    (silence,) = world.rows("SELECT id FROM silence")
    world.pass_time(60)
    world.store.write(end_silence, silence[0], ana).result()
    world.pass_time(360, step=5)
    assert [at for at, _ in rings(world)][:2] == [0, 60]


def test_one_resolved_by_hand_that_fires_anew_rings_after_the_calm(world: World) -> None:
    world.told(world.alert())
    world.run()
    world.store.write(resolve, 1, world.person("ana")).result()
    world.told(world.alert(), ended=True, starts_at=world.clock.now)
    world.clock.advance(30)
    world.told(world.alert())
    world.pass_time(300, step=5)
    assert [at for at, _ in rings(world)] == [0, 300]


def test_what_waited_in_the_outbox_over_a_long_downtime_comes_as_one(world: World) -> None:
    at_once(world, "One", "Two", "Three")
    world.clock.advance(3600)
    world.run()
    assert rings(world) == [(0, (1, 2, 3))]


def test_the_first_card_of_an_incident_goes_before_edits_of_older_cards(world: World) -> None:
    world.told(world.alert("One"))
    world.pass_time(30, step=1)
    world.ack(1)
    world.clock.advance(61)
    world.told(world.alert("Two"))
    cards = []
    while rows := world.store.write(claim, "me", 1, LEASE).result():
        (row,) = rows
        if "message_id" in row.payload:
            ((role, number),) = world.rows(
                f"SELECT role, incident_id FROM slack_message WHERE id = {row.payload['message_id']}"
            )
            cards += [number] if role == "root" else []
            world.store.write(delivered, row.id, "me", Fate("sent", provider_id="1")).result()
    assert cards == [2, 1]
