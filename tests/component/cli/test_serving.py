"""The life of a database: made, backed up, restored, and sending again only when told."""

from __future__ import annotations

from pathlib import Path

import pytest

from oncall_bot.store.db import Store
from tests.component.cli.conftest import Run


def test_migrate_makes_the_database_and_says_when_there_is_nothing_to_do(
    run: Run, home: Path
) -> None:
    first = run("migrate")
    assert first.code == 0
    assert "is now at revision" in first.out
    assert (home / "oncall.db").exists()
    assert run("migrate").out == "The database sqlite:///oncall.db was current already.\n"
    assert run("who").out == "There are no schedules in force.\n"


@pytest.mark.parametrize(
    "words", [("who",), ("export",), ("incidents", "list"), ("tokens", "list"), ("resume",)]
)
def test_a_command_never_makes_a_database_by_the_way(
    words: tuple[str, ...], run: Run, home: Path
) -> None:
    """A wrong ONCALL_DATABASE_URL must be noticed, not answered from an empty database."""
    said = run(*words)
    assert said.code == 1
    assert said.err.startswith("oncall-bot: There is no database at sqlite:///oncall.db yet")
    assert list(home.iterdir()) == []


def test_a_backup_brings_back_what_was_and_holds_sending(
    applied: Run, store: Store, home: Path
) -> None:
    assert applied("backup", "copy.db").out.startswith("Backed up to copy.db (")
    (home / "oncall.yaml").write_text(
        (home / "oncall.yaml").read_text().replace("after: 5m", "after: 9m")
    )
    assert applied("apply", "oncall.yaml").code == 0
    store.close()
    said = applied("restore", "copy.db")
    assert said.code == 0
    assert "oncall-bot resume" in said.out
    assert "after: 5m" in applied("export").out
    assert applied("resume").out == "The bot sends again.\n"
    assert applied("resume").out == "Nothing was held back; the bot sends as usual.\n"


def test_what_is_no_backup_is_refused_in_one_line(run: Run, url: str, home: Path) -> None:
    (home / "x").write_text("nonsense")
    for words in (("restore", "x"), ("restore", "gone"), ("backup", "x")):
        said = run(*words)
        assert said.code == 1
        assert said.err.count("\n") == 1


def test_a_database_that_does_not_answer_is_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONCALL_DATABASE_URL", "postgresql://bot:secret@127.0.0.1:9/oncall")
    said = run("who")
    assert said.code == 1
    assert said.err.count("\n") == 1
    assert "secret" not in said.err
