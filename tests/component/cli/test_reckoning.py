"""schedule fairness and schedule ics, as people and programs call them."""

from __future__ import annotations

import csv
from pathlib import Path

from icalendar import Calendar

from tests.component.cli.conftest import Run


def test_fairness_is_a_table_for_people_and_csv_for_pay(applied: Run, home: Path) -> None:
    window = ("--from", "2027-03-01", "--to", "2027-03-15")
    said = applied("schedule", "fairness", "shop", *window)
    assert said.code == 0
    assert "Ana Ruiz" in said.out
    assert "Bo Lindt" in said.out
    assert "whoever has least has " in said.out
    done = applied("schedule", "fairness", "shop", *window, "--csv", str(home / "pay.csv"))
    assert done.code == 0
    with (home / "pay.csv").open(newline="") as opened:
        found = list(csv.DictReader(opened))
    assert sum(float(row["hours"]) for row in found) == 14 * 24
    assert {row["email"] for row in found} == {"ana@example.com", "bo@example.com"}
    assert {row["planned_hours"] for row in found} == {row["hours"] for row in found}


def test_a_program_gets_seconds_and_an_end_before_the_start_is_refused(applied: Run) -> None:
    window = ("--from", "2027-03-01", "--to", "2027-03-08")
    found = applied("schedule", "fairness", "shop", *window, "--json").json
    assert sum(one["on_call"] for one in found["shares"]) == 7 * 86_400
    assert (
        applied("schedule", "fairness", "shop", "--from", "2027-03-08", "--to", "2027-03-01").code
        == 2
    )


def test_a_calendar_file_of_a_schedule_a_person_and_a_team(applied: Run, home: Path) -> None:
    path = home / "shop.ics"
    assert applied("schedule", "ics", "shop", "--out", str(path)).code == 0
    schedule = Calendar.from_ical(path.read_bytes()).walk("VEVENT")
    ana = Calendar.from_ical(applied("schedule", "ics", "ana").out).walk("VEVENT")
    team = Calendar.from_ical(applied("schedule", "ics", "team:shop").out).walk("VEVENT")
    assert len(schedule) > len(ana) > 0
    assert len(team) == len(schedule)
    said = applied("schedule", "ics", "annna")
    assert (said.code, said.out) == (1, "")
    assert "There is no schedule, person or team annna; did you mean ana?" in said.err
