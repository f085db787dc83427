"""How well a message fits each intent: the signs of `intents` counted against what was read.

score = worth of the sign x (0.25 + 0.75 x share of the words that speak for it)

Pure and transparent: every score can be told. Refuses to fill slots and to decide. Serves `understanding`.
"""

from __future__ import annotations

from dataclasses import dataclass

from oncall_bot.core.talk.about import About
from oncall_bot.core.talk.intents import ABOUT_INCIDENTS, FITS, SIGNS, Intent, Sign
from oncall_bot.core.talk.lexicon import PRONOUNS
from oncall_bot.core.talk.moments import When
from oncall_bot.core.talk.names import Kind, Mention
from oncall_bot.core.talk.reading import Reading

UNREAD, ELSEWHERE = 1.0, 0.45
"""What a word that means nothing, and one that speaks of something else, weighs against a reading."""
_UNREAD_OF_A_RUNBOOK = {"runbook": 0.0, "howtofix": 0.7, "docs": 0.7}
"""A runbook is looked for by free words."""
ROTA = (Kind.SERVICE, Kind.SCHEDULE, Kind.TEAM)
TIMED = frozenset(
    {Intent.ON_CALL, Intent.SHIFTS, Intent.HISTORY, Intent.TIMELINE, Intent.FIRING, Intent.OPEN}
)


@dataclass(frozen=True, slots=True)
class Scored:
    intent: Intent
    score: float
    sign: Sign


def scores(reading: Reading, about: About) -> list[Scored]:
    """The best reading of each intent that has any, the likeliest first."""
    present = _present(reading, about)
    best: dict[Intent, Scored] = {}
    for sign in SIGNS:
        if not sign.needs <= present or sign.never & present:
            continue
        score = round(
            sign.score * (0.25 + 0.75 * _share(reading, sign)) + 0.001 * len(sign.needs), 4
        )
        if sign.intent not in best or best[sign.intent].score < score:
            best[sign.intent] = Scored(sign.intent, score, sign)
    return sorted(best.values(), key=lambda one: (-one.score, one.intent))


def _present(reading: Reading, about: About) -> set[str]:
    """Concepts and slots of the message."""
    found = {concept for concept in reading.concepts.values() if not concept.startswith("~")}
    if reading.mention(*ROTA):
        found.add("<rota>")
    if reading.mention(Kind.PERSON):
        found.add("<person>")
    if reading.mention(Kind.ALERT) or reading.unknown_alerts:
        found.add("<alert>")
    if reading.mention(Kind.RUNBOOK):
        found.add("<runbook>")
    if reading.time is not None:
        found.add("<when>")
        if isinstance(reading.time, When) and reading.time.is_span:
            found.add("<span>")
    if reading.numbers:
        found |= {"<#>", "<incident>"}
    elif about.in_thread or (about.incident is not None and pronoun(reading, "incident")):
        found |= {"<it>", "<incident>"}
    return found


def pronoun(reading: Reading, kind: str) -> bool:
    return any(PRONOUNS.get(word.text) == kind for word in reading.words)


def _share(reading: Reading, sign: Sign) -> float:
    """How much of what the message says speaks for the sign: 0 to 1."""
    fits = sign.needs | FITS[sign.intent]
    speaks, against = 0.0, 0.0
    phrases = {(concept, _begin(reading, n)) for n, concept in reading.concepts.items()}
    for concept, _ in phrases:
        if concept in fits:
            speaks += 1
        elif not concept.startswith("~") and concept not in {"me", "list", "next"}:
            against += ELSEWHERE
    for mention in reading.mentions:
        slot = (
            {"<person>"}
            if mention.of(Kind.PERSON)
            else {"<alert>"}
            if mention.of(Kind.ALERT)
            else {"<rota>"}
        )
        speaks += 1 if slot & sign.needs or welcome(sign.intent, mention) else 0
        against += 0 if slot & sign.needs or welcome(sign.intent, mention) else ELSEWHERE
    if reading.numbers:
        speaks, against = (
            (speaks + 1, against)
            if sign.intent in ABOUT_INCIDENTS | {Intent.RUNBOOK}
            else (speaks, against + ELSEWHERE)
        )
    if reading.time_at:
        speaks, against = (
            (speaks + 1, against) if sign.intent in TIMED else (speaks, against + ELSEWHERE / 2)
        )
    speaks += len(reading.unknown_alerts) if "<alert>" in sign.needs else 0
    against += _UNREAD_OF_A_RUNBOOK.get(next(iter(sign.needs)), UNREAD) * len(reading.unknown())
    return speaks / (speaks + against) if speaks else 0.0


def _begin(reading: Reading, n: int) -> int:
    """Where the phrase around this word begins, so that each counts once."""
    concept = reading.concepts[n]
    while n and reading.concepts.get(n - 1) == concept:
        n -= 1
    return n


def welcome(intent: Intent, mention: Mention) -> bool:
    kinds = {
        Intent.ON_CALL: {*ROTA},
        Intent.SHIFTS: {*ROTA, Kind.PERSON},
        Intent.FIRING: {*ROTA, Kind.ALERT},
        Intent.OPEN: {*ROTA},
        Intent.HISTORY: {*ROTA, Kind.ALERT},
        Intent.WHY: {Kind.PERSON, Kind.ALERT, *ROTA},
        Intent.OWNER: {Kind.PERSON, Kind.ALERT, *ROTA},
        Intent.RUNBOOK: {*Kind},
        Intent.CAUSE: {*ROTA, Kind.ALERT},
        Intent.TIMELINE: {*ROTA},
        Intent.STATUS: {*ROTA},
    }.get(intent, set())
    return any(name.kind in kinds for name in mention.names)
