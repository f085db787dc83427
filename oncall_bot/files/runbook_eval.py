"""`runbooks eval`: how often the matcher is right, where somebody has said what is right, and where to draw the line.

Knows the truth of a line (`qrels`: runbook -> 2 right, 1 helps; or `runbook`: the right one or null) and the measures.
Refuses to match: `files.runbook_match` does, as the product would. Serves the command.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oncall_bot.core.certain import RunbookIndex
from oncall_bot.core.errors import BadInput
from oncall_bot.core.runbooks import Match
from oncall_bot.core.search import ATTACH_ABOVE, SearchIndex
from oncall_bot.core.verdicts import NO_ANSWERS, Answers
from oncall_bot.files.runbook_match import AskedAlert, path_of, rank, read_alerts
from oncall_bot.files.runbooks import read_library

RIGHT = 2
LINES = tuple(round(0.30 + 0.02 * n, 2) for n in range(36))
"""The lines of the curve, from 0.30 to 1.00."""

Truth = Mapping[str, int]
"""Relevance by runbook; empty when none is right."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An alert, what kind of one it is, and which runbooks are right for it."""

    alert: AskedAlert
    kind: str
    truth: Truth

    def is_right(self, match: Match) -> bool:
        return self.truth.get(path_of(match), 0) == RIGHT

    def is_wrong(self, match: Match) -> bool:
        return self.truth.get(path_of(match), 0) == 0


@dataclass(frozen=True, slots=True)
class Scores:
    """One kind of alert (`variant` of the file). Shares of `alerts`, from 0 to 1."""

    alerts: int
    first: float  # the first runbook is right
    among_three: float
    reciprocal_rank: float
    attached_right: float
    attached_wrong: float


@dataclass(frozen=True, slots=True)
class Point:
    """What a line at `attach_above` gives: shares of the alerts that have a runbook, and of those that have none."""

    attach_above: float
    attached_right: float
    attached_wrong: float
    false_matches: float


@dataclass(frozen=True, slots=True)
class Report:
    """`false_matches`: of the alerts that have no runbook, the share that was given one all the same."""

    alerts: int
    runbooks: int
    attach_above: float
    without_runbook: int
    false_matches: float
    kinds: Mapping[str, Scores]
    curve: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Library:
    """A folder of runbooks, ready to be asked."""

    rules: RunbookIndex
    index: SearchIndex
    link_base: str = ""

    def rank(self, alert: AskedAlert, answers: Answers = NO_ANSWERS) -> list[Match]:
        return rank(alert, self.rules, self.index, self.link_base, answers)


def library_of(folder: Path, link_base: str = "") -> Library:
    books, _ = read_library(folder)
    return Library(RunbookIndex(books), SearchIndex(books), link_base)


def evaluate(
    judged: Sequence[Judged], library: Library, attach_above: float = ATTACH_ABOVE
) -> Report:
    """Match every alert and compare with its truth."""
    ranked = [(one, library.rank(one.alert)) for one in judged]
    kinds: dict[str, list[tuple[Judged, list[Match]]]] = defaultdict(list)
    for one, found in ranked:
        if one.truth:
            kinds[one.kind].append((one, found))
    at = _point(ranked, attach_above)
    return Report(
        alerts=len(judged),
        runbooks=len(library.rules.runbooks),
        attach_above=attach_above,
        without_runbook=sum(1 for one in judged if not one.truth),
        false_matches=at.false_matches,
        kinds={kind: _scores(group, attach_above) for kind, group in kinds.items()},
        curve=[_point(ranked, line) for line in LINES],
    )


def judged_alerts(path: Path, by: str = "variant") -> list[Judged]:
    """The alerts of a file of which somebody has said what is right. BadInput when there is none.

    `by` is the field of a line that says what kind of alert it is.
    """
    alerts = [*read_alerts(path)]
    with path.open(encoding="utf-8") as opened:
        plain = [json.loads(line) for line in opened if line.strip()]
    found = [
        Judged(alert, str(line.get(by) or "all"), truth)
        for alert, line in zip(alerts, plain, strict=True)
        if (truth := _truth(line)) is not None
    ]
    if not found:
        raise BadInput(
            f"No line of {path} says which runbook is right (qrels or runbook); there is nothing to compare with."
        )
    return found


def _truth(line: Mapping[str, Any]) -> Truth | None:
    """Relevance by runbook; empty when none is right, None when nobody has said."""
    if isinstance(qrels := line.get("qrels"), dict) and qrels:
        return {str(path): value for path, value in qrels.items() if isinstance(value, int)}
    if "runbook" not in line:
        return None
    return {str(line["runbook"]): RIGHT} if line["runbook"] else {}


def _scores(group: Sequence[tuple[Judged, list[Match]]], line: float) -> Scores:
    first = three = wrong = right = 0
    ranks = 0.0
    for one, found in group:
        hits = [one.is_right(match) for match in found]
        first += hits[:1] == [True]
        three += any(hits[:3])
        ranks += 1 / (hits.index(True) + 1) if any(hits) else 0
        if (best := attached(found, line)) is not None:
            right += one.is_right(best)
            wrong += one.is_wrong(best)
    count = len(group)
    shares = (value / count for value in (first, three, ranks, right, wrong))
    return Scores(count, *shares)


def _point(ranked: Iterable[tuple[Judged, list[Match]]], line: float) -> Point:
    known = right = wrong = unknown = false = 0
    for one, found in ranked:
        best = attached(found, line)
        known, unknown = known + bool(one.truth), unknown + (not one.truth)
        if best is None:
            continue
        if not one.truth:
            false += 1
        else:
            right, wrong = right + one.is_right(best), wrong + one.is_wrong(best)
    return Point(
        line,
        right / known if known else 0.0,
        wrong / known if known else 0.0,
        false / unknown if unknown else 0.0,
    )


def attached(ranked: Sequence[Match], line: float) -> Match | None:
    """The product's own decision: the first, if it is above the line."""
    return ranked[0] if ranked and ranked[0].score >= line else None
