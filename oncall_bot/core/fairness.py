"""How the load of a schedule is shared: hours, nights, weekends, holidays and pages of each person, weighted.

Knows when an hour is a night's, a weekend's or a holiday's in the zone a person lives in, and that it counts once, by
the highest weight that applies. Refuses to know rows and what is paid. Pure. Serves `/oncall fairness` and the command
`schedule fairness`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from oncall_bot.core.config import Fairness
from oncall_bot.core.rotations import Shift
from oncall_bot.core.rotations.walltime import instant_of, wall_of

NIGHT_BEGINS, NIGHT_ENDS = time(22), time(6)
_EDGES = (timedelta(0), timedelta(hours=6), timedelta(hours=22))
_DAY, _NONE = timedelta(days=1), timedelta(0)

Span = tuple[datetime, datetime]


@dataclass(slots=True)
class Share:
    """One person's part. `planned` of the hours are still to come; `points` are weighted hours."""

    person: str
    shifts: int = 0
    on_call: timedelta = _NONE
    night: timedelta = _NONE
    weekend: timedelta = _NONE
    holiday: timedelta = _NONE
    planned: timedelta = _NONE
    points: float = 0.0
    pages: int = 0
    night_pages: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """The shares of a schedule from start to end, the heaviest first; `nobody` is the time that was a gap."""

    schedule: str
    start: datetime
    end: datetime
    weights: Fairness
    shares: Sequence[Share] = ()
    nobody: timedelta = _NONE
    regulars: Sequence[str] = ()  # whom the rotation names; others only cover

    @property
    def balance(self) -> float | None:
        """The least points of a regular over the most: 1 is even, None when fewer than two take part."""
        points = [share.points for share in self.shares if share.person in self.regulars]
        return min(points) / max(points) if len(points) > 1 and max(points) else None


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted: shifts that tile the window, pages as (person, instant), and by which rules."""

    shifts: Sequence[Shift]
    pages: Sequence[tuple[str, datetime]]
    holidays: Sequence[Span]
    zone_of: Callable[[str], ZoneInfo]
    weights: Fairness
    regulars: Sequence[str] = ()


def report(
    schedule: str, start: datetime, end: datetime, counted: Counted, now: datetime
) -> Report:
    """Every person's share; all lengths exact, whatever clocks do."""
    found: dict[str, Share] = {}
    nobody = _NONE
    for shift in counted.shifts:
        if shift.user is None:
            nobody += shift.end - shift.start
            continue
        share = found.setdefault(shift.user, Share(shift.user))
        share.shifts += 1
        share.planned += max(_NONE, shift.end - max(shift.start, now))
        _add_hours(share, shift, counted)
    for person, at in counted.pages:
        share = found.setdefault(person, Share(person))
        share.pages += 1
        share.night_pages += is_night(at, counted.zone_of(person))
    ranked = sorted(found.values(), key=lambda one: (-one.points, -one.pages, one.person))
    return Report(schedule, start, end, counted.weights, ranked, nobody, counted.regulars)


def is_night(at: datetime, zone: ZoneInfo) -> bool:
    """Whether a clock there shows 22:00 to 06:00."""
    clock = wall_of(at, zone).time()
    return clock >= NIGHT_BEGINS or clock < NIGHT_ENDS


def _add_hours(share: Share, shift: Shift, counted: Counted) -> None:
    zone = counted.zone_of(share.person)
    weights = counted.weights
    for start, end in _pieces(shift, zone, counted.holidays):
        length = end - start
        share.on_call += length
        applies = [1.0]
        if is_night(start, zone):
            share.night += length
            applies.append(weights.night)
        if wall_of(start, zone).isoweekday() >= 6:
            share.weekend += length
            applies.append(weights.weekend)
        if any(begun <= start < over for begun, over in counted.holidays):
            share.holiday += length
            applies.append(weights.holiday)
        share.points += max(applies) * (length / timedelta(hours=1))


def _pieces(shift: Shift, zone: ZoneInfo, holidays: Sequence[Span]) -> Iterator[Span]:
    """The shift cut where a night, a day or a holiday begins or ends."""
    cuts = {edge for span in holidays for edge in span}
    midnight = datetime.combine(wall_of(shift.start, zone).date(), time()) - _DAY
    last = wall_of(shift.end, zone) + _DAY
    while midnight <= last:
        cuts.update(instant_of(midnight + edge, zone) for edge in _EDGES)
        midnight += _DAY
    inside = sorted(cut for cut in cuts if shift.start < cut < shift.end)
    edges = [shift.start, *inside, shift.end]
    yield from pairwise(edges)


# --- in words ------------------------------------------------------------------------------------------------------


def told_kinds(share: Share) -> Iterator[str]:
    """What of a share was heavy, in whole hours, and its pages: "12 at night", "3 pages (1 at night)"."""
    lengths = (share.night, share.weekend, share.holiday)
    for length, word in zip(lengths, ("at night", "on weekends", "on holidays"), strict=True):
        if length:
            yield f"{length / timedelta(hours=1):.0f} {word}"
    if share.pages:
        at_night = f" ({share.night_pages} at night)" if share.night_pages else ""
        yield f"{share.pages} page{'' if share.pages == 1 else 's'}{at_night}"


def told_weights(weights: Fairness) -> str:
    """The weights that change anything: "night 1.5, weekend 2"; empty when every hour counts the same."""
    named = (("night", weights.night), ("weekend", weights.weekend), ("holiday", weights.holiday))
    return ", ".join(f"{word} {weight:g}" for word, weight in named if weight != 1)


# --- for pay -------------------------------------------------------------------------------------------------------

COLUMNS = (
    *("schedule", "from", "to", "person", "name", "email", "shifts", "hours", "night_hours"),
    *("weekend_hours", "holiday_hours", "planned_hours", "weighted_hours", "pages", "night_pages"),
)


def rows(found: Report, name: Callable[[str], str], email: Callable[[str], str]) -> list[list[str]]:
    """The report as cells under COLUMNS, hours with two decimals; no cell begins a formula."""
    stamps = [f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (found.start, found.end)]
    return [
        [
            *(_cell(text) for text in (found.schedule, *stamps)),
            *(_cell(text) for text in (one.person, name(one.person), email(one.person))),
            str(one.shifts),
            *(_hours(part) for part in (one.on_call, one.night, one.weekend, one.holiday)),
            _hours(one.planned),
            f"{one.points:.2f}",
            str(one.pages),
            str(one.night_pages),
        ]
        for one in found.shares
    ]


def _hours(length: timedelta) -> str:
    return f"{length / timedelta(hours=1):.2f}"


def _cell(text: str) -> str:
    """A spreadsheet takes a cell that begins so for a formula; a quote before it makes it text."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
