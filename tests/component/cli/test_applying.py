"""Config as code: planned, applied, exported; a fault changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from oncall_bot.files.oncall_yaml import read_config
from oncall_bot.store.db import Store
from tests.component.cli.conftest import CONFIG, Run


def in_force(store: Store) -> int | None:
    return store.look(lambda reader: reader.snapshot.revision_id)


def test_a_plan_shows_what_is_new_and_changes_nothing(run: Run, config: Path, store: Store) -> None:
    said = run("apply", str(config), "--plan")
    assert said.code == 0
    assert "+ person ana" in said.out
    assert "* schedules.shop on call now:" in said.out
    assert said.out.splitlines()[-1] == "Nothing was changed: this is the plan."
    assert in_force(store) is None


def test_a_plan_names_the_people_whom_no_loud_road_reaches(
    run: Run, config: Path, url: str
) -> None:
    said = run("apply", str(config), "--plan")
    assert (
        "! people: no loud road (push, voice, SMS): high urgency reaches them in Slack only: bo"
        in said.out
    )


def test_a_plan_can_be_made_where_there_is_no_database_yet(run: Run, config: Path) -> None:
    said = run("apply", str(config), "--plan")
    assert said.code == 0
    assert said.err == "There is no database yet: everything is new.\n"
    assert not (config.parent / "oncall.db").exists()


def test_apply_puts_the_file_into_force_and_says_which_revision(
    run: Run, config: Path, store: Store
) -> None:
    said = run("apply", str(config))
    assert said.out.splitlines()[-1] == "Applied: revision 1 is in force."
    assert in_force(store) == 1


def test_applying_the_same_content_again_makes_no_revision(
    applied: Run, config: Path, store: Store
) -> None:
    said = applied("apply", str(config))
    assert said.out.splitlines()[-1] == "No change: revision 1 stays."
    assert in_force(store) == 1


def test_a_second_plan_tells_only_the_difference(applied: Run, config: Path) -> None:
    config.write_text(CONFIG.replace("after: 5m", "after: 7m"), encoding="utf-8")
    said = applied("apply", str(config), "--plan")
    changed = [line for line in said.out.splitlines() if line[:2] in ("+ ", "- ", "~ ")]
    assert len(changed) == 1
    assert "5m" in changed[0]
    assert "7m" in changed[0]


def test_faults_are_told_with_file_line_and_field_and_the_last_good_revision_stays(
    applied: Run, config: Path, store: Store
) -> None:
    config.write_text(
        CONFIG.replace("after: 5m", "after: 5x").replace("[person:dee]}\n", "[person:nobody]}\n")
    )
    said = applied("apply", str(config))
    assert said.code == 1
    assert said.out == ""
    lines = said.err.splitlines()
    assert lines[0].startswith(f"oncall-bot: {config}:23: policies.shop.steps[1]")
    assert '"5x" is not a duration' in said.err
    assert "nobody" in said.err
    assert lines[-1] == "2 faults; nothing was changed."
    assert in_force(store) == 1


def test_a_program_reads_the_plan_and_the_faults_as_json(run: Run, config: Path, url: str) -> None:
    plan = run("apply", str(config), "--plan", "--json").json
    assert plan["applied"] is False
    assert {"sign": "+", "path": "people.ana"}.items() <= next(
        line for line in plan["plan"] if line["path"] == "people.ana"
    ).items()
    config.write_text(CONFIG + "nonsense: 1\n")
    said = run("apply", str(config), "--json")
    assert said.code == 1
    fault = said.json["faults"][0]
    assert (fault["line"], fault["field"]) == (26, "nonsense")


def test_apply_keeps_the_token_of_the_settings(
    run: Run, config: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the next alert of the source `default` would be refused."""
    monkeypatch.setenv("ONCALL_WEBHOOK_TOKEN", "a-token-of-the-settings")
    assert run("apply", str(config)).code == 0
    assert list(store.look(lambda reader: reader.snapshot.tokens).values()) == ["default"]


def test_apply_to_a_missing_database_says_how_to_make_it(run: Run, config: Path) -> None:
    said = run("apply", str(config))
    assert said.code == 1
    assert said.err.count("\n") == 1
    assert "oncall-bot migrate" in said.err
    assert not (config.parent / "oncall.db").exists()


def test_what_is_exported_reads_back_to_the_same_document(
    applied: Run, config: Path, home: Path
) -> None:
    said = applied("export")
    assert said.code == 0
    assert read_config(said.out).sha256 == read_config(config).sha256
    assert applied("export", "--out", str(home / "out.yaml")).out == ""
    assert (home / "out.yaml").read_text() == said.out
    assert applied("export", "--json").json == read_config(config).document


def test_there_is_nothing_to_export_before_something_was_applied(run: Run, url: str) -> None:
    said = run("export")
    assert said.code == 1
    assert said.err.startswith("oncall-bot: No configuration is in force yet")


def test_a_file_that_cannot_be_written_is_one_line(applied: Run, home: Path) -> None:
    said = applied("export", "--out", str(home / "no" / "out.yaml"))
    assert said.code == 1
    assert said.err.endswith("cannot be written: No such file or directory.\n")
