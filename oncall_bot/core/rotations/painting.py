"""Painting a schedule: layers, then holidays, then overrides, into shifts that tile a window.

Knows who covers whom (R8, R10 to R13) and how the answer is cut (R15). Refuses to know how turns
are counted and where overrides are stored. Serves everybody who asks who is on call, and when not.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from oncall_bot.core.errors import BadInput
from oncall_bot.core.rotations.definition import Definition, Holiday, Layer, Override, Shift
from oncall_bot.core.rotations.turns import User, holders
from oncall_bot.core.rotations.walltime import FIRST_YEAR, LAST_YEAR
from oncall_bot.core.rotations.windows import Span

_TICK = datetime.resolution
_FIRST_LOOK, _LONGEST_LOOK = timedelta(days=8), timedelta(days=128)


def shifts(
    definition: Definition, start: datetime, end: datetime, overrides: Sequence[Override] = ()
) -> list[Shift]:
    """Who is on call from `start` to `end`: contiguous shifts that tile it, gaps as user None.

    The definition's own overrides are painted first, then `overrides`, each in order. Instants may
    be in any zone and must be aware; an empty window has no shifts.
    """
    start, end = _in_reach(start), _in_reach(end)
    if start >= end:
        return []
    return _Line.of(definition, start, end, overrides).shifts()


def on_call_at(
    definition: Definition, at: datetime, overrides: Sequence[Override] = ()
) -> str | None:
    """The person on call at the instant `at`; at a handoff that is the one who arrives."""
    return shifts(definition, at, at + _TICK, overrides)[0].user


def next_handoff(
    definition: Definition,
    after: datetime,
    overrides: Sequence[Override] = (),
    horizon: timedelta = timedelta(days=400),
) -> tuple[datetime, str | None, str | None] | None:
    """The first instant later than `after` at which the person on call changes.

    Answers (instant, who leaves, who arrives), None standing for nobody; or None if nothing
    changes until `after` + `horizon`.
    """
    leaving = on_call_at(definition, after, overrides)
    look_for, seen, last = _FIRST_LOOK, after, after + horizon
    while seen < last:
        until = min(seen + look_for, last)
        for shift in shifts(definition, seen, until, overrides):
            if shift.user != leaving:
                return shift.start, leaving, shift.user
        seen, look_for = until, min(look_for * 2, _LONGEST_LOOK)
    return None


def _in_reach(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise ValueError(f"a schedule is asked about an instant with its zone, not {at!r}")
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise BadInput(f"schedules answer for {FIRST_YEAR} to {LAST_YEAR}, not for {at.year}")
    return at.astimezone(UTC)


class _Line:
    """One stretch of time cut into pieces, each with its person: `users[i]` from `starts[i]` on."""

    __slots__ = ("end", "starts", "users")

    def __init__(self, start: datetime, end: datetime, user: User = None) -> None:
        self.starts: list[datetime] = [start]
        self.users: list[User] = [user]
        self.end = end

    @classmethod
    def of(
        cls,
        definition: Definition,
        start: datetime,
        end: datetime,
        overrides: Sequence[Override],
    ) -> _Line:
        line = cls(start, end)
        holidays = [h for h in definition.holidays if h.start < end and start < h.end]
        for layer in definition.layers:
            line.cover_with(_layer_line(layer, start, end, holidays))
        for holiday in holidays:
            if holiday.action != "skip_layers":
                line.paint(holiday.start, holiday.end, holiday.user)
        for own_or_given in (definition.overrides, overrides):
            for cover in own_or_given:
                line.paint(cover.start, cover.end, cover.user, cover.replaces)
        return line

    def paint(self, start: datetime, end: datetime, user: User, replaces: User = None) -> None:
        """Put `user` on [start, end), or only on those pieces of it that `replaces` has."""
        start, end = max(start, self.starts[0]), min(end, self.end)
        if start >= end:
            return
        first, last = self._cut(start), self._cut(end)
        if replaces is None:
            self.starts[first:last] = [start]
            self.users[first:last] = [user]
            return
        for i in range(first, last):
            if self.users[i] == replaces:
                self.users[i] = user

    def _cut(self, at: datetime) -> int:
        """The number of the piece that begins at `at`, made to begin there if need be."""
        i = bisect_left(self.starts, at)
        if at != self.end and (i == len(self.starts) or self.starts[i] != at):
            self.starts.insert(i, at)
            self.users.insert(i, self.users[i - 1])
        return i

    def cover_with(self, upper: _Line | None) -> None:
        """Lay a line over the same stretch on top: its people win, its gaps let this one show."""
        if upper is None:
            return
        starts: list[datetime] = []
        users: list[User] = []
        lower_i, upper_i = -1, -1
        for at in sorted(self.starts + upper.starts):  # two sorted runs: merged, not sorted anew
            if starts and starts[-1] == at:
                continue
            if lower_i + 1 < len(self.starts) and self.starts[lower_i + 1] == at:
                lower_i += 1
            if upper_i + 1 < len(upper.starts) and upper.starts[upper_i + 1] == at:
                upper_i += 1
            above = upper.users[upper_i]
            starts.append(at)
            users.append(self.users[lower_i] if above is None else above)
        self.starts, self.users = starts, users

    def shifts(self) -> list[Shift]:
        """The pieces with equal neighbours made one."""
        kept = [i for i, user in enumerate(self.users) if i == 0 or user != self.users[i - 1]]
        ends = [self.starts[i] for i in kept[1:]] + [self.end]
        return [
            Shift(self.starts[i], end, self.users[i]) for i, end in zip(kept, ends, strict=True)
        ]


def _layer_line(
    layer: Layer, start: datetime, end: datetime, holidays: Sequence[Holiday]
) -> _Line | None:
    """One layer over [start, end): silent outside its life, its windows and holidays that skip it.

    Turns are counted underneath all of these, so that hiding a layer moves nobody's turn.
    """
    begins = max(start, layer.starts_at)
    ends = end if layer.ends_at is None else min(end, layer.ends_at)
    if begins >= ends:
        return None
    spans = [(begins, ends)] if layer.windows is None else layer.windows.open_between(begins, ends)
    if not spans:
        return None
    line = _Line(start, end)
    _lay_in(line, spans, holders(layer.turns, layer.orders, begins, ends))
    for holiday in holidays:
        if layer.name in holiday.layers:
            line.paint(holiday.start, holiday.end, None)
    return line


def _lay_in(line: _Line, spans: Sequence[Span], held: Sequence[tuple[datetime, User]]) -> None:
    """Fill a silent line, in order, with the holders as far as they fall into the spans."""
    i = 0
    for opened, closed in spans:
        while i + 1 < len(held) and held[i + 1][0] <= opened:
            i += 1
        _append(line, opened, held[i][1])
        while i + 1 < len(held) and held[i + 1][0] < closed:
            i += 1
            _append(line, *held[i])
        if closed < line.end:
            _append(line, closed, None)


def _append(line: _Line, at: datetime, user: User) -> None:
    if line.starts[-1] == at:
        line.users[-1] = user
        return
    line.starts.append(at)
    line.users.append(user)
