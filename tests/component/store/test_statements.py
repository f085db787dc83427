"""One statement, two engines: what goes in comes out, and lists, upserts, ids and undoing work alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import bindparam, delete, select, update

from oncall_bot.store import tables as t
from oncall_bot.store.db import Store
from oncall_bot.store.statements import Statement, any_of, insert_of, locking, statement, upsert
from oncall_bot.store.transactions import Tx
from oncall_bot.store.types import EPOCH, from_micros, to_micros
from tests.databases import HandClock

AUDIT, LEASE, TEAM = t.Audit.__table__, t.Lease.__table__, t.Team.__table__  # type: ignore[attr-defined]
ALERT, SOURCE = t.Alert.__table__, t.Source.__table__  # type: ignore[attr-defined]

ADD_AUDIT = insert_of(
    AUDIT, "id", "at", "before", actor="ana", verb="did", object="it", refused=False
)
AUDITS = statement(
    select(AUDIT.c.id, AUDIT.c.at, AUDIT.c.before, AUDIT.c.after).order_by(AUDIT.c.id)
)
SINCE = statement(select(AUDIT.c.id).where(AUDIT.c.at >= bindparam("since")).order_by(AUDIT.c.at))
TEAMS = statement(select(TEAM.c.id, TEAM.c.key, TEAM.c.revision_id).order_by(TEAM.c.id))
NAME = upsert(TEAM, ("key",), ("revision_id",))
NAME_ONCE = upsert(TEAM, ("key",), also=("revision_id",))
BY_KEYS = statement(select(TEAM.c.key).where(any_of(TEAM.c.key, "keys")).order_by(TEAM.c.key))
BY_IDS = statement(select(TEAM.c.key).where(any_of(TEAM.c.id, "ids")).order_by(TEAM.c.key))


def one_audit(tx: Tx, at: datetime, before: Any) -> Any:
    (new,) = tx.new_ids("audit", 1)
    tx.run(ADD_AUDIT, id=new, at=at, before=before)
    return tx.all(AUDITS)[-1]


INSTANTS = [
    datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(1, 1, 3, tzinfo=UTC),
    datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=45))),
]


@pytest.mark.parametrize("at", INSTANTS, ids=str)
def test_an_instant_comes_back_to_the_microsecond_and_in_utc(store: Store, at: datetime) -> None:
    row = store.write(one_audit, at, {}).result()
    assert row.at == at
    assert row.at.utcoffset() == timedelta(0)


def test_a_naive_datetime_is_refused_before_it_reaches_the_database(store: Store) -> None:
    with pytest.raises(ValueError, match="needs a zone"):
        store.write(one_audit, datetime(2026, 1, 1), {}).result()  # noqa: DTZ001
    assert store.look(lambda reader: reader.all(AUDITS)) == []


def test_instants_are_ordered_and_compared_as_instants(store: Store) -> None:
    def write(tx: Tx) -> None:
        for at in INSTANTS[:4]:
            one_audit(tx, at, {})

    store.write(write).result()
    found = store.look(lambda r: [row.id for row in r.all(SINCE, since=INSTANTS[1])])
    assert found == [2, 1, 4]
    elsewhere = INSTANTS[0].astimezone(timezone(timedelta(hours=-11)))
    assert store.look(lambda r: [row.id for row in r.all(SINCE, since=elsewhere)]) == [1, 4]


@given(st.integers(-(10**16), 10**16))
def test_microseconds_and_instants_are_the_same_thing(micros: int) -> None:
    assert to_micros(from_micros(micros)) == micros
    assert from_micros(micros) - EPOCH == timedelta(microseconds=micros)


DOCUMENTS: list[Any] = [
    {"name": "Zoë ☎ \U0001f525", "deep": [{"a": [1, 2.5, None, True]}], "": ""},
    {"quote\"'\\": "%s %(x)s :colon ?", "n": 2**53},
    [],
    {},
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=range(len(DOCUMENTS)))
def test_json_comes_back_as_it_went_in(store: Store, document: Any) -> None:
    row = store.write(one_audit, INSTANTS[0], document).result()
    assert row.before == document
    assert row.after is None


def teams(tx: Tx, *keys: str) -> list[int]:
    tx.many(NAME, [{"key": key, "revision_id": 1} for key in keys])
    return [row.id for row in tx.all(TEAMS)]


HOSTILE = ["a", "b'); DROP TABLE team; --", '{"c"}', "d,e", "NULL", "\\", "ö"]


def test_a_list_of_texts_is_found_whatever_is_in_them(store: Store) -> None:
    store.write(teams, *HOSTILE).result()

    def find(reader: Any, keys: list[str]) -> set[str]:
        return {row.key for row in reader.all(BY_KEYS, keys=keys)}

    assert store.look(find, HOSTILE) == set(HOSTILE)
    assert store.look(find, ["d,e", "nobody"]) == {"d,e"}
    assert store.look(find, ["d", "e"]) == set()
    assert store.look(find, []) == set()


def test_a_list_may_be_longer_than_any_limit_of_parameters(store: Store) -> None:
    ids = store.write(teams, "a", "b", "c").result()
    many = [*range(10**6, 10**6 + 70_000), ids[0], ids[2]]
    assert store.look(lambda r: [row.key for row in r.all(BY_IDS, ids=many)]) == ["a", "c"]


def test_an_upsert_takes_over_what_it_is_told_and_keeps_the_row(store: Store) -> None:
    (before,) = store.write(teams, "shop").result()

    def again(tx: Tx) -> list[Any]:
        tx.many(NAME_ONCE, [{"key": "shop", "revision_id": 5}])
        kept = tx.all(TEAMS)
        tx.many(NAME, [{"key": "shop", "revision_id": 9}, {"key": "web", "revision_id": 9}])
        return [kept, tx.all(TEAMS)]

    kept, taken = store.write(again).result()
    assert [tuple(row) for row in kept] == [(before, "shop", 1)]
    assert [(row.key, row.revision_id) for row in taken] == [("shop", 9), ("web", 9)]
    assert taken[0].id == before


def test_an_upsert_of_a_table_without_id_brings_its_required_columns(store: Store) -> None:
    make = upsert(LEASE, ("name",), ("owner", "until"))

    def take(tx: Tx, owner: str) -> list[Any]:
        tx.run(make, name="digest", owner=owner, until=INSTANTS[0])
        return tx.all(statement(select(LEASE.c.name, LEASE.c.owner, LEASE.c.until)))

    store.write(take, "one").result()
    (row,) = store.write(take, "two").result()
    assert tuple(row) == ("digest", "two", INSTANTS[0])


def test_the_number_of_rows_changed_is_told(store: Store) -> None:
    store.write(teams, "a", "b", "c").result()
    mark = statement(
        update(TEAM).where(any_of(TEAM.c.key, "keys")).values(archived_at=bindparam("at"))
    )
    assert store.write(lambda tx: tx.run(mark, keys=["a", "c", "x"], at=INSTANTS[0])).result() == 2
    assert store.write(lambda tx: tx.run(mark, keys=["x"], at=INSTANTS[0])).result() == 0


def test_a_statement_may_return_what_it_changed(store: Store) -> None:
    store.write(teams, "a", "b").result()
    remove = statement(delete(TEAM).where(TEAM.c.key == bindparam("of_key")).returning(TEAM.c.key))
    assert [r.key for r in store.write(lambda tx: tx.all(remove, of_key="a")).result()] == ["a"]
    assert store.write(lambda tx: tx.first(remove, of_key="a")).result() is None


def test_a_row_that_must_be_there_and_is_not_is_an_error(store: Store) -> None:
    with pytest.raises(LookupError):
        store.look(lambda reader: reader.one(TEAMS))
    assert store.look(lambda reader: reader.scalar(TEAMS)) is None


def test_a_lock_on_a_row_is_asked_for_where_there_is_one_to_have(store: Store) -> None:
    query = select(TEAM.c.id)
    taken = Statement(lambda dialect: locking(query, dialect, skip_locked=True))
    store.write(teams, "a").result()

    def lock(tx: Tx) -> tuple[int, str]:
        return len(tx.all(taken)), taken.ready(tx.dialect).sql

    count, sql = store.write(lock).result()
    assert count == 1
    assert ("FOR UPDATE SKIP LOCKED" in sql) is not store.sqlite


def test_new_ids_are_new_and_never_handed_out_twice(store: Store) -> None:
    def twice(tx: Tx) -> list[int]:
        first, second = tx.new_ids("audit", 3), tx.new_ids("audit", 2)
        assert tx.new_ids("audit", 0) == ()
        ids = [*first, *second]
        tx.many(ADD_AUDIT, [{"id": new, "at": INSTANTS[0], "before": {}} for new in ids])
        return [*ids, *tx.new_ids("audit", 1)]

    ids = store.write(twice).result()
    more = store.write(twice).result()
    assert len(set(ids)) == 6
    assert len({*ids[:5], *more[:5]}) == 10
    assert store.look(lambda r: len(r.all(AUDITS))) == 10


def test_what_is_written_inside_undone_is_gone_and_the_rest_stays(
    store: Store, clock: HandClock
) -> None:
    def rehearse(tx: Tx) -> tuple[int, int]:
        one_audit(tx, tx.now, {"kept": 1})
        with tx.undone():
            one_audit(tx, tx.now, {"kept": 0})
            with tx.undone():
                one_audit(tx, tx.now, {"kept": 0})
            inside = len(tx.all(AUDITS))
        one_audit(tx, tx.now, {"kept": 1})
        return inside, len(tx.all(AUDITS))

    assert store.write(rehearse).result() == (2, 2)
    assert [r.before for r in store.look(lambda r: r.all(AUDITS))] == [{"kept": 1}, {"kept": 1}]


def test_a_fault_inside_undone_leaves_the_transaction_usable(store: Store) -> None:
    def stumble(tx: Tx) -> None:
        one_audit(tx, tx.now, {})
        with pytest.raises(Exception, match=r"(?i)unique"), tx.undone():
            tx.run(ADD_AUDIT, id=1, at=tx.now, before={})
        one_audit(tx, tx.now, {})

    store.write(stumble).result()
    assert store.look(lambda r: len(r.all(AUDITS))) == 2
