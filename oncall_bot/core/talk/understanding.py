"""What a message asks: an intent with its slots, or what to ask back, or nothing of ours.

Knows how sure is sure enough, how slots are filled, and what is asked back. Refuses to know the answers. Serves the
talk in Slack and, where a model is named, decides what is answered without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from oncall_bot.core.evidence import INSTRUCTION
from oncall_bot.core.talk.about import About
from oncall_bot.core.talk.intents import ABOUT_INCIDENTS, Intent
from oncall_bot.core.talk.names import Kind, Mention, Name, Names
from oncall_bot.core.talk.orders import only_forbids
from oncall_bot.core.talk.questions import (
    NEAR,
    SURE,
    AskBack,
    Question,
    Smalltalk,
    Understood,
    Unknown,
    spelled,
)
from oncall_bot.core.talk.reading import Reading, read
from oncall_bot.core.talk.scoring import ROTA, TIMED, Scored, pronoun, scores, welcome
from oncall_bot.core.talk.when import Unclear, When
from oncall_bot.core.talk.wishes import wish_in
from oncall_bot.core.talk.words import TEXT_MAX

TIE = 0.02
CHOICES_MOST = 3
WORDS_MOST = 40
_OF_A_ROTA = frozenset({Intent.ON_CALL, Intent.FIRING})
_OPENS = frozenset({"and", "what about", "how about", "then", "same"})


def understand(
    text: str, names: Names, now: datetime, zone: ZoneInfo, about: About | None = None
) -> Understood:
    """What the message asks or wishes, in the asker's zone, with what the conversation is about."""
    about = about or About()
    reading = read(text, names, now, zone)
    if not reading.words:
        return Question(Intent.HELP, score=1.0)
    if len(reading.words) > WORDS_MOST or INSTRUCTION.search(text[:TEXT_MAX]):
        return Unknown()
    wish = wish_in(reading, now, zone, about)
    if wish is not None:
        return wish
    if only_forbids(" ".join(reading.said)):
        return Unknown()
    scored = scores(reading, about)
    best = scored[0] if scored else None
    again = _follow_up(reading, about)
    if again is not None and (best is None or best.score < SURE or _goes_on(reading)):
        return _filled(again, reading, about, 1.0)
    if best is None or best.score < NEAR:
        return (
            _small_talk(reading)
            or _bare_name(reading, names)
            or Unknown(tuple(one.intent for one in scored[:CHOICES_MOST]))
        )
    if isinstance(reading.time, Unclear) and best.intent in TIMED:
        return _unclear_time(reading, best.intent, about, reading.time)
    if best.score < SURE or _tied(scored) or _about_a_stranger(best.intent, reading):
        return _near_miss(reading, scored, names, about)
    return _filled(best.intent, reading, about, best.score)


# --- slots --------------------------------------------------------------------------------------------------------


def _filled(intent: Intent, reading: Reading, about: About, score: float) -> Question | AskBack:
    """The intent with its slots; asks back where a name means several things."""
    unclear = reading.time if isinstance(reading.time, Unclear) and intent in TIMED else None
    if unclear:
        return _unclear_time(reading, intent, about, unclear)
    for mention in reading.mentions:
        if (asked := _which_name(intent, reading, mention)) is not None:
            return asked
    if (
        intent is Intent.HISTORY
        and not _alert(reading, about)
        and not _incident(intent, reading, about)
    ):
        return AskBack(
            "Which alert? Write its name, as in “how often did HighErrorRate fire this week?”."
        )
    question = Question(
        intent,
        rota=_key(reading, *ROTA),
        person=_person(intent, reading, about),
        incident=_incident(intent, reading, about),
        alert=_alert(reading, about),
        when=reading.time if isinstance(reading.time, When) else None,
        score=score,
        read_as=tuple(
            (mention.text, mention.names[0].key)
            for mention in reading.mentions
            if not mention.exact
        ),
    )
    return replace(question, subject=_subject(reading)) if intent is Intent.RUNBOOK else question


def _which_name(intent: Intent, reading: Reading, mention: Mention) -> AskBack | None:
    """`ana` where two are called so, `search` where three services are."""
    if not welcome(intent, mention):
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
    found = (
        next((mention.of(kind) for kind in kinds if mention.of(kind)), None) if mention else None
    )
    return found.key if found else None


def _person(intent: Intent, reading: Reading, about: About) -> str | None:
    if (key := _key(reading, Kind.PERSON)) is not None:
        return key
    if pronoun(reading, "person") and len(about.people) == 1:
        return about.people[0]
    asks_for_self = "me" in reading.concepts.values()
    if intent is Intent.SHIFTS or (intent is Intent.WHY and asks_for_self):
        return "me"
    return None


def _incident(intent: Intent, reading: Reading, about: About) -> int | None:
    if reading.incident is not None:
        return reading.incident
    if about.in_thread or intent in ABOUT_INCIDENTS or pronoun(reading, "incident"):
        return about.incident
    return None


def _alert(reading: Reading, about: About) -> str | None:
    if (key := _key(reading, Kind.ALERT)) is not None:
        return key
    if reading.unknown_alerts:
        return next(iter(reading.unknown_alerts.values()))
    return about.alert if pronoun(reading, "incident") else None


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


def _about_a_stranger(intent: Intent, reading: Reading) -> bool:
    """`who is on call for inventory`, where nothing is called so: an answer about everything would mislead."""
    return intent in _OF_A_ROTA and bool(reading.unknown()) and reading.mention(*ROTA) is None


def _tied(scored: list[Scored]) -> bool:
    return len(scored) > 1 and scored[1].score >= SURE and scored[0].score - scored[1].score < TIE


def _follow_up(reading: Reading, about: About) -> Intent | None:
    """`and tonight?`, `what about payments?`: the last question, about something else."""
    if about.intent is None or about.intent not in set(Intent) or reading.unknown():
        return None
    bare = {c for c in reading.concepts.values() if not c.startswith("~")} <= {
        "status",
        "next",
        "me",
    }
    return Intent(about.intent) if reading.taken() and bare else None


def _goes_on(reading: Reading) -> bool:
    """Whether it begins as what follows another question does."""
    return reading.said[0] in _OPENS or " ".join(reading.said[:2]) in _OPENS


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
        return AskBack(
            unclear.why, tuple(f"{base} at {one}" for one in unclear.choices[:CHOICES_MOST])
        )
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


def _bare_name(reading: Reading, names: Names) -> AskBack | None:
    """A name or a part of one and nothing else: what may be asked about it."""
    if len(reading.words) > 3 or reading.concepts:
        return None
    said = " ".join(word.raw for word in reading.words)
    choices: list[str] = []
    for name in names.nearest(said, set(Kind), 2):
        choices += _about_a_name(name)
    return AskBack("What about it?", tuple(choices[:CHOICES_MOST])) if choices else None


def _about_a_name(name: Name) -> list[str]:
    key = name.key
    return {
        Kind.SERVICE: [f"who is on call for {key}", f"which alerts are firing on {key}"],
        Kind.SCHEDULE: [f"who is on call for {key}"],
        Kind.PERSON: [f"{key} shifts"],
        Kind.TEAM: [],
        Kind.ALERT: [f"how often did {key} fire", f"runbook for {key}"],
        Kind.RUNBOOK: [f"runbook for {key}"],
    }[name.kind]


def _nearest_names(reading: Reading, names: Names) -> list[str]:
    unread = " ".join(reading.words[n].raw for n in reading.unknown())
    found = names.nearest(unread, {Kind.SERVICE, Kind.SCHEDULE}, 2) if unread else []
    return [name.key for name in found]
