"""What a message was understood as: a question with its slots, a question back, small talk, or nothing of ours.

Knows how a question is said so that it is understood again: the buttons under a question back. Refuses to know how it
was understood. Serves `understanding` and whoever answers.
"""

from __future__ import annotations

from dataclasses import dataclass

from oncall_bot.core.talk.intents import Intent
from oncall_bot.core.talk.moments import When
from oncall_bot.core.talk.wishes import Wish

SURE, NEAR, CERTAIN = 0.69, 0.5, 0.84
"""From SURE on a question is answered, from NEAR on it is asked back; CERTAIN needs no model's second look."""


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
        Intent.TIMELINE: f"what happened in incident{number}"
        if number
        else "what happened in the incident",
        Intent.CAUSE: f"cause of incident{number}"
        if number
        else "what is the cause of the incident",
        Intent.RUNBOOK: f"runbook for {q.alert or q.subject or q.rota or number.strip() or 'this'}",
        Intent.HISTORY: f"how often did {q.alert} fire" if q.alert else "how often did it fire",
        Intent.FIRING: f"which alerts are firing on {q.rota}"
        if q.rota
        else "which alerts are firing",
        Intent.HELP: "help",
    }[q.intent]
