"""What the source says fires, against what we believe: ends nobody told, re-openings nobody sent, holds, doubts.

Knows when to believe a list: only when every address of the source answered, twice, five minutes apart, and each
Alertmanager has been up for five minutes (its list is empty after a restart). Refuses to ask: the engine does.
Serves the reconciler, the look before late pages, the `confirm` timer and its answer. Each call is one slice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from oncall_bot.core.alerts import Delivery, Notice, body_key
from oncall_bot.core.config import Source
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import showing, withheld
from oncall_bot.flows.placing import Opened, place, place_again
from oncall_bot.flows.receive_alerts import receive_alerts
from oncall_bot.store import alerts, groups, incidents, outbox, sources, timers
from oncall_bot.store.outbox import Lane
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Tx

MISSING_FOR = timedelta(minutes=5)
UP_FOR = timedelta(minutes=5)
LISTS = 2
SLICE = 100
HELD_WITHOUT_WORD_FOR = timedelta(minutes=10)
"""So long what a source holds back stays held while it does not answer; then it counts as firing."""
STALE_AFTER_REPEATS = 2
SENDER = "reconciler"


@dataclass(frozen=True, slots=True)
class Listed:
    """One alert as the source's addresses list it together. `receivers` are those of Alertmanager it goes to."""

    fingerprint: str
    starts_at: datetime
    held_by: str | None = None
    receivers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lists:
    """What all addresses of one source said at once. `whole`: every one answered and was up long enough."""

    source: str
    whole: bool
    alerts: Mapping[str, Listed]


def reconcile(
    tx: Tx, lists: Lists, after: int = 0, *, unheard_since: datetime | None = None
) -> int | None:
    """One slice of the source's open occurrences; answers where the next slice begins, or None at the end.

    With `unheard_since` one whole list is enough to end what was not heard of after that instant: we were away so
    long that the five minutes are over.
    """
    source_id = tx.snapshot.sources[lists.source]
    rows = alerts.open_of_source(tx, source_id, after=after, limit=SLICE)
    _supersede(tx, lists, rows)
    listed = [(row, lists.alerts.get(row.fingerprint)) for row in rows]
    _seen(tx, [row for row, one in listed if one is not None and row.missing_since is not None])
    _note_holds(tx, lists.source, [(row, one) for row, one in listed if one is not None])
    if lists.whole:
        missing = [row for row, one in listed if one is None]
        gone = [row for row in missing if _is_gone(row, tx.now, unheard_since)]
        _count(tx, [row for row in missing if row not in gone])
        _end(tx, lists.source, gone)
    return rows[-1].id if len(rows) == SLICE else None


def _is_gone(row: Row, now: datetime, unheard_since: datetime | None) -> bool:
    """Missing long and often enough, this list counted."""
    if unheard_since is not None and row.last_seen_at <= unheard_since:
        return True
    since = row.missing_since or now
    return bool(row.missing_lists + 1 >= LISTS and now - since >= MISSING_FOR)


def _seen(tx: Tx, rows: Sequence[Row]) -> None:
    alerts.missing(tx, {row.id: (None, 0) for row in rows})


def _count(tx: Tx, rows: Sequence[Row]) -> None:
    alerts.missing(
        tx, {row.id: (row.missing_since or tx.now, row.missing_lists + 1) for row in rows}
    )


def _end(tx: Tx, source: str, rows: Sequence[Row]) -> None:
    """They ended unheard, when they were first missing."""
    if not rows:
        return
    ids = [row.id for row in rows]
    touched = _incidents_of(tx, ids)
    for incident_id, count in touched.items():
        which = "an alert" if count == 1 else f"{count} alerts"
        text = f"{source} lists {which} no more, and nobody told the end"
        entry = Entry(Kind.SYSTEM, text, tx.now, data={"source": source, "count": count})
        incidents.write(tx, incident_id, [entry])
    ends = [
        {
            "occurrence_id": row.id,
            "at": row.missing_since or tx.now,
            "by": SENDER,
            "reason": "missing",
        }
        for row in rows
    ]
    alerts.end_occurrences(tx, ends)
    place(tx, [], ids)


def _supersede(tx: Tx, lists: Lists, rows: Sequence[Row]) -> None:
    """Listed with a newer start: it ended and began again within one flush, and nobody would tell before the repeat."""
    notices = []
    for row in rows:
        one = lists.alerts.get(row.fingerprint)
        if one is None or one.held_by is not None or one.starts_at <= row.starts_at:
            continue
        known = alerts.occurrence(tx, row.id)
        if known is not None and known.newest_id == row.id:
            notice = Notice(row.fingerprint, known.labels, known.annotations, one.starts_at)
            notices.append(notice)
    if notices:
        key = body_key(notices[0].fingerprint * 2, max(notice.starts_at for notice in notices))
        receive_alerts(tx, [Delivery(lists.source, SENDER, key, tuple(notices))])


def _note_holds(tx: Tx, source: str, pairs: Sequence[tuple[Row, Listed]]) -> None:
    """What its source silences or inhibits is held back here too, with that reason; and released with it."""
    held, released = {}, []
    for row, one in pairs:
        at_source = bool(row.muted_by and row.muted_by.startswith(withheld.AT_SOURCE))
        wanted = f"{withheld.AT_SOURCE}{one.held_by}"[:200] if one.held_by else None
        if wanted is not None and (row.muted_by is None or (at_source and row.muted_by != wanted)):
            held[row.id] = wanted
        elif wanted is None and at_source:
            released.append(row.id)
    alerts.mute(tx, held)
    _unhold(tx, released)
    for incident_id in _incidents_of(tx, list(held)):
        withheld.recount(tx, incident_id)
    if any(one.held_by for _, one in pairs):
        release_later(tx, source)


def release_later(tx: Tx, source: str) -> None:
    """What the source holds back is released, unless it says again in time that it does."""
    until = tx.now + HELD_WITHOUT_WORD_FOR
    timers.rearm(tx, "source_hold", f"source:{source}", until, f"source_hold:{source}")


def _unhold(tx: Tx, occurrence_ids: Sequence[int]) -> None:
    """They fire and are held no more: they join their groups, or their incidents page again."""
    alerts.mute(tx, dict.fromkeys(occurrence_ids))
    placed = {row.occurrence_id for row in groups.groups_of(tx, occurrence_ids)}
    fresh = [alerts.occurrence(tx, one) for one in occurrence_ids if one not in placed]
    opened = [Opened(o.id, o.source_id, o.labels, o.annotations) for o in fresh if o is not None]
    if opened:
        place(tx, opened, [])
    for incident_id in _incidents_of(tx, sorted(placed)):
        withheld.recount(tx, incident_id)


def _incidents_of(tx: Tx, occurrence_ids: Sequence[int]) -> dict[int, int]:
    """By incident, in order: how many of these occurrences belong to it."""
    found: dict[int, int] = {}
    for row in groups.groups_of(tx, occurrence_ids):
        if row.incident_id is not None:
            found[row.incident_id] = found.get(row.incident_id, 0) + 1
    return dict(sorted(found.items()))


def release_unheard(tx: Tx, source: str, after: int = 0) -> None:
    """A source that holds alerts back has not answered for a while: they may fire, so they count as firing."""
    rows = alerts.open_of_source(tx, tx.snapshot.sources[source], after=after, limit=SLICE)
    held = [r.id for r in rows if r.muted_by and r.muted_by.startswith(withheld.AT_SOURCE)]
    _unhold(tx, held)
    if len(rows) == SLICE:
        key = f"source_hold:{source}:{rows[-1].id}:{int(tx.now.timestamp())}"
        timers.add(tx, "source_hold", f"source:{source}", tx.now, key, {"after": rows[-1].id})


def answered(tx: Tx, source: str, silent: Iterable[str]) -> None:
    """Which of the source's addresses did not answer; incidents show it while it is so. Nothing is closed for it."""
    source_id = tx.snapshot.sources[source]
    before = sources.standing(tx, source_id)
    which = ", ".join(sorted(set(silent)))[:300] or None
    if before is None or (which == before.silent and which is not None):
        return
    if which is None:
        sources.save(tx, source_id, tx.now, None, None)
    else:
        sources.save(tx, source_id, before.answered_at, before.silent_since or tx.now, which)
    if which != before.silent:
        for incident_id in sources.open_incidents(tx, source_id):
            showing.changed(tx, incident_id)


def not_heard(tx: Tx, source: str, after: int = 0) -> int | None:
    """A source without an address: what it has not repeated for long is asked of people, once, and never closed.

    One slice; answers where the next begins, or None at the end.
    """
    config = tx.snapshot.config.sources.get(source) or Source(source)
    before = tx.now - STALE_AFTER_REPEATS * config.repeat_interval
    source_id = tx.snapshot.sources[source]
    rows = alerts.open_of_source(tx, source_id, after=after, limit=SLICE)
    heard = {row.id: row.last_seen_at for row in rows if row.last_seen_at <= before}
    since: dict[int, datetime] = {}
    for row in groups.groups_of(tx, list(heard)):
        if row.incident_id is not None:
            at = heard[row.occurrence_id]
            since[row.incident_id] = min(at, since.get(row.incident_id, at))
    for incident_id, at in sorted(since.items()):
        _ask_people(tx, source, incident_id, at)
    return rows[-1].id if len(rows) == SLICE else None


def _ask_people(tx: Tx, source: str, incident_id: int, at: datetime) -> None:
    incident = incidents.lock(tx, incident_id)
    if incident is None or (incident.not_heard_since or at) < at or incident.not_heard_since == at:
        return
    incidents.change(tx, incident_id, not_heard_since=at)
    text = (
        f"{source} has not repeated it since {at:%Y-%m-%d %H:%M} UTC and cannot be asked. "
        "Is it over? Then resolve it"
    )
    incidents.write(tx, incident_id, [Entry(Kind.BOT, text, tx.now, data={"source": source})])
    showing.changed(tx, incident_id)


def reopen_listed(tx: Tx, lists: Lists, fingerprints: Sequence[str]) -> int:
    """Ended for us, but listed as active with the same start, for a receiver that posts here: open again."""
    source_id = tx.snapshot.sources[lists.source]
    count = 0
    for row in alerts.ended_among(tx, source_id, fingerprints):
        listed = lists.alerts.get(row.fingerprint)
        if listed is None or listed.held_by is not None or listed.starts_at != row.starts_at:
            continue
        if _for_us(row.ended_by, listed.receivers):
            count += reopen(tx, row.id)
    return count


def _for_us(ended_by: str | None, receivers: Sequence[str]) -> bool:
    """Whether the receiver that told the end (externalURL|receiver|groupKey) is among those it is listed for now."""
    told = (ended_by or "").split("|")
    return len(told) < 3 or not receivers or told[1] in receivers


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
