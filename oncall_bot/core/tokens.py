"""The hard parts of a sentence: clock times, dates, durations, numbers with units, identifiers.

Knows how people write them and when two of them say the same. Refuses to know where a sentence
comes from. Serves the verifier, which asks whether the evidence holds each of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

_MONTHS = [date(2000, month, 1).strftime("%B").lower() for month in range(1, 13)]
_MONTH = (
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_SMALL = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
    fifteen sixteen seventeen eighteen nineteen
"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_WORDS = {word: n for n, word in enumerate(_SMALL.split())}
_WORDS |= {word: n * 10 for n, word in enumerate(_TENS.split(), 2)}
_WORDS |= {"dozen": 12}
_ISO = re.compile(r"\b(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?(?:\.\d{1,6})?Z?)?")
_CLOCK = re.compile(r"(?<![\d:.])([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?(?![\d:])")
_DAY_MONTH = re.compile(
    rf"\b(?:(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({_MONTH})|({_MONTH}) (\d{{1,2}})(?:st|nd|rd"
    rf"|th)?)\b(?:,? (\d{{4}}))?",
    re.IGNORECASE,
)
_DURATION = re.compile(
    r"(?<![\w.,:-])(\d[\d,]*(?:\.\d+)?)\s?-?(days?|d|hours?|hrs?|h|minutes?|mins?|min|m"
    r"|seconds?|secs?|sec|s|milliseconds?|ms|weeks?)\b(?!/)",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?<![\w.,:-])[-+]?[$€£]?(\d[\d,]*(?:\.\d+)?)\s?(%|percent\b|million\b|billion\b"
    r"|thousand\b|bn\b|k\b|M\b|B\b|x\b|times\b)?",
    re.IGNORECASE,
)
_WORD_NUMBER = re.compile(
    rf"\b(?:({_TENS.replace(' ', '|')})[- ])?({'|'.join(_WORDS)})\b(?:\s(million|billion|thousand|hundred))?",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"(?:about|around|approximately|roughly|nearly|almost|~|some|over|under|more than"
    r"|less than)\s*$",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(
    r"\b(?=[\w.:/-]*\d)(?=[\w.:/-]*[A-Za-z])[A-Za-z0-9][\w.:/-]*\w\b|\b[A-Za-z]\w*_\w+\b"
    r"|\b\d+(?:\.\d+){2,}\b"
)
_CAMEL = re.compile(r"\b(?:[A-Z][a-z0-9]+){2,}[A-Za-z0-9]*\b|\b[a-z]+(?:[A-Z][a-z0-9]+)+\b")
_CODE = re.compile(r"`([^`\n]{1,120})`")
_HANDLE = re.compile(r"(?<![\w/.])@[A-Za-z0-9](?:[\w.-]{0,62}\w)?")
_COUNTED = re.compile(
    rf"(?<![\w.,:@/-])(?:[$€£]?(?P<digits>\d[\d,]*(?:\.\d+)?)|(?P<word>{'|'.join(_WORDS)})\b)"
    r"(?:\s?(?P<scale>million|billion|thousand|hundred|bn|k|M|B)\b)?"
    r"[\s-]?(?P<first>%|[A-Za-z]+(?:/s)?)(?:[\s-](?P<second>[A-Za-z]{3,}))?",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"\b(?:threshold|limit)(?: (?:of|is|was|at))?:? ?[$€£<>=]*(\d[\d,]*(?:\.\d+)?)", re.IGNORECASE
)
_COMPARED = re.compile(
    r"\bthreshold|\blimit|\babove\b|\bover\b|\bexceed|\bpast\b|\bbelow\b|\bunder\b|\b(?:more|less|higher|lower) than\b"
    r"|\bagainst\b|\ballow|\bcap(?:ped)?\b|\bmax|\bexpect|[<>]",
    re.IGNORECASE,
)
_NO_THING_TEXT = """
    a an the of for in at on to and or by is was were are utc am pm more les other from with that
    about only still now first last min minute second sec hour day week h m s ms d time
"""
_NO_THING = frozenset(_NO_THING_TEXT.split())
_UNITS_TEXT = "% gb gib mb mib kb kib tb tib mbps gbps rps qps"
UNITS = frozenset(_UNITS_TEXT.split())
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_SCALE = {
    "million": 1e6,
    "m": 1e6,
    "billion": 1e9,
    "bn": 1e9,
    "b": 1e9,
    "k": 1e3,
    "thousand": 1e3,
    "hundred": 100,
}


@dataclass(frozen=True, slots=True)
class Length:
    """A duration as written, in seconds, with how far off it may be."""

    seconds: float
    tolerance: float
    text: str


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as written; `about` when the sentence itself calls it rough."""

    value: float
    percent: bool
    about: bool
    text: str


@dataclass(slots=True)
class Tokens:
    """Everything checkable in a text."""

    clocks: set[tuple[int, int, int | None]] = field(default_factory=set)
    dates: set[date] = field(default_factory=set)
    days: set[tuple[int, int]] = field(default_factory=set)  # month, day without a year
    lengths: list[Length] = field(default_factory=list)
    numbers: list[Quantity] = field(default_factory=list)
    names: set[str] = field(default_factory=set)  # handles, code, CamelCase, identifiers
    instants: set[datetime] = field(default_factory=set)  # only of events, never of a text


def tokens_of(text: str) -> Tokens:
    """The checkable parts of a text; what is a time is not counted again as a number."""
    found = Tokens()
    rest = _take_times(text, found)
    rest = _take_names(rest, found)
    rest = _spelled(rest)
    rest = _take_lengths(rest, found)
    for match in _NUMBER.finditer(rest):
        value, unit = _value(match[1]), (match[2] or "").lower()
        if value is not None:
            about = bool(_ABOUT.search(rest[: match.start()]))
            value *= _SCALE.get(unit, 1)
            found.numbers.append(Quantity(value, unit in ("%", "percent"), about, match[0].strip()))
    return found


def _take_times(text: str, found: Tokens) -> str:
    for match in _ISO.finditer(text):
        day = _date(match[1])
        if day:
            found.dates.add(day)
        if match[2]:
            found.clocks.add((int(match[2]), int(match[3]), int(match[4]) if match[4] else None))
    text = _ISO.sub(" ", text)
    for match in _CLOCK.finditer(text):
        found.clocks.add((int(match[1]), int(match[2]), int(match[3]) if match[3] else None))
    text = _CLOCK.sub(" ", text)
    for match in _DAY_MONTH.finditer(text):
        month = next(
            n for n, m in enumerate(_MONTHS, 1) if m.startswith((match[2] or match[3]).lower()[:3])
        )
        found.days.add((month, int(match[1] or match[4])))
    return _DAY_MONTH.sub(" ", text)


def _take_names(text: str, found: Tokens) -> str:
    """Handles, code and identifiers; a number with its unit is none, nor is `10-minute`."""
    for pattern in (_CODE, _HANDLE, _CAMEL):
        found.names |= {match[match.lastindex or 0] for match in pattern.finditer(text)}
        text = pattern.sub(" ", text)
    for match in _IDENTIFIER.finditer(text):
        if not _measure(match[0]):
            found.names.add(match[0])
    return _IDENTIFIER.sub(lambda m: m[0] if _measure(m[0]) else " ", text)


def _measure(text: str) -> bool:
    units = (
        r"%|x|k|m|b|bn|ms|s|sec|min|mins|h|hrs?|d|gb|gib|mb|mib|kb|kib|tb|tib|mbps|gbps"
        r"|rps|qps|pps|/s|th|st|nd|rd|am|pm"
    )
    return bool(
        re.fullmatch(
            rf"\d[\d,.]*(?:-?(?:{units})|-(?:day|hour|minute|second|week|fold|node|region)s?"
            rf"|[Mm][Bb]/s|/\w+)?",
            text,
            re.IGNORECASE,
        )
    )


def _spelled(text: str) -> str:
    """Number words as digits, so that `forty minutes` is checked too; one to three stay words."""

    def digits(match: re.Match[str]) -> str:
        tens, word, scale = match[1], match[2].lower(), match[3]
        value = _WORDS[word] + (_WORDS[tens.lower()] if tens else 0)
        following = text[match.end() : match.end() + 9]
        unit = re.match(r"[ -](?:days?|hours?|minutes?|seconds?|weeks?)", following, re.IGNORECASE)
        if word == "zero" or (value <= 3 and not unit and not scale):
            return match[0]
        return f"{value} {scale}" if scale else f"{value}"

    return _WORD_NUMBER.sub(digits, text)


def _take_lengths(text: str, found: Tokens) -> str:
    """Durations; `2 h 13 min` is one."""
    parts: list[tuple[int, int, float, float, str]] = []
    for match in _DURATION.finditer(text):
        value, unit = _value(match[1]), match[2].lower()
        if value is None:
            continue
        if unit.startswith(("ms", "milli")):
            parts.append((match.start(), match.end(), value / 1000, 0.0005, match[0]))
            continue
        scale = _SECONDS[unit[0]]
        about = bool(_ABOUT.search(text[: match.start()]))
        whole = value == int(value)
        slack = {
            604_800: 0.06 * value * scale,
            86_400: 0.06 * value * scale,
            3_600: 0.02 * value * scale if whole else 216.0,
            60: 59.0 if whole else 6.0,
            1: 0.5 if whole else 0.06,
        }[scale]
        if about:
            slack = max(slack, 0.08 * value * scale)
        before = parts[-1] if parts else None
        if (
            before
            and match.start() - before[1] <= 6
            and re.fullmatch(r"[\s,and]*", text[before[1] : match.start()])
            and scale < before[2]
        ):
            parts[-1] = (
                before[0],
                match.end(),
                before[2] + value * scale,
                slack,
                text[before[0] : match.end()],
            )
        else:
            parts.append((match.start(), match.end(), value * scale, slack, match[0]))
    found.lengths += [
        Length(seconds, slack, shown.strip()) for _, _, seconds, slack, shown in parts
    ]
    for start, end, *_ in reversed(parts):
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _value(text: str) -> float | None:
    try:
        return float(text.replace(",", "").rstrip("."))
    except ValueError:
        return None


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _written_slack(length: Length) -> float:
    """How far a duration may be from one that somebody wrote: whole days are not rounded as computed ones are."""
    return (
        min(length.tolerance, 0.02 * length.seconds)
        if length.seconds >= 86_400
        else length.tolerance
    )


@dataclass(frozen=True, slots=True)
class Counted:
    """A number with what it counts: `40 index nodes` is 40 of {index, nodes}, `310 GB` of {gb}."""

    value: float
    things: tuple[str, ...]
    text: str
    small: bool  # one to three, written as a word: `one` and `two` may be no count at all


def counted(text: str) -> list[Counted]:
    """Every number of the text that is followed by a unit or by words of meaning."""
    found = []
    for match in _COUNTED.finditer(_ISO.sub(" ", text)):
        value = _value(match["digits"]) if match["digits"] else _WORDS[match["word"].lower()]
        things = [_thing(word) for word in (match["first"], match["second"]) if word]
        things = [thing for thing in things if thing not in _NO_THING]
        if value is not None and things:
            value *= _SCALE.get((match["scale"] or "").lower(), 1)
            small = match["word"] is not None and value <= 3
            found.append(Counted(value, tuple(things), match[0].strip(), small))
    return found


def limits_in(text: str) -> set[float]:
    """The numbers that the text calls a threshold or a limit."""
    found = {_value(match[1]) for match in _LIMIT.finditer(text)}
    return {value for value in found if value is not None}


def _thing(word: str) -> str:
    low = "%" if word.lower() == "percent" else word.lower()
    return low.removesuffix("s") if len(low) > 3 else low


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-9 * max(abs(one), abs(other))


class Pool:
    """What some evidence holds, to be asked for one token after the other."""

    def __init__(self) -> None:
        self._tokens = Tokens()
        self._values: set[float] = set()
        self._counted: list[Counted] = []
        self._limits: set[float] = set()
        self._measured: set[float] = set()
        self._text: list[str] = []

    def add_text(self, text: str) -> None:
        """Take in everything a text says."""
        tokens = tokens_of(text)
        mine = self._tokens
        mine.clocks |= tokens.clocks
        mine.dates |= tokens.dates
        mine.days |= tokens.days
        mine.lengths += tokens.lengths
        for quantity in tokens.numbers:
            self._values |= (
                {quantity.value, quantity.value / 100} if quantity.percent else {quantity.value}
            )
        for name in tokens.names:
            self._values |= {
                v for part in re.findall(r"\d+(?:\.\d+)*", name) if (v := _value(part)) is not None
            }
        self._counted += counted(_LIMIT.sub(" ", text))
        self._limits |= limits_in(text)
        self._measured |= {q.value for q in tokens_of(_LIMIT.sub(" ", text)).numbers}
        self._text.append(text.lower())

    def add_name(self, text: str) -> None:
        """Take in a name as it stands: the digits inside it are no measurement (`INC-7` is not 7)."""
        self._tokens.names |= tokens_of(text).names
        self._text.append(text.lower())

    def add_instant(self, at: datetime) -> None:
        """Take in a time of an event."""
        self._tokens.clocks |= {(at.hour, at.minute, at.second), (at.hour, at.minute, None)}
        self._tokens.dates.add(at.date())
        self._tokens.instants.add(at)

    def add_number(self, value: float) -> None:
        """Take in a measured value; a ratio also as percent, a count also as seconds."""
        self._values |= {value, value * 100} if 0 <= abs(value) <= 1.5 else {value}
        self._tokens.lengths.append(Length(value, 1.0, f"{value:g}"))

    def add_length(self, seconds: float) -> None:
        """Take in a computed duration."""
        self._tokens.lengths.append(Length(seconds, 1.0, ""))

    def miscounted(self, wanted: Iterable[Counted]) -> str | None:
        """The first number that the evidence gives to something else, or another number to that thing."""
        for one in wanted:
            of_value = {t for c in self._counted if _same(c.value, one.value) for t in c.things}
            if of_value & set(one.things):
                continue
            of_things = [c.value for c in self._counted if one.things[0] in c.things]
            if of_value and (of_things or one.things[0] in UNITS):
                return one.text
            if one.small and of_things and one.value > 1:
                return one.text
            if one.small and one.things[0] in UNITS and of_things:
                return one.text
        return None

    def mislimited(self, text: str) -> str | None:
        """A number told as a limit that is none in the evidence, or a limit told as what was measured."""
        mine = self._limits
        told = limits_in(text)
        for value in sorted(told - mine):
            if mine and value in self._values:
                return f"{value:g}"
        if _COMPARED.search(text):
            return None
        only_limits = mine - {c.value for c in self._counted} - self._measured
        for quantity in tokens_of(text).numbers:
            if quantity.value in only_limits:
                return quantity.text
        return None

    def mentions(self, name: str) -> bool:
        """Whether the evidence names it."""
        low = name.lower().lstrip("@")
        return any(
            re.search(rf"(?<![A-Za-z0-9]){re.escape(low)}(?![A-Za-z0-9])", text)
            for text in self._text
        )

    def missing(self, wanted: Tokens) -> str | None:
        """The first token that the evidence does not hold, in words; None when it holds all."""
        mine = self._tokens
        for hour, minute, second in sorted(wanted.clocks, key=str):
            if (hour, minute, second) not in mine.clocks and not (
                second is None and any(c[:2] == (hour, minute) for c in mine.clocks)
            ):
                return f"the time {hour:02}:{minute:02}"
        for day in sorted(wanted.dates):
            if day not in mine.dates:
                return f"the date {day}"
        known_days = mine.days | {(d.month, d.day) for d in mine.dates}
        for month, number in sorted(wanted.days - known_days):
            return f"the date {number} {_MONTHS[month - 1]}"
        for length in wanted.lengths:
            if not self._holds_length(length):
                return f"the duration {length.text}"
        for quantity in wanted.numbers:
            if not self._holds(quantity):
                return f"the number {quantity.text}"
        for name in sorted(wanted.names):
            if not self.mentions(name):
                return f"the name {name}"
        return None

    def _holds(self, quantity: Quantity) -> bool:
        wanted, slack = quantity.value, 0.08 if quantity.about else 0.0
        options = {wanted, wanted / 100} if quantity.percent else {wanted}
        for value in self._values:
            for option in options:
                near = abs(option - value) <= max(1e-9 * abs(value), slack * abs(value))
                round_million = (
                    wanted >= 1e5 and abs(wanted - value) <= 0.006 * value and wanted % 1000 == 0
                )
                if near or round_million:
                    return True
        return False

    def _holds_length(self, length: Length) -> bool:
        for mine in self._tokens.lengths:
            slack = _written_slack(length) if mine.text else max(length.tolerance, 1.0)
            if abs(length.seconds - mine.seconds) <= slack:
                return True
        ordered = sorted(self._tokens.instants)
        gaps = [(b - a).total_seconds() for n, a in enumerate(ordered) for b in ordered[n + 1 :]]
        return any(abs(length.seconds - gap) <= max(length.tolerance, 1.0) for gap in gaps)
