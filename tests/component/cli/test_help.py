"""Help is quick, and worth reading."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from oncall_bot import __version__
from oncall_bot.cli import app
from tests.component.cli.conftest import Run

CPU_SECONDS = 0.3


def commands(
    found: Any = None, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with the words that call it."""
    found = found or typer.main.get_command(app)
    for name, inner in getattr(found, "commands", {}).items():
        if getattr(inner, "commands", None):
            yield from commands(inner, (*words, name))
        else:
            yield (*words, name), inner


@pytest.mark.parametrize("words", [words for words, _ in commands()], ids=" ".join)
def test_help_of_a_command_promises_something_and_shows_a_call(
    words: tuple[str, ...], run: Run
) -> None:
    said = run(*words, "--help")
    assert said.code == 0
    assert f"Usage: root {' '.join(words)}" in said.out or f" {' '.join(words)} " in said.out
    assert "Example:" in said.out
    assert f"oncall-bot {words[0]}" in " ".join(said.out.split())


@pytest.mark.parametrize("words", [words for words, _ in commands()], ids=" ".join)
def test_every_flag_says_what_it_is_for(words: tuple[str, ...]) -> None:
    command = dict(commands())[words]
    silent = [p.name for p in command.params if p.param_type_name == "option" and not p.help]
    assert silent == []


def test_the_list_of_commands_tells_each_of_them_whole(run: Run) -> None:
    """A promise that is cut off with dots tells nobody anything."""
    for family in ((), ("schedule",), ("runbooks",), ("incidents",), ("tokens",)):
        said = run(*family, "--help")
        assert "..." not in said.out.partition("Commands:")[2], family


def test_help_imports_no_service() -> None:
    """Only typer, whatever typer itself needs, and the command line's own modules are loaded."""
    code = (
        "import sys, json; import typer; import typer.main; before = set(sys.modules)\n"
        "from typer.testing import CliRunner\n"
        "testing = set(sys.modules) - before\n"
        "import oncall_bot.cli as cli\n"
        "assert CliRunner().invoke(cli.app, ['--help']).exit_code == 0\n"
        "print(json.dumps(sorted(set(sys.modules) - before - testing)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)} - sys.stdlib_module_names
    assert {name for name in loaded if name != "oncall_bot" and not name.startswith("_")} <= {
        "typer"
    }
    ours = {name for name in json.loads(done.stdout) if name.startswith("oncall_bot.")}
    rooms = {name.split(".")[1] for name in ours}
    assert rooms <= {"cli", "core", "ports"}


def test_help_costs_less_than_a_third_of_a_second() -> None:
    spent = []
    for _ in range(3):
        before = os.times()
        subprocess.run(
            [sys.executable, "-m", "oncall_bot", "--help"],
            capture_output=True,
            check=True,
            timeout=60,
        )
        after = os.times()
        user = after.children_user - before.children_user
        spent.append(user + after.children_system - before.children_system)
    assert min(spent) <= CPU_SECONDS, spent


def test_without_a_word_the_help_is_shown_and_the_call_counts_as_not_understood(run: Run) -> None:
    said = run()
    assert said.code == 2
    assert "Commands:" in said.out + said.err


def test_the_version_is_told(run: Run) -> None:
    assert run("--version").out == f"oncall-bot {__version__}\n"


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("who", "--nonsense"),
        ("apply",),
        ("incidents", "show", "zero"),
        ("draft", "poem"),
    ],
)
def test_what_is_not_understood_ends_with_2(words: tuple[str, ...], run: Run) -> None:
    said = run(*words)
    assert said.code == 2
    assert said.out == ""


def test_a_bad_setting_is_one_line_that_names_it() -> None:
    """As a process: nothing of a stack reaches the person."""
    done = subprocess.run(
        [sys.executable, "-m", "oncall_bot", "who"],
        capture_output=True,
        text=True,
        env={**os.environ, "ONCALL_PORT": "80a"},
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "oncall-bot: ONCALL_PORT: '80a' is not a port; write a number from 1 to 65535"
    ]
