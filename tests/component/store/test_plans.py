"""What is asked all the time stays quick however much is stored: on SQLite an index serves it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from oncall_bot.store import (
    alerts,
    audit,
    audit_log,
    conversations,
    firings,
    groups,
    incidents,
    messages,
    outbox,
    runs,
    silences,
    timers,
)
from oncall_bot.store.db import Store
from oncall_bot.store.statements import Statement, insert_of, statement
from oncall_bot.store.tables import InboundSeen, Timer
from oncall_bot.store.transactions import Tx
from tests.databases import HandClock, Sqlite

ALL_THE_TIME = {
    "an alert comes in": [
        alerts._KNOWN,
        alerts._SEEN,
        groups._OPEN_GROUPS,
        groups._LAST_GROUP,
        groups._RECENT_LOUD_GROUPS,
        groups._GROUPS_OF,
        incidents._LOCK_ALL,
        incidents._GROW,
        groups._UNCOUNTED_GROUPS,
        groups._COUNT_UNCOUNTED,
        groups._FIRST_UNCOUNTED,
        groups._UNCOUNTED_OF_INCIDENT,
        groups._COUNT_LATER,
        messages._TOUCH_ALL,
        messages._UNTOLD,
    ],
    "the tick looks for timers": [timers._DUE, timers._DUE_PAGES, timers._NEXT],
    "delivery looks for messages": [outbox._HAS_DUE, outbox._CANDIDATES, outbox._RECOVER],
    "the auditor looks for what is stuck": [
        one for name, one in sorted(vars(audit).items()) if isinstance(one, Statement)
    ],
    "somebody asks about an alert or goes on talking": [
        firings._HISTORY,
        firings._LAST,
        firings._OPEN,
        firings._INCIDENTS,
        conversations._GET,
    ],
    "somebody may or may not, and the audit is read": [
        runs._WAS_PAGED,
        audit_log._OF_OBJECT,
        audit_log._OF_ACTOR,
        audit_log._ALL,
        firings._FIRING_LABELS,
        firings._TEAMS,
    ],
    "a silence ends": [silences._HELD],
    "open incidents are listed": [incidents._OPEN_ONES, incidents._OPEN_COUNTS],
}
STARTED = HandClock().now
GROWS_WITHOUT_END = (
    "alert|occurrence|alert_group|group_member|inbound_seen|incident|incident_event|timer|outbox"
    "|slack_message|page_run|page"
)
WHOLE_TABLE = re.compile(rf"SCAN ({GROWS_WITHOUT_END})(?: USING (?:COVERING )?INDEX (\w+))?$")
OVER_A_FEW_ROWS = re.compile(
    r"ix_(timer_due|outbox_due|outbox_sending|outbox_dead|occurrence_muted|incident_open|incident_silenced)"
    r"|uq_(page_run_open|alert_group_open|occurrence_open)|ix_alert_group_incident_id"
)
"""Indexes over just the open or waiting rows: to read one of these whole costs nothing that grows. The last one is
asked for groups without an incident, and a closed group has one."""


@pytest.fixture
def sqlite(sqlite_server: Sqlite) -> Iterator[Store]:
    store = Store(sqlite_server.fresh(), clock=HandClock())
    store.open()
    yield store
    store.close()


@pytest.mark.parametrize("what", ALL_THE_TIME)
def test_nothing_that_happens_all_the_time_reads_a_whole_table(sqlite: Store, what: str) -> None:
    for one in ALL_THE_TIME[what]:
        plan = _plan(sqlite, one)
        assert plan
        assert not _whole_tables(plan), plan


AUDITS = {name: one for name, one in sorted(vars(audit).items()) if isinstance(one, Statement)}
OF_ONE_ROW = {"_MESSAGES_OF_PAGE", "_REVIVE", "_KNOWN_AGAIN", "_SOONEST", "_CARD_STATE"}
"""Asked about one page, incident, subject or message at a time."""


@pytest.mark.parametrize("name", sorted(AUDITS.keys() - OF_ONE_ROW))
def test_an_audit_begins_at_an_index_over_just_the_open_or_waiting_rows(
    sqlite: Store, name: str
) -> None:
    """A planner without figures may take an index that finds a third of all history instead."""
    first = _plan(sqlite, AUDITS[name])[0]
    growing = re.search(rf"(?:SCAN|SEARCH) ({GROWS_WITHOUT_END})\b", first)
    index = re.search(r"INDEX (\w+)", first)
    assert growing is None or (index and OVER_A_FEW_ROWS.match(index[1])), first


def test_a_statement_without_an_index_would_be_found(sqlite: Store) -> None:
    table = Timer.__table__  # type: ignore[attr-defined]
    plan = _plan(sqlite, statement(select(table).where(table.c.last_error == "x")))
    assert _whole_tables(plan)


def _whole_tables(plan: list[str]) -> list[str]:
    """Steps that read a growing table, or an index over all its rows, from end to end."""
    scans = [(step, WHOLE_TABLE.search(step)) for step in plan]
    return [step for step, scan in scans if scan and not OVER_A_FEW_ROWS.match(scan[2] or "")]


def _plan(store: Store, one: Statement) -> list[str]:
    with store.read() as reader:
        ready = one.ready(reader.dialect)
        cursor = reader.connection.connection.cursor()
        names = dict.fromkeys(re.findall(r":(\w+)", ready.sql))
        cursor.execute(f"EXPLAIN QUERY PLAN {ready.sql}", names)
        return [row[3] for row in cursor.fetchall()]


@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 65, 200])
def test_many_rows_are_all_written_each_with_its_own_values(store: Store, count: int) -> None:
    table = InboundSeen.__table__  # type: ignore[attr-defined]
    insert = insert_of(table, "event_id", "seen_at", origin="it's")
    rows = [(f"event-{n}", STARTED + timedelta(seconds=n)) for n in range(count)]

    def write(tx: Tx) -> None:
        tx.many(insert, ({"event_id": key, "seen_at": at} for key, at in rows))

    store.write(write).result()
    with store.read() as reader:
        found = reader.all(statement(select(table).order_by(table.c.seen_at)))
        total = reader.scalar(statement(select(func.count().label("n")).select_from(table)))
    assert [(row.event_id, row.seen_at) for row in found] == rows
    assert {row.origin for row in found} <= {"it's"}
    assert total == count
