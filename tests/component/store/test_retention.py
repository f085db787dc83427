"""What is old is forgotten, a slice at a time; what is young stays, whatever it is called."""

from __future__ import annotations

import asyncio
import copy
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from oncall_bot.core.situation import State
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.engine.forgetter import Forgetter
from oncall_bot.flows.drafting import request_draft
from oncall_bot.store import alerts, conversations, incidents, retention, retention_incidents
from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Tx
from tests.component.flows.world import DOCUMENT, World
from tests.databases import HandClock


def remembered(store: Store) -> set[tuple[str, str]]:
    with store.read() as reader:
        rows = reader.connection.execute(text("SELECT origin, event_id FROM inbound_seen"))
        return {(row[0], row[1]) for row in rows}


def test_old_bodies_are_forgotten_and_young_ones_of_the_same_name_are_not(
    store: Store, clock: HandClock
) -> None:
    def see(tx: Tx, origin: str, keys: list[str]) -> None:
        alerts.remember_bodies(tx, origin, keys)

    store.write(see, "prod", ["same", "old"]).result()
    clock.advance((retention.SEEN_FOR + timedelta(days=1)).total_seconds())
    store.write(see, "test", ["same", "young"]).result()
    assert store.write(retention.forget).result() == 2
    assert remembered(store) == {("test", "same"), ("test", "young")}
    assert store.write(retention.forget).result() == 0


def test_it_goes_by_slices(store: Store, clock: HandClock) -> None:
    keys = [f"{n:05d}" for n in range(retention.SLICE + 5)]
    store.write(lambda tx: alerts.remember_bodies(tx, "prod", keys)).result()
    clock.advance((retention.SEEN_FOR + timedelta(days=1)).total_seconds())
    assert store.write(retention.forget).result() == retention.SLICE
    assert len(remembered(store)) == 5


def counts(store: Store) -> dict[str, int]:
    with store.read() as reader:
        return {
            table: reader.connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() or 0
            for table in ("outbox", "delivery", "occurrence", "alert", "group_member", "timer")
        }


def test_what_was_sent_and_what_ended_is_forgotten_and_the_incident_is_not(
    store: Store, clock: HandClock
) -> None:
    world = World(store, clock)
    world.told(world.alert())
    started = clock.now
    world.run()
    world.told(world.alert(), starts_at=started, ended=True)
    world.told(world.alert("Still"))
    world.pass_time(30, step=5)
    world.ack(2)
    world.run()
    before = counts(store)
    clock.advance(8 * 86_400)
    store.write(retention.forget).result()
    after_a_week = counts(store)
    assert 0 < after_a_week["outbox"] < before["outbox"]
    assert after_a_week["alert"] == before["alert"] == 2
    clock.advance(400 * 86_400)
    while store.write(retention.forget).result():
        pass
    left = counts(store)
    assert (left["occurrence"], left["alert"], left["group_member"]) == (1, 1, 1)
    assert (left["outbox"], left["delivery"]) == (0, 0)
    assert world.shown(1).state is State.RESOLVED
    assert any("Paged Ana Ruiz" in line for line in world.timeline(1))
    world.told(world.alert())
    world.run()
    assert world.shown(3).state is State.FIRING


DAY = 86_400


def keeping(**periods: str) -> dict[str, Any]:
    return {**copy.deepcopy(DOCUMENT), "retention": periods}


def night(world: World, name: str = "HighErrorRate") -> int:
    """An incident that pages, is talked about, acknowledged and over; its number."""
    started = world.clock.now
    world.told(world.alert(name))
    world.run()
    ((number,),) = world.rows("SELECT max(id) FROM incident")
    ana, write = world.person("ana"), world.store.write
    said = Entry(Kind.CHAT, f"the pool of {name} is empty", started, ana, source_ref="slack:C1:1.1")
    write(incidents.write, number, [said]).result()
    world.ack(number)
    write(request_draft, number, "summary", ana).result()
    world.told(world.alert(name), starts_at=started, ended=True)
    world.pass_time(1_200)
    return int(number)


def test_words_go_with_the_messages_and_that_they_were_said_stays(
    store: Store, clock: HandClock
) -> None:
    world = World(store, clock)
    world.apply(keeping(messages="30d"))
    old = night(world)
    lines = len(world.timeline(old))
    store.write(receipt_for_all).result()
    clock.advance(20 * DAY)
    young = night(world, "Other")
    store.write(lambda tx: conversations.put(tx, "D1:1", {"rota": "shop"}, timedelta(1))).result()
    clock.advance(20 * DAY)
    forgetter = Forgetter(store)
    asyncio.run(forgetter.run())
    assert retention_incidents.GONE in world.timeline(old)
    assert "the pool of HighErrorRate is empty" not in world.timeline(old)
    assert len(world.timeline(old)) == lines
    assert "the pool of Other is empty" in world.timeline(young)
    assert world.rows("SELECT count(*) FROM receipt") == [(0,)]
    assert world.rows("SELECT count(*) FROM conversation") == [(0,)]
    clock.advance(20 * DAY)
    asyncio.run(forgetter.run())
    assert "the pool of Other is empty" not in world.timeline(young)


def receipt_for_all(tx: Tx) -> None:
    tx.connection.execute(
        text(
            "INSERT INTO receipt (outbox_id, state, at)"
            " SELECT id, 'delivered', created_at FROM outbox WHERE state = 'sent'"
        )
    )


def test_whole_incidents_go_where_the_file_gives_them_a_period_and_open_ones_stay(
    store: Store, clock: HandClock
) -> None:
    world = World(store, clock)
    world.apply(keeping(incidents="60d", messages="30d", alerts="30d"))
    still = world.told(world.alert("StillFires"))
    assert still is not None
    world.run()
    night(world)
    clock.advance(50 * DAY)
    young = night(world, "Young")
    asyncio.run(Forgetter(store).run())
    assert world.rows("SELECT count(*) FROM incident") == [(3,)]
    clock.advance(20 * DAY)
    asyncio.run(Forgetter(store).run())
    assert world.rows("SELECT id FROM incident ORDER BY id") == [(1,), (young,)]
    for table in ("incident_event", "page_run", "page", "draft", "slack_message", "alert_group"):
        assert world.rows(f"SELECT DISTINCT incident_id FROM {table} WHERE incident_id = 2") == []
    for table in ("incident_event", "page_run", "page", "slack_message", "alert_group"):
        assert world.rows(f"SELECT count(*) FROM {table} WHERE incident_id = 1") != [(0,)]
    world.told(world.alert())
    world.run()
    assert world.shown(young + 1).state is State.FIRING
