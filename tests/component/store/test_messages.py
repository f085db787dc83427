"""A message of ours is drawn again after every change, even when the change comes while an edit is just arriving."""

from __future__ import annotations

import threading

import pytest

from oncall_bot.store import messages
from oncall_bot.store.db import Store
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx


def _posted(tx: Tx) -> int:
    """A card whose first edit waits."""
    message_id = messages.create(tx, incident_id=None, role="root", channel="#incidents")
    message = messages.get(tx, message_id)
    assert message is not None
    messages.touch(tx, message, at_once=True)
    return message_id


def _waiting(store: Store) -> int:
    def count(tx: Tx) -> int:
        tx._cursor.execute("SELECT count(*) FROM outbox WHERE kind = 'message'")
        row = tx._cursor.fetchone()
        assert row is not None
        return int(row[0])

    return store.write(count).result(10)


def _drawn(tx: Tx, message_id: int, generation: int) -> None:
    messages.rendered(tx, message_id, generation, sha256="a", ts="1.0", channel_id="C1")


def _get(tx: Tx, message_id: int) -> Row:
    found = messages.get(tx, message_id)
    assert found is not None
    return found


@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
def test_news_that_comes_while_an_edit_arrives_is_not_lost(store: Store) -> None:
    """Two writers at once, so PostgreSQL: one has read that an edit waits, the other finishes that edit."""
    message_id = store.write(_posted).result(10)
    looked, finished = threading.Event(), threading.Event()

    def change(tx: Tx) -> None:
        seen = _get(tx, message_id)
        assert seen.queued
        looked.set()
        assert finished.wait(10)
        messages.touch(tx, seen)

    changing = store.write(change)
    assert looked.wait(10)
    store.write(_drawn, message_id, 1).result(10)
    finished.set()
    changing.result(10)
    assert _waiting(store) == 2, "the first edit, and one for the news"


def test_news_for_a_message_in_flight_is_drawn_when_it_arrives(store: Store) -> None:
    message_id = store.write(_posted).result(10)
    store.write(lambda tx: messages.outdate(tx, _get(tx, message_id))).result(10)
    assert _waiting(store) == 1
    store.write(_drawn, message_id, 1).result(10)
    assert _waiting(store) == 2
    latest = store.write(_get, message_id).result(10).generation
    store.write(_drawn, message_id, latest).result(10)
    assert _waiting(store) == 2, "it shows the latest now"


def test_a_message_that_shows_an_earlier_state_is_drawn_again(store: Store) -> None:
    """What a retry adopts was drawn before the crash."""
    message_id = store.write(_posted).result(10)
    store.write(_drawn, message_id, -1).result(10)
    assert _waiting(store) == 2
