"""`runbooks eval` counts right and wrong as the product decides, shows every line, and grows with answers."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from oncall_bot.cli import app
from oncall_bot.core.errors import BadInput
from oncall_bot.files.runbook_eval import Library, Report, evaluate, judged_alerts, library_of
from oncall_bot.files.runbook_replay import replay

ROOT = Path(__file__).resolve().parents[3]
OWN = ROOT / "benchmarks/runbooks/starter-alerts.jsonl"
STARTER = ROOT / "runbooks"


@pytest.fixture(scope="module")
def starter() -> Library:
    return library_of(STARTER)


@pytest.fixture(scope="module")
def report(starter: Library) -> Report:
    return evaluate(judged_alerts(OWN), starter)


def test_other_names_for_what_the_starter_library_is_about_find_it_and_nothing_else_does(
    report: Report,
) -> None:
    """Measured: .981 right at first, all among three, .846 attached; none of 30 others is given one."""
    renamed = report.kinds["renamed"]
    assert (renamed.alerts, report.without_runbook) == (52, 30)
    assert renamed.first >= 0.96
    assert renamed.among_three >= 0.98
    assert renamed.attached_right >= 0.80
    assert renamed.attached_wrong == 0
    assert report.false_matches <= 0.04


def test_a_lower_line_attaches_more_of_both(report: Report) -> None:
    rising = list(reversed(report.curve))
    for higher, lower in pairwise(rising):
        assert lower.attach_above < higher.attach_above
        assert lower.attached_right >= higher.attached_right
        assert lower.false_matches >= higher.false_matches
    assert report.curve[0].attached_right > 0.95
    assert rising[0].attached_right < 0.2


def test_each_round_finds_what_the_ones_before_taught(starter: Library) -> None:
    first, second, third = replay(judged_alerts(OWN), starter, 3)
    assert first.answers > 0
    assert second.attached_right > first.attached_right
    assert (second.answers, third.answers) == (0, 0), "what was answered is not asked again"
    assert third.attached_wrong == 0


def written(folder: Path, *lines: object) -> Path:
    path = folder / "alerts.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_wrong_ones_are_barred_and_counted_apart_from_those_without_a_runbook(
    tmp_path: Path, starter: Library
) -> None:
    alerts = written(
        tmp_path,
        {"id": "1", "labels": {"alertname": "OutOfInodes"}, "runbook": "runbooks/elsewhere.md"},
        {"id": "2", "labels": {"alertname": "OutOfMemory"}, "runbook": None},
    )
    judged = judged_alerts(alerts)
    before = evaluate(judged, starter)
    assert before.kinds["all"].attached_wrong == 1
    assert before.false_matches == 1
    first, *_, last = replay(judged, starter, 5)
    assert (first.attached_wrong, first.false_matches) == (1, 1)
    assert (last.attached_wrong, last.false_matches, last.answers) == (0, 0, 0)


def test_without_any_truth_it_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"No line of .* says which runbook is right"):
        judged_alerts(written(tmp_path, {"labels": {"alertname": "X"}}))
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"runbook": null, "labels": {}}\nnonsense\n')
    with pytest.raises(BadInput, match=r"bad\.jsonl:2: not JSON"):
        judged_alerts(bad)


def test_the_command_prints_kinds_lines_and_rounds(tmp_path: Path) -> None:
    picture = tmp_path / "curve.png"
    asked = ["runbooks", "eval", "--alerts", str(OWN), "--runbooks", str(STARTER), "--rounds", "2"]
    shown = CliRunner().invoke(app, [*asked, "--curve", str(picture)])
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert shown.exit_code == 0, shown.output
    for part in ("renamed", "ATTACHED FROM", "ROUND", "Of 30 alerts without a runbook"):
        assert part in shown.output
    plain = json.loads(CliRunner().invoke(app, [*asked, "--json"]).output)
    assert [one["n"] for one in plain["rounds"]] == [1, 2]
    assert len(plain["curve"]) == 36
