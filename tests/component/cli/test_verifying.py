"""schedule verify, as people and programs call it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from oncall_bot.core.outcomes import Actor
from oncall_bot.flows.set_override import set_override
from oncall_bot.store.db import Store
from tests.component.cli.conftest import CONFIG, Run

DEE = Actor("person", "dee", "Dee Marsh")
HOURS = 'restrictions: [{days: [1, 2, 3, 4, 5], from: "09:00", to: "17:00"}], users: [ana, bo]'


def test_gaps_and_people_whom_nobody_can_wake_are_named_with_their_cause(
    run: Run, home: Path
) -> None:
    path = home / "gaps.yaml"
    path.write_text(CONFIG.replace("users: [ana, bo]}", f"{HOURS}}}"))
    said = run("schedule", "verify", "--months", "1", "--config", str(path))
    assert said.code == 1
    assert "shop: nobody is on call from " in said.out
    assert ": no layer has these hours (and " in said.out
    assert "shop: Bo Lindt is on call from " in said.out
    assert " and has no verified loud road" in said.out


def test_a_program_gets_every_fault_and_the_gaps_by_schedule(run: Run, home: Path) -> None:
    path = home / "gaps.yaml"
    path.write_text(CONFIG.replace("users: [ana, bo]}", f"{HOURS}}}"))
    found = run("schedule", "verify", "--months", "1", "--config", str(path), "--json")
    assert found.code == 1
    assert found.json["no_loud_road"] == ["Bo Lindt"]
    assert all(gap["user"] is None for gap in found.json["gaps"]["shop"])
    kinds = {one["fault"] for one in found.json["faults"]}
    assert {"gap", "no_loud_road"} <= kinds
    assert all(one["cause"] and one["start"] < one["end"] for one in found.json["faults"])


def test_a_rota_that_reaches_everybody_always_has_no_fault(run: Run, home: Path) -> None:
    path = home / "good.yaml"
    path.write_text(CONFIG.replace("users: [ana, bo]", "users: [ana, dee]"))
    said = run("schedule", "verify", "--config", str(path))
    assert said.code == 0
    assert said.out.splitlines()[0] == "shop: no fault in 3 months"


def test_nights_on_which_clocks_change_are_told_and_are_no_fault(run: Run, home: Path) -> None:
    path = home / "good.yaml"
    path.write_text(CONFIG.replace("users: [ana, bo]", "users: [ana, dee]"))
    said = run("schedule", "verify", "--months", "12", "--config", str(path))
    assert said.code == 0
    notes = [line for line in said.out.splitlines() if line.startswith("Note: shop: ")]
    assert len(notes) == 2
    assert any("clocks in Europe/Berlin go forward 1 h" in note for note in notes)


def test_one_person_on_two_schedules_at_once_and_a_cover_to_nobody_are_faults(
    run: Run, url: str, home: Path, store: Store
) -> None:
    path = home / "oncall.yaml"
    second = '  night:\n    layers:\n      - {start: "2026-01-05T09:00", rotation: {unit: week}, users: [dee]}\n'
    text = CONFIG.replace("users: [ana, bo]", "users: [ana, dee]")
    path.write_text(text.replace("policies:\n", f"{second}policies:\n", 1))
    assert run("apply", str(path)).code == 0
    begin = datetime.now(UTC) + timedelta(days=3)
    done = store.write(set_override, "shop", begin, begin + timedelta(hours=4), None, DEE)
    assert done.result().done
    said = run("schedule", "verify", "shop", "--months", "1")
    assert said.code == 1
    assert "an override leaves it to nobody" in said.out
    assert "shop: no fault" not in said.out
    assert "night: Dee Marsh is on call from " in said.out
    assert " for shop too" in said.out


def test_a_schedule_that_is_not_there_is_told_with_the_nearest(applied: Run) -> None:
    said = applied("schedule", "verify", "shpo")
    assert (said.code, said.out) == (1, "")
    assert "There is no schedule shpo; did you mean shop?" in said.err
