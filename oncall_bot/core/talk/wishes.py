"""A message that wants something changed: take it, resolve, silence, page, cover, declare, severity, note.

Knows that only an order is a wish: the verb comes first, or a set phrase says it. A question about a verb is none, and
`don't` never is. Refuses to change anything: a wish becomes a card with a button. Serves `understanding`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from oncall_bot.core.talk import when
from oncall_bot.core.talk.about import About
from oncall_bot.core.talk.lexicon import PRONOUNS
from oncall_bot.core.talk.names import Kind
from oncall_bot.core.talk.reading import Reading
from oncall_bot.core.talk.when import Unclear, When

TEXT_MAX = 400


class Act(StrEnum):
    ACK = "ack"
    TAKE = "take"
    RESOLVE = "resolve"
    SILENCE = "silence"
    PAGE = "page"
    ESCALATE = "escalate"
    OVERRIDE = "override"
    DECLARE = "declare"
    SEVERITY = "severity"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants done. What was not said is None or empty; `others` are whom else `them` may mean."""

    act: Act
    incident: int | None = None
    target: str | None = None  # `person:ana`, `schedule:x`, `service:y`, `team:z`
    others: tuple[str, ...] = ()
    rota: str | None = None
    alert: str | None = None
    lasts: timedelta | None = None
    when: When | None = None
    unclear: Unclear | None = None
    severity: str | None = None
    text: str = ""
    unread: str = ""  # a target that nobody knows, as typed


_POLITE = re.compile(
    r"^(?:(?:please|pls|plz|ok|okay|hey|hi|hello|bot|so|now|just|then|and|kindly|yes|also|let us|let me|go ahead and"
    r"|(?:can|could|would|will) (?:you|we|i)|i (?:want|need|would like|have) (?:you )?to|we (?:want|need|have) to"
    r"|i would like (?:you )?to|someone|somebody|try to|help me|need to|want to|you)\b[ ,]*)+"
)
_VERBS: tuple[tuple[Act, str], ...] = (
    (Act.TAKE, r"(?:take|taking) (?:\S+ ){0,3}over\b|take over\b|steal\b"),
    (Act.OVERRIDE, r"override\b|swap\b|replace\b|cover (?:for|me|the|my|\S+ ?(?:shift|rota)?)|put (?:me|\S+(?: \S+)?) on\b"
     r"|make (?:me|\S+) on call|schedule (?:me|\S+) (?:for|on)\b"),
    (Act.SEVERITY, r"(?:set|change|make|raise|lower|upgrade|downgrade|bump|escalate|promote|demote|mark)\b.{0,40}\bsev ?-?[1-5]\b"
     r"|(?:this|it|that) is (?:a |now )?sev ?-?[1-5]\b|sev ?-?[1-5]$"),
    (Act.DECLARE, r"declare\b|(?:open|start|create|raise|file|report|log) (?:an? |the )?(?:new )?(?:sev ?-?[1-5] )?(?:incident|outage)\b|new incident\b"),
    (Act.NOTE, r"note\b|(?:add|write|make|take|leave|put) (?:an? |the |this |that )?(?:note|comment|entry)\b|write down\b|record that\b|log that\b|jot down\b"),
    (Act.ACK, r"ack\b|acknowledge\b|acking\b|take (?:it|this|that|incident|inc|#?\d)|claim\b|grab\b|own it\b|assign (?:it|this|\S+)? ?to me\b"
     r"|i (?:will )?take (?:it|this|that|care)|i will (?:take|handle|own|do) (?:it|this|that)|i (?:have )?got (?:it|this|that)\b|i have (?:it|this)$"
     r"|i am on (?:it|this)|i am taking\b|i am looking (?:at|into) (?:it|this)|i am handling\b|mine\b|on it$|got it$|taking (?:it|this)\b|i will ack\b|dibs\b|this is mine\b|it is mine\b"),
    (Act.RESOLVE, r"resolve\b|close\b|(?:mark|set) (?:\S+ ){0,4}(?:as )?(?:resolved|closed|done|fixed)\b|(?:it|this|that) is (?:over|resolved|fixed|done)$"
     r"|(?:incident|inc|#)? ?#?\d+ is (?:over|resolved|fixed|done)$|end (?:the |this |it|incident)|resolved$"),
    (Act.SILENCE, r"silence\b|mute\b|snooze\b|hush\b|quiet\b|shut (?:it|this|that|up)\b|stop (?:paging|alerting|the alerts|alerts)\b|suppress\b|hold back\b"),
    (Act.PAGE, r"page\b|wake\b|call (?!it\b|this\b)|ping\b|phone\b|ring\b|get (?!me\b)\S+ (?:\S+ )?(?:up|in|here|on)\b|notify\b|alert (?=@|<|\S+ (?:for|about|on))|summon\b|pull in\b|bring in\b"),
    (Act.ESCALATE, r"escalate\b|page (?:the )?next\b|next step\b|i can not (?:take|do|handle)|i am (?:not available|unavailable)\b"),
)
_RULES = tuple((act, re.compile(f"^(?:{pattern})")) for act, pattern in _VERBS)
_NOT = re.compile(r"\b(?:do not|does not|did not|never|not to|without|should|shall)\b")
_ASKS = re.compile(r"^(?:who|what|when|why|how|where|which|whose|is|are|was|were|did|does|do|has|have|had)\b")
_SEVERITY = re.compile(r"\bsev ?-?([1-5])\b")
_FREE = re.compile(
    r"(?:note|comment|entry|write down|record that|log that|jot down)\b(?P<where>(?:\s+(?:on|to|for|in|about))?(?:\s+(?:incident|inc))?\s*[#-]?\d*)"
    r"\s*(?:saying|that)?\s*[:,-]?\s*(?P<text>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_TITLE = re.compile(
    r"(?:declare|incident|outage)\b(?:\s+(?:an?|new|incident|outage|sev\s?-?[1-5]))*\s*(?:[:,-]|that|because|about|for)?\s*(?P<text>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_BECAUSE = re.compile(r"(?:\bbecause\b|\bsince\b|\bas\b(?= \w+ \w+)|[:,;-]\s|\bfor the\b)\s*(?P<text>.+)$", re.IGNORECASE | re.DOTALL)


def wish_in(reading: Reading, now: datetime, zone: ZoneInfo, about: About) -> Wish | None:
    """The wish a message is, None when it is a question or talk."""
    said = " ".join(word for word in reading.said if word not in {"?", "!"})
    order = _POLITE.sub("", said).strip()
    if not order or _ASKS.match(order) or _NOT.search(said):
        return None
    act = next((act for act, pattern in _RULES if pattern.match(order)), None)
    if act is None:
        return None
    wish = _about(act, reading, about)
    match act:
        case Act.SILENCE:
            return _silence(wish, reading, now, zone)
        case Act.PAGE:
            return _page(wish, reading, order, about)
        case Act.OVERRIDE:
            return _override(wish, reading, now, zone)
        case Act.DECLARE | Act.NOTE:
            return _worded(wish, reading)
        case Act.SEVERITY:
            return _with(wish, severity=_severity(said))
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


def _with(wish: Wish, **more: object) -> Wish:
    fields = {name: getattr(wish, name) for name in wish.__dataclass_fields__}
    return Wish(**{**fields, **more})


def _silence(wish: Wish, reading: Reading, now: datetime, zone: ZoneInfo) -> Wish:
    """`for 2 h`, `until 6pm`, `until tomorrow`: how long from now."""
    said = reading.said
    lasts, _ = when.length(said)
    until, _ = when.between(said, now, zone) if {"until", "till"} & set(said) else (None, None)
    if isinstance(until, When):
        end = until.start if until.end is None else until.start if until.start > now else until.end
        lasts = (until.end or end) - now if until.start <= now else until.start - now
    reason = _BECAUSE.search(reading.text)
    comment = reason["text"].strip()[:TEXT_MAX] if reason and not re.match(r"^\d", reason["text"]) else ""
    unclear = until if isinstance(until, Unclear) else None
    return _with(wish, lasts=lasts, unclear=unclear, text=comment)


def _page(wish: Wish, reading: Reading, order: str, about: About) -> Wish:
    """Whom: somebody named, `them`, or whoever is on call for what is named."""
    person = reading.mention(Kind.PERSON)
    team = reading.mention(Kind.TEAM)
    rota = reading.mention(Kind.SERVICE, Kind.SCHEDULE)
    named = person or (rota if rota else team)
    pronoun = next((w for w in order.split()[1:3] if PRONOUNS.get(w) == "person"), None)
    reason = _BECAUSE.search(reading.text)
    text = reason["text"].strip()[:TEXT_MAX] if reason else ""
    if pronoun and about.people:
        targets = [f"person:{key}" for key in about.people]
        targets += [_target(rota.names[0].kind, rota.names[0].key)] if rota else []
        return _with(wish, target=targets[0], others=tuple(targets[1:]), text=text)
    if named is not None:
        keys = [_target(name.kind, name.key) for name in named.names if name.kind is not Kind.ALERT]
        others = keys[1:] if person and not named.exact or len({k.partition(":")[0] for k in keys}) == 1 else []
        return _with(wish, target=keys[0], others=tuple(others), text=text)
    rest = [w for w in order.split()[1:] if w not in {"up", "the", "a", "someone", "somebody", "for", "on", "call"}]
    if not rest or pronoun or rest[0] in {"next"}:
        return _with(wish, text=text)
    return _with(wish, unread=rest[0][:60], text=text)


def _target(kind: Kind, key: str) -> str:
    return f"{kind}:{key}"


def _override(wish: Wish, reading: Reading, now: datetime, zone: ZoneInfo) -> Wish:
    person = reading.mention(Kind.PERSON)
    span, _ = when.between(reading.said, now, zone)
    lasts, _ = when.length(reading.said)
    if isinstance(span, When) and span.end is None and lasts is not None:
        span = When(span.start, span.start + lasts, span.words)
    if span is None and lasts is not None:
        span = When(now, now + lasts)
    first = " ".join(reading.said)
    me = bool(re.search(r"\b(?:me|i)\b", first)) and not re.search(r"\bfor me\b|\bcover me\b|\bmy\b", first)
    key = "me" if me or (person is not None and re.search(r"\bcover for\b", first)) else None
    if key is None and person is not None:
        key = person.names[0].key
    return _with(
        wish,
        target=f"person:{key}" if key else None,
        when=span if isinstance(span, When) else None,
        unclear=span if isinstance(span, Unclear) else None,
    )


def _worded(wish: Wish, reading: Reading) -> Wish:
    """A note or a title: the words as they were typed, behind the verb."""
    pattern = _TITLE if wish.act is Act.DECLARE else _FREE
    found = pattern.search(reading.text)
    text = found["text"].strip(" \n\t:,-")[:TEXT_MAX] if found else ""
    severity = _severity(reading.text.casefold()) if wish.act is Act.DECLARE else None
    return _with(wish, text=text, severity=severity)


def _severity(said: str) -> str | None:
    found = _SEVERITY.search(said)
    return f"SEV{found[1]}" if found else None
