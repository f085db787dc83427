"""What responders have said of a runbook for an alert: right or wrong. The last word on a pair counts.

Knows what makes two alerts the same to them, and whose word is the last. Refuses to know where it is stored.
Serves certain evidence, the search and the flow that takes the answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from oncall_bot.core.runbooks import Identity

RULE_LIMIT = 300


class Verdict(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Said:
    verdict: Verdict
    by: str  # a name
    at: datetime


Answers = Mapping[Identity, Said]
"""The last word on each runbook, for one rule."""
NO_ANSWERS: Answers = MappingProxyType({})


def rule_of(alertname: str | None, service: str | None) -> str:
    """What a verdict is about: the alert's name, and the service it was routed to, for names like `HighErrorRate`
    mean another runbook in every service."""
    return f"{alertname or ''}|{service or ''}"[:RULE_LIMIT]


def right_ones(answers: Answers) -> list[tuple[Identity, Said]]:
    """The runbooks called right, the newest word first."""
    found = [one for one in answers.items() if one[1].verdict is Verdict.RIGHT]
    return sorted(found, key=lambda one: (one[1].at, one[0]), reverse=True)


def wrong_ones(answers: Answers) -> frozenset[Identity]:
    return frozenset(one for one, said in answers.items() if said.verdict is Verdict.WRONG)
