"""The fields of a written schedule: a value of outside data with its place, and how to read it.

Knows shapes, bounds and what would have done instead. Refuses to know which keys a schedule has.
Serves `reading`. Nothing here trusts the data beyond its being made of JSON's types.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from oncall_bot.core.errors import BadInput
from oncall_bot.core.rotations.turns import User
from oncall_bot.core.rotations.walltime import FIRST_YEAR, LAST_YEAR, instant_of, wall_of

MAX_LISTED = 5_000
MAX_NAME = 200
_SHOWN = 60

_DATE_SHAPES = ("0000-00-00",)
_WALL_SHAPES = ("0000-00-00T00:00", "0000-00-00T00:00:00")
_INSTANT_SHAPES = tuple(w + z for w in _WALL_SHAPES for z in ("Z", "+00:00", "-00:00"))
_INSTANT_EXAMPLE = "an instant like 2026-01-05T08:00:00Z"
_EITHER_EXAMPLE = "a wall time like 2026-01-05T09:00 or an instant like 2026-01-05T08:00Z"


class DefinitionError(BadInput):
    """A written schedule that cannot be used; `path` is the place, such as layers[0].start."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.path = path
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Field:
    """A value together with the place where it stands. Every reader raises DefinitionError."""

    value: object
    path: str = ""

    def fault(self, problem: str) -> DefinitionError:
        return DefinitionError(self.path, problem)

    def refused(self, wanted: str) -> DefinitionError:
        return self.fault(f"{_shown(self.value)} is not {wanted}")

    # Mappings and lists

    def with_keys(self, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> Field:
        """This field, if it is a mapping with all of the required keys and no unknown one."""
        for key in self._mapping():
            if key not in required and key not in optional:
                known = ", ".join((*required, *optional))
                raise self._under(key).fault(f"there is no such key; the keys here are {known}")
        for key in required:
            if key not in self._mapping():
                raise self.fault(f"the key {key} is missing")
        return self

    def has(self, key: str) -> bool:
        """Whether an optional key is given; null says the same as leaving it out."""
        return self._mapping().get(key) is not None

    def __getitem__(self, key: str) -> Field:
        return self._under(key, self._mapping()[key])

    def given(self, key: str) -> Field | None:
        """The field under an optional key, or None."""
        return self[key] if self.has(key) else None

    def listed(self, key: str) -> list[Field]:
        """The items of an optional list."""
        return self[key].items() if self.has(key) else []

    def items(self, at_least: int = 0) -> list[Field]:
        if not isinstance(self.value, list | tuple):
            raise self.refused("a list")
        if not at_least <= len(self.value) <= MAX_LISTED:
            raise self.fault(f"{len(self.value)} entries; it takes {at_least} to {MAX_LISTED}")
        return [Field(item, f"{self.path}[{i}]") for i, item in enumerate(self.value)]

    def _mapping(self) -> Mapping[object, object]:
        if not isinstance(self.value, Mapping):
            raise self.refused("a mapping of keys to values")
        return self.value

    def _under(self, key: object, value: object = None) -> Field:
        name = _printable(str(key)[:_SHOWN])
        return Field(value, f"{self.path}.{name}" if self.path else name)

    # Names and numbers

    def name(self) -> str:
        value = self.value
        if not isinstance(value, str) or not value.strip() or len(value) > MAX_NAME:
            raise self.refused(f"a name of 1 to {MAX_NAME} characters")
        if not value.isprintable():
            raise self.fault(f"{_shown(value)} has characters that cannot be shown")
        return value

    def person_or_nobody(self) -> User:
        return None if self.value is None else self.name()

    def people(self) -> tuple[User, ...]:
        return tuple(item.person_or_nobody() for item in self.items())

    def one_of(self, allowed: Iterable[str]) -> str:
        known = sorted(allowed)
        if isinstance(self.value, str) and self.value in known:
            return self.value
        raise self.refused(f"one of {', '.join(known)}" if known else "known: there is none")

    def number(self, least: int, most: int) -> int:
        """A whole number, or its digits: YAML without implicit types gives text."""
        value = self.value
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.refused(f"a whole number from {least} to {most}")
        return value

    # Zones and times

    def zone(self) -> ZoneInfo:
        name = self.name()
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise self.refused("a time zone; write an IANA name such as Europe/Berlin") from None

    def time_of_day(self, may_be_24: bool = False) -> timedelta:
        """HH:MM as the time since midnight on the wall."""
        value = self.value
        if value == "24:00" and may_be_24:
            return timedelta(days=1)
        if isinstance(value, str) and _shape(value) == "00:00":
            hours, minutes = int(value[:2]), int(value[3:])
            if hours < 24 and minutes < 60:
                return timedelta(hours=hours, minutes=minutes)
        raise self.refused("a time of day like 09:00" + (" or 24:00" if may_be_24 else ""))

    def midnight_of_date(self) -> datetime:
        """The naive midnight with which a date begins."""
        return self._calendar(_DATE_SHAPES, "a date like 2026-12-25")

    def instant(self) -> datetime:
        """An instant with its offset written, in UTC."""
        return self._calendar(_INSTANT_SHAPES, _INSTANT_EXAMPLE).astimezone(UTC)

    def instant_in(self, zone: ZoneInfo) -> datetime:
        """An instant with its offset written, or a wall time in `zone`."""
        return self.instant_and_wall(zone)[0]

    def instant_and_wall(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Both readings: a wall time stays as written, even if no clock ever shows it."""
        read = self._calendar(_WALL_SHAPES + _INSTANT_SHAPES, _EITHER_EXAMPLE)
        if read.tzinfo is None:
            return instant_of(read, zone), read
        return read.astimezone(UTC), wall_of(read, zone)

    def _calendar(self, shapes: tuple[str, ...], example: str) -> datetime:
        if not isinstance(self.value, str) or _shape(self.value) not in shapes:
            raise self.refused(example)
        try:
            read = datetime.fromisoformat(self.value)
        except ValueError:
            raise self.fault(
                f"{_shown(self.value)} is not in the calendar; write {example}"
            ) from None
        if not FIRST_YEAR < read.year < LAST_YEAR:
            raise self.refused(f"in a year from {FIRST_YEAR + 1} to {LAST_YEAR - 1}")
        return read


def _shape(value: str) -> str:
    """The text with every digit made 0: what has the right shape is safe to hand on."""
    return "".join("0" if char in "0123456789" else char for char in value[:30])


def _shown(value: object) -> str:
    """What was read, short and harmless enough to stand in a message."""
    if isinstance(value, str):
        return f'"{_printable(value[:_SHOWN])}{"…" if len(value) > _SHOWN else ""}"'
    if value is None:
        return "null"
    if isinstance(value, bool | float) or (isinstance(value, int) and value.bit_length() < 100):
        return str(value)
    return "a mapping" if isinstance(value, Mapping) else f"this {type(value).__name__}"


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
