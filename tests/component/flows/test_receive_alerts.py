"""Alerts come in: what a telling changes, whom it wakes, and what a repeat leaves alone."""

from __future__ import annotations

from datetime import timedelta

from oncall_bot.core.alerts import Verdict
from oncall_bot.core.situation import State
from oncall_bot.store import incidents
from tests.component.flows.world import World


def test_a_critical_alert_rings_the_phone_and_slack_of_the_one_on_call_at_once(
    world: World,
) -> None:
    world.told(world.alert())
    world.run()
    assert world.rang() == ["ana-phone"]
    assert [got.to for got in world.slack if got.kind == "page"] == ["U0ANAANA1"]
    shown = world.shown()
    assert (shown.title, shown.severity, shown.state) == (
        "High error rate on checkout",
        "SEV2",
        State.FIRING,
    )


def test_the_first_line_of_the_timeline_is_what_fires(world: World) -> None:
    world.told(world.alert(instance="a"), world.alert(instance="b"))
    assert world.timeline()[1:3] == ["2 alerts fire: HighErrorRate", "Paged Ana Ruiz: slack, push"]


def test_alerts_that_follow_each_other_are_told_once_in_three_seconds(world: World) -> None:
    """The first line comes at once, the card's numbers with every alert; the timeline stays readable."""
    world.told(world.alert(instance="a"))
    world.run()
    for n in range(10):
        world.clock.advance(0.1)
        world.told(world.alert(instance=f"b{n}"))
    began = world.clock.now - timedelta(seconds=0.9)
    assert world.shown().firing == 11
    assert [line for line in world.timeline() if "fire" in line] == ["HighErrorRate fires"]
    world.pass_time(3)
    assert [line for line in world.timeline() if "fire" in line] == [
        "HighErrorRate fires",
        "10 alerts fire: HighErrorRate",
    ]
    (told,) = (e for e in world.store.look(incidents.events, 1) if e.text.startswith("10 alerts"))
    assert told.at == began


def test_what_was_not_told_yet_stands_before_the_end(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(instance="a"))
    world.run()
    world.clock.advance(1)
    world.told(world.alert(instance="b"), starts_at=start)
    world.told(world.alert(instance="a"), world.alert(instance="b"), starts_at=start, ended=True)
    world.pass_time(10)
    told = [line for line in world.timeline() if "ended" in line or "fires" in line]
    assert told == [
        "HighErrorRate fires",
        "HighErrorRate fires",
        "2 alerts ended",
        "Resolved: all alerts ended",
    ]


def test_the_same_body_again_wakes_nobody_and_changes_only_when_it_was_last_seen(
    world: World,
) -> None:
    for _ in range(2):
        world.told(world.alert(), starts_at=world.clock.now, body="same")
        world.run()
        phone, timeline = world.rang(), world.timeline()
    assert phone == ["ana-phone"]
    assert len(timeline) == 3


def test_two_instances_of_one_rule_are_one_incident_and_one_page(world: World) -> None:
    world.told(world.alert(instance="a"))
    world.run()
    world.told(world.alert(instance="b"))
    world.run()
    assert world.rang() == ["ana-phone"]
    assert world.shown().firing == 2
    assert len(world.open()) == 1


def test_when_all_alerts_end_the_incident_is_resolved_and_paging_stops(world: World) -> None:
    start = world.clock.now
    world.told(world.alert())
    world.run()
    world.clock.advance(60)
    world.told(world.alert(), starts_at=start, ended=True)
    world.pass_time(3600)
    assert world.shown().state is State.RESOLVED
    assert world.rang() == ["ana-phone"]


def test_an_alert_first_heard_of_when_it_was_over_pages_nobody(world: World) -> None:
    received = world.told(world.alert(), ended=True)
    world.run()
    assert received.verdicts == {Verdict.NEW_ENDED: 1}
    assert world.rang() == []


def test_fired_and_ended_within_one_delivery_pages_nobody_and_leaves_a_resolved_incident(
    world: World,
) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.told(world.alert(), starts_at=start, ended=True)
    world.run()
    assert world.rang() == []
    assert world.shown().state is State.RESOLVED


def test_a_newer_start_supersedes_and_nobody_is_paged_anew(world: World) -> None:
    world.told(world.alert())
    world.run()
    world.clock.advance(40)
    received = world.told(world.alert())
    world.run()
    assert received.verdicts == {Verdict.SUPERSEDED: 1}
    assert world.rang() == ["ana-phone"]
    assert world.shown().firing == 1
    assert world.rows("SELECT count(*) FROM occurrence WHERE ended_at IS NULL") == [(1,)]


def test_a_firing_older_than_what_is_known_opens_nothing(world: World) -> None:
    old = world.clock.now - timedelta(hours=1)
    world.told(world.alert())
    received = world.told(world.alert(), starts_at=old)
    assert received.verdicts == {Verdict.NOTHING: 1}


def test_a_peers_stale_firing_is_doubted_and_goes_with_the_next_resolve(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.run()
    world.clock.advance(30)
    world.told(world.alert(), starts_at=start, ended=True)
    world.clock.advance(2)
    stale = world.told(world.alert(), starts_at=start, sender="http://am-2:9093|oncall|{}")
    world.clock.advance(4)
    world.told(world.alert(), starts_at=start, ended=True, sender="http://am-2:9093|oncall|{}")
    world.pass_time(3600)
    assert stale.verdicts == {Verdict.DOUBTED: 1}
    assert world.rang() == ["ana-phone"]
    assert world.shown().state is State.RESOLVED


def test_a_doubt_that_nobody_answers_pages_after_six_minutes(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.run()
    world.clock.advance(30)
    world.told(world.alert(), starts_at=start, ended=True)
    world.clock.advance(2)
    world.told(world.alert(), starts_at=start, sender="http://am-2:9093|oncall|{}")
    doubted_at = world.clock.now
    world.pass_time(7 * 60, step=15)
    assert world.shown().state is State.FIRING
    assert world.phone[-1].at - doubted_at == timedelta(minutes=6)


def test_the_one_who_ended_it_may_open_it_again_with_a_new_body(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start)
    world.run()
    world.clock.advance(400)
    world.told(world.alert(), starts_at=start, ended=True)
    world.clock.advance(10)
    received = world.told(world.alert(), starts_at=start)
    world.run()
    assert received.verdicts == {Verdict.REOPENED: 1}
    assert world.shown().state is State.FIRING
    assert world.rang() == ["ana-phone", "ana-phone"]


def test_an_old_body_of_the_same_sender_is_no_news(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start, body="first")
    world.told(world.alert(), starts_at=start, ended=True, body="second")
    received = world.told(world.alert(), starts_at=start, body="first")
    assert received.verdicts == {Verdict.DOUBTED: 1}
    assert world.shown().state is State.RESOLVED


def test_info_is_stored_and_searchable_and_pages_nobody(world: World) -> None:
    world.told(world.alert(severity="info"))
    world.pass_time(3600)
    assert world.rang() == []
    assert world.slack == []
    assert world.rows("SELECT name FROM alert") == [("HighErrorRate",)]
    assert world.open() == []


def test_info_that_becomes_critical_pages_then(world: World) -> None:
    world.told(world.alert(severity="info"))
    world.run()
    world.told(world.alert(severity="critical"))
    world.run()
    assert world.rang() == ["ana-phone"]
    assert world.shown().severity == "SEV2"


def test_a_warning_waits_in_slack_and_is_asked_once(world: World) -> None:
    world.told(world.alert(severity="warning"))
    world.pass_time(4 * 3600)
    assert world.rang() == []
    assert [got.to for got in world.slack if got.kind == "page"] == ["U0ANAANA1"]


def test_an_unknown_severity_is_critical(world: World) -> None:
    world.told(world.alert(severity="catastrophe"))
    world.run()
    assert world.rang() == ["ana-phone"]


def test_a_worse_alert_raises_the_incident_even_after_an_acknowledgement(world: World) -> None:
    world.told(world.alert(severity="warning", instance="a"))
    world.run()
    world.ack(1)
    world.told(world.alert(severity="critical", instance="b"))
    world.run()
    assert world.rang() == ["ana-phone"]
    assert (world.shown().severity, world.shown().state) == ("SEV2", State.FIRING)


def test_an_alert_without_a_service_still_pages(world: World) -> None:
    world.told({"alertname": "Lonely"})
    world.run()
    assert world.rang() == ["ana-phone"]


def test_a_short_flap_under_a_waiting_route_rings_nobody_and_leaves_one_incident(
    world: World,
) -> None:
    start = world.clock.now
    world.told(world.alert("Slow"))
    world.run()
    world.clock.advance(10)
    world.told(world.alert("Slow"), starts_at=start, ended=True)
    world.pass_time(600)
    assert world.rang() == []
    assert world.shown().state is State.RESOLVED


def test_a_waiting_route_pages_when_its_wait_is_over(world: World) -> None:
    began = world.clock.now
    world.told(world.alert("Slow"))
    world.pass_time(60, step=5)
    assert [got.at - began for got in world.phone] == [timedelta(seconds=30)]


def test_an_alert_that_comes_back_soon_opens_the_same_incident_and_does_not_ring_twice_in_five_minutes(
    world: World,
) -> None:
    began = world.clock.now
    world.told(world.alert())
    world.run()
    world.clock.advance(30)
    world.told(world.alert(), starts_at=began, ended=True)
    world.clock.advance(60)
    world.told(world.alert())
    world.pass_time(400, step=10)
    assert len(world.open()) == 1
    assert world.shown().reopened == 1
    assert [got.at - began for got in world.phone][:2] == [timedelta(0), timedelta(minutes=5)]


def test_an_alert_that_comes_back_late_is_a_new_incident(world: World) -> None:
    began = world.clock.now
    world.told(world.alert())
    world.run()
    world.told(world.alert(), starts_at=began, ended=True)
    world.clock.advance(16 * 60)
    world.told(world.alert())
    assert [shown.incident_id for shown in world.open()] == [2]


def test_many_alerts_of_one_body_are_one_page_and_one_line(world: World) -> None:
    world.told(*[world.alert(instance=f"web-{n}") for n in range(500)])
    world.run()
    assert world.rang() == ["ana-phone"]
    assert world.shown().firing == 500
    assert world.timeline()[1] == "500 alerts fire: HighErrorRate"


def test_two_routes_carrying_one_alert_store_it_once(world: World) -> None:
    start = world.clock.now
    world.told(world.alert(), starts_at=start, sender="http://am-1:9093|first|{}")
    world.told(world.alert(), starts_at=start, sender="http://am-1:9093|second|{}")
    world.run()
    assert world.rows("SELECT count(*) FROM occurrence") == [(1,)]
    assert world.rang() == ["ana-phone"]
