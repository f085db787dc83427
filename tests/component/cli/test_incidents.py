"""Incidents in the terminal, their records, and drafts made from them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from oncall_bot.core.outcomes import SYSTEM
from oncall_bot.core.records import parse_record
from oncall_bot.flows.receive_alerts import receive_alerts
from oncall_bot.flows.resolve import resolve
from oncall_bot.prometheus.decode import decode
from oncall_bot.store.db import Store
from tests.component.cli.conftest import Run, alert, body


@pytest.fixture
def with_one(applied: Run, store: Store) -> Run:
    """`run`, with incident 1 open: CheckoutErrors pages."""
    posted = body(alert("CheckoutErrors", service="checkout", severity="critical"))
    store.write(receive_alerts, decode(posted.encode(), "default", datetime.now(UTC))).result()
    return applied


def test_open_incidents_are_listed(with_one: Run) -> None:
    said = with_one("incidents", "list")
    heads, row = said.out.splitlines()
    assert heads.split() == ["NO", "SEVERITY", "STATE", "OPENED", "WHO", "TITLE"]
    assert row.split()[:3] == ["1", "SEV2", "firing"]
    assert "heckout" in row


def test_closed_ones_are_listed_when_asked_for(with_one: Run, store: Store) -> None:
    store.write(resolve, 1, SYSTEM).result()
    assert with_one("incidents", "list").out == "No incident is open.\n"
    found = with_one("incidents", "list", "--all", "--json").json
    assert [(one["incident_id"], one["state"]) for one in found] == [(1, "resolved")]


def test_one_incident_tells_who_was_paged_and_why(with_one: Run) -> None:
    said = with_one("incidents", "show", "1")
    assert said.out.startswith("Incident 1: ")
    for part in ("service: checkout", "Paged:", "Why:", "is on call for shop", "Log:"):
        assert part in said.out, part
    found = with_one("incidents", "show", "1", "--json").json
    assert found["incident"]["incident_id"] == 1
    assert found["why"]


@pytest.mark.parametrize("words", [("show", "7"), ("export", "7")])
def test_an_incident_that_is_not_there_is_one_line(words: tuple[str, ...], with_one: Run) -> None:
    said = with_one("incidents", *words)
    assert (said.code, said.err) == (1, "oncall-bot: There is no incident 7.\n")


def test_the_exported_record_is_what_draft_reads(with_one: Run, home: Path) -> None:
    path = home / "INC-1.json"
    assert with_one("incidents", "export", "1", "--out", str(path)).code == 0
    data = json.loads(path.read_text())
    assert data["schema"] == "incident-record/1"
    assert parse_record(data).severity == "SEV2"
    said = with_one("draft", "summary", "--record", str(path))
    assert said.code == 0
    assert said.out.startswith("# INC-1: ")
    assert said.out == with_one("draft", "summary", "--incident", "1").out


def test_a_draft_from_a_file_needs_no_database(run: Run, home: Path) -> None:
    record = {
        "schema": "incident-record/1",
        "id": "INC-9",
        "incident": {"title": "Disk full", "severity": "SEV3", "status": "resolved"},
        "events": [
            {
                "id": "e001",
                "at": "2026-03-02T12:00:00Z",
                "kind": "note",
                "actor": "@ana",
                "text": "Disk is full",
            }
        ],
    }
    said = run("draft", "postmortem", "--record", "-", stdin=json.dumps(record))
    assert said.code == 0
    assert said.out.startswith("# INC-9: Disk full")
    assert list(home.iterdir()) == []
    run("draft", "postmortem", "--record", "-", "--out", "out.md", stdin=json.dumps(record))
    assert (home / "out.md").read_text() == said.out


def test_a_model_that_cannot_be_reached_costs_its_prose_only(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONCALL_LLM_MODEL", "some-model")
    monkeypatch.setenv("ONCALL_LLM_BASE_URL", "http://127.0.0.1:9/v1")
    record = {
        "schema": "incident-record/1",
        "id": "INC-9",
        "incident": {"title": "Disk full"},
        "events": [],
    }
    said = run("draft", "summary", "--record", "-", stdin=json.dumps(record))
    assert said.code == 0
    assert said.out.startswith("# INC-9: Disk full")
    assert "No prose was added" in said.out


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("nonsense", "is not JSON"),
        ("[]", "expected an object"),
        ('{"schema": "x/2"}', "schema: read"),
    ],
)
def test_what_is_no_record_is_one_line(content: str, told: str, run: Run, home: Path) -> None:
    (home / "record.json").write_text(content)
    said = run("draft", "summary", "--record", "record.json")
    assert said.code == 1
    assert said.err.count("\n") == 1
    assert told in said.err


def test_a_missing_file_is_one_line(run: Run) -> None:
    said = run("draft", "summary", "--record", "gone.json")
    assert said.err == "oncall-bot: gone.json cannot be read: No such file or directory.\n"


def test_either_a_record_or_an_incident_is_needed(run: Run) -> None:
    assert run("draft", "summary").code == 2
    assert run("draft", "summary", "--record", "a", "--incident", "1").code == 2
