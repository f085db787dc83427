"""Wherever the words of a record leave the house, its secrets stay: drafts, catch-ups, updates, prompts, exports."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from oncall_bot.core.drafts import compose, draft, summary_line
from oncall_bot.core.drafts.catchup import catch_up
from oncall_bot.core.drafts.status_update import status_update
from oncall_bot.core.records import Record, parse_record
from oncall_bot.core.redaction import without_secrets
from oncall_bot.core.verification import Claim
from oncall_bot.llm.prompts import ledger_of, messages
from tests.fakes.incidents import incident
from tests.fakes.secrets import Secret, secrets

SECRETS = list(secrets(23, each=1))
KINDS_OF_LINES = (
    "chat",
    "action",
    "note",
    "status",
    "impact",
    "deploy",
    "metric",
    "bot",
    "pin",
    "milestone",
)


def poisoned(secret: Secret) -> dict[str, Any]:
    """The invented incident with the secret in every kind of line, the title, a name and an alert."""
    data = incident()
    text = " ".join(secret.text.split())
    for n, kind in enumerate(KINDS_OF_LINES):
        more = {"data": {"as": "cause"}} if kind == "pin" else {}
        data["events"].append(
            {
                "id": f"e8{n:02d}",
                "at": f"2031-05-06T10:{30 + n}:00Z",
                "kind": kind,
                "actor": "@kim",
                "text": f"Restarted the relay with {text} since it failed 12 times",
                **more,
            }
        )
    data["incident"]["title"] = f"Mail queue stalled {text}"
    data["incident"]["people"].append({"handle": "@eve", "name": text[:60]})
    data["alerts"][0]["name"] = "QueueDepthHigh"
    data["alerts"][0]["unit"] = text[:40]
    return data


def leaves(record: Record) -> dict[str, Callable[[], str]]:
    ledger = ledger_of(record, "f00d")
    claims = [
        Claim(e.text[:300], "summary", (e.id,)) for e in record.events if e.id.startswith("e8")
    ]
    return {
        "summary": lambda: draft(record, "summary"),
        "postmortem": lambda: draft(record, "postmortem"),
        "line": lambda: summary_line(record),
        "catch-up": lambda: catch_up(record),
        "update": lambda: status_update(record, "internal"),
        "update for customers": lambda: status_update(record, "customers"),
        "prose of a model": lambda: compose(record, "summary", claims).markdown,
        "prompt": lambda: json.dumps(messages(ledger, "summary"), ensure_ascii=False),
    }


@pytest.mark.parametrize("secret", SECRETS, ids=[s.kind for s in SECRETS])
def test_a_secret_in_a_record_leaves_by_no_way(secret: Secret) -> None:
    data = poisoned(secret)
    core = " ".join(secret.core.split())
    ways = {name: make() for name, make in leaves(parse_record(data)).items()}
    ways["export"] = json.dumps(without_secrets(data), ensure_ascii=False)
    ways["draft of the export"] = draft(parse_record(without_secrets(data)), "postmortem")
    for name, text in ways.items():
        assert core not in text, f"{name}: {text[max(0, text.find(core) - 80) :][:200]}"
