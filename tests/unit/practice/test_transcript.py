"""The transcript tells who saw what, when; an edit shows only what is new in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from oncall_bot.practice.slack import Person
from oncall_bot.practice.transcript import Overheard, Transcript, told

ANA = Person("U00000ANA", "ana", "Ana Ruiz", "ana@practice.example")
AT = datetime(2026, 11, 23, 2, 0, 5, tzinfo=UTC)
CHANNELS = {
    "C1": {"id": "C1", "name": "incidents", "kind": "channel", "members": [ANA.id, "UBOT"]},
    "D1": {"id": "D1", "name": "", "kind": "dm", "members": [ANA.id, "UBOT"]},
}


def transcript() -> tuple[Transcript, Overheard]:
    feed = Overheard()
    found = Transcript({ANA.id: ANA}, "UBOT", CHANNELS.get, lambda: AT)
    feed.listener = found.hear
    return found, feed


def message(channel: str, ts: str, text: str, **more: Any) -> dict[str, Any]:
    return {"channel": channel, "ts": ts, "user": "UBOT", "text": text, **more}


def test_places_are_named_as_people_name_them() -> None:
    found, feed = transcript()
    feed.publish("message", message("C1", "1", "a card"))
    feed.publish("message", message("C1", "2", "the runbook", thread_ts="1"))
    feed.publish("message", message("D1", "3", "a page"))
    feed.publish("message", message("C1", "4", "not now", ephemeral=True), frozenset({ANA.id}))
    assert [one.where for one in found.entries] == [
        "#incidents",
        "#incidents, thread",
        "Ana, DM",
        "#incidents, only Ana sees it",
    ]


def test_an_edit_tells_what_is_new_and_a_redrawn_message_nothing() -> None:
    found, feed = transcript()
    feed.publish("message", message("C1", "1", "firing\nnobody has answered"))
    feed.publish("message", message("C1", "1", "firing\nnobody has answered"))
    feed.publish("message", message("C1", "1", "firing\nAna has it"))
    assert [(one.how, one.lines) for one in found.entries] == [
        ("new", ("firing", "nobody has answered")),
        ("edited", ("Ana has it",)),
    ]


def test_a_phone_is_told_when_it_rings_and_when_it_was_answered() -> None:
    found, feed = transcript()
    ring = {
        "id": "r",
        "owner": ANA.id,
        "topic": "ana-phone",
        "title": "SEV2 High error rate",
        "message": "Firing\n\nRef page:1",
        "priority": 5,
        "actions": [{"label": "Acknowledge", "kind": "http", "url": ""}],
        "state": "ringing",
    }
    feed.publish("ring", ring)
    feed.publish("ring", {**ring, "state": "acknowledged"})
    assert [one.lines for one in found.entries] == [
        ("rings loudly: SEV2 High error rate", "Firing", "[Acknowledge]"),
        ("now acknowledged",),
    ]
    assert told(found.entries[0], UTC)[0] == "02:00:05  Ana's phone"
