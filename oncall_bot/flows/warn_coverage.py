"""Weeks before it matters, a schedule's owner is told of what is wrong with it: each fault once.

Knows owners, and which faults were told. Refuses to find faults (core.coverage) and to page: this is a word in a
direct message. Serves the daily duty. Finding takes longer than a write should, so it is a look of its own before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from oncall_bot.core.config import Config
from oncall_bot.core.coverage import CoverageFault, gathered, sentence
from oncall_bot.flows import notices
from oncall_bot.store import calendars, views
from oncall_bot.store.snapshot import Snapshot
from oncall_bot.store.transactions import Reader, Tx

AHEAD = timedelta(days=28)
BEHIND = timedelta(days=35)
"""So far back is looked for the beginning of what is wrong today: it must be the same fault tomorrow."""
KEPT_FOR = timedelta(days=30)
LINES_MAX = 8


def look_ahead(reader: Reader) -> list[CoverageFault]:
    """The faults of the next four weeks, those of this minute too, without what is only worth knowing."""
    found = views.coverage(reader, reader.now - BEHIND, reader.now + AHEAD)
    return [fault for fault in found if fault.end > reader.now and not fault.is_note]


def warn_coverage(tx: Tx, found: Sequence[CoverageFault]) -> int:
    """Tell each owner what was not told before; how many faults that were."""
    calendars.forget_warnings(tx, tx.now - KEPT_FOR)
    known = calendars.warned(tx)
    new = [fault for fault in found if fault.key not in known]
    ends: dict[str, datetime] = {}
    for fault in found:
        ends[fault.key] = max(fault.end, ends.get(fault.key, fault.end))
    calendars.warn(tx, ends)
    for owner, theirs in _by_owner(tx.snapshot, new).items():
        key = notices.digest(sorted({fault.key for fault in theirs}))
        stamp = int(tx.now.timestamp())
        notices.tell_person(
            tx, owner, _words(tx.snapshot, theirs), f"coverage:{owner}:{stamp}:{key}"
        )
    return len({fault.key for fault in new})


def _by_owner(
    snapshot: Snapshot, faults: Sequence[CoverageFault]
) -> dict[str, list[CoverageFault]]:
    told: dict[str, list[CoverageFault]] = {}
    for fault in faults:
        for owner in owners(snapshot.config, fault.schedule):
            told.setdefault(owner, []).append(fault)
    return told


def owners(config: Config, schedule: str) -> Sequence[str]:
    """The managers of the schedule's team; without them the admins, else the last resort."""
    team = config.teams.get(config.schedules[schedule].team or "")
    return (team.managers if team else ()) or config.admins or config.defaults.last_resort


def _words(snapshot: Snapshot, faults: Sequence[CoverageFault]) -> str:
    groups = gathered(faults)
    lines = [_line(snapshot, group) for group in groups[:LINES_MAX]]
    more = len(groups) - LINES_MAX
    if more > 0:
        lines.append(f"{more} more: oncall-bot schedule verify lists them.")
    return "\n".join(["In the next four weeks somebody may not be reached:", *lines])


def _line(snapshot: Snapshot, group: Sequence[CoverageFault]) -> str:
    zone = snapshot.config.schedules[group[0].schedule].definition.zone
    said = sentence(group[0], snapshot.name, zone)
    more = len(group) - 1
    return f"{said} (and {more} more)" if more else said
