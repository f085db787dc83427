"""What the source lists, against what is believed: ends nobody told, re-openings, doubts, and when a list counts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from oncall_bot.core.alerts import fingerprint
from oncall_bot.core.situation import State
from oncall_bot.flows.acknowledge import acknowledge
from oncall_bot.flows.escalate import page_by_hand
from oncall_bot.flows.reconcile import (
    Listed,
    Lists,
    answered,
    confirmed,
    not_heard,
    reconcile,
    reopen_listed,
)
from oncall_bot.flows.silence_incident import silence_incident
from oncall_bot.store import views
from tests.component.flows.world import World


def lists(
    *alerts: tuple[Mapping[str, str], datetime],
    whole: bool = True,
    held_by: str | None = None,
    receivers: tuple[str, ...] = (),
) -> Lists:
    found = [
        Listed(fingerprint(labels), starts_at, held_by, receivers) for labels, starts_at in alerts
    ]
    return Lists("default", whole, {one.fingerprint: one for one in found})


def compare(world: World, answer: Lists) -> None:
    world.store.write(reopen_listed, answer, sorted(answer.alerts)).result()
    world.store.write(reconcile, answer).result()


def test_an_alert_missing_for_five_minutes_in_two_lists_has_ended(world: World) -> None:
    world.told(world.alert())
    world.run()
    compare(world, lists())
    assert world.shown().state is State.FIRING
    world.clock.advance(299)
    compare(world, lists())
    assert world.shown().state is State.FIRING
    world.clock.advance(2)
    compare(world, lists())
    assert world.shown().state is State.RESOLVED


def test_a_list_of_a_source_that_just_started_closes_nothing(world: World) -> None:
    world.told(world.alert())
    for _ in range(5):
        compare(world, lists(whole=False))
        world.clock.advance(300)
    assert world.shown().state is State.FIRING


def test_seen_again_between_two_lists_begins_the_count_anew(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    compare(world, lists())
    world.clock.advance(200)
    compare(world, lists((world.alert(), start)))
    world.clock.advance(200)
    compare(world, lists())
    assert world.shown().state is State.FIRING


def test_ended_for_us_but_still_listed_is_open_again(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.run()
    world.told(world.alert(), starts_at=start, ended=True)
    world.clock.advance(400)
    compare(world, lists((world.alert(), start)))
    world.run()
    assert world.shown().state is State.FIRING
    assert world.rang() == ["ana-phone", "ana-phone"]


def test_what_the_source_silences_is_not_opened_again(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.told(world.alert(), starts_at=start, ended=True)
    compare(world, lists((world.alert(), start), held_by="silence-1"))
    assert world.shown().state is State.RESOLVED


def test_a_doubt_that_the_source_confirms_pages_at_once(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.run()
    world.clock.advance(400)
    world.told(world.alert(), starts_at=start, ended=True)
    world.told(world.alert(), starts_at=start, sender="http://am-2:9093|oncall|{}")
    world.store.write(confirmed, 1, listed=True).result()
    world.run()
    assert world.rang() == ["ana-phone", "ana-phone"]


def test_a_doubt_that_the_source_denies_is_forgotten(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.run()
    world.told(world.alert(), starts_at=start, ended=True)
    world.told(world.alert(), starts_at=start, sender="http://am-2:9093|oncall|{}")
    world.store.write(confirmed, 1, listed=False).result()
    world.pass_time(600)
    assert world.rang() == ["ana-phone"]
    assert world.shown().state is State.RESOLVED


# --- held back at the source --------------------------------------------------------------------------------------


def held(
    world: World, *alerts: Mapping[str, str], since: datetime, by: str = "silence 1a2b"
) -> None:
    compare(world, lists(*((labels, since) for labels in alerts), held_by=by))


def test_an_incident_of_which_all_is_silenced_at_the_source_pages_nobody_until_it_is_released(
    world: World,
) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.run()
    held(world, world.alert(), since=start)
    for _ in range(20):
        world.pass_time(60)
        held(world, world.alert(), since=start)
    shown = world.shown()
    assert world.rang() == ["ana-phone"], "Bo's step is not paged while it is held"
    assert (shown.firing, shown.held_back) == (0, 1)
    assert shown.held_why == "held back by its source (silence 1a2b)"
    compare(world, lists((world.alert(), start)))
    world.run()
    assert world.rang() == ["ana-phone", "ana-phone"]
    assert (world.shown().firing, world.shown().held_back, world.shown().held_why) == (1, 0, None)


def test_why_says_that_its_source_holds_it_back(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.run()
    held(world, world.alert(), since=start, by="inhibited by another alert")
    said = [line.text(str) for line in world.store.look(views.why, 1)]
    assert "Nobody is paged now: held back by its source (inhibited by another alert)." in said


def test_while_one_alert_is_not_held_the_incident_pages_on(world: World) -> None:
    start = world.clock.now
    one, other = world.alert(instance="a"), world.alert(instance="b")
    world.told(one, other, starts_at=start)
    world.run()
    both = {
        fingerprint(one): Listed(fingerprint(one), start, "silence x"),
        fingerprint(other): Listed(fingerprint(other), start),
    }
    compare(world, Lists("default", whole=True, alerts=both))
    world.pass_time(6 * 60)
    assert world.rang() == ["ana-phone", "bo-phone"]
    assert (world.shown().firing, world.shown().held_back) == (1, 1)


def test_when_the_last_one_that_was_not_held_ends_paging_stops_at_once(world: World) -> None:
    start = world.clock.now
    one, other = world.alert(instance="a"), world.alert(instance="b")
    world.told(one, other, starts_at=start)
    world.run()
    both = {
        fingerprint(one): Listed(fingerprint(one), start, "silence x"),
        fingerprint(other): Listed(fingerprint(other), start),
    }
    compare(world, Lists("default", whole=True, alerts=both))
    world.told(other, starts_at=start, ended=True)
    world.pass_time(9 * 60)
    assert world.rang() == ["ana-phone"]
    assert (world.shown().firing, world.shown().held_back) == (0, 1)


def test_a_new_alert_in_an_incident_that_is_held_pages_at_once(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(instance="a"), starts_at=start)
    world.run()
    held(world, world.alert(instance="a"), since=start)
    world.told(world.alert(instance="b"))
    world.run()
    assert world.rang() == ["ana-phone", "ana-phone"]
    assert (world.shown().firing, world.shown().held_back) == (1, 1)


def test_a_held_alert_that_ends_leaves_the_counters_right(world: World) -> None:
    start = world.clock.now
    one, other = world.alert(instance="a"), world.alert(instance="b")
    world.told(one, other, starts_at=start)
    both = {
        fingerprint(one): Listed(fingerprint(one), start, "silence x"),
        fingerprint(other): Listed(fingerprint(other), start),
    }
    compare(world, Lists("default", whole=True, alerts=both))
    world.told(one, starts_at=start, ended=True)
    assert (world.shown().firing, world.shown().held_back) == (1, 0)


def test_what_a_silent_source_holds_back_counts_as_firing_after_ten_minutes(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.run()
    held(world, world.alert(), since=start)
    world.pass_time(9 * 60)
    assert world.rang() == ["ana-phone"]
    world.pass_time(2 * 60)
    assert world.rang() == ["ana-phone", "ana-phone"]


def test_whoever_has_it_keeps_it_when_its_source_silences_it(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.run()
    world.store.write(acknowledge, 1, world.person("ana")).result()
    held(world, world.alert(), since=start)
    compare(world, lists((world.alert(), start)))
    world.pass_time(20 * 60)
    assert world.rang() == ["ana-phone"]
    assert world.shown().state is State.ACKNOWLEDGED


def test_whoever_was_asked_by_hand_is_asked_on_while_the_source_silences_it(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.run()
    world.store.write(page_by_hand, 1, "bo", world.person("ana")).result()
    world.run()
    held(world, world.alert(), since=start)
    world.pass_time(6 * 60)
    assert world.rang() == ["ana-phone", "bo-phone", "bo-phone"]


def test_an_alert_that_a_silence_does_not_hold_pages_although_its_incident_is_silenced(
    world: World,
) -> None:
    world.told(world.alert(instance="a"))
    world.run()
    quiet = (1, timedelta(hours=2), "moving", world.person("ana"))
    world.store.write(silence_incident, *quiet).result()
    world.told(world.alert(instance="b"))
    world.run()
    assert world.rang() == ["ana-phone", "ana-phone"]
    assert world.shown().state is State.FIRING
    assert (world.shown().firing, world.shown().held_back) == (1, 1)


def test_what_its_source_silences_before_its_incident_begins_pages_nobody(world: World) -> None:
    """A team's second group in a minute waits for the brake; two seconds are enough for a silence."""
    start = world.clock.now
    world.told(world.alert("First"), starts_at=start)
    world.told(world.alert("Second"), starts_at=start)
    world.run()
    second = {
        fingerprint(world.alert("Second")): Listed(fingerprint(world.alert("Second")), start, "x")
    }
    compare(world, Lists("default", whole=False, alerts=second))
    world.pass_time(3, step=1)
    assert (world.shown(2).firing, world.shown(2).held_back) == (0, 1)
    assert world.rang() == ["ana-phone"], "for the first one"


# --- ends, starts and receivers -----------------------------------------------------------------------------------


def test_an_end_that_nobody_told_is_written_down_as_such(world: World) -> None:
    world.told(world.alert())
    for _ in range(2):
        compare(world, lists())
        world.clock.advance(301)
    compare(world, lists())
    assert "default lists an alert no more, and nobody told the end" in world.timeline()
    assert world.rows("SELECT end_reason, ended_by FROM occurrence") == [("missing", "reconciler")]


def test_a_newer_start_supersedes_the_old_one_and_pages_nobody_anew(world: World) -> None:
    """Ended and fired again within one flush: Alertmanager says nothing until it repeats (fact 18)."""
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.run()
    world.clock.advance(120)
    again = world.clock.now
    compare(world, lists((world.alert(), again)))
    world.run()
    assert world.rang() == ["ana-phone"]
    assert world.rows("SELECT end_reason FROM occurrence ORDER BY id") == [("superseded",), (None,)]
    assert (world.shown().state, world.shown().firing) == (State.FIRING, 1)
    world.told(world.alert(), starts_at=again)
    world.told(world.alert(), starts_at=again, ended=True)
    assert world.shown().state is State.RESOLVED


def test_an_older_start_changes_nothing(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    compare(world, lists((world.alert(), start - timedelta(minutes=9))))
    assert world.rows("SELECT count(*) FROM occurrence") == [(1,)]


def test_what_is_listed_for_another_receiver_only_is_not_opened_again(world: World) -> None:
    start = world.clock.now
    sender = "http://am-1:9093|oncall|{}"
    world.told(world.alert(), starts_at=start, sender=sender)
    world.told(world.alert(), starts_at=start, sender=sender, ended=True)
    compare(world, lists((world.alert(), start), receivers=("mail-archive",)))
    assert world.shown().state is State.RESOLVED
    compare(world, lists((world.alert(), start), receivers=("mail-archive", "oncall")))
    assert world.shown().state is State.FIRING


# --- sources that say nothing -------------------------------------------------------------------------------------


def test_an_address_that_does_not_answer_is_shown_and_closes_nothing(world: World) -> None:
    world.told(world.alert())
    world.store.write(answered, "default", ["am-2:9093"]).result()
    since = world.clock.now
    world.clock.advance(3600)
    world.store.write(answered, "default", ["am-2:9093"]).result()
    shown = world.shown()
    assert (shown.silent_source, shown.silent_since) == ("default (am-2:9093)", since)
    assert shown.state is State.FIRING
    world.store.write(answered, "default", []).result()
    assert world.shown().silent_source is None


def test_a_source_without_an_address_is_asked_about_once_and_never_closed(world: World) -> None:
    start = world.clock.now
    world.told(world.alert())
    world.run()
    world.ack(1)
    world.clock.advance(8 * 3600 + 1)
    for _ in range(3):
        world.store.write(not_heard, "default").result()
        world.clock.advance(60)
    assert world.shown().state is State.ACKNOWLEDGED
    assert world.shown().not_heard_since == start
    asked = [line for line in world.timeline() if "has not repeated it since" in line]
    assert len(asked) == 1
    world.told(world.alert(), starts_at=start)
    assert world.shown().not_heard_since is None


def test_after_a_long_downtime_one_whole_list_is_enough_to_end_what_is_over(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.clock.advance(3600)
    since = world.clock.now - timedelta(minutes=10)
    world.store.write(reconcile, lists(), 0, unheard_since=since).result()
    world.run()
    assert world.rang() == []
    assert world.shown().state is State.RESOLVED
