"""How the matcher grows: the same alerts come again and again, and a responder answers as people do.

Knows which button a responder presses: `Wrong` where a wrong runbook is attached, `Use it` where the right one is
offered; never more. Refuses to match and to judge. Serves `runbooks eval --rounds`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from oncall_bot.core.runbooks import Identity, Match
from oncall_bot.core.search import ATTACH_ABOVE
from oncall_bot.core.search.score import OFFERED, POSSIBLE_ABOVE
from oncall_bot.core.verdicts import NO_ANSWERS, Said, Verdict, rule_of
from oncall_bot.files.runbook_eval import Judged, Library, attached

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Round:
    """One pass over all alerts. Shares of those that have a runbook, and of those that have none; `answers` is how
    often somebody pressed a button."""

    n: int
    attached_right: float
    attached_wrong: float
    false_matches: float
    answers: int


class _Responder:
    """Remembers what was answered, as the database does."""

    def __init__(self) -> None:
        self.said: dict[str, dict[Identity, Said]] = {}
        self.pressed = 0

    def says(self, rule: str, match: Match, verdict: Verdict) -> None:
        at = BEGAN + timedelta(minutes=self.pressed)
        self.said.setdefault(rule, {})[match.runbook.identity] = Said(verdict, "a responder", at)
        self.pressed += 1


def replay(
    judged: Sequence[Judged], library: Library, rounds: int, line: float = ATTACH_ABOVE
) -> list[Round]:
    """So many passes over the alerts; each finds what the ones before taught."""
    responder = _Responder()
    return [_round(n, judged, library, responder, line) for n in range(1, rounds + 1)]


def _round(
    n: int, judged: Sequence[Judged], library: Library, responder: _Responder, line: float
) -> Round:
    right = wrong = false = 0
    before = responder.pressed
    for one in judged:
        rule = rule_of(one.alert.labels.get("alertname"), one.alert.labels.get("service"))
        ranked = library.rank(one.alert, responder.said.get(rule, NO_ANSWERS))
        best = attached(ranked, line)
        if best is not None:
            right += one.is_right(best)
            wrong += bool(one.truth) and one.is_wrong(best)
            false += not one.truth
        _answer(responder, rule, one, best, ranked)
    known = sum(1 for one in judged if one.truth)
    unknown = len(judged) - known
    return Round(
        n,
        right / known if known else 0.0,
        wrong / known if known else 0.0,
        false / unknown if unknown else 0.0,
        responder.pressed - before,
    )


def _answer(
    responder: _Responder, rule: str, one: Judged, best: Match | None, ranked: Sequence[Match]
) -> None:
    if best is not None and one.is_wrong(best):
        responder.says(rule, best, Verdict.WRONG)
    if best is not None and not one.is_wrong(best):
        return
    offered = [match for match in ranked if match is not best and match.score >= POSSIBLE_ABOVE]
    chosen = next((match for match in offered[:OFFERED] if one.is_right(match)), None)
    if chosen is not None:
        responder.says(rule, chosen, Verdict.RIGHT)
