"""Every block of the README, the guide and the how-tos is of a known kind, and is held to what it says.

Files are read by the program they are for; commands are parsed by our own command line; blocks marked `sh run` are run,
page by page and in order, in a folder that holds the page's files. A block of no known kind fails.
"""

from __future__ import annotations

import configparser
import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from dotenv import dotenv_values

from oncall_bot.cli import app
from oncall_bot.files.oncall_yaml import read_config
from oncall_bot.settings import describe, load_settings, unknown_settings
from tests.shared import missing

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs/guide").glob("*.md")),
    *sorted((ROOT / "docs/howto").glob("*.md")),
]
BLOCK = re.compile(r"^( *)```(.*)\n((?:.*\n)*?)\1```$", re.MULTILINE)
INDENTED = re.compile(r"(?:\A|\n\n)(?: {4,}|\t)(?![-*]|\d+\.)\S")
PROGRAM = "/opt/oncall-bot/bin/oncall-bot"
USAGE: Any = typer.BadParameter.__base__  # what a command line raises that is not understood
INSTALLED = "/etc/systemd/system/"


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    info: str
    text: str

    @property
    def file(self) -> str:
        """The name in the first line's comment; empty when it names none."""
        first = self.text.split("\n", 1)[0]
        found = re.fullmatch(r"# ([\w./-]+)", first.strip())
        return found[1] if found else ""

    @property
    def kind(self) -> str:
        if self.info in ("sh", "sh run"):
            return self.info.partition(" ")[0]
        known = {
            ("yaml", "oncall.yaml"): "oncall.yaml",
            ("yaml", "alertmanager.yml"): "alertmanager.yml",
            ("yaml", "prometheus.yml"): "prometheus.yml",
            ("yaml", "compose.yaml"): "compose",
            ("ini", "/etc/oncall-bot/env"): "env",
        }
        if self.info == "ini" and self.file.startswith(INSTALLED):
            return "unit"
        return known.get((self.info, self.file), "")

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = []
    for block in BLOCK.finditer(text):
        indent = len(block[1])
        inner = "".join(line[indent:] for line in block[3].splitlines(keepends=True))
        found.append(Block(page, text.count("\n", 0, block.start()) + 1, block[2].strip(), inner))
    return found


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def of_kind(kind: str) -> list[Block]:
    return [block for block in BLOCKS if block.kind == kind]


def each(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", of_kind(kind), ids=str)


def run(*command: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(one) for one in command], capture_output=True, text=True, timeout=120, **more
    )


def tool(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        missing(f"{name} (Debian package {package})")
        raise AssertionError
    return found


# --- every block is of a kind -------------------------------------------------------------------------------------


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    assert not [f"{block} ```{block.info} {block.file}" for block in BLOCKS if not block.kind]
    kinds = {block.kind for block in BLOCKS}
    assert {"sh", "oncall.yaml", "alertmanager.yml", "prometheus.yml", "compose", "unit"} <= kinds


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_block_hides_from_the_checks(page: Path) -> None:
    """Neither behind an indent instead of a fence, nor behind a fence that was not closed."""
    text = page.read_text(encoding="utf-8")
    assert len(re.findall(r"^ *```", text, re.MULTILINE)) == 2 * len(blocks_of(page))
    assert not INDENTED.findall(BLOCK.sub("", text))


# --- files, each read by its own program --------------------------------------------------------------------------


@each("oncall.yaml")
def test_a_configuration_can_be_planned(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "oncall.yaml"
    file.write_text(block.text)
    found = read_config(file)
    assert found.ok, [str(fault) for fault in found.faults]
    done = run(sys.executable, "-m", "oncall_bot", "apply", file, "--plan", **at(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "without a loud road" not in done.stdout


@each("alertmanager.yml")
def test_alertmanager_takes_it_and_doctor_would_find_us_there(block: Block, tmp_path: Path) -> None:
    from oncall_bot.files.alertmanager_yml import read_hooks

    (hook,) = read_hooks(block.text)
    assert hook.url.endswith("/webhook/alertmanager")
    assert hook.credential == "bearer"
    assert hook.routed
    file = tmp_path / "alertmanager.yml"
    file.write_text(block.text)
    done = run(tool("amtool", "prometheus-alertmanager"), "check-config", file)
    assert done.returncode == 0, done.stdout + done.stderr


@each("prometheus.yml")
def test_prometheus_takes_it(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yml"
    file.write_text(block.text)
    done = run(tool("promtool", "prometheus"), "check", "config", "--syntax-only", file)
    assert done.returncode == 0, done.stdout + done.stderr


@each("unit")
def test_systemd_takes_the_unit_and_we_take_what_it_runs(block: Block, tmp_path: Path) -> None:
    parsed = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parsed.optionxform = str  # type: ignore[assignment]
    parsed.read_string(block.text)
    if parsed.has_option("Service", "ExecStart"):
        words = shlex.split(parsed["Service"]["ExecStart"])
        assert words[0] == PROGRAM
        parse(words[1:])
    given = re.findall(r"^Environment=(\w+)=(.*)$", block.text, re.MULTILINE)
    credentials = set(re.findall(r"^LoadCredential=([\w-]+):", block.text, re.MULTILINE))
    assert {value.removeprefix("%d/") for _, value in given if "%d" in value} == credentials
    settings_load({name: value for name, value in given if "%d" not in value})
    assert not unknown_settings(dict(given))
    if shutil.which("systemd-analyze"):
        verify(block, tmp_path)


def verify(block: Block, folder: Path) -> None:
    """With a program that is there in the place of ours; a timer beside its service."""
    for other in of_kind("unit"):
        text = other.text.replace(PROGRAM, sys.executable)
        (folder / Path(other.file).name).write_text(text)
    done = run("systemd-analyze", "verify", folder / Path(block.file).name)
    said = [line for line in done.stderr.splitlines() if Path(block.file).stem in line]
    assert done.returncode == 0, done.stderr
    assert not said, said


@each("env")
def test_an_environment_file_holds_settings_only(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text(block.text)
    settings_load({name: value or "" for name, value in dotenv_values(file).items()})


@each("compose")
def test_a_compose_file_hangs_together(block: Block) -> None:
    made = yaml.safe_load(block.text)
    for name, service in made["services"].items():
        assert service.get("image"), name
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            assert source.startswith("./") or source in made["volumes"], mount
        if service["image"] == "oncall-bot":
            held = set(service["secrets"])
            assert held <= set(made["secrets"]), name
            ours(service["environment"], held, service.get("volumes", []))


def ours(env: Mapping[str, str], held: set[str], volumes: list[str]) -> None:
    """The environment is one of settings, and what it names is there in the container."""
    files = {value for setting, value in env.items() if setting.endswith("_FILE")}
    assert files == {f"/run/secrets/{secret}" for secret in held}
    places = [mount.split(":")[1] for mount in volumes]
    assert env["ONCALL_CONFIG"] in places
    settings_load({key: value for key, value in env.items() if not key.endswith("_FILE")})
    assert not unknown_settings(env)


def settings_load(env: Mapping[str, str]) -> None:
    assert not unknown_settings(env)
    load_settings(env)


# --- commands -----------------------------------------------------------------------------------------------------

FREE = {
    # what a shell and Debian bring; their own arguments are not ours to judge
    *(
        "cd",
        "curl",
        "date",
        "echo",
        "export",
        "grep",
        "install",
        "mkdir",
        "printf",
        "set",
        "umask",
        ".",
    ),
    *("base64", "head", "tr", "python3", "pip", "useradd", "amtool", "kubectl"),
}
LOCKED = re.compile(r"-r (\S+\.lock)")


def commands(text: str) -> Iterator[list[str]]:
    """Every simple command of a shell text as its words; comments, assignments and redirections are dropped."""
    joined = text.replace("\\\n", " ")
    within = re.compile(r"\$\(([^()]*)\)")
    for line in [*within.findall(joined), *within.sub("VALUE", joined).splitlines()]:
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split, lexer.commenters = True, "#"
        words: list[str] = []
        for token in [*lexer, ";"]:
            if set(token) <= set("();|&"):
                if words:
                    yield words
                words = []
            else:
                words.append(token)


def simple(words: list[str]) -> list[str]:
    """Without what stands before the program and without where its output goes."""
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    cut = next((n for n, word in enumerate(words) if word in (">", ">>", "<")), len(words))
    return words[:cut]


def parse(words: list[str]) -> None:
    """By our own command line, as far as it goes without running anything."""
    command: Any = typer.main.get_command(app)
    context = typer.Context(command, info_name="oncall-bot")
    if words == ["--version"]:
        return
    while hasattr(command, "commands"):
        _, command, words = command.resolve_command(context, words)
    with contextlib.suppress(typer.Exit):
        command.make_context("oncall-bot", list(words), parent=context)


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@each("sh")
def test_every_command_line_is_one_that_its_program_takes(block: Block, tmp_path: Path) -> None:
    done = run("bash", "-n", "-c", block.text)
    assert done.returncode == 0, done.stderr
    for lock in LOCKED.findall(block.text):
        assert (ROOT / lock).is_file(), lock
    known = {one.name for one in describe()} | {f"{o.name}_FILE" for o in describe() if o.from_file}
    for words in map(simple, commands(block.text)):
        program = Path(words[0]).name if words else ""
        if program == "oncall-bot":
            parse(words[1:])
        elif program == "make":
            assert set(words[1:]) <= targets(), words
        elif program == "systemctl":
            units = {Path(one.file).stem for one in of_kind("unit")} | {"prometheus-alertmanager"}
            assert not {word for word in words[2:] if word[0] != "-"} - units, words
        elif program == "docker":
            named = {one.file for one in of_kind("compose")} | {"."}
            assert not [word for word in words if word.endswith(".yaml") and word not in named]
            assert (ROOT / "Dockerfile").is_file()
        else:
            assert program in FREE | {""}, (str(block), words)
        if words[:1] == ["export"]:
            assert {word.partition("=")[0] for word in words[1:]} <= known, words


def test_a_flag_that_does_not_exist_would_be_found() -> None:
    with pytest.raises(USAGE):
        parse(["apply", "oncall.yaml", "--plane"])
    with pytest.raises(USAGE):
        parse(["schedule", "shove", "primary"])


# --- what can be run is run ---------------------------------------------------------------------------------------


def at(folder: Path) -> dict[str, Any]:
    """A place with our command on PATH and no setting of ours."""
    bin_folder = folder / ".bin"
    bin_folder.mkdir(exist_ok=True)
    shim = bin_folder / "oncall-bot"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m oncall_bot "$@"\n')
    shim.chmod(0o755)
    env = {
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
    }
    return {"cwd": folder, "env": env}


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any(block.info == "sh run" for block in blocks_of(page))],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_what_can_be_run_without_services_runs_in_the_pages_order(
    page: Path, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "runbooks", tmp_path / "runbooks")
    for block in blocks_of(page):
        if block.kind == "oncall.yaml":
            (tmp_path / block.file).write_text(block.text)
        if block.info == "sh run":
            done = run(
                "bash",
                "-euo",
                "pipefail",
                "-c",
                block.text,
                stdin=subprocess.DEVNULL,
                **at(tmp_path),
            )
            assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"


# --- links --------------------------------------------------------------------------------------------------------


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    plain = re.sub(r"[^\w\- ]", "", heading.strip().casefold())
    return plain.replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_heading_leads_to_one(page: Path) -> None:
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]*#[^)\s]+)\)", text):
        if "://" in target:
            continue
        file, _, wanted = target.partition("#")
        there = (page.parent / file if file else page).read_text(encoding="utf-8")
        headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", there), re.MULTILINE)
        assert wanted in {anchor(heading) for heading in headings}, target
