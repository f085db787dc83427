"""The reference pages hold exactly what the code has: commands and flags, routes, metrics, pages, runbook fields.

Settings are compared in tests/component/test_settings.py, the Slack manifest in tests/component/slack/test_manifest.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import typer
from starlette.responses import Response
from starlette.routing import Route

from oncall_bot.cli import app as command_line
from oncall_bot.core.config import Channel
from oncall_bot.core.documents import duration_of
from oncall_bot.core.rights import RULES
from oncall_bot.core.silence_rights import LONGEST
from oncall_bot.files import runbooks
from oncall_bot.paging.callbacks import Callbacks
from oncall_bot.paging.roads import build_pager
from oncall_bot.ports import LoudPage
from oncall_bot.prometheus.webhook import _TITLES as WEBHOOK_ANSWERS
from oncall_bot.prometheus.webhook import PATH as WEBHOOK
from oncall_bot.settings import describe
from oncall_bot.store.db import Store
from oncall_bot.telemetry.metrics import Telemetry
from oncall_bot.web.app import build_web
from tests.fakes.http import http_server

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"
ALWAYS = {"--help"}


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def rows(text: str, head: str) -> list[list[str]]:
    """The cells of the table whose first head is this; backticks stay."""
    lines = text.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith(f"| {head} |"))
    found = []
    for line in lines[at + 2 :]:
        if not line.startswith("|"):
            break
        cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
        found.append([cell.strip() for cell in cells])
    return found


# --- commands -----------------------------------------------------------------------------------------------------


def commands(group: Any = None, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    group = group or typer.main.get_command(command_line)
    for name, inner in group.commands.items():
        if hasattr(inner, "commands"):
            yield from commands(inner, (*words, name))
        else:
            yield " ".join((*words, name)), inner


def sections() -> dict[str, str]:
    parts = re.split(r"^### oncall-bot (.+)$", page("commands.md"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_has_its_section_and_every_section_its_command() -> None:
    assert sorted(sections()) == sorted(name for name, _ in commands())


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_a_commands_section_holds_its_flags_and_no_other(name: str) -> None:
    command = dict(commands())[name]
    flags = {flag for p in command.params for flag in p.opts if flag.startswith("--")} - ALWAYS
    section = re.split(r"^## ", sections()[name], flags=re.MULTILINE)[0]
    documented = set(re.findall(r"^\| `(--[a-z-]+)", section, re.MULTILINE))
    assert documented == flags
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", section)) <= flags


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_a_commands_section_shows_a_call_that_its_help_shows_too(name: str) -> None:
    shown = re.search(r"^    .*oncall-bot .+$", sections()[name], re.MULTILINE)
    assert shown is not None
    assert f"oncall-bot {name}" in shown[0]


# --- routes -------------------------------------------------------------------------------------------------------


def served() -> set[tuple[str, str]]:
    """Every method and path that somebody answers for; HEAD goes with GET."""

    async def ready() -> Sequence[str]:
        return ()

    async def slack(request: object) -> Response:
        return Response()

    web = build_web(
        store=cast("Store", None),
        telemetry=Telemetry(),
        secret=b"x" * 32,
        ready=ready,
        slack_handler=slack,
        telephone=Callbacks(cast("Store", None), secret=bytes, public_url=None),
    )
    found = {("POST", WEBHOOK)}
    for route in web.routes:
        assert isinstance(route, Route)
        found |= {(method, route.path) for method in route.methods or () if method != "HEAD"}
    return found


def test_every_route_is_documented_and_no_other() -> None:
    told = {(row[0].strip("`"), row[1].strip("`")) for row in rows(page("routes.md"), "method")}
    assert told == served()


def test_every_answer_to_alertmanager_is_documented() -> None:
    told = {int(row[0]) for row in rows(page("routes.md"), "status")}
    assert told == {200, *WEBHOOK_ANSWERS}


# --- metrics ------------------------------------------------------------------------------------------------------


def test_every_metric_is_documented_with_its_labels_and_no_other() -> None:
    told = {
        row[0].strip("`"): tuple(re.findall(r"`(\w+)`", row[1]))
        for row in rows(page("metrics.md"), "metric")
    }
    counted = {}
    for metric in vars(Telemetry()).values():
        if not hasattr(metric, "describe"):
            continue
        (family,) = metric.describe()
        name = f"{family.name}_total" if family.type == "counter" else family.name
        counted[name] = tuple(metric._labelnames)
    assert told == counted


# --- what leaves by a webhook -------------------------------------------------------------------------------------


async def test_a_page_by_webhook_has_the_documented_fields_and_no_other() -> None:
    text = page("page-webhook.md")
    example = json.loads(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0])
    told = {field for row in rows(text, "field") for field in re.findall(r"`(\w+)`", row[0])}
    async with http_server() as fake:
        road = Channel("siren", url=f"http://{fake.at}/page/{{to}}")
        roads = build_pager({"siren": road})
        given = {name: example[name] for name in ("key", "title", "text", "ack_url", "urgent")}
        await roads.page(LoudPage(channel="siren", address=example["to"], **given))
        await roads.aclose()
    assert fake.got[0].json == example
    assert fake.got[0].path == "/page/ana"
    assert told == set(example)
    headers = {name.casefold(): value for name, value in fake.got[0].headers.items()}
    assert headers["idempotency-key"] == example["key"]


# --- runbook files ------------------------------------------------------------------------------------------------


def test_every_field_of_a_runbook_is_documented_in_order_and_no_other() -> None:
    told = [row[0].strip("`") for row in rows(page("runbook-files.md"), "field")]
    assert told == list(runbooks._FIELDS)


def test_the_example_runbook_holds_every_field_and_reads_without_a_problem() -> None:
    text = re.findall(r"~~~markdown\n(.*?)~~~", page("runbook-files.md"), re.DOTALL)[0]
    book, problems = runbooks.parse_runbook(text, "checkout-errors.md")
    assert problems == []
    front = text.split("---\n")[1]
    assert [line.partition(":")[0] for line in front.splitlines()] == list(runbooks._FIELDS)
    assert [check.name for check in book.checks] == ["queue depth"]
    words = [row[0].strip("`") for row in rows(page("runbook-files.md"), "word")]
    assert words == ["name", "unit", "expect"]


# --- settings -----------------------------------------------------------------------------------------------------


def test_every_setting_has_its_row_and_no_other() -> None:
    told = [row[0].strip("`") for row in rows(page("settings.md"), "setting")]
    assert told == [one.name for one in describe()]


# --- rights -------------------------------------------------------------------------------------------------------


def test_the_table_of_rights_is_the_one_that_is_asked() -> None:
    text = (REFERENCE.parent / "howto" / "rights.md").read_text(encoding="utf-8")
    asked = [
        [rule.words, str(rule.least), "yes" if rule.paged_too else ""] for rule in RULES.values()
    ]
    assert rows(text, "what") == asked


def test_the_lengths_of_silences_are_those_that_are_asked() -> None:
    text = (REFERENCE.parent / "howto" / "rights.md").read_text(encoding="utf-8")
    told = {
        role: duration_of(length.replace(" hours", "h").replace(" days", "d"))
        for role, length, _ in rows(text, "role")
    }
    assert told == {str(role): length for role, length in LONGEST.items()}
