"""Watching the watchers: a silent heartbeat, unreadable alerts, stuck incidents, dead messages, hand-offs."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from oncall_bot.core.alerts import Delivery, Notice, Unreadable, fingerprint
from oncall_bot.flows.delivered import delivered
from oncall_bot.flows.receive_alerts import receive_alerts
from oncall_bot.flows.shifts import plan_handoffs
from oncall_bot.store import outbox
from oncall_bot.store.outbox import Fate
from tests.component.flows.world import DOCUMENT, World


def watched(world: World, plain: Mapping[str, Any] = DOCUMENT) -> dict[str, Any]:
    document: dict[str, Any] = copy.deepcopy(dict(plain))
    document["routes"].insert(
        0,
        {
            "name": "watchdog",
            "match": ['alertname="Watchdog"'],
            "heartbeat": {"every": "5m", "grace": "2m", "policy": "primary"},
        },
    )
    world.apply(document)
    return document


def test_a_watchdog_that_keeps_coming_pages_nobody(world: World) -> None:
    watched(world)
    for n in range(10):
        world.told({"alertname": "Watchdog"}, body=f"beat {n}")
        world.pass_time(300, step=60)
    assert world.rang() == []
    assert world.open() == []


def test_a_silent_watchdog_opens_a_critical_incident_once(world: World) -> None:
    watched(world)
    world.told({"alertname": "Watchdog"})
    began = world.clock.now
    world.pass_time(4 * 60, step=30)
    assert world.open() == []
    world.pass_time(20 * 60, step=30)
    assert [(s.severity, s.title) for s in world.open()] == [
        ("SEV1", "Monitoring is silent: watchdog was not heard")
    ]
    assert world.phone[0].at - began == timedelta(minutes=7)


def test_a_watchdog_never_heard_since_the_file_named_it_is_silent_too(world: World) -> None:
    watched(world)
    world.pass_time(8 * 60)
    assert len(world.open()) == 1


def test_a_watchdog_that_is_heard_again_ends_its_incident_whoever_has_it(world: World) -> None:
    watched(world)
    world.told({"alertname": "Watchdog"})
    world.pass_time(8 * 60)
    assert "ana-phone" in world.rang()
    world.ack(1)
    world.told({"alertname": "Watchdog"}, body="it is back")
    assert world.open() == []
    assert world.timeline()[-1] == "Resolved: heard again from default"
    rung = len(world.rang())
    world.pass_time(5 * 60)
    assert len(world.rang()) == rung


def test_a_watchdog_silent_again_soon_opens_the_same_incident_again(world: World) -> None:
    watched(world)
    world.pass_time(8 * 60)
    world.told({"alertname": "Watchdog"})
    world.pass_time(8 * 60)
    assert [s.incident_id for s in world.open()] == [1]
    world.told({"alertname": "Watchdog"}, body="back")
    world.pass_time(5 * 60)
    for n in range(8):
        world.told({"alertname": "Watchdog"}, body=f"beat {n}")
        world.pass_time(5 * 60)
    world.pass_time(8 * 60)
    assert [s.incident_id for s in world.open()] == [2]


def test_each_heartbeat_route_has_its_own_deadline(world: World) -> None:
    document = copy.deepcopy(DOCUMENT)
    for name in ("Watchdog", "DeadMan"):
        route = {
            "name": name.lower(),
            "match": [f'alertname="{name}"'],
            "heartbeat": {"every": "5m", "grace": "2m", "policy": "primary"},
        }
        document["routes"].insert(0, route)
    world.apply(document)
    for n in range(3):
        world.told({"alertname": "Watchdog"}, body=f"beat {n}")
        world.pass_time(240)
    assert [s.title for s in world.open()] == ["Monitoring is silent: deadman was not heard"]


def test_one_cluster_that_beats_does_not_cover_for_another_that_fell_silent(world: World) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["sources"] = {
        key: {"token_sha256": digit * 64} for key, digit in (("eu", "a"), ("us", "b"))
    }
    world.apply(document)
    watched(world, document)
    for n in range(4):
        beat(world, "eu", n)
        if n < 2:
            beat(world, "us", n)
        world.pass_time(240)
    assert [s.title for s in world.open()] == ["Monitoring is silent: watchdog of us was not heard"]
    beat(world, "us", 9)
    assert world.open() == []
    world.pass_time(480)
    assert len(world.open()) == 2, "both are silent now, and each is told"


def beat(world: World, source: str, n: int) -> None:
    labels = {"alertname": "Watchdog", "cluster": source}
    notice = Notice(fingerprint(labels), labels, {}, world.clock.now)
    told = Delivery(source, f"http://am-{source}|x", f"{source}{n}", (notice,))
    world.store.write(receive_alerts, [told]).result()


def test_a_deadline_that_passed_while_the_bot_was_down_is_no_silence_of_others(
    world: World,
) -> None:
    watched(world)
    world.told({"alertname": "Watchdog"})
    world.clock.advance(3600)
    world.run()
    assert world.open() == []
    world.pass_time(8 * 60)
    assert len(world.open()) == 1


def test_a_shorter_patience_in_the_file_counts_from_its_apply_on(world: World) -> None:
    document = watched(world)
    document["routes"][0]["heartbeat"] = {"every": "30d", "grace": "0s", "policy": "primary"}
    world.apply(document)
    world.told({"alertname": "Watchdog"})
    document["routes"][0]["heartbeat"]["every"] = "5m"
    world.apply(document)
    world.pass_time(6 * 60)
    assert len(world.open()) == 1


def test_an_unreadable_alert_is_kept_raw_and_people_are_told_once(world: World) -> None:
    for _ in range(2):
        bad = Unreadable(b"\xff{not an alert", "aa", "it has no labels")
        world.store.write(receive_alerts, [Delivery("default", "", "sha", (), (bad,))]).result()
        world.run()
    assert [s.title for s in world.open()] == ["Unreadable alerts from default"]
    assert world.rang() == ["ana-phone"]
    assert world.rows("SELECT reason, incident_id FROM unreadable") == [("it has no labels", 1)]


def test_a_page_that_can_never_arrive_alerts_the_admins_by_another_road(world: World) -> None:
    world.told(world.alert())
    broken = Fate("failed", answer="no such user", permanent=True)
    for _ in range(3):
        world.clock.advance(120)
        for row in world.store.write(outbox.claim, "me", 10, timedelta(minutes=1)).result():
            fate = (
                broken if row.page_id and row.kind == "message" else Fate("sent", provider_id="x")
            )
            world.store.write(delivered, row.id, "me", fate).result()
    world.run()
    assert "dee-phone" in world.rang()
    assert any("slack to Ana Ruiz failed: no such user" in line for line in world.timeline())


def test_a_channel_that_takes_no_message_is_told_to_the_admins_once_in_ten_minutes(
    world: World,
) -> None:
    gone, fine = Fate("failed", answer="channel archived", permanent=True), Fate("sent")

    def cry_for_help() -> int:
        """What the bot has to say in the channel is refused; how often admins were asked for help so far."""
        world.told(world.alert(f"Broken{world.clock.now:%M}"))
        for _ in range(40):
            for row in world.store.write(outbox.claim, "me", 100, timedelta(minutes=1)).result():
                fate = gone if row.kind == "message" and not row.page_id else fine
                world.store.write(delivered, row.id, "me", fate).result()
            world.clock.advance(5)
        return len(world.rows("SELECT id FROM outbox WHERE dedupe_key LIKE 'admin:dead%push%'"))

    assert cry_for_help() == 1
    refused = world.rows("SELECT id FROM outbox WHERE state = 'dead'")
    assert len(refused) > 1, "several, and one word of it"
    world.clock.advance(600)
    assert cry_for_help() == 2


def test_both_people_are_told_of_a_hand_off_once(world: World) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["schedules"]["primary"]["layers"][0] |= {
        "users": ["ana", "bo"],
        "rotation": {"unit": "day", "every": 1},
    }
    world.apply(document)
    for _ in range(2):
        world.store.write(plan_handoffs).result()
    world.pass_time(24 * 3600, step=600)
    notices = [(got.to, got.what) for got in world.slack if got.kind == "notice"]
    assert sorted(notices) == [("U0ANAANA1", "hand_off"), ("U0BOBOBO1", "hand_off")]
    assert len(world.rows("SELECT starts_at FROM shift_log")) == 1


def test_a_hand_off_slept_over_is_logged_and_told_in_one_line_only(world: World) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["schedules"]["primary"]["layers"][0] |= {
        "users": ["ana", "bo"],
        "rotation": {"unit": "week", "every": 1},
    }
    world.apply(document)
    world.store.write(plan_handoffs).result()
    world.clock.advance(8 * 24 * 3600)
    world.run()
    (told,) = [got for got in world.slack if got.kind == "notice"]
    assert told.to == "U0BOBOBO1"
    assert told.what.startswith("You are on call for primary since Mon 9 Mar 09:00")
    assert len(world.rows("SELECT starts_at FROM shift_log")) == 1
