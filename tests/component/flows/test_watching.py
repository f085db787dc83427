"""Watching the watchers: a silent heartbeat, unreadable alerts, stuck incidents, dead messages, hand-offs."""

from __future__ import annotations

import copy
from datetime import timedelta

from sqlalchemy import text

from oncall_bot.core.alerts import Delivery, Unreadable
from oncall_bot.flows.delivered import delivered
from oncall_bot.flows.receive_alerts import receive_alerts
from oncall_bot.flows.repair import repair
from oncall_bot.flows.shifts import plan_handoffs
from oncall_bot.store import outbox
from oncall_bot.store.db import Tx
from oncall_bot.store.outbox import Fate
from tests.component.flows.world import DOCUMENT, World


def watched(world: World) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["routes"].insert(
        0,
        {
            "name": "watchdog",
            "match": ['alertname="Watchdog"'],
            "heartbeat": {"every": "5m", "grace": "2m", "policy": "primary"},
        },
    )
    world.apply(document)


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


def test_an_unreadable_alert_is_kept_raw_and_people_are_told_once(world: World) -> None:
    for _ in range(2):
        bad = Unreadable(b"\xff{not an alert", "aa", "it has no labels")
        world.store.write(receive_alerts, [Delivery("default", "", "sha", (), (bad,))]).result()
        world.run()
    assert [s.title for s in world.open()] == ["Unreadable alerts from default"]
    assert world.rang() == ["ana-phone"]
    assert world.rows("SELECT reason, incident_id FROM unreadable") == [("it has no labels", 1)]


def test_the_auditor_finds_an_incident_whose_timer_vanished_and_pages_for_it(world: World) -> None:
    world.told(world.alert())
    world.run()

    def vandal(tx: Tx) -> None:
        tx.connection.execute(text("DELETE FROM timer"))

    world.store.write(vandal).result()
    world.clock.advance(600)
    said = world.store.write(repair).result()
    world.run()
    assert said == ["Incident 1: its next step had no timer; paging started again."]
    assert sorted(world.rang()) == ["ana-phone", "ana-phone", "dee-phone"]
    assert world.store.write(repair).result() == []


def test_the_auditor_finds_an_incident_that_nobody_would_be_paged_for(world: World) -> None:
    world.told(world.alert())
    world.run()

    def vandal(tx: Tx) -> None:
        tx.connection.execute(text("UPDATE page_run SET state = 'done'"))

    world.store.write(vandal).result()
    world.store.write(repair).result()
    world.run()
    assert world.rang().count("ana-phone") == 2


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


def test_a_hand_off_slept_over_is_logged_and_not_told(world: World) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["schedules"]["primary"]["layers"][0] |= {
        "users": ["ana", "bo"],
        "rotation": {"unit": "week", "every": 1},
    }
    world.apply(document)
    world.store.write(plan_handoffs).result()
    world.clock.advance(8 * 24 * 3600)
    world.run()
    assert [got for got in world.slack if got.kind == "notice"] == []
    assert len(world.rows("SELECT starts_at FROM shift_log")) == 1
