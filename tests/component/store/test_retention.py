"""What is old is forgotten, a slice at a time; what is young stays, whatever it is called."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from oncall_bot.core.situation import State
from oncall_bot.store import alerts, retention
from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Tx
from tests.component.flows.world import World
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
