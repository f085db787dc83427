"""What a delivery would do, told by doing it: the real intake runs, is looked at, and is undone.

Knows which incidents a delivery touched. Refuses to keep anything: every row is rolled back, and nothing is sent.
Serves the command `explain`. On PostgreSQL the numbers that were drawn stay used: a gap in incident numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oncall_bot.core.alerts import Delivery
from oncall_bot.core.situation import Situation
from oncall_bot.flows.receive_alerts import receive_alerts
from oncall_bot.store import alerts, groups, incidents, runs, views
from oncall_bot.store.transactions import Tx

TOUCHED_MAX = 50
KINDS_MAX = 5
PAGES_MAX = 5_000


@dataclass(frozen=True, slots=True)
class Touched:
    """An incident as it would be. `is_new` when the delivery opens it."""

    situation: Situation
    is_new: bool
    pages: Sequence[str]  # one sentence a page: whom, and why


@dataclass(frozen=True, slots=True)
class Explained:
    """`verdicts` counts alerts by what their telling means; `why` are sentences, for each kind of alert once."""

    verdicts: Mapping[str, int]
    unreadable: Sequence[str]
    why: Sequence[tuple[str, Sequence[str]]]
    incidents: Sequence[Touched]
    waiting: int  # groups that wait for the brake, in case a storm is coming


def explain(tx: Tx, deliveries: Sequence[Delivery]) -> Explained:
    """What `receive_alerts` would make of these deliveries now. Nothing of it stays."""
    last = max((row.id for row in incidents.latest(tx, limit=1)), default=0)
    with tx.undone():
        received = receive_alerts(tx, deliveries)
        verdicts: Counter[str] = Counter()
        for one in received:
            verdicts.update({str(verdict): count for verdict, count in one.verdicts.items()})
        given = _groups(tx, deliveries)
        numbers = _new(tx, last) | {number for number in given.values() if number is not None}
        shown = {number: views.situation(tx, number) for number in sorted(numbers)[-TOUCHED_MAX:]}
        pages = {number: _pages(tx, number) for number in shown}
    touched = [
        Touched(situation, number > last, _new_pages(tx, number, pages[number]))
        for number, situation in shown.items()
        if situation is not None
    ]
    return Explained(
        verdicts=dict(verdicts),
        unreadable=[one.reason for delivery in deliveries for one in delivery.unreadable],
        why=_why(tx, deliveries),
        incidents=touched,
        waiting=sum(1 for number in given.values() if number is None),
    )


def _new(tx: Tx, last: int) -> set[int]:
    return {row.id for row in incidents.latest(tx, limit=TOUCHED_MAX) if row.id > last}


def _groups(tx: Tx, deliveries: Sequence[Delivery]) -> dict[int, int | None]:
    """Each group of the delivered alerts with its incident, None while the brake holds it."""
    found: dict[int, int | None] = {}
    for delivery in deliveries:
        source_id = tx.snapshot.sources[delivery.source]
        prints = list(dict.fromkeys(notice.fingerprint for notice in delivery.notices))
        known = alerts.known(tx, source_id, prints).values()
        occurrences = [row.occurrence_id for row in known if row.occurrence_id is not None]
        for row in groups.groups_of(tx, occurrences):
            found[row.group_id] = row.incident_id
    return found


def _pages(tx: Tx, number: int) -> dict[int, str]:
    return {
        page.id: f"{tx.snapshot.name(page.person) if page.person else page.target}: {page.reason.get('found')}"
        for page in runs.pages(tx, number, limit=PAGES_MAX)
    }


def _new_pages(tx: Tx, number: int, pages: Mapping[int, str]) -> list[str]:
    """Those that are gone again now: an incident that was open before has others."""
    kept = _pages(tx, number)
    return [sentence for page_id, sentence in pages.items() if page_id not in kept]


def _why(tx: Tx, deliveries: Sequence[Delivery]) -> list[tuple[str, Sequence[str]]]:
    """The chain of each kind of alert, told for the first of its name."""
    told: dict[str, Sequence[str]] = {}
    for notice in (notice for delivery in deliveries for notice in delivery.notices):
        name = notice.name or "an alert without a name"
        if name not in told and len(told) < KINDS_MAX:
            told[name] = views.explain(tx, notice.labels, notice.annotations)
    return list(told.items())
