"""The wheel that is installed holds all that the product needs at run time: code, migrations, runbooks, templates."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.shared import missing

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    if importlib.util.find_spec("hatchling") is None:
        missing("the build backend hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=100,
    )
    (file,) = folder.glob("oncall_bot-*.whl")
    return zipfile.ZipFile(file)


def sources(folder: str, pattern: str) -> set[str]:
    return {path.relative_to(ROOT / folder).as_posix() for path in (ROOT / folder).rglob(pattern)}


def inside(wheel: zipfile.ZipFile, folder: str) -> set[str]:
    return {name.removeprefix(folder) for name in wheel.namelist() if name.startswith(folder)}


def test_every_migration_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    assert inside(wheel, "oncall_bot/_alembic/") >= sources("alembic", "*.py") | {"script.py.mako"}


def test_every_starter_runbook_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    books = sources("runbooks", "*.md")
    assert books
    assert inside(wheel, "oncall_bot/_runbooks/") == books


def test_every_module_and_template_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    packed = inside(wheel, "oncall_bot/")
    for pattern in ("*.py", "*.html", "*.css", "*.js", "*.svg", "*.yaml", "*.json"):
        assert packed >= sources("oncall_bot", pattern)


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    """No tests, no caches, no databases, no settings of whoever built it."""
    assert {name.split("/")[0].split("-")[0] for name in wheel.namelist()} == {"oncall_bot"}
    wrong = (".pyc", ".db", ".env", ".lock", ".pid")
    assert not [name for name in wheel.namelist() if name.endswith(wrong)]


def test_the_command_and_the_licence_come_along(wheel: zipfile.ZipFile) -> None:
    (info,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    assert (
        "oncall-bot = oncall_bot.__main__:main" in wheel.read(f"{info}/entry_points.txt").decode()
    )
    assert b"Apache License" in wheel.read(f"{info}/licenses/LICENSE")
