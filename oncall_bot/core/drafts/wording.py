"""How a draft words things: times, durations, figures, names, and outside text made harmless.

Knows typography and Markdown's traps. Refuses to choose what is told.
Serves the sections of a draft; every text of the record passes `Words.plain` before it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from oncall_bot.core.facts import Figure
from oncall_bot.core.records import Record, RecordEvent
from oncall_bot.core.redaction import Redactor

CALC = "calc"
MOST_NAME = 60
_COUNTS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_LINK = re.compile(
    r"\b(?:https?|ftp|file|javascript|data|mailto):[^\s<>\"')]{1,2000}", re.IGNORECASE
)
_BRACKET = re.compile(r"\[(?!redacted-\d+\])([^\[\]]{0,200})\]")
_LONG = re.compile(r"(?<![\w-])[A-Za-z0-9+/=]{26,}(?![\w-])")
_LOUD = re.compile(r"<[!@#][^<>\n]{0,80}>|@(?:channel|here|everyone|group)\b|<!|<@", re.IGNORECASE)
_HANDLE = re.compile(r"(?<![\w/.])@[A-Za-z0-9](?:[\w.-]{0,62}\w)?")
_NAMED_VALUE = re.compile(
    r"\b(pass(?:word|wd|phrase)|secret|token|key)\s*(?:[:=]\s*|\s(is)\s+)", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+")
_FIRST_PERSON = re.compile(r"\b(?:I|I'm|I'll|I've|I'd|me|my|mine|im)\b")
_GERUND = re.compile(
    r"(?i)^(?:using|going|looking|trying|checking|posting|starting|stopping|raising|pinging"
    r"|asking|digging|investigating|adding|"
    r"waiting|heading|doing|reading|watching|calling|getting|working|moving|rolling (?:back|it)"
    r"|restarting|testing|running)\b"
)
_OPENING = re.compile(
    r"(?i)^(?:(?:but|and|so|also|ok|okay|fyi|fwiw|hmm+)\b[,:]?|(?:well|right|yes|no|confirmed"
    r"|update)[,:])\s+"
)
_COMMENT = re.compile(r"(?i)[,;]?\s+that(?:'s| is) (?:the|a|an|my|our|on|what)\b[^,;]{0,60}$")
_NOTS = "does is has do could was were are did have would should"
_FULL = {f"{verb}n't": f"{verb} not" for verb in _NOTS.split()} | {
    "won't": "will not",
    "can't": "cannot",
    "it's": "it is",
    "there's": "there is",
    "that's": "that is",
    "they're": "they are",
}
_WRITTEN = re.compile(rf"(?i)\b(?:{'|'.join(_FULL)})\b")
_NOT_ENGLISH = re.compile(
    r"[äöüßéèêàçñõåøæ]|\b(?:und|der|die|das|dem|ist|sind|nicht|mit|auf|aus|wieder|wird|wurde|nach|keine?"
    r"|el|los|las|con|por|para|les|des|est|avec|pour|dans|della|sono|het|een|niet)\b",
    re.IGNORECASE,
)
_WORD_VERB = re.compile(r"^[A-Z]?[a-z]{2,}ed$")
_PAST_TEXT = """
    ran sent set took began put cut made shut drove brought rebuilt reset built gave got kept
    left let lost met paid read rewrote said saw sold shot split spun stood swept swung told
    took threw undid upheld withdrew wrote found held hit moved overrode rewound redid reran
    bound broke chose drew fed froze grew hid laid led rose sought swapped
"""
_PAST = frozenset(_PAST_TEXT.split())


def count(number: int, noun: str, plural: str | None = None) -> str:
    """The number in words up to ten, with its noun."""
    told = _COUNTS[number] if 0 <= number < len(_COUNTS) else f"{number:,}"
    return f"{told} {noun if number == 1 else plural or noun + 's'}"


def spell(duration: timedelta) -> str:
    """A duration for people: 38 s, 2 min 58 s, 3 h 17 min, 2 days 4 h."""
    seconds = int(duration.total_seconds())
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return " ".join(filter(None, [f"{days} day{'s' * (days > 1)}", f"{hours} h" * (hours > 0)]))
    if hours:
        return " ".join(filter(None, [f"{hours} h", f"{minutes} min" * (minutes > 0)]))
    if minutes:
        return " ".join(filter(None, [f"{minutes} min", f"{seconds % 60} s" * (seconds % 60 > 0)]))
    return f"{seconds} s"


def minutes(duration: timedelta) -> str:
    """A duration as people say it: to the minute as soon as it is ten of them."""
    if duration < timedelta(minutes=10):
        return spell(duration)
    return spell(timedelta(minutes=round(duration.total_seconds() / 60)))


def number(value: float) -> str:
    """A number for people: 31 billion, 18,402, 0.82."""
    if abs(value) >= 1e9 and value % 1e8 == 0:
        return f"{value / 1e9:g} billion"
    return f"{int(value):,}" if float(value).is_integer() else f"{value:,.6g}"


def figure(item: Figure) -> str:
    """One figure of the impact: `tenants affected: 3,318`; a ratio is told in percent."""
    name = item.name.replace("_", " ")
    if isinstance(item.value, str):
        return f"{name}: {item.value}"
    if name.endswith(("ratio", "share", "fraction", "rate")) and 0 < item.value <= 1:
        return f"{name}: {item.value * 100:g}%"
    return f"{name}: {number(item.value)}"


def cite(*ids: str | None) -> str:
    """The citation of some events, ` [e002, calc]`; no ids, no citation."""
    known = list(dict.fromkeys(i for i in ids if i))
    return f" [{', '.join(known)}]" if known else ""


def sentence(text: str, *ids: str | None) -> str:
    """The text as one cited sentence with its full stop behind the citation."""
    return f"{text.rstrip(' .;:,')}{cite(*ids)}."


def joined(parts: Iterable[str]) -> str:
    """`a, b and c`."""
    items = list(parts)
    return (
        items[0]
        if len(items) == 1
        else ", ".join(items[:-1]) + " and " + items[-1]
        if items
        else ""
    )


def upper_first(text: str) -> str:
    """The text with a capital, unless it begins with a name that is written small."""
    first = text.split(" ", 1)[0].rstrip(",.:;")
    plain = re.fullmatch(r"(?:re-|non-|pre-)?[a-z]+(?:'[a-z]+)?", first)
    return text[:1].upper() + text[1:] if plain else text


def lower_first(text: str) -> str:
    """The text without its capital, unless its first word is a name or an abbreviation.

    Other languages write other words with a capital, so that texts in them stay as they are.
    """
    if _NOT_ENGLISH.search(text):
        return text
    first = text.split(" ", 1)[0].rstrip(",.:;")
    plain = re.fullmatch(r"[A-Z][a-z]+(?:-[a-z]+)*", first) or first == "A"
    return text[:1].lower() + text[1:] if plain else text


def starts_with_verb(text: str) -> bool:
    """Whether a log line begins with what somebody did: `Restarted ...`, `Ran ...`."""
    first, _, rest = text.partition(" ")
    verb = bool(_WORD_VERB.match(first)) or first.lower() in _PAST
    return verb and bool(rest) and not rest.startswith(("by ", "again by "))


def _without_ids(match: re.Match[str]) -> str:
    """A long run of letters and digits tells a reader nothing and may be an unknown kind of key."""
    digits = sum(c.isdigit() for c in match[0])
    return "(long value)" if 3 <= digits < len(match[0]) else match[0]


@dataclass(slots=True)
class Words:
    """Makes the texts of one record fit to print; keeps one numbering of what it blacked out."""

    record: Record
    redactor: Redactor = field(default_factory=lambda: Redactor("redacted"))

    def __post_init__(self) -> None:
        self.redactor.learn(event.text for event in self.record.events)

    def plain(self, text: str) -> str:
        """Outside text on one line: no secrets, links, mentions, Markdown or forged citations."""
        text = _LONG.sub(_without_ids, self.redactor.redact(text))
        text = _BRACKET.sub(r"(\1)", _LINK.sub("(link)", " ".join(text.split())))
        text = _HANDLE.sub(lambda m: self.who(m[0]), _LOUD.sub("", text))
        text = _NAMED_VALUE.sub(lambda m: f"{m[1]} was " if m[2] else f"{m[1]}, ", text)
        text = (
            text.replace("**", "")
            .replace("`", "'")
            .replace("|", "/")
            .replace("<", "‹")
            .replace(">", "›")
        )
        return " ".join(text.lstrip("#-*+=_~› ").split())

    def who(self, handle: str) -> str:
        """The person's name; the handle without its mark where the record has no name, or one that is no name."""
        name = self.record.name_of(handle)
        if len(name) > MOST_NAME or _LINK.search(name) or self.redactor.redact(name) != name:
            name = handle
        return " ".join(re.sub(r"[^\w .,'’-]", "", name).split()) or "somebody"

    def plain_handle(self, handle: str) -> str:
        """The handle as somebody typed it, without anything that is no handle."""
        return re.sub(r"[^\w@.-]", "", handle)[:64] or "somebody"

    def clock(self, at: datetime) -> str:
        """`17:37 UTC`, with the date where it is not the day of the incident's first event."""
        return f"{at:%H:%M} UTC" if self._first_day(at) else f"{at:%Y-%m-%d %H:%M} UTC"

    def when(self, at: datetime) -> str:
        """`at 17:37 UTC`, or `on 2026-02-11 at 05:22 UTC`."""
        return (
            f"at {at:%H:%M} UTC" if self._first_day(at) else f"on {at:%Y-%m-%d} at {at:%H:%M} UTC"
        )

    def _first_day(self, at: datetime) -> bool:
        return not self.record.events or at.date() == self.record.events[0].at.date()

    def lower(self, text: str) -> str:
        """The text without its capital, unless it begins with somebody's name."""
        first = text.split(" ", 1)[0].rstrip(",.:;'’s")
        names = {part for p in self.record.people for part in p.name.split()}
        return text if first in names else lower_first(text)

    def without_name(self, event: RecordEvent) -> str:
        """The line without the name it begins with, when that is the name of the one who acted."""
        text = self.plain(event.text).rstrip(". ")
        name = self.who(event.actor)
        if event.actor.startswith("@") and text.lower().startswith(f"{name.lower()} "):
            return text[len(name) :].strip()
        if event.actor.startswith("@") and text.lower().startswith(f"{name.lower()}: "):
            return text[len(name) + 1 :].strip()
        return text

    def begin(self, text: str) -> str:
        """The text with a capital, unless its first word is a service's name."""
        first = text.split(" ", 1)[0].rstrip(",.:;").lower()
        return text if first in (s.lower() for s in self.record.services) else upper_first(text)

    def action(self, event: RecordEvent, *, named: bool = True) -> str:
        """What somebody did, as a clause without time: `Hana Kim restarted blob-index`."""
        parts = _SENTENCE_END.split(self.without_name(event))
        text = "; ".join(part.rstrip(".; ") for part in parts).rstrip("; ")
        person = event.actor.startswith("@")
        actor = (
            (self.who(event.actor) if named else "a responder")
            if person
            else self.plain(event.actor)
        )
        decided = re.match(r"(?i)decision\s*[:–-]\s*|decided\s*(?:to\b|:)\s*", text)
        if decided:
            return f"{actor} decided: {lower_first(text[decided.end() :])}"
        if starts_with_verb(text) or (text[:1].islower() and starts_with_verb(upper_first(text))):
            return f"{actor} {lower_first(text)}"
        return f"{actor} {'noted' if person else 'reported'}: {self.lower(text)}"

    def remarks(self, event: RecordEvent) -> list[str]:
        """The sentences of a remark that speak of the matter, each fit to stand alone."""
        parts = _SENTENCE_END.split(self.plain(event.text))
        kept = [clean for part in parts if (clean := _impersonal(part))]
        return [self.begin(part) for part in kept]


def _impersonal(part: str) -> str:
    """The sentence without clauses about the speaker; empty when nothing of it is left."""
    part = _WRITTEN.sub(lambda m: _FULL[m[0].lower()], _COMMENT.sub("", part.strip(" .;,")))
    part = _OPENING.sub("", part)
    if _FIRST_PERSON.search(part):
        clauses = [c for c in re.split(r",\s+|\s[–—-]\s", part) if not _FIRST_PERSON.search(c)]
        part = ", ".join(clauses).strip()
    if len(part.split()) < 3 or (_GERUND.match(part) and len(part.split()) < 8):
        return ""
    return part
