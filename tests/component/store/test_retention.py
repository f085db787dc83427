"""What is old is forgotten, a slice at a time; what is young stays, whatever it is called."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from oncall_bot.store import alerts, retention
from oncall_bot.store.db import Store, Tx
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
