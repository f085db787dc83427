"""What a message asks: an intent with its slots, or what to ask back, or nothing of ours.

Knows how signs are scored against what was read, and how sure is sure enough. Refuses to know the answers. Serves the talk
in Slack and, where a model is named, decides what is answered without it. Pure and transparent: every score can be told.

score = worth of the sign x (0.4 + 0.6 x share of the words that speak for it)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from oncall_bot.core.talk.about import About
from oncall_bot.core.talk.intents import ABOUT_INCIDENTS, FITS, SIGNS, Intent, Sign
from oncall_bot.core.talk.lexicon import PRONOUNS
from oncall_bot.core.talk.names import Kind, Mention, Names
from oncall_bot.core.talk.reading import Reading, read
from oncall_bot.core.talk.when import Unclear, When
from oncall_bot.core.talk.wishes import Wish, wish_in

SURE, NEAR, CERTAIN = 0.66, 0.45, 0.84
"""From SURE on a question is answered, from NEAR on it is asked back; CERTAIN needs no model's second look."""
TIE = 0.02
UNREAD, ELSEWHERE = 1.0, 0.45
"""What a word that means nothing, and one that speaks of something else, weighs against a reading."""
CHOICES_MOST = 3
WORDS_MOST = 40

ROTA = (Kind.SERVICE, Kind.SCHEDULE, Kind.TEAM)
_TIMED = frozenset({Intent.ON_CALL, Intent.SHIFTS, Intent.HISTORY, Intent.TIMELINE, Intent.FIRING, Intent.OPEN})
_OPENS = frozenset({"and", "what about", "how about", "then", "same"})


@dataclass(frozen=True, slots=True)
class Question:
    """An intent and what it is about. `incident` may be None where only one can be meant: who answers looks."""

    intent: Intent
    rota: str | None = None
    person: str | None = None  # a key of the file; `me` where the asker means themself
    incident: int | None = None
    alert: str | None = None
    when: When | None = None
    subject: str = ""  # free words: what a runbook is looked for
    score: float = 0.0
    read_as: tuple[tuple[str, str], ...] = ()  # (as typed, as read) where a name was mended

    @property
    def certain(self) -> bool:
        return self.score >= CERTAIN


@dataclass(frozen=True, slots=True)
class AskBack:
    """One question instead of an answer. Each choice is a message that will be understood."""

    question: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Smalltalk:
    kind: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing of ours; `near` are the likeliest questions, for a hint."""

    near: tuple[Intent, ...] = ()


Understood = Question | Wish | AskBack | Smalltalk | Unknown


@dataclass(frozen=True, slots=True)
class Scored:
    intent: Intent
    score: float
    sign: Sign


def understand(
    text: str, names: Names, now: datetime, zone: ZoneInfo, about: About = About()
) -> Understood:
    """What the message asks or wishes, in the asker's zone, with what the conversation is about."""
    reading = read(text, names, now, zone)
    if not reading.words:
        return Question(Intent.HELP, score=1.0)
    if len(reading.words) > WORDS_MOST:
        return Unknown()
    wish = wish_in(reading, now, zone, about)
    if wish is not None:
        return wish
    scored = scores(reading, about)
    best = scored[0] if scored else None
    if (best is None or best.score < SURE) and (again := _follow_up(reading, about)):
        return _filled(again, reading, about, 1.0)
    if best is None or best.score < NEAR:
        return _small_talk(reading) or Unknown(tuple(one.intent for one in scored[:CHOICES_MOST]))
    if isinstance(reading.time, Unclear) and best.intent in _TIMED:
        return _unclear_time(reading, best.intent, about, reading.time)
    if best.score < SURE or _tied(scored):
        return _near_miss(reading, scored, names, about)
    return _filled(best.intent, reading, about, best.score)


# --- scoring ------------------------------------------------------------------------------------------------------


def scores(reading: Reading, about: About) -> list[Scored]:
    """The best reading of each intent that has any, the likeliest first."""
    present = _present(reading, about)
    best: dict[Intent, Scored] = {}
    for sign in SIGNS:
        if not sign.needs <= present or sign.never & present:
            continue
        score = round(sign.score * (0.4 + 0.6 * _share(reading, sign)) + 0.001 * len(sign.needs), 4)
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
    elif about.in_thread or (about.incident is not None and _pronoun(reading, "incident")):
        found |= {"<it>", "<incident>"}
    return found


def _pronoun(reading: Reading, kind: str) -> bool:
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
        slot = {"<person>"} if mention.of(Kind.PERSON) else {"<alert>"} if mention.of(Kind.ALERT) else {"<rota>"}
        speaks += 1 if slot & sign.needs or _welcome(sign.intent, mention) else 0
        against += 0 if slot & sign.needs or _welcome(sign.intent, mention) else ELSEWHERE
    if reading.numbers:
        speaks, against = (
            (speaks + 1, against) if sign.intent in ABOUT_INCIDENTS | {Intent.RUNBOOK} else (speaks, against + ELSEWHERE)
        )
    if reading.time_at:
        speaks, against = (
            (speaks + 1, against) if sign.intent in _TIMED else (speaks, against + ELSEWHERE / 2)
        )
    speaks += len(reading.unknown_alerts) if "<alert>" in sign.needs else 0
    against += 0 if sign.intent is Intent.RUNBOOK else UNREAD * len(reading.unknown())
    return speaks / (speaks + against) if speaks else 0.0


def _begin(reading: Reading, n: int) -> int:
    """Where the phrase around this word begins, so that each counts once."""
    concept = reading.concepts[n]
    while n and reading.concepts.get(n - 1) == concept:
        n -= 1
    return n


def _welcome(intent: Intent, mention: Mention) -> bool:
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


def _tied(scored: list[Scored]) -> bool:
    return len(scored) > 1 and scored[1].score >= SURE and scored[0].score - scored[1].score < TIE


# --- slots --------------------------------------------------------------------------------------------------------


def _filled(intent: Intent, reading: Reading, about: About, score: float) -> Question | AskBack:
    """The intent with its slots; asks back where a name means several things."""
    unclear = reading.time if isinstance(reading.time, Unclear) and intent in _TIMED else None
    if unclear:
        return _unclear_time(reading, intent, about, unclear)
    for mention in reading.mentions:
        if (asked := _which_name(intent, reading, mention)) is not None:
            return asked
    question = Question(
        intent,
        rota=_key(reading, *ROTA),
        person=_person(intent, reading, about),
        incident=_incident(intent, reading, about),
        alert=_alert(reading, about),
        when=reading.time if isinstance(reading.time, When) else None,
        score=score,
        read_as=tuple(
            (mention.text, mention.names[0].key) for mention in reading.mentions if not mention.exact
        ),
    )
    return replace(question, subject=_subject(reading)) if intent is Intent.RUNBOOK else question


def _which_name(intent: Intent, reading: Reading, mention: Mention) -> AskBack | None:
    """`ana` where two are called so, `search` where three services are."""
    if not _welcome(intent, mention):
        return None
    wanted = mention.names[0].kind
    kinds = ROTA if wanted in ROTA else (wanted,)
    keys = list(dict.fromkeys(name.key for name in mention.names if name.kind in kinds))
    if mention.exact or len(keys) < 2:
        keys = list(dict.fromkeys(name.key for name in mention.names if name.kind is wanted))
    if len(keys) < 2:
        return None
    choices = tuple(_instead(reading, mention.at, key) for key in keys[:CHOICES_MOST])
    return AskBack(f"“{mention.text}” may mean {_either(keys[:CHOICES_MOST])}. Which one?", choices)


def _instead(reading: Reading, at: Iterable[int], said: str) -> str:
    """The message with other words at these positions."""
    gone = sorted(at)
    parts = [word.raw for word in reading.words]
    parts[gone[0] : gone[-1] + 1] = [said]
    return " ".join(parts).replace(" ?", "?").replace(" !", "!")


def _either(keys: list[str]) -> str:
    return keys[0] if len(keys) == 1 else f"{', '.join(keys[:-1])} or {keys[-1]}"


def _key(reading: Reading, *kinds: Kind) -> str | None:
    mention = reading.mention(*kinds)
    found = next((mention.of(kind) for kind in kinds if mention.of(kind)), None) if mention else None
    return found.key if found else None


def _person(intent: Intent, reading: Reading, about: About) -> str | None:
    if (key := _key(reading, Kind.PERSON)) is not None:
        return key
    if _pronoun(reading, "person") and len(about.people) == 1:
        return about.people[0]
    asks_for_self = "me" in reading.concepts.values()
    if intent is Intent.SHIFTS or (intent is Intent.WHY and asks_for_self):
        return "me"
    return None


def _incident(intent: Intent, reading: Reading, about: About) -> int | None:
    if reading.incident is not None:
        return reading.incident
    if about.in_thread or intent in ABOUT_INCIDENTS or _pronoun(reading, "incident"):
        return about.incident
    return None


def _alert(reading: Reading, about: About) -> str | None:
    if (key := _key(reading, Kind.ALERT)) is not None:
        return key
    if reading.unknown_alerts:
        return next(iter(reading.unknown_alerts.values()))
    return about.alert if _pronoun(reading, "incident") else None


def _subject(reading: Reading) -> str:
    """What a runbook is looked for: names, and the words that are neither frame nor stop words."""
    taken = reading.taken() - set(reading.time_at) - set(reading.numbers)
    kept = [
        word.raw
        for n, word in enumerate(reading.words)
        if n in taken or n in reading.unknown() or reading.concepts.get(n) in {"happening", "fire"}
    ]
    return " ".join(kept)[:200]


# --- asking back --------------------------------------------------------------------------------------------------


def _follow_up(reading: Reading, about: About) -> Intent | None:
    """`and tonight?`, `what about payments?`: the last question, about something else."""
    if about.intent is None or about.intent not in set(Intent) or reading.unknown():
        return None
    begins = " ".join(reading.said[:2])
    opens = reading.said[0] in _OPENS or begins in _OPENS
    bare = {c for c in reading.concepts.values() if not c.startswith("~")} <= {"status", "next", "me"}
    return Intent(about.intent) if reading.taken() and (opens or bare) and bare else None


def _small_talk(reading: Reading) -> Smalltalk | None:
    kinds = [c[1:] for c in reading.concepts.values() if c.startswith("~") and c != "~filler"]
    return Smalltalk(kinds[0]) if kinds and len(reading.unknown()) < 3 else None


def _unclear_time(reading: Reading, intent: Intent, about: About, unclear: Unclear) -> AskBack:
    """The message again, with each reading of the time in place of the words that had two."""
    at = sorted(reading.time_at)
    if not at or at != list(range(at[0], at[-1] + 1)):
        plain = replace(reading, time=None, time_at=frozenset())
        asked = _filled(intent, plain, about, 1.0)
        base = spelled(asked) if isinstance(asked, Question) else reading.text
        return AskBack(unclear.why, tuple(f"{base} at {one}" for one in unclear.choices[:CHOICES_MOST]))
    return AskBack(
        unclear.why, tuple(_instead(reading, at, one) for one in unclear.choices[:CHOICES_MOST])
    )


def _near_miss(reading: Reading, scored: list[Scored], names: Names, about: About) -> AskBack:
    """The likeliest questions as choices; a name nobody knows gets its nearest."""
    near = _nearest_names(reading, names)
    choices: list[str] = []
    for one in scored[:CHOICES_MOST]:
        if one.score < NEAR - 0.1:
            break
        asked = _filled(one.intent, reading, about, one.score)
        if not isinstance(asked, Question):
            return asked
        if asked.rota is None and near and one.intent in {Intent.ON_CALL, Intent.FIRING}:
            choices += [spelled(replace(asked, rota=key)) for key in near]
        choices.append(spelled(asked))
    unread = " ".join(reading.words[n].raw for n in reading.unknown())[:80]
    why = f"I can't place “{unread}”. " if unread else ""
    return AskBack(f"{why}Did you mean this?", tuple(dict.fromkeys(choices))[:CHOICES_MOST])


def _nearest_names(reading: Reading, names: Names) -> list[str]:
    unread = " ".join(reading.words[n].raw for n in reading.unknown())
    found = names.nearest(unread, {Kind.SERVICE, Kind.SCHEDULE}, 2) if unread else []
    return [name.key for name in found]


def spelled(question: Question) -> str:
    """The question in words that are understood as exactly this question."""
    q = question
    rota = f" for {q.rota}" if q.rota else ""
    number = f" {q.incident}" if q.incident is not None else ""
    moment = f"{q.when.start:%Y-%m-%d %H:%M} UTC" if q.when else ""
    at = f" at {moment}" if q.when and not q.when.is_span else f" {q.when.words}" if q.when else ""
    whose = "my" if q.person in (None, "me") else f"{q.person}"
    return {
        Intent.ON_CALL: f"who is on call{rota}{at}",
        Intent.SHIFTS: f"{whose} shifts",
        Intent.OPEN: "open incidents",
        Intent.STATUS: f"status of incident{number}" if number else "what is the status",
        Intent.WHY: f"why was {'I' if whose == 'my' else whose} paged{' for' + number if number else ''}",
        Intent.OWNER: f"who has incident{number}" if number else "who has it",
        Intent.TIMELINE: f"what happened in incident{number}" if number else "what happened in the incident",
        Intent.CAUSE: f"cause of incident{number}" if number else "what is the cause of the incident",
        Intent.RUNBOOK: f"runbook for {q.alert or q.subject or q.rota or number.strip() or 'this'}",
        Intent.HISTORY: f"how often did {q.alert} fire" if q.alert else "how often did it fire",
        Intent.FIRING: f"which alerts are firing on {q.rota}" if q.rota else "which alerts are firing",
        Intent.HELP: "help",
    }[q.intent]
