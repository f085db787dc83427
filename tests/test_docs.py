"""What the documents say is so: links lead somewhere, named files and commands exist, snippets are accepted."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from oncall_bot.files.oncall_yaml import read_config
from oncall_bot.slack.commands import ALIASES, WORDS
from oncall_bot.telemetry.metrics import Telemetry
from tests.shared import missing

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    path
    for path in [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "benchmarks").rglob("*.md"),
    ]
    if "/." not in path.as_posix().removeprefix(ROOT.as_posix())
)
FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
PROMTOOL, AMTOOL = shutil.which("promtool"), shutil.which("amtool")


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def snippets(first_line: str) -> list[tuple[str, str]]:
    """Every fenced block that begins with this comment, as (where, text)."""
    found = []
    for page in PAGES:
        for block in FENCE.finditer(page.read_text(encoding="utf-8")):
            indent = len(block[1])
            text = "".join(line[indent:] for line in block[3].splitlines(keepends=True))
            if text.splitlines()[0].strip() == first_line:
                found.append((short(page), text))
    assert found, f"no snippet begins with {first_line}"
    return found


# --- links and names ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_every_link_leads_to_a_file(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target or target.startswith("#"):
            continue
        assert (page.parent / target.partition("#")[0]).exists(), f"{short(page)}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_every_named_file_of_ours_exists(page: Path) -> None:
    """`oncall_bot/...`, `docs/...`, `tests/...` and the like in a text are real."""
    text = page.read_text(encoding="utf-8")
    rooms = r"(?:oncall_bot|docs|tests|benchmarks|runbooks|alembic)"
    for name in re.findall(rf"`({rooms}/[\w./-]+)`", text):
        assert (ROOT / name).exists(), f"{short(page)}: {name}"


def test_every_function_of_the_tour_stands_in_its_file() -> None:
    """The tour names `file.py: function`; who follows it must find the function."""
    text = (ROOT / "docs/tour.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py): ([\w., ]+)`", text)
    assert len(named) >= 12
    for file, functions in named:
        tree = ast.parse((ROOT / "oncall_bot" / file).read_text(encoding="utf-8"))
        known = {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }
        asked = {name.strip().rpartition(".")[2] for name in functions.split(",")}
        assert asked <= known, f"{file}: {asked - known}"


# --- commands and settings ----------------------------------------------------------------------------------------


def our_commands() -> set[str]:
    done = subprocess.run(
        [sys.executable, "-m", "oncall_bot", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "COLUMNS": "200", "TERM": "dumb"},
    )
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"^\W*([a-z][a-z-]+)\s", done.stdout, re.MULTILINE))


def test_every_command_in_the_documents_exists() -> None:
    commands = our_commands()
    assert "serve" in commands
    called = re.compile(r"(?:^ +|`|bin/|\$ )oncall-bot ([a-z]+)", re.MULTILINE)
    assert not [
        f"{short(page)}: oncall-bot {named}"
        for page in PAGES
        for named in called.findall(page.read_text(encoding="utf-8"))
        if named not in commands
    ]


def test_every_slack_command_in_the_documents_exists() -> None:
    assert not [
        f"{short(page)}: /oncall {word}"
        for page in PAGES
        for word in re.findall(r"`/oncall ([a-z][a-z-]*)", page.read_text(encoding="utf-8"))
        if word not in WORDS and word not in ALIASES
    ]


def test_every_metric_in_the_documents_is_counted() -> None:
    telemetry = Telemetry()
    families = set(re.findall(r"^# TYPE (oncall_\w+)", telemetry.render().decode(), re.MULTILINE))
    endings = ("", "_total", "_bucket", "_sum", "_count")
    known = {f"{name}{ending}" for name in families for ending in endings}
    for page in [*PAGES, *(ROOT / "docs").rglob("*.yml")]:
        named = set(re.findall(r"\boncall_(?!bot|test)[a-z_]+\b", page.read_text(encoding="utf-8")))
        assert named <= known, f"{short(page)}: {named - known}"


def test_every_metric_is_documented() -> None:
    text = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    rendered = Telemetry().render().decode()
    assert not [
        name
        for name in re.findall(r"^# TYPE (\w+)", rendered, re.MULTILINE)
        if f"`{name}`" not in text
    ]


def test_every_table_is_documented() -> None:
    text = (ROOT / "docs/reference/tables.md").read_text(encoding="utf-8")
    code = (ROOT / "oncall_bot/store/tables.py").read_text(encoding="utf-8")
    assert not [
        name for name in re.findall(r'__tablename__ = "(\w+)"', code) if f"`{name}`" not in text
    ]


def test_every_setting_in_the_documents_exists() -> None:
    from oncall_bot.settings import describe, unknown_settings

    tests_only = {
        "ONCALL_SHARED",
        "ONCALL_REQUIRE_REAL",
        "ONCALL_TEST_POSTGRES_URL",
        "ONCALL_TEST_KILL_AT",
    }
    assert describe()
    wrong = []
    for page in PAGES:
        named = set(re.findall(r"\bONCALL_[A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8")))
        wrong += [
            f"{short(page)}: {fault}"
            for fault in unknown_settings(dict.fromkeys(named - tests_only, "x"))
        ]
    assert not wrong


# --- snippets -----------------------------------------------------------------------------------------------------


def test_every_oncall_yaml_is_accepted(tmp_path: Path) -> None:
    for where, text in snippets("# oncall.yaml"):
        file = tmp_path / "oncall.yaml"
        file.write_text(text, encoding="utf-8")
        found = read_config(file)
        assert found.ok, (where, [str(fault) for fault in found.faults])


def test_every_alertmanager_snippet_is_accepted_by_alertmanager(tmp_path: Path) -> None:
    if AMTOOL is None:
        missing("amtool (Debian package prometheus-alertmanager)")
    for where, text in snippets("# alertmanager.yml"):
        file = tmp_path / "alertmanager.yml"
        file.write_text(text, encoding="utf-8")
        done = subprocess.run([str(AMTOOL), "check-config", file], capture_output=True, text=True)
        assert done.returncode == 0, (where, done.stdout + done.stderr)


def test_every_prometheus_snippet_is_accepted_by_prometheus(tmp_path: Path) -> None:
    if PROMTOOL is None:
        missing("promtool (Debian package prometheus)")
    for where, text in snippets("# prometheus.yml"):
        file = tmp_path / "prometheus.yml"
        file.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [str(PROMTOOL), "check", "config", "--syntax-only", file],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, (where, done.stdout + done.stderr)


def test_every_rule_file_is_accepted_by_prometheus() -> None:
    files = sorted((ROOT / "docs").glob("**/*rules*.yml"))
    if files and PROMTOOL is None:
        missing("promtool (Debian package prometheus)")
    for file in files:
        done = subprocess.run(
            [str(PROMTOOL), "check", "rules", file], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


# --- decisions ----------------------------------------------------------------------------------------------------

DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("page", DECISIONS, ids=short)
def test_a_decision_says_problem_options_choice_evidence_and_what_would_change_it(
    page: Path,
) -> None:
    headings = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == ["Problem", "Options", "Choice", "Evidence", "What would change our mind"]
    assert len(page.read_text(encoding="utf-8").splitlines()) <= 80, "one page"


def test_code_that_names_a_document_names_one_that_exists() -> None:
    wrong = []
    for path in (ROOT / "oncall_bot").rglob("*.py"):
        for name in re.findall(r"\bdocs/[\w/-]+(?:\.\w+)?", path.read_text(encoding="utf-8")):
            folder, start = (ROOT / name).parent, Path(name).name
            known = {start, f"{start}.md", *(p.name for p in folder.glob(f"{start}-*.md"))}
            if not any((folder / one).exists() for one in known):
                wrong.append(f"{short(path)}: {name}")
    assert not wrong
