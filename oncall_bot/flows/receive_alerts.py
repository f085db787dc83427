"""Alerts come in: what was told becomes occurrences, groups, incidents and the first page, in one transaction.

    deliveries -> judge each alert -> end, open, re-open occurrences -> groups -> incidents -> pages

Knows the order of these steps. Refuses to judge (core.alerts), to route (core.routes), to escalate (core.escalation).
Takes a LIST of deliveries: what waits together is committed together. Every statement here is for many rows; per
alert there is no timeline entry and no message. A stream posted twice changes nothing but `last_seen_at`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from oncall_bot.core.alerts import (
    CONFIRM_AFTER,
    REOPEN_UNCONFIRMED_AFTER,
    Delivery,
    Notice,
    Occurrence,
    Verdict,
    judge,
)
from oncall_bot.core.promql import expression_of
from oncall_bot.core.routes import held_by, holds_in_force
from oncall_bot.flows import unreadable, watchdog
from oncall_bot.flows.holding import plan_end
from oncall_bot.flows.placing import Opened, place
from oncall_bot.store import alerts, timers
from oncall_bot.store.transactions import Tx


@dataclass(frozen=True, slots=True)
class Received:
    """What one delivery came to: how many alerts each verdict had."""

    verdicts: Mapping[Verdict, int]


@dataclass(slots=True)
class _Known:
    """An alert as this transaction sees it: its row and its newest occurrence, changing while we read on."""

    alert_id: int
    newest: Occurrence | None
    muted_by: str | None = None
    annotations: Mapping[str, str] | None = None


@dataclass(slots=True)
class _Changes:
    """All that the deliveries of one source change; written at the end, many rows a statement."""

    alerts: list[dict[str, Any]] = field(default_factory=list)
    newest: dict[int, int] = field(default_factory=dict)  # alert -> occurrence
    occurrences: list[dict[str, Any]] = field(default_factory=list)
    seen_again: dict[int, None] = field(default_factory=dict)
    texts: dict[int, Mapping[str, str]] = field(default_factory=dict)
    ended: list[dict[str, Any]] = field(default_factory=list)
    reopened: dict[int, str | None] = field(default_factory=dict)
    doubted: list[int] = field(default_factory=list)
    undoubted: list[int] = field(default_factory=list)
    moved: dict[int, datetime] = field(default_factory=dict)
    opened: list[Opened] = field(default_factory=list)
    holds: dict[str, datetime] = field(default_factory=dict)


def receive_alerts(tx: Tx, deliveries: Sequence[Delivery]) -> list[Received]:
    """Take in what was delivered; one answer a delivery. Nothing is refused here."""
    alerts.line_up(tx)
    answers: dict[int, Received] = {}
    by_source: dict[str, list[int]] = defaultdict(list)
    for number, delivery in enumerate(deliveries):
        by_source[delivery.source].append(number)
    for source, numbers in by_source.items():
        batch = _Batch(tx, source, [deliveries[n] for n in numbers])
        answers.update(zip(numbers, batch.run(), strict=True))
    return [answers[n] for n in range(len(deliveries))]


class _Batch:
    """The deliveries of one source, in order."""

    def __init__(self, tx: Tx, source: str, deliveries: Sequence[Delivery]) -> None:
        self.tx = tx
        self.source = source
        self.source_id = tx.snapshot.sources[source]
        self.holds = holds_in_force(tx.snapshot.config, tx.snapshot.silences, tx.now, source=source)
        self.deliveries = deliveries
        self.changes = _Changes()
        self.known = self._load()
        self.ids = self._new_ids()

    def run(self) -> list[Received]:
        seen = self._seen()
        answers = []
        for delivery in self.deliveries:
            answers.append(self._take_in(delivery, body_is_new=delivery.body_key not in seen))
            if delivery.last:
                seen.add(delivery.body_key)
        bodies = sorted({d.body_key for d in self.deliveries if d.last})
        alerts.remember_bodies(self.tx, self.source, bodies)
        self._write()
        place(self.tx, self.changes.opened, [end["occurrence_id"] for end in self.changes.ended])
        for delivery in self.deliveries:
            for one in delivery.unreadable:
                unreadable.keep(self.tx, self.source, one)
        return answers

    def _seen(self) -> set[str]:
        """The bodies accepted before; asked only when it matters: something here ends or has ended."""
        ends = any(n.ended_at is not None for d in self.deliveries for n in d.notices)
        if not ends and all(
            k.newest is None or k.newest.ended_at is None for k in self.known.values()
        ):
            return set()
        return alerts.seen_bodies(self.tx, self.source, [d.body_key for d in self.deliveries])

    def _load(self) -> dict[str, _Known]:
        fingerprints = list(
            dict.fromkeys(n.fingerprint for d in self.deliveries for n in d.notices)
        )
        rows = alerts.known(self.tx, self.source_id, fingerprints)
        return {print_: _known_of(row) for print_, row in rows.items()}

    def _new_ids(self) -> dict[str, list[int]]:
        """Ids enough for the worst case: every notice a new alert with a new occurrence."""
        fresh = {n.fingerprint for d in self.deliveries for n in d.notices} - self.known.keys()
        newer = sum(1 for d in self.deliveries for n in d.notices if self._may_open(n))
        return {
            "alert": list(self.tx.new_ids("alert", len(fresh)))[::-1],
            "occurrence": list(self.tx.new_ids("occurrence", newer))[::-1],
        }

    def _may_open(self, notice: Notice) -> bool:
        known = self.known.get(notice.fingerprint)
        return known is None or known.newest is None or notice.starts_at > known.newest.starts_at

    def _take_in(self, delivery: Delivery, *, body_is_new: bool) -> Received:
        verdicts: dict[Verdict, int] = defaultdict(int)
        for notice in delivery.notices:
            known = self.known.get(notice.fingerprint)
            newest = known.newest if known else None
            verdict = judge(newest, notice, sender=delivery.sender, body_is_new=body_is_new)
            verdicts[verdict] += 1
            if known is None:
                known = self.known[notice.fingerprint] = self._new_alert(notice)
            self._apply(verdict, known, notice, delivery.sender)
            watchdog.heard(self.tx, notice, self.source)
        return Received(dict(verdicts))

    def _new_alert(self, notice: Notice) -> _Known:
        alert_id = self.ids["alert"].pop()
        self.changes.alerts.append(
            {
                "id": alert_id,
                "source_id": self.source_id,
                "fingerprint": notice.fingerprint,
                "name": notice.name,
                "rule_key": notice.name,
                "labels": notice.labels,
                "occurrence_id": None,
            }
        )
        return _Known(alert_id, None)

    def _apply(self, verdict: Verdict, known: _Known, notice: Notice, sender: str) -> None:
        changes, newest = self.changes, known.newest
        if verdict in (Verdict.NEW, Verdict.SUPERSEDED, Verdict.NEW_ENDED):
            if newest is not None and newest.ended_at is None:
                self._end(newest, notice.starts_at, sender, "superseded")
            self._open(known, notice, sender)
        elif newest is None:
            return
        elif verdict is Verdict.REPEAT:
            changes.seen_again[newest.id] = None
            if known.annotations != notice.annotations:
                known.annotations = changes.texts[newest.id] = notice.annotations
        elif verdict is Verdict.RESOLVED:
            self._end(newest, notice.ended_at or self.tx.now, sender, "told")
            known.newest = Occurrence(newest.id, newest.starts_at, notice.ended_at, sender)
        elif verdict is Verdict.REOPENED:
            by = self._hold(notice)
            changes.reopened[newest.id] = by
            known.newest = Occurrence(newest.id, newest.starts_at)
            if by is None:
                self._opened(newest.id, notice)
        elif verdict is Verdict.DOUBTED:
            changes.doubted.append(newest.id)
            known.newest = Occurrence(
                newest.id, newest.starts_at, newest.ended_at, newest.ended_by, doubted=True
            )
        elif verdict is Verdict.DOUBT_ENDED:
            changes.undoubted.append(newest.id)
            known.newest = Occurrence(newest.id, newest.starts_at, newest.ended_at, newest.ended_by)
        elif verdict is Verdict.END_MOVED and notice.ended_at is not None:
            changes.moved[newest.id] = notice.ended_at
            known.newest = Occurrence(newest.id, newest.starts_at, notice.ended_at, newest.ended_by)

    def _open(self, known: _Known, notice: Notice, sender: str) -> None:
        occurrence_id = self.ids["occurrence"].pop()
        by = self._hold(notice) if notice.ended_at is None else None
        self.changes.occurrences.append(
            {
                "id": occurrence_id,
                "alert_id": known.alert_id,
                "starts_at": notice.starts_at,
                "opened_at": self.tx.now,
                "ended_at": notice.ended_at,
                "ended_by": sender if notice.ended_at else None,
                "end_reason": "told" if notice.ended_at else None,
                "last_seen_at": self.tx.now,
                "annotations": notice.annotations,
                "muted_by": by,
                "expression": expression_of(notice.generator) or None,
            }
        )
        self.changes.newest[known.alert_id] = occurrence_id
        known.newest = Occurrence(
            occurrence_id, notice.starts_at, notice.ended_at, sender if notice.ended_at else None
        )
        known.annotations = notice.annotations
        if notice.ended_at is None and by is None:
            self._opened(occurrence_id, notice)

    def _opened(self, occurrence_id: int, notice: Notice) -> None:
        self.changes.opened.append(
            Opened(occurrence_id, self.source_id, notice.labels, notice.annotations)
        )

    def _end(self, newest: Occurrence, at: datetime, sender: str, reason: str) -> None:
        self.changes.ended.append(
            {"occurrence_id": newest.id, "at": at, "by": sender, "reason": reason}
        )
        # opened and ended inside one batch: it still passes through its group, so nothing is lost

    def _hold(self, notice: Notice) -> str | None:
        held = held_by(self.holds, notice.labels)
        if held is None:
            return None
        self.changes.holds[held.key] = held.until
        return held.key

    def _write(self) -> None:
        tx, changes = self.tx, self.changes
        new_alerts = {row["id"]: row for row in changes.alerts}
        for alert_id, occurrence_id in changes.newest.items():
            if alert_id in new_alerts:
                new_alerts[alert_id]["occurrence_id"] = occurrence_id
        alerts.insert_alerts(tx, changes.alerts)
        # an alert has one open occurrence: the old one ends before its successor is written
        own = {row["id"] for row in changes.occurrences}
        alerts.end_occurrences(tx, [e for e in changes.ended if e["occurrence_id"] not in own])
        ends = {e["occurrence_id"]: e for e in changes.ended if e["occurrence_id"] in own}
        for row in changes.occurrences:
            if (end := ends.get(row["id"])) is not None:
                row |= {"ended_at": end["at"], "ended_by": end["by"], "end_reason": end["reason"]}
        alerts.insert_occurrences(tx, changes.occurrences)
        alerts.point_alerts(
            tx,
            [
                {"alert_id": alert_id, "newest_id": occurrence_id}
                for alert_id, occurrence_id in changes.newest.items()
                if alert_id not in new_alerts
            ],
        )
        alerts.seen_again(tx, changes.seen_again)
        alerts.annotate(tx, changes.texts)
        alerts.move_ends(tx, changes.moved)
        self._write_doubts()
        ended = {end["occurrence_id"] for end in changes.ended}
        alerts.reopen_occurrences(tx, {o: m for o, m in changes.reopened.items() if o not in ended})
        for key, until in changes.holds.items():
            plan_end(tx, key, until)

    def _write_doubts(self) -> None:
        tx, changes = self.tx, self.changes
        alerts.doubt(tx, changes.undoubted, None)
        still = [one for one in changes.doubted if one not in set(changes.undoubted)]
        alerts.doubt(tx, still, tx.now)
        for one in still:
            stamp = f"{one}:{int(tx.now.timestamp() * 1000)}"
            timers.add(
                tx, "confirm", f"occurrence:{one}", tx.now + CONFIRM_AFTER, f"confirm:{stamp}"
            )
            timers.add(
                tx,
                "reopen_unconfirmed",
                f"occurrence:{one}",
                tx.now + REOPEN_UNCONFIRMED_AFTER,
                f"reopen:{stamp}",
            )


def _known_of(row: Any) -> _Known:
    newest = None
    if row.occurrence_id is not None:
        newest = Occurrence(
            row.occurrence_id,
            row.starts_at,
            row.ended_at,
            row.ended_by,
            doubted=row.doubted_at is not None,
        )
    return _Known(row.id, newest, row.muted_by, row.annotations)
