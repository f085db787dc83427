"""The shared schedule cases, and fresh ones from the reference programs, answered to the letter."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from oncall_bot.core.rotations import answer, on_call_at, parse_definition
from tests.shared import SHARED, shared

CASES = "data/schedules/cases.json"
ORACLE = "tools/schedule_oracle.py"


def rotation_cases(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [case for case in document["cases"] if case.get("kind", "rotation") == "rotation"]


def known_ids() -> list[str]:
    """The ids at collection, so that each case is a test of its own; without them one skips."""
    if SHARED is None or not (SHARED / CASES).exists():
        return ["all"]
    return [case["id"] for case in rotation_cases(json.loads((SHARED / CASES).read_text()))]


def shared_case(case_id: str) -> dict[str, Any]:
    cases = rotation_cases(json.loads(shared(CASES).read_text()))
    return next(case for case in cases if case["id"] == case_id)


@pytest.mark.parametrize("case_id", known_ids())
def test_a_shared_case_is_answered_as_worked_out_by_hand(case_id: str) -> None:
    case = shared_case(case_id)
    got = answer({"definition": case["definition"], "window": case["window"]})
    assert got["shifts"] == case["expect"]["shifts"], case["title"]


@pytest.mark.parametrize("case_id", known_ids())
def test_who_is_on_call_at_the_instants_a_case_names(case_id: str) -> None:
    case = shared_case(case_id)
    definition = parse_definition(case["definition"])
    asked = case["expect"].get("at", [])
    told = [on_call_at(definition, datetime.fromisoformat(question["t"])) for question in asked]
    assert told == [question["user"] for question in asked]


@pytest.mark.parametrize("seed", [3, 1729])
def test_random_schedules_are_answered_as_two_reference_programs_do(
    seed: int, tmp_path: Path
) -> None:
    made = tmp_path / "made.json"
    command = [sys.executable, str(shared(ORACLE)), "gen", "--count", "40", "--seed", str(seed)]
    ran = subprocess.run(
        [*command, "--out", str(made)], check=False, capture_output=True, text=True, timeout=100
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    cases = rotation_cases(json.loads(made.read_text()))
    assert len(cases) == 40
    wrong = [
        case["id"]
        for case in cases
        if answer({"definition": case["definition"], "window": case["window"]})["shifts"]
        != case["expect"]["shifts"]
    ]
    assert wrong == []
