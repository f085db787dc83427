"""What really was: a schedule over versions of its definition, covers as they stood, and the log of shifts (R16).

Knows that a version counts from an instant on, that a cover acts from when it was made until it was cancelled, and
that the log is asked for the time before the first version: a shift that is logged late, after an edit, knows no
better. Refuses to know rows. Serves fairness and pay.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from oncall_bot.core.rotations.definition import Definition, Override, Shift
from oncall_bot.core.rotations.painting import shifts
from oncall_bot.core.rotations.turns import User


@dataclass(frozen=True, slots=True)
class Version:
    """A definition and the instant from which it counts."""

    effective_from: datetime
    definition: Definition


@dataclass(frozen=True, slots=True)
class Cover:
    """An override with the life it had: it says nothing about the time before it was made."""

    override: Override
    made_at: datetime
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """A shift as it was written down when it began; `end` is what was planned then."""

    start: datetime
    end: datetime | None
    user: User


def shifts_as_they_were(
    versions: Sequence[Version],
    covers: Sequence[Cover],
    start: datetime,
    end: datetime,
    *,
    log: Sequence[Logged] = (),
) -> list[Shift]:
    """Contiguous shifts that tile the window; time of which nothing is known is nobody's.

    Versions and covers in the order they were made.
    """
    if start >= end:
        return []
    acting = [lived for cover in covers if (lived := _lived(cover)) is not None]
    known_from = versions[0].effective_from if versions else end
    spans = [*_facts(log, known_from), *_by_version(versions, acting, start, end)]
    return shifts(Definition(ZoneInfo("UTC"), (), (), tuple(spans)), start, end)


def _lived(cover: Cover) -> Override | None:
    """The stretch in which the cover acted; None when it was cancelled before it did."""
    painted = cover.override
    start = max(painted.start, cover.made_at.astimezone(UTC))
    end = painted.end if cover.cancelled_at is None else min(painted.end, cover.cancelled_at)
    return Override(start, end, painted.user, painted.replaces) if start < end else None


def _by_version(
    versions: Sequence[Version], covers: Sequence[Override], start: datetime, end: datetime
) -> Iterable[Override]:
    ends = [*(version.effective_from for version in versions[1:]), end]
    for version, next_from in zip(versions, ends, strict=False):
        begins, until = max(start, version.effective_from), min(end, next_from)
        for shift in shifts(version.definition, begins, until, covers):
            yield Override(shift.start, shift.end, shift.user)


def _facts(log: Sequence[Logged], until: datetime) -> Iterable[Override]:
    """Each logged shift, until the next one begins."""
    rows = sorted(log, key=lambda one: one.start)
    following = [*(row.start for row in rows[1:]), until]
    for row, next_start in zip(rows, following, strict=False):
        end = min(row.end or until, next_start, until)
        if row.start < end:
            yield Override(row.start, end, row.user)
