"""Holidays: who is away is left out where somebody else is asked as well, and paged where nobody else would be.

Knows stretches of time and what a step asks. Refuses to know rows and rotas: a shift nobody took stays with its owner,
and who is named is meant. Serves paging, and whoever shows who would be paged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from oncall_bot.core.config import Target
from oncall_bot.core.paging import Found

ALL_THE_SAME: Mapping[str, str] = {
    "schedule": "nobody covers",
    "person": "named by the step",
    "team": "nobody else there can be paged",
}
"""Why somebody on holiday is paged, by the kind of target that names them."""


@dataclass(frozen=True, slots=True)
class Holiday:
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Somebody whom the target names, and who is not asked: on holiday until then."""

    person: str
    target: Target
    until: datetime


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom a step asks, target by target, and who was left out of it."""

    found: tuple[Found, ...]
    left_out: tuple[LeftOut, ...] = ()


def until(holidays: Iterable[Holiday], at: datetime) -> datetime | None:
    """The end of the holiday that the instant lies in, or None."""
    return max((one.ends_at for one in holidays if one.starts_at <= at < one.ends_at), default=None)


def without_the_absent(
    found: Sequence[Found],
    away_until: Callable[[str], datetime | None],
    reachable: Callable[[str], bool],
    *,
    is_list: bool,
) -> Whom:
    """Leave those on holiday out of teams as long as somebody else of the team can be reached.

    `is_list`: the targets are a fallback list, so that anybody in it stands for anybody else.
    """
    pool = [person for one in found for person in one.people] if is_list else []
    kept: list[Found] = []
    left_out: list[LeftOut] = []
    for one in found:
        others = pool if is_list else one.people
        absent = _absent(one, away_until) if is_list or one.target.kind == "team" else {}
        if not any(away_until(other) is None and reachable(other) for other in others):
            absent = {}
        left_out += [LeftOut(person, one.target, end) for person, end in absent.items()]
        people = tuple(person for person in one.people if person not in absent)
        if people or not absent:
            kept.append(replace(one, people=people))
    return Whom(tuple(kept), tuple(left_out))


def _absent(found: Found, away_until: Callable[[str], datetime | None]) -> dict[str, datetime]:
    if found.target.kind == "schedule":
        return {}
    return {p: end for p in found.people if (end := away_until(p)) is not None}
