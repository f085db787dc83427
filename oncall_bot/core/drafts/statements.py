"""Which remarks of the responders a draft repeats, and where.

Knows the signs of substance (a defect named, an identifier, a number with its unit) and of its
absence. Refuses guesses, plans, estimates, apologies and anything that came from outside.
Serves the sections of a draft.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from oncall_bot.core.drafts.wording import Words, starts_with_verb
from oncall_bot.core.evidence import (
    HEDGE,
    Evidence,
    Standing,
    blames,
    guess_phrase,
    personal,
    predicts,
    stems,
)
from oncall_bot.core.facts import Facts
from oncall_bot.core.records import RecordEvent
from oncall_bot.core.redaction import speaks_of_secret


class Role(StrEnum):
    """Where a remark belongs."""

    FACTOR = "factor"
    PROGRESS = "progress"
    DECISION = "decision"
    WELL = "well"
    LUCK = "luck"


@dataclass(frozen=True, slots=True)
class Statement:
    """A remark worth repeating, sentence by sentence, with its weight."""

    event: RecordEvent
    sentences: tuple[str, ...]
    role: Role
    weight: float


_DECISION = re.compile(r"^\W*(?:decision|decided)\b", re.IGNORECASE)
_WELL = re.compile(
    r"\bkudos\b|\bworked (?:well|as)\b|\bpaid off\b|\bsaved us\b|\bwent well\b"
    r"|\bheld\b(?! (?:back|up))|\bwell done\b|\bgood (?:call|thing)\b",
    re.IGNORECASE,
)
_LUCK = re.compile(r"\bluck|\bfortunate|\bby chance\b|\bhappened to (?:be|have)\b", re.IGNORECASE)
_PROGRESS = re.compile(
    r"\brecover(?:ed|ing|s)\b|\brestored\b|\bcomplete[d]?\b|\bfixed\b|\bback (?:up|online|again"
    r"|to)\b|\bagain$|\bserved again\b|\bhealthy\b|"
    r"\bstill (?:down|failing|red|slow)\b|\b(?:at|to) \d{1,3} ?%|\bcaught up\b"
    r"|\bworking again\b|\bstable\b|\bdropping\b|\bdown to\b|\bclean now\b",
    re.IGNORECASE,
)
_DEFECT = re.compile(
    r"\bfail(?:s|ed|ing|ure)?\b|\bexpired?\b|\bfull\b|\bexceed|\bempty\b|\brefus|\breject"
    r"|\bmismatch|\bmissing\b|\bnull\b|\bcrash|\bstuck\b|"
    r"\btime[ds]? ?out|\bhang(?:s|ing)?\b|\bloop|\bdead ?lock|\bcorrupt|\bleak|\bnot (?:enabled"
    r"|set|configured|tested|covered|monitored|alerted)\b|"
    r"\bdisabled\b|\bwrong\b|\bno (?:\w+ ){0,2}(?:flag|cache|limit|alert|guard|check|test"
    r"|backup|rollout|lock|index|validation|owner|monitor\w*|backoff)\b|"
    r"\bonly\b|\bnever\b|\bneeds\b|\bdepends?\b|\bgoes through\b|\baccepted\b|\bbecause\b"
    r"|\bsince\b|\bcan'?t\b|\bcannot\b|\bcouldn'?t\b|\bwithout\b|"
    r"\bdown\b|\bherd\b|\bretry|\bbacktrack|\bdereference|\bsaturat|\boverload|\bthrottl"
    r"|\bstale\b|\bold\b|\bduplicate|\bskipped\b|\bunbounded\b|"
    r"\b\d+x\b|\bhard-?coded\b|\bdefault|\bstill (?:runs?|points?|holds?|uses?)\b|\bnot (?:on"
    r"|in|by|for|part)\b|\bsilent(?:ly)?\b|\bblocked\b|\bdropped\b|\bsurpris",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(
    r"\b[A-Za-z]+[_:.-][\w.:-]*\w|\b[A-Z]{2,}[A-Z_]*\b|\b[a-z]+\d[\w.-]*|\b\d+(?:\.\d+){1,3}\b"
)
_MEASURE = re.compile(
    r"\d[\d,.]*\s?(?:%|ms|s|min|h|GB|GiB|MB|MiB|KB|TB|x|k|/s|per \w+|of \d|requests|nodes|rows"
    r"|hosts|proxies|pods|shards|years?|days?|regions?|times)\b|\d%",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"\b(?:because|since|called from|so that|points? (?:to|at)|reproduced|confirmed|found"
    r"|turns? out|root cause|the surprise|stack)\b",
    re.IGNORECASE,
)
_ORDER = re.compile(
    r"^(?:\W*)(?:roll|stop|start|kill|drain|scale|double|check|try|page|call|ask|restart|revert"
    r"|use|watch|keep|tell)\b",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|has|have|had|needs?|does|did|fails?|takes?|runs?|goes|returns?"
    r"|holds?|shows?)\b",
    re.IGNORECASE,
)
MINIMUM_WEIGHT = 2.0
PINNED_WEIGHT = 100.0


def statements(evidence: Evidence, facts: Facts, words: Words) -> list[Statement]:
    """The remarks worth repeating, in order of time."""
    started = facts.started
    stale = _stale_numbers(facts)
    names = _names(evidence)
    tasks = {item.event_id for item in facts.actions}
    found = []
    for event in evidence.record.events:
        if event.kind not in ("chat", "pin", "note") or (started and event.at < started.at):
            continue
        pinned = evidence.standing[event.id] is Standing.CAUSE
        if (
            event.id in tasks
            or not _tellable(event, evidence)
            or stale & set(_numbers(event.text))
            or (not pinned and _other_count(event.text, facts))
        ):
            continue
        told = _statement(event, words, names, pinned=pinned)
        if told:
            found.append(told)
    return found


def _tellable(event: RecordEvent, evidence: Evidence) -> bool:
    standing = evidence.standing[event.id]
    if standing is Standing.CAUSE:
        return not (speaks_of_secret(event.text) or blames(event.text))
    if event.kind == "note" and (starts_with_verb(event.text) or event.data.get("update")):
        return False  # a deed, or words for others: told elsewhere
    if (
        standing is not Standing.SAID
        or event.id in evidence.rejections
        or not evidence.quotable(event)
    ):
        return False
    return not (
        predicts(event.text)
        or personal(event.text)
        or blames(event.text)
        or speaks_of_secret(event.text)
    )


def _statement(
    event: RecordEvent, words: Words, names: re.Pattern[str] | None, *, pinned: bool
) -> Statement | None:
    sentences = words.remarks(event)
    if pinned:
        told = _pinned(event, words, sentences)
        return Statement(event, told, Role.FACTOR, PINNED_WEIGHT) if told else None
    if not sentences or sum(len(s.split()) for s in sentences) < 4:
        return None
    role = _role(event.text)
    if role is Role.FACTOR and _ORDER.match(event.text) and not _VERB.search(event.text):
        return None
    weight = _weight(event.text, names)
    if role is Role.FACTOR and weight < MINIMUM_WEIGHT:
        return None
    return Statement(event, tuple(sentences), role, weight)


def _pinned(event: RecordEvent, words: Words, sentences: list[str]) -> tuple[str, ...]:
    """What somebody confirmed, without the hedges it was first said with, however short it is."""
    phrase = guess_phrase(event.text) if HEDGE.search(event.text) else ""
    if phrase:
        return (words.begin(words.plain(phrase)),)
    whole = words.plain(event.text)
    return tuple(sentences) or ((words.begin(whole),) if whole else ())


def _role(text: str) -> Role:
    for role, pattern in (
        (Role.DECISION, _DECISION),
        (Role.LUCK, _LUCK),
        (Role.WELL, _WELL),
        (Role.PROGRESS, _PROGRESS),
    ):
        if pattern.search(text):
            return role
    return Role.FACTOR


def _weight(text: str, names: re.Pattern[str] | None) -> float:
    weight = 1.5 * min(3, len({m.lower() for m in _DEFECT.findall(text)}))
    weight += 0.7 * min(3, len(set(_IDENTIFIER.findall(text))))
    weight += 0.8 * min(2, len(_MEASURE.findall(text)))
    weight += 1.2 * bool(_REASON.search(text))
    weight += 0.8 * bool(names and names.search(text))
    return weight + 0.04 * min(30, len(text.split()))


def _names(evidence: Evidence) -> re.Pattern[str] | None:
    known = [*evidence.record.services, *(a.name for a in evidence.record.alerts)]
    escaped = [re.escape(name) for name in known if len(name) > 2][:200]
    return re.compile(rf"\b(?:{'|'.join(escaped)})\b", re.IGNORECASE) if escaped else None


def _numbers(text: str) -> list[float]:
    found = []
    for match in re.finditer(r"\d[\d,]*(?:\.\d+)?", text):
        try:
            found.append(float(match[0].replace(",", "")))
        except ValueError:
            continue
    return found


def _other_count(text: str, facts: Facts) -> bool:
    """Whether a remark counts what the impact counts and comes to another number."""
    nouns = frozenset().union(*(stems(f.name.replace("_", " ")) for f in facts.impact)) - _COMMON
    now = {float(f.value) for f in facts.impact if isinstance(f.value, (int, float))}
    for match in re.finditer(
        r"(\d[\d,]*(?:\.\d+)?)\s?(?:k|m|million|billion)?\s+((?:[\w-]+\s?){1,3})", text
    ):
        value = float(match[1].replace(",", ""))
        if value > 9 and value not in now and stems(match[2]) & nouns:
            return True
    return False


_COMMON = stems(
    "failed peak error ratio affected lost rate total failure recovered max min count number"
)


def _stale_numbers(facts: Facts) -> set[float]:
    """Figures that were corrected later: whoever repeats them repeats a mistake."""
    now = {float(f.value) for f in facts.impact if isinstance(f.value, (int, float))}
    old = {float(f.value) for f in facts.superseded if isinstance(f.value, (int, float))}
    return {value for value in old - now if value > 3}
