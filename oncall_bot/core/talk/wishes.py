"""A message that wants something changed: take it, resolve, silence, page, cover, declare, severity, note.

Knows what each order is about: incident, whom, how long, which words. Refuses to change anything: a wish becomes a
card with a button. Serves `understanding`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from oncall_bot.core.talk import when
from oncall_bot.core.talk.about import About
from oncall_bot.core.talk.lexicon import PRONOUNS
from oncall_bot.core.talk.names import Kind
from oncall_bot.core.talk.orders import Act, order_in
from oncall_bot.core.talk.reading import Reading
from oncall_bot.core.talk.when import Unclear, When

TEXT_MAX = 280
"""Characters of free words in a wish: a button carries them."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants done. What was not said is None or empty; `others` are whom else `them` may mean."""

    act: Act
    incident: int | None = None
    target: str | None = None  # `person:ana`, `person:me`, `schedule:x`, `service:y`, `team:z`
    others: tuple[str, ...] = ()
    rota: str | None = None
    alert: str | None = None
    lasts: timedelta | None = None
    when: When | None = None
    unclear: Unclear | None = None
    severity: str | None = None
    text: str = ""
    unread: str = ""  # a target that nobody knows, as typed


_SEVERITY = re.compile(r"\bsev ?-?([1-5])\b")
_NOTED = re.compile(
    r"(?:note|comment|entry|write down|record that|log that|jot down)\b"
    r"(?:\s+(?:on|to|for|in|about))?(?:\s+(?:incident|inc))?\s*[#-]?\d*\s*(?:saying|that)?\s*[:,-]?\s*(?P<text>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_TITLED = re.compile(
    r"(?:declare|incident|outage)\b(?:\s+(?:an?|new|incident|outage|sev\s?-?[1-5]))*\s*"
    r"(?:[:,-]|that|because|about|for)?\s*(?P<text>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_BECAUSE = re.compile(
    r"(?:\bbecause\b|\bsince\b|[:,;]\s|\s-\s|\bfor the\b)\s*(?P<text>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_ME = re.compile(r"\b(?:me|i)\b")
_NOT_ME = re.compile(r"\b(?:for me|cover me|my)\b")
_NOT_A_TARGET = frozenset({"up", "the", "a", "someone", "somebody", "for", "on", "call", "please"})


def wish_in(reading: Reading, now: datetime, zone: ZoneInfo, about: About) -> Wish | None:
    """The wish a message is, None when it is a question or talk."""
    ordered = order_in(" ".join(word for word in reading.said if word not in {"?", "!"}))
    if ordered is None:
        return None
    act, order = ordered
    wish = _about(act, reading, about)
    match act:
        case Act.SILENCE:
            return _silence(wish, reading, now, zone)
        case Act.PAGE:
            return _page(wish, reading, order, about)
        case Act.OVERRIDE:
            return _override(wish, reading, now, zone)
        case Act.DECLARE:
            return replace(wish, text=_behind(_TITLED, reading), severity=_severity(reading))
        case Act.NOTE:
            return replace(wish, text=_behind(_NOTED, reading))
        case Act.SEVERITY:
            return replace(wish, severity=_severity(reading))
        case _:
            return wish


def _about(act: Act, reading: Reading, about: About) -> Wish:
    """The wish with the incident and names that it speaks of."""
    rota, alert = reading.mention(Kind.SERVICE, Kind.SCHEDULE), reading.mention(Kind.ALERT)
    incident = reading.incident
    if incident is None and act is not Act.DECLARE:
        named = rota is not None or alert is not None or bool(reading.unknown_alerts)
        incident = about.incident if about.in_thread or not named else None
    unknown = next(iter(reading.unknown_alerts.values()), None)
    return Wish(
        act,
        incident=incident,
        rota=rota.names[0].key if rota else None,
        alert=alert.names[0].key if alert else unknown,
    )


def _silence(wish: Wish, reading: Reading, now: datetime, zone: ZoneInfo) -> Wish:
    """`for 2 h`, `until 6pm`, `until tomorrow`: how long from now, and why."""
    lasts, _ = when.length(reading.said)
    if {"until", "till"} & set(reading.said):
        until, _ = when.between(reading.said, now, zone)
        if isinstance(until, Unclear):
            return replace(wish, unclear=until)
        if until is not None and until.end is not None:
            lasts = until.end - now
    comment = _reason(reading)
    return replace(wish, lasts=lasts, text="" if comment[:1].isdigit() else comment)


def _page(wish: Wish, reading: Reading, order: str, about: About) -> Wish:
    """Whom: somebody named, `them`, or whoever is on call for what is named."""
    person, team = reading.mention(Kind.PERSON), reading.mention(Kind.TEAM)
    rota = reading.mention(Kind.SERVICE, Kind.SCHEDULE)
    wish = replace(wish, text=_reason(reading))
    pronoun = any(PRONOUNS.get(word) == "person" for word in order.split()[1:3])
    if pronoun and about.people:
        targets = [f"person:{key}" for key in about.people]
        targets += [str(rota.names[0])] if rota else []
        return replace(wish, target=targets[0], others=tuple(targets[1:]))
    named = person or rota or team
    if named is not None:
        wanted = named.names[0].kind
        keys = [str(name) for name in named.names if name.kind is wanted]
        return replace(wish, target=keys[0], others=tuple(keys[1:]))
    rest = [word for word in order.split()[1:] if word not in _NOT_A_TARGET and not word.isdigit()]
    return wish if not rest or pronoun else replace(wish, unread=rest[0][:60])


def _override(wish: Wish, reading: Reading, now: datetime, zone: ZoneInfo) -> Wish:
    """Who is put on call, for which schedule, from when to when."""
    span, _ = when.between(reading.said, now, zone)
    lasts, _ = when.length(reading.said)
    if isinstance(span, When) and span.end is None and lasts is not None:
        span = When(span.start, span.start + lasts, span.words)
    if span is None and lasts is not None:
        span = When(now, now + lasts)
    return replace(
        wish,
        target=_covering(reading),
        when=span if isinstance(span, When) else None,
        unclear=span if isinstance(span, Unclear) else None,
    )


def _covering(reading: Reading) -> str | None:
    said, person = " ".join(reading.said), reading.mention(Kind.PERSON)
    if "cover for" in said or (_ME.search(said) and not _NOT_ME.search(said)):
        return "person:me"
    return str(person.names[0]) if person else None


def _reason(reading: Reading) -> str:
    """The words behind `because` or a comma."""
    found = _BECAUSE.search(reading.text)
    return found["text"].strip()[:TEXT_MAX] if found else ""


def _behind(pattern: re.Pattern[str], reading: Reading) -> str:
    """A note or a title, as it was typed, behind its verb."""
    found = pattern.search(reading.text)
    return found["text"].strip(" \n\t:,-")[:TEXT_MAX] if found else ""


def _severity(reading: Reading) -> str | None:
    found = _SEVERITY.search(reading.text.casefold())
    return f"SEV{found[1]}" if found else None
