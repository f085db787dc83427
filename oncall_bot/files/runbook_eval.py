"""`runbooks eval`: how often the matcher is right, where somebody has said what is right.

Knows the truth of a line (`qrels`: runbook -> 2 right, 1 helps; or `runbook`: the right one or null) and the
measures. Refuses to match: `files.runbook_match` does, as the product would. Serves the command.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oncall_bot.core.errors import BadInput
from oncall_bot.core.search import ATTACH_ABOVE
from oncall_bot.files.runbook_match import match_runbooks

RIGHT = 2


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
class Report:
    """`false_matches`: of the alerts that have no runbook, the share that was given one all the same."""

    alerts: int
    runbooks: int
    attach_above: float
    without_runbook: int
    false_matches: float
    kinds: Mapping[str, Scores]


def evaluate(
    alerts: Path, folder: Path, *, link_base: str = "", attach_above: float = ATTACH_ABOVE
) -> Report:
    """Match every alert and compare with its truth. BadInput when no line says what is right."""
    with tempfile.TemporaryDirectory(prefix="oncall-bot-") as scratch:
        out = Path(scratch) / "matched.jsonl"
        done = match_runbooks(alerts, folder, out, link_base=link_base, attach_above=attach_above)
        answers = {answer["id"]: answer for answer in _lines(out)}
    judged = [(line, _truth(line)) for line in _lines(alerts)]
    known = [(line, truth) for line, truth in judged if truth is not None]
    if not known:
        raise BadInput(
            f"No line of {alerts} says which runbook is right (qrels or runbook); there is nothing to"
            " compare with."
        )
    kinds: dict[str, list[tuple[Mapping[str, Any], Mapping[str, int]]]] = defaultdict(list)
    negatives = []
    for line, truth in known:
        answer = answers.get(str(line.get("id")))
        if answer is None:
            continue  # a line without an id is matched by its place and cannot be judged
        if truth:
            kinds[str(line.get("variant") or "all")].append((answer, truth))
        else:
            negatives.append(answer)
    false = sum(1 for answer in negatives if answer["attached"] is not None)
    return Report(
        alerts=sum(len(group) for group in kinds.values()) + len(negatives),
        runbooks=done.runbooks,
        attach_above=attach_above,
        without_runbook=len(negatives),
        false_matches=false / len(negatives) if negatives else 0.0,
        kinds={kind: _scores(group) for kind, group in kinds.items()},
    )


def _lines(path: Path) -> Iterable[dict[str, Any]]:
    with path.open(encoding="utf-8") as opened:
        for line in opened:
            if line.strip():
                yield json.loads(line)


def _truth(line: Mapping[str, Any]) -> Mapping[str, int] | None:
    """Relevance by runbook; empty when none is right, None when nobody has said."""
    if isinstance(qrels := line.get("qrels"), dict) and qrels:
        return {str(path): value for path, value in qrels.items() if isinstance(value, int)}
    if "runbook" not in line:
        return None
    return {str(line["runbook"]): RIGHT} if line["runbook"] else {}


def _scores(group: list[tuple[Mapping[str, Any], Mapping[str, int]]]) -> Scores:
    first = three = wrong = right = 0
    ranks = 0.0
    for answer, truth in group:
        relevance = [truth.get(path, 0) for path, _ in answer["ranked"]]
        first += relevance[:1] == [RIGHT]
        three += RIGHT in relevance[:3]
        ranks += 1 / (relevance.index(RIGHT) + 1) if RIGHT in relevance else 0
        if answer["attached"] is not None:
            right += truth.get(answer["attached"], 0) == RIGHT
            wrong += truth.get(answer["attached"], 0) == 0
    count = len(group)
    shares = (value / count for value in (first, three, ranks, right, wrong))
    return Scores(count, *shares)
