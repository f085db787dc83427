"""Who is on call: for people, for programs, over weeks."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from oncall_bot.core.config import PersonalRule, Urgency
from oncall_bot.core.outcomes import Actor
from oncall_bot.flows.personal_rules import set_rules
from oncall_bot.flows.set_override import set_override
from oncall_bot.store.db import Store
from tests.component.cli.conftest import CONFIG, Run

MONDAY_OF_ANA = "2026-01-05T10:00Z"
MONDAY_OF_BO = "2026-01-12T10:00Z"
DEE = Actor("person", "dee", "Dee Marsh")


def test_who_names_the_person_the_end_and_who_follows(applied: Run) -> None:
    said = applied("who", "--at", MONDAY_OF_ANA)
    assert said.code == 0
    heads, row = said.out.splitlines()
    assert heads.split() == ["SCHEDULE", "ON", "CALL", "UNTIL", "THEN"]
    assert row.startswith("shop      Ana Ruiz  Mon 2026-01-12 09:00 CET  Dee Marsh after 5 min")


def test_who_names_a_person_whom_no_loud_road_reaches(applied: Run) -> None:
    assert (
        "No loud road (reached in Slack only): Bo Lindt" in applied("who", "--at", MONDAY_OF_BO).out
    )
    assert "No loud road" not in applied("who", "--at", MONDAY_OF_ANA).out


def test_who_answers_for_a_service_by_its_policy(applied: Run) -> None:
    found = applied("who", "checkout", "--at", MONDAY_OF_ANA, "--json").json
    assert [(one["schedule"], one["person_key"], one["loud_roads"]) for one in found] == [
        ("shop", "ana", ["push"])
    ]


def test_who_knows_a_cover_made_in_slack(applied: Run, store: Store) -> None:
    begin = datetime.now(UTC) + timedelta(days=3)
    end = begin + timedelta(hours=4)
    inside = (begin + timedelta(hours=1)).isoformat()
    assert store.write(set_override, "shop", begin, end, "dee", DEE).result().done
    assert applied("who", "--at", inside, "--json").json[0]["person_key"] == "dee"


def test_reach_says_what_a_page_would_do_by_their_own_rules(applied: Run, store: Store) -> None:
    rules = (PersonalRule(timedelta(0), "slack"), PersonalRule(timedelta(minutes=2), "push"))
    ana = Actor("person", "ana", "Ana Ruiz")
    assert store.write(set_rules, "ana", Urgency.HIGH, rules, ana).result().done
    said = applied("reach", "ana")
    assert said.code == 0
    assert said.out.splitlines()[:5] == [
        "Ana Ruiz",
        "High urgency, their own rules: slack 0m, push 2m",
        "  If Ana Ruiz were paged now: push at 0:00.",
        "  Not working: Slack, the account is not known; it is found by the e-mail of oncall.yaml.",
        "  The push goes at once whatever the rules say: high urgency takes one loud road at once.",
    ]
    assert "Quiet hours: none" in said.out
    found = applied("reach", "ana", "--json").json
    assert (found["high"]["own"], found["low"]["own"]) == (True, False)
    assert found["high"]["rules"] == [["slack", 0], ["push", 120]]


def test_reach_names_the_nearest_person(applied: Run) -> None:
    said = applied("reach", "anna")
    assert said.code == 1
    assert "did you mean ana?" in said.err


@pytest.mark.parametrize("words", [("who", "shp"), ("schedule", "show", "shp")])
def test_a_name_that_is_not_there_gets_the_nearest_that_is(
    words: tuple[str, ...], applied: Run
) -> None:
    said = applied(*words)
    assert said.code == 1
    assert "shp; did you mean shop?" in said.err


def test_a_time_that_cannot_be_read_is_not_understood(applied: Run) -> None:
    said = applied("who", "--at", "tomorrow")
    assert said.code == 2
    assert "'tomorrow' is no time; write 2026-03-02T09:00Z" in said.err


def test_who_can_be_asked_of_a_file_without_a_database(run: Run, config: Path) -> None:
    said = run("who", "--config", str(config), "--at", MONDAY_OF_ANA)
    assert said.code == 0
    assert "Ana Ruiz" in said.out
    assert sorted(path.name for path in config.parent.iterdir()) == ["oncall.yaml"]


def test_a_schedule_is_shown_in_its_own_zone_also_on_the_night_clocks_change(applied: Run) -> None:
    said = applied("schedule", "show", "shop", "--from", "2026-03-23", "--to", "2026-04-06T07:00Z")
    rows = [line.split("  ") for line in said.out.splitlines()[1:]]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert cells == [
        ["Mon 2026-03-23 01:00 CET", "Mon 2026-03-23 09:00 CET", "8 h", "Ana Ruiz"],
        ["Mon 2026-03-23 09:00 CET", "Mon 2026-03-30 09:00 CEST", "6 d 23 h", "Bo Lindt"],
        ["Mon 2026-03-30 09:00 CEST", "Mon 2026-04-06 09:00 CEST", "7 d", "Ana Ruiz"],
    ]


def test_a_window_that_ends_before_it_begins_is_not_understood(applied: Run) -> None:
    said = applied("schedule", "show", "shop", "--from", "2026-03-23", "--to", "2026-03-22")
    assert said.code == 2


def test_a_faulty_file_is_told_line_by_line(run: Run, home: Path) -> None:
    path = home / "bad.yaml"
    path.write_text(CONFIG.replace("zone: Europe/Berlin\n", "zone: Europe/Nowhere\n"))
    said = run("schedule", "verify", "--config", str(path))
    assert said.code == 1
    assert said.err.startswith(f"oncall-bot: {path}:")


# schedule answer

DEFINITION = {
    "zone": "Europe/Berlin",
    "layers": [
        {
            "name": "week",
            "start": "2026-01-05T09:00",
            "rotation": {"unit": "week", "every": 1},
            "users": ["ana", "bo"],
        }
    ],
}
ASKED = {
    "definition": DEFINITION,
    "window": {"from": "2026-01-05T08:00:00Z", "to": "2026-01-13T08:00:00Z"},
}
ANSWER = {
    "shifts": [
        {"start": "2026-01-05T08:00:00Z", "end": "2026-01-12T08:00:00Z", "user": "ana"},
        {"start": "2026-01-12T08:00:00Z", "end": "2026-01-13T08:00:00Z", "user": "bo"},
    ]
}


@pytest.mark.parametrize("indent", [None, 2])
def test_a_definition_on_stdin_is_answered_on_one_line_or_over_many(
    indent: int | None, run: Run
) -> None:
    said = run("schedule", "answer", stdin=json.dumps(ASKED, indent=indent))
    assert said.code == 0
    assert said.out.count("\n") == 1
    assert said.json == ANSWER


def test_each_line_in_has_its_line_out_also_when_one_is_wrong(run: Run) -> None:
    wrong = {**ASKED, "window": {"from": "2026-01-05T08:00:00Z", "to": "yesterday"}}
    lines = [json.dumps(ASKED), json.dumps(wrong), "junk", "[]", json.dumps(ASKED)]
    said = run("schedule", "answer", stdin="\n".join(lines) + "\n")
    answers = [json.loads(line) for line in said.out.splitlines()]
    assert said.code == 1
    assert [answers[0], answers[4]] == [ANSWER, ANSWER]
    assert "window.to" in answers[1]["error"]
    assert "not JSON" in answers[2]["error"]
    assert "write one object" in answers[3]["error"]
    assert said.err.count("\n") == 3


def test_nothing_on_stdin_is_told(run: Run) -> None:
    said = run("schedule", "answer", stdin="")
    assert (said.code, said.err) == (1, "oncall-bot: nothing was given on stdin\n")


def test_a_program_may_ask_and_wait_for_each_answer_in_turn() -> None:
    """The answer to a line comes before the next line is sent."""
    command = [sys.executable, "-m", "oncall_bot", "schedule", "answer"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        for _ in range(2):
            process.stdin.write(json.dumps(ASKED) + "\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline()) == ANSWER
        process.stdin.close()
        assert process.wait(timeout=30) == 0
