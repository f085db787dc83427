"""Shifts change at night: both people hear of it once, whatever the clocks and the processes do."""

from __future__ import annotations

import copy
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from oncall_bot.flows.plan_ahead import plan_ahead
from oncall_bot.flows.reminders import set_reminders
from oncall_bot.flows.set_override import cancel_override, set_override
from oncall_bot.flows.silence_incident import silence_incident
from oncall_bot.flows.strike import strike
from oncall_bot.store import timers, views
from oncall_bot.store.db import Store
from tests.component.flows.world import DOCUMENT, World

HOUR = timedelta(hours=1)
ANA, BO, CY = "U0ANAANA1", "U0BOBOBO1", "U0CYCYCY1"


def nightly(start: str, *users: str, zone: str = "Europe/Berlin") -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    layer = document["schedules"]["primary"]["layers"][0]
    layer |= {"start": start, "rotation": {"unit": "day", "every": 1}, "users": list(users)}
    document["schedules"]["primary"]["zone"] = zone
    return document


def at_night(world: World, now: datetime, document: dict[str, Any]) -> World:
    world.clock.now = now
    world.apply(document)
    world.store.write(plan_ahead).result()
    return world


def handed(world: World) -> list[tuple[str, datetime]]:
    return [(got.to, got.at) for got in world.slack if got.what == "hand_off"]


def test_on_the_night_lived_twice_the_hand_off_is_told_once(world: World) -> None:
    """02:30 comes twice in Berlin on 25 October; the hand-off is the first, 00:30 UTC."""
    evening = datetime(2026, 10, 24, 22, tzinfo=UTC)
    at_night(world, evening, nightly("2026-10-20T02:30", "ana", "bo"))
    for _ in range(40):
        world.pass_time(600, step=60)
        world.store.write(plan_ahead).result()
    assert sorted(to for to, _ in handed(world)) == [ANA, BO]
    assert {at for _, at in handed(world)} == {datetime(2026, 10, 25, 0, 30, tzinfo=UTC)}


def test_on_the_night_that_skips_an_hour_the_hand_off_is_told_once(world: World) -> None:
    """02:30 does not exist in Berlin on 29 March: 03:30 summer time, 01:30 UTC (R2)."""
    evening = datetime(2026, 3, 28, 22, tzinfo=UTC)
    at_night(world, evening, nightly("2026-03-20T02:30", "ana", "bo"))
    for _ in range(40):
        world.pass_time(600, step=60)
        world.store.write(plan_ahead).result()
    assert sorted(to for to, _ in handed(world)) == [ANA, BO]
    assert {at for _, at in handed(world)} == {datetime(2026, 3, 29, 1, 30, tzinfo=UTC)}


@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
def test_two_processes_go_through_the_night_lived_twice_and_tell_its_hand_off_once(
    world: World, database: str
) -> None:
    """Both strike at the same instant, every ten minutes from midnight to six."""
    evening = datetime(2026, 10, 24, 22, tzinfo=UTC)
    at_night(world, evening, nightly("2026-10-20T02:30", "ana", "bo"))
    other = Store(database, clock=world.clock)
    other.open()
    gate = threading.Barrier(2)

    def strike_what_is_due(store: Store) -> None:
        gate.wait(10)
        for timer_id in store.look(timers.due, limit=100):
            store.write(strike, timer_id).result()
        store.write(plan_ahead).result()

    try:
        for _ in range(36):
            world.clock.advance(600)
            both = [
                threading.Thread(target=strike_what_is_due, args=(one,))
                for one in (world.store, other)
            ]
            for one in both:
                one.start()
            for one in both:
                one.join(20)
            world.run()
    finally:
        other.close()
    assert sorted(to for to, _ in handed(world)) == [ANA, BO]
    assert {at for _, at in handed(world)} == {datetime(2026, 10, 25, 0, 30, tzinfo=UTC)}
    assert len(world.rows("SELECT id FROM shift_log")) == 1


def test_a_restart_that_slept_over_it_tells_the_hand_off_late_and_says_so(world: World) -> None:
    morning = datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
    at_night(world, morning, nightly("2026-03-01T09:00", "ana", "bo"))
    world.clock.advance(3600 + 40 * 60)
    world.run()
    assert sorted(to for to, _ in handed(world)) == [ANA, BO]
    at = int(datetime(2026, 3, 3, 8, tzinfo=UTC).timestamp())
    payload = {"schedule": "primary", "at": at, "leaving": "bo", "arriving": "ana", "to": "ana"}
    told = world.store.look(views.hand_off, payload)
    assert told is not None
    assert told.late == timedelta(minutes=40)


def test_after_a_long_sleep_only_a_short_note_is_sent_and_the_log_is_whole(world: World) -> None:
    """Asleep for three hand-offs: nobody who came and went meanwhile is woken by old news."""
    morning = datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
    at_night(world, morning, nightly("2026-03-01T09:00", "ana", "bo", "cy"))
    world.clock.now = datetime(2026, 3, 5, 12, tzinfo=UTC)
    world.run()
    assert handed(world) == []
    notes = [got for got in world.slack if "since Thu 5 Mar 09:00 (Europe/Berlin)" in got.what]
    assert [got.to for got in notes] == [BO]
    logged = world.rows(
        "SELECT p.key FROM shift_log s JOIN person p ON p.id = s.person_id ORDER BY s.starts_at"
    )
    assert [row[0] for row in logged] == ["cy", "ana", "bo"]
    assert len(world.rows("SELECT id FROM audit WHERE verb = 'handoff_skipped'")) == 1


def test_a_hand_off_that_an_override_moved_is_told_where_it_is_now(world: World) -> None:
    morning = datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
    at_night(world, morning, nightly("2026-03-01T09:00", "ana", "bo"))
    begins = morning + HOUR  # bo hands over to ana at 08:00 UTC, but cy takes her first two hours
    cy = world.person("cy")
    done = world.store.write(set_override, "primary", begins, begins + 2 * HOUR, "cy", cy).result()
    assert done.done
    world.pass_time(4 * 3600)
    assert [(to, at.hour) for to, at in handed(world)] == [(CY, 8), (BO, 8), (ANA, 10), (CY, 10)]


def test_an_override_cancelled_while_it_runs_leaves_the_past_as_it_was(world: World) -> None:
    noon = datetime(2026, 3, 3, 12, tzinfo=UTC)
    at_night(world, noon, nightly("2026-03-01T09:00", "ana", "bo"))
    ana = world.person("ana")
    done = world.store.write(set_override, "primary", noon, noon + 6 * HOUR, "cy", ana).result()
    world.clock.advance(2 * 3600)
    said = world.store.write(cancel_override, done.override_id, world.person("dee")).result()
    assert said.done
    world.run()
    who = world.store.look(
        lambda r: [r.snapshot.on_call("primary", noon + n * HOUR) for n in (1, 3)]
    )
    assert who == ["cy", "ana"]
    told = {got.to for got in world.slack if "cancelled the override" in got.what}
    assert told == {ANA, CY}


@pytest.mark.parametrize(("who", "may"), [("ana", True), ("dee", True), ("eve", False)])
def test_who_may_set_an_override(world: World, who: str, may: bool) -> None:
    document = nightly("2026-03-01T09:00", "ana", "bo")
    document["people"]["eve"] = {"name": "Eve Elm", "slack": "U0EVEEVE1"}
    now = world.clock.now
    at_night(world, now, document)
    done = world.store.write(
        set_override, "primary", now, now + HOUR, "cy", world.person(who)
    ).result()
    assert done.done is may
    if not may:
        assert "people of team shop, managers and admins" in done.reason


def test_the_arriving_person_inherits_what_is_open_and_what_ends_soon(world: World) -> None:
    morning = datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
    at_night(world, morning, nightly("2026-03-01T09:00", "ana", "bo"))
    world.told(world.alert())
    world.told(world.alert("DiskFull", severity="warning"))
    world.pass_time(60)
    world.store.write(
        silence_incident, 2, timedelta(hours=2), "planned move", world.person("bo")
    ).result()
    world.pass_time(3600)
    at = int(datetime(2026, 3, 3, 8, tzinfo=UTC).timestamp())
    payload = {"schedule": "primary", "at": at, "leaving": "bo", "arriving": "ana", "to": "ana"}
    told = world.store.look(views.hand_off, payload)
    assert told is not None
    assert {number for number, _, _ in told.open_incidents} == {1, 2}
    assert [(by, why) for by, _, why in told.silences] == [("Bo Lindt", "planned move")]
    assert told.noise[0].alert == "HighErrorRate"
    assert told.noise[0].pages >= 1
    assert [name for name, _ in told.then] == ["Bo Lindt"]


def test_reminders_come_when_they_were_wished_for_and_once(world: World) -> None:
    noon = datetime(2026, 3, 3, 12, tzinfo=UTC)
    at_night(world, noon, nightly("2026-03-01T09:00", "ana", "bo"))
    spans = [timedelta(hours=2), timedelta(minutes=30)]
    assert world.store.write(set_reminders, "bo", spans, world.person("bo")).result().done
    for _ in range(24 * 6):
        world.pass_time(600, step=60)
        world.store.write(plan_ahead).result()
    told = [(got.at, got.what) for got in world.slack if got.what.startswith("Your shift")]
    assert [at for at, _ in told] == [
        datetime(2026, 3, 4, 6, tzinfo=UTC),
        datetime(2026, 3, 4, 7, 30, tzinfo=UTC),
    ]
    assert told[0][1] == (
        "Your shift for primary begins in 2 h: Wed 4 Mar 09:00 until Thu 5 Mar 09:00 (Europe/Berlin)."
    )


def test_a_shift_that_somebody_covers_is_not_reminded_of(world: World) -> None:
    noon = datetime(2026, 3, 3, 12, tzinfo=UTC)
    at_night(world, noon, nightly("2026-03-01T09:00", "ana", "bo"))
    world.store.write(set_reminders, "bo", [2 * HOUR], world.person("bo")).result()
    begins = datetime(2026, 3, 4, 8, tzinfo=UTC)
    world.pass_time(17.9 * 3600)
    world.store.write(plan_ahead).result()  # the reminder is planned by now
    ana = world.person("ana")
    world.store.write(set_override, "primary", begins, begins + 24 * HOUR, "cy", ana).result()
    world.pass_time(3 * 3600)
    assert not [got for got in world.slack if got.what.startswith("Your shift")]
