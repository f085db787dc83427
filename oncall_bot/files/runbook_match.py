"""`runbooks match`: alerts in, ranked runbooks and the product's own decision out, line by line.

Knows: the two line formats (a frozen contract). Refuses to know: the database, and how a runbook is
chosen (core does). Serves the command, and whoever measures the matcher from outside.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from oncall_bot.core.certain import RunbookIndex, certain
from oncall_bot.core.errors import BadInput
from oncall_bot.core.runbooks import Match
from oncall_bot.core.search import ATTACH_ABOVE, Asker, SearchIndex, query_of
from oncall_bot.core.verdicts import NO_ANSWERS, Answers, wrong_ones
from oncall_bot.files.runbooks import Problem, read_library

RANKED = 10
LINE_LIMIT = 1024 * 1024
"""Characters in one alert."""


@dataclass(frozen=True, slots=True)
class MatchReport:
    """What one run did: alerts read, runbooks read, runbooks attached by how, broken files."""

    alerts: int
    runbooks: int
    attached: Mapping[str, int]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class AskedAlert:
    """One line of the alerts file: an alert of Alertmanager, or a rule with example labels."""

    id: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    expression: str


def match_runbooks(
    alerts: Path,
    folder: Path,
    out: Path,
    *,
    link_base: str = "",
    attach_above: float = ATTACH_ABOVE,
) -> MatchReport:
    """Write for every line of `alerts` its ranked runbooks and the attached one to `out`.

    Raises BadInput for a folder or a line that cannot be read; `out` is then left as it was.
    """
    runbooks, problems = read_library(folder)
    rules, index = RunbookIndex(runbooks), SearchIndex(runbooks)
    attached: dict[str, int] = {}
    count = 0
    unfinished = out.with_name(out.name + ".part")
    try:
        with unfinished.open("w", encoding="utf-8") as lines:
            for alert in read_alerts(alerts):
                ranked = rank(alert, rules, index, link_base)
                best = ranked[0] if ranked and ranked[0].score >= attach_above else None
                lines.write(json.dumps(_line(alert, ranked, best), ensure_ascii=False) + "\n")
                how = best.how if best else "none"
                attached[how] = attached.get(how, 0) + 1
                count += 1
        os.replace(unfinished, out)
    except OSError as fault:
        raise BadInput(f"I can't write {out}: {fault.strerror}.") from fault
    finally:
        unfinished.unlink(missing_ok=True)
    return MatchReport(count, len(runbooks), attached, tuple(problems))


def rank(
    alert: AskedAlert,
    rules: RunbookIndex,
    index: SearchIndex,
    link_base: str = "",
    answers: Answers = NO_ANSWERS,
) -> list[Match]:
    """The certain matches first, surest first, then ranked search, each runbook once."""
    sure = list(certain(alert.labels, alert.annotations, rules, link_base, answers))
    query = query_of(alert.labels, alert.annotations, alert.expression)
    known = {match.runbook.identity for match in sure}
    found = index.search(query, RANKED + len(sure), Asker(wrong=wrong_ones(answers)))
    rest = [one for one in found if one.runbook.identity not in known]
    return [*sure, *rest][:RANKED]


def read_alerts(path: Path) -> Iterator[AskedAlert]:
    """The alerts of a JSON-lines file; empty lines are passed over."""
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _asked(line, f"{path.name}:{number}")
    except OSError as fault:
        raise BadInput(f"I can't read {path}: {fault.strerror}.") from fault
    except UnicodeDecodeError as fault:
        raise BadInput(f"{path} is not UTF-8 text; save it as UTF-8.") from fault


def _asked(line: str, where: str) -> AskedAlert:
    if len(line) > LINE_LIMIT:
        raise BadInput(f"{where}: the alert is longer than {LINE_LIMIT // 1024} kB.")
    try:
        alert = json.loads(line)
    except (ValueError, RecursionError) as fault:
        raise BadInput(f"{where}: not JSON; one alert belongs on each line.") from fault
    if not isinstance(alert, dict):
        raise BadInput(f"{where}: an alert is an object with labels and annotations.")
    labels = _texts(alert, "labels", where) | _texts(alert, "example_labels", where)
    if isinstance(name := alert.get("alertname"), str) and name:
        labels["alertname"] = name
    expression = alert.get("expr") or _expression(alert.get("generatorURL"))
    return AskedAlert(
        id=str(alert.get("id") or where),
        labels=labels,
        annotations=_texts(alert, "annotations", where),
        expression=expression if isinstance(expression, str) else "",
    )


def _texts(alert: Mapping[str, Any], field: str, where: str) -> dict[str, str]:
    found = alert.get(field) or {}
    if not isinstance(found, dict):
        raise BadInput(f"{where}: {field} is an object of texts.")
    return {
        str(key): value if isinstance(value, str) else str(value) for key, value in found.items()
    }


def _expression(generator_url: object) -> str:
    """The PromQL that Prometheus puts into the link to its graph (g0.expr), else nothing."""
    try:
        query = urlsplit(generator_url).query if isinstance(generator_url, str) else ""
        return parse_qs(query, max_num_fields=50).get("g0.expr", [""])[0]
    except ValueError:
        return ""


def _line(alert: AskedAlert, ranked: list[Match], best: Match | None) -> dict[str, object]:
    return {
        "id": alert.id,
        "ranked": [[path_of(match), match.score] for match in ranked],
        "attached": path_of(best) if best else None,
    }


def path_of(match: Match) -> str:
    """The runbook as the lines name it."""
    return f"runbooks/{match.runbook.path}"
