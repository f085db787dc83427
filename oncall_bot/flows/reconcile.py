"""What the source says fires, against what we believe: ends nobody told, re-openings nobody sent, doubts.

Knows when to believe a list: only when every address of the source answered, twice, five minutes apart, and each
Alertmanager has been up for five minutes (its list is empty after a restart). Refuses to ask: the engine does.
Serves the reconciler job, the `confirm` timer and its answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from oncall_bot.flows.placing import place, place_again
from oncall_bot.store import alerts, outbox, timers
from oncall_bot.store.db import Tx
from oncall_bot.store.outbox import Lane
from oncall_bot.store.statements import Row

MISSING_FOR = timedelta(minutes=5)
UP_FOR = timedelta(minutes=5)
LISTS = 2
SLICE = 300


@dataclass(frozen=True, slots=True)
class Listed:
    """One alert as the source's addresses list it together."""

    fingerprint: str
    starts_at: datetime
    held_by: str | None = None


@dataclass(frozen=True, slots=True)
class Lists:
    """What all addresses of one source said at once. `whole`: every one answered and was up long enough."""

    source: str
    whole: bool
    alerts: Mapping[str, Listed]


def reconcile(tx: Tx, lists: Lists, after: int = 0) -> int | None:
    """One slice of the source's open occurrences; answers where the next slice begins, or None at the end."""
    source_id = tx.snapshot.sources[lists.source]
    rows = alerts.open_of_source(tx, source_id, after=after, limit=SLICE)
    gone = [row for row in rows if _is_gone(tx, row, lists)]
    alerts.end_occurrences(
        tx,
        [
            {
                "occurrence_id": row.id,
                "at": row.missing_since,
                "by": "reconciler",
                "reason": "missing",
            }
            for row in gone
        ],
    )
    place(tx, [], [row.id for row in gone])
    return rows[-1].id if len(rows) == SLICE else None


def _is_gone(tx: Tx, row: Row, lists: Lists) -> bool:
    """Count the lists that lack it; True when it has been missing long and often enough."""
    listed = lists.alerts.get(row.fingerprint)
    if listed is not None:
        if row.missing_since is not None:
            alerts.missing(tx, row.id, None, 0)
        _note_hold(tx, row, listed)
        return False
    if not lists.whole:
        return False
    since, count = row.missing_since or tx.now, row.missing_lists + 1
    if count >= LISTS and tx.now - since >= MISSING_FOR:
        return True
    alerts.missing(tx, row.id, since, count)
    return False


def _note_hold(tx: Tx, row: Row, listed: Listed) -> None:
    """What its source silences or inhibits is held back here too, with that reason; and released with it."""
    at_source = row.muted_by is not None and row.muted_by.startswith("source:")
    if listed.held_by and row.muted_by is None:
        alerts.mute(tx, {row.id: f"source:{listed.held_by}"[:200]})
    elif not listed.held_by and at_source:
        alerts.mute(tx, {row.id: None})
        if not alerts.groups_of(tx, [row.id]):
            full = alerts.occurrence(tx, row.id)
            if full is not None:
                place_again(tx, row.id, full.source_id, full.labels, full.annotations)


def reopen_listed(tx: Tx, lists: Lists, fingerprints: Sequence[str]) -> int:
    """Ended for us, but listed as active with the same start: open again."""
    source_id = tx.snapshot.sources[lists.source]
    count = 0
    for row in alerts.ended_among(tx, source_id, fingerprints):
        listed = lists.alerts.get(row.fingerprint)
        if listed is not None and listed.held_by is None and listed.starts_at == row.starts_at:
            count += reopen(tx, row.id)
    return count


def reopen(tx: Tx, occurrence_id: int) -> bool:
    """The occurrence fires after all, if nothing newer of its alert is known."""
    row = alerts.occurrence(tx, occurrence_id)
    if row is None or row.ended_at is None or row.newest_id != occurrence_id:
        return False
    alerts.reopen_occurrences(tx, {occurrence_id: None})
    place_again(tx, occurrence_id, row.source_id, row.labels, row.annotations)
    return True


def confirm(tx: Tx, occurrence_id: int) -> None:
    """Fifteen seconds after a doubt: leave the question to the source, when it has an address."""
    row = alerts.occurrence(tx, occurrence_id)
    if row is None or row.doubted_at is None:
        return
    source = tx.snapshot.source_keys[row.source_id]
    outbox.add(
        tx,
        lane=Lane.ANSWER,
        kind="ask_source",
        destination=f"source:{source}",
        dedupe_key=f"ask:{occurrence_id}:{int(row.doubted_at.timestamp() * 1000)}",
        payload={"occurrence_id": occurrence_id, "source": source, "fingerprint": row.fingerprint},
    )


def confirmed(tx: Tx, occurrence_id: int, listed: bool | None) -> None:
    """The source's answer to a doubt: listed = it fires; not listed = old news; None = it did not answer."""
    row = alerts.occurrence(tx, occurrence_id)
    if row is None or row.doubted_at is None or listed is None:
        return
    timers.drop(tx, "reopen_unconfirmed", f"occurrence:{occurrence_id}")
    if listed:
        reopen(tx, occurrence_id)
    else:
        alerts.doubt(tx, [occurrence_id], None)


def reopen_unconfirmed(tx: Tx, occurrence_id: int) -> None:
    """Six minutes and no answer: better a page too many than one too few."""
    row = alerts.occurrence(tx, occurrence_id)
    if row is not None and row.doubted_at is not None:
        reopen(tx, occurrence_id)
