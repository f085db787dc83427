"""What the import contracts (.importlinter) cannot see: clocks in the core, work at import, wide nets, locks."""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "oncall_bot"
CODE = sorted(PACKAGE.rglob("*.py"))
CORE = sorted((PACKAGE / "core").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

# Third party -> the rooms it may be imported in. A library that stands nowhere here has no place yet.
ROOMS: dict[str, set[str]] = {
    "aiohttp": {"slack", "practice"},
    "alembic": {"store"},
    "apprise": {"paging"},
    "apscheduler": {"engine"},
    "dateutil": {"calendars"},
    "fastapi": {"web"},
    "fnv_c": {"core"},  # one pure function: docs/decisions/0010
    "httpx2": {"paging"},
    "icalendar": {"calendars"},
    "itsdangerous": {"web"},
    "jinja2": {"web"},
    "markdown_it": {"files"},
    "markupsafe": {"web"},
    "msgspec": {"prometheus"},
    "openai": {"llm"},
    "prometheus_api_client": {"prometheus"},
    "prometheus_client": {"telemetry"},
    "psycopg": {"store"},
    "pydantic": {"settings", "files"},
    "pydantic_core": {"settings", "files"},
    "pydantic_settings": {"settings"},
    "re2": {"core", "paging", "files", "slack"},  # patterns from outside, in linear time
    "requests": {"prometheus"},
    "resvg_py": {"pictures"},
    "rich": {"cli"},
    "slack_bolt": {"slack"},
    "slack_sdk": {"slack"},
    "snowballstemmer": {"core"},
    "sqlalchemy": {"store"},
    "sqlite3": {"store"},
    "sqlmodel": {"store"},
    "starlette": {"web", "app"},
    "structlog": {
        "in_force",
        "app",
        "cli",
        "engine",
        "files",
        "llm",
        "paging",
        "pictures",
        "practice",
        "prometheus",
        "slack",
        "store",
        "telemetry",
        "web",
    },
    "typer": {"cli"},
    "urllib3": {"prometheus"},
    "uvicorn": {"web", "practice"},
    "uvloop": {"app"},
    "yaml": {"files"},
}
OWN_CONTRACT_ELSEWHERE = {"re2", "structlog", "dateutil", "snowballstemmer", "fnv_c"}

# The four guards of the house (CONTRIBUTING.md): where something unforeseen is stopped, logged and counted,
# so that one bad row, message or request hurts nobody else. Everything else catches what it expects.
GUARDS = {
    "one duty of the tick": {
        "oncall_bot/app.py:run",
        "oncall_bot/engine/auditor.py:_treat",
        "oncall_bot/engine/auditor.py:run",
        "oncall_bot/engine/librarian.py:run",
        "oncall_bot/engine/reconciler.py:run",
        "oncall_bot/engine/tick.py:_guarded",
        "oncall_bot/engine/tick.py:_strike",
    },
    "one delivery": {
        "oncall_bot/engine/delivery.py:_finish",
        "oncall_bot/engine/delivery.py:_work",
        "oncall_bot/engine/delivery.py:run",
    },
    "one edge request": {
        "oncall_bot/prometheus/webhook.py:_keep_raw",
        "oncall_bot/prometheus/webhook.py:_store_all",
    },
    "one queued write": {
        "oncall_bot/store/db.py:_transact",
        "oncall_bot/store/db.py:_work_job",
        "oncall_bot/store/db.py:_work_shares",
    },
}

# Words and shapes only: nothing in them can be wrong that the types and their users' tests do not show.
VALUES_ONLY = {
    "config",
    "errors",
    "fault_points",
    "faults",
    "outcomes",
    "records",
    "situation",
    "synonyms",
}


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def fresh(code: str) -> str:
    """What a new interpreter prints after this code; it must succeed."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# --- time ---------------------------------------------------------------------------------------------------------


def test_the_core_has_no_clock() -> None:
    """Time is an argument: `now` comes from the one who asks."""
    found = [
        f"{short(path)}:{node.lineno}"
        for path in CORE
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute)
        and node.attr in {"now", "today", "utcnow"}
        and ast.unparse(node.value) in {"datetime", "date", "datetime.datetime", "datetime.date"}
    ]
    assert not found


def test_the_core_takes_addresses_apart_and_opens_none() -> None:
    """The import contract sees `urllib` as one thing; only its parser is welcome here."""
    found = {
        f"{name} in {short(path)}"
        for path in CORE
        for name in imported(parsed(path))
        if name.startswith("urllib") and name != "urllib.parse"
    }
    assert not found


# --- import -------------------------------------------------------------------------------------------------------


def test_importing_the_core_loads_no_third_party_but_re2_the_stemmer_and_fnv() -> None:
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in CORE
    ]
    code = (
        "import sys, importlib\n"
        "before = set(sys.modules)\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    standard = {
        *sys.stdlib_module_names,
        *(name for name in fresh(code).split() if "sysconfig" in name),
    }
    loaded = set(fresh(code).split()) - standard
    assert loaded == {"oncall_bot", "re2", "snowballstemmer", "fnv_c", "_cffi_backend"}


def test_help_is_shown_without_loading_the_service() -> None:
    """`oncall-bot --help` answers at once, and also where a driver is broken."""
    code = (
        "import sys\n"
        "sys.argv = ['oncall-bot', '--help']\n"
        "from oncall_bot.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'sqlalchemy', 'sqlmodel', 'slack_sdk', 'slack_bolt', 'openai', 'apprise', 'fastapi',"
        " 'pandas', 'prometheus_api_client', 'alembic'}\n"
        "print('LOADED', *sorted(heavy & set(sys.modules)))"
    )
    out = fresh(code)
    assert "serve" in out
    assert out.strip().splitlines()[-1] == "LOADED"


def test_importing_a_room_starts_nothing() -> None:
    """No thread, no event loop, no socket, no file because a module was imported."""
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in CODE
        if path.name != "__main__.py"
    ]
    code = (
        "import sys, importlib, threading, socket, os, tempfile\n"
        "os.chdir(tempfile.mkdtemp())\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "def refuse(*a, **k): raise AssertionError('a socket was connected at import')\n"
        "socket.socket.connect = refuse\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "others = [t.name for t in threading.enumerate() if t is not threading.main_thread()]\n"
        "print(others, os.listdir('.'))"
    )
    assert fresh(code).strip().splitlines()[-1] == "[] []"


# --- rooms --------------------------------------------------------------------------------------------------------


def test_every_third_party_stays_in_its_room() -> None:
    own = {"oncall_bot", *(sys.stdlib_module_names - ROOMS.keys())}
    used = {(name.partition(".")[0], path) for path in CODE for name in imported(parsed(path))}
    wrong = [
        f"{top} in {short(path)}"
        for top, path in used
        if top not in own and room_of(path) not in ROOMS.get(top, set())
    ]
    assert not sorted(wrong)


def test_every_third_party_in_use_has_an_import_contract() -> None:
    """The table above and .importlinter say the same; a library that is used is in both."""
    file = configparser.ConfigParser()
    file.read(ROOT / ".importlinter", encoding="utf-8")
    protected = {
        word.strip()
        for section in file.sections()
        if file[section].get("type") == "protected"
        for word in file[section]["protected_modules"].split()
    }
    used = {name.partition(".")[0] for path in CODE for name in imported(parsed(path))}
    missing = (used & ROOMS.keys()) - protected - OWN_CONTRACT_ELSEWHERE
    assert not missing, f"without a contract in .importlinter: {sorted(missing)}"


# --- guards -------------------------------------------------------------------------------------------------------


def wide_nets(path: Path) -> Iterator[str]:
    """`file:function` of every handler that catches all."""

    def visit(node: ast.AST, function: str) -> Iterator[str]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function = node.name
        if isinstance(node, ast.ExceptHandler):
            caught = (
                {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)}
                if node.type
                else {"*"}
            )
            if caught & {"*", "Exception"}:
                yield f"{short(path)}:{function}"
        for child in ast.iter_child_nodes(node):
            yield from visit(child, function)

    yield from visit(parsed(path), "")


def test_only_the_four_guards_catch_everything() -> None:
    found = {place for path in CODE for place in wide_nets(path)}
    allowed = set().union(*GUARDS.values())
    assert found - allowed == set(), "a handler too wide: catch what you expect"
    assert allowed - found == set(), "a guard that is gone: take it off the list"


# --- habits -------------------------------------------------------------------------------------------------------


def test_every_core_module_has_its_unit_tests() -> None:
    nouns = {path.stem for path in (PACKAGE / "core").iterdir() if not path.name.startswith("_")}
    tested = {path.stem.removeprefix("test_") for path in (ROOT / "tests/unit/core").glob("*.py")}
    assert sorted(nouns - VALUES_ONLY - tested) == []


def test_every_module_says_what_it_knows() -> None:
    silent = [
        short(path) for path in CODE if (tree := parsed(path)).body and not ast.get_docstring(tree)
    ]
    assert not silent


def test_nothing_is_left_for_later() -> None:
    """A note to do something is an issue, not a comment. (Drafts mark what a human must fill in; that is text.)"""
    note = re.compile(r"#.*\b(TODO|FIXME|XXX|HACK)\b")
    found = [
        f"{short(path)}:{number}"
        for path in [*CODE, *TESTS]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if path != Path(__file__) and note.search(line)
    ]
    assert not found


def test_no_test_patches_our_own_modules() -> None:
    """A test that wants to patch says that the wiring lacks an argument. (`setenv` and `chdir` are fine.)"""
    patching = re.compile(
        r"\bmonkeypatch\.(setattr|setitem|delattr)\b|\bunittest\.mock\b|\bmock\.patch\b"
    )
    found = [
        f"{short(path)}: {match[0]}"
        for path in TESTS
        if path != Path(__file__)
        for match in patching.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not found


def test_names_say_what_is_inside() -> None:
    banned = {"utils", "util", "helpers", "helper", "common", "manager", "service", "misc"}
    assert not [short(path) for path in CODE if path.stem in banned or path.parent.name in banned]


# --- locks --------------------------------------------------------------------------------------------------------

LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-build.lock"]
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*--(index|extra-index|find-links|trusted)", text, re.MULTILINE)
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    assert len(blocks) == len(PIN.findall(text))
    assert not [block.split("\n")[0] for block in blocks if "--hash=sha256:" not in block]


def test_what_is_tested_is_what_is_shipped() -> None:
    """Each package of the product has one version, in every lock."""
    dev = dict(PIN.findall((ROOT / "requirements-dev.lock").read_text(encoding="utf-8")))
    for name in ("requirements.lock", "requirements-build.lock"):
        pins = dict(PIN.findall((ROOT / name).read_text(encoding="utf-8")))
        assert {k: (v, dev.get(k)) for k, v in pins.items() if dev.get(k) != v} == {}


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {
        re.match(r"[A-Za-z0-9._-]+", line)[0].lower().replace("_", "-")  # type: ignore[index]
        for line in [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    }
    locked = dict(PIN.findall((ROOT / "requirements-dev.lock").read_text(encoding="utf-8")))
    assert wanted <= {name.lower().replace("_", "-") for name in locked}


def test_the_version_is_said_once() -> None:
    import oncall_bot

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == oncall_bot.__version__
