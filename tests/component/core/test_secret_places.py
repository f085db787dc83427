"""Wherever the words of a record leave the house, its secrets stay: drafts, catch-ups, updates, prompts, exports."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from oncall_bot.core.drafts import compose, draft, summary_line
from oncall_bot.core.drafts.catchup import catch_up
from oncall_bot.core.drafts.status_update import status_update
from oncall_bot.core.records import Record, parse_record
from oncall_bot.core.redaction import without_secrets
from oncall_bot.core.verification import Claim
from oncall_bot.llm.ledger import ledger_of
from oncall_bot.llm.prompts import question
from tests.fakes.incidents import incident
from tests.fakes.secrets import Secret, secrets

SECRETS = list(secrets(23, each=1))
TOGETHER = 24
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


def poisoned(group: Sequence[Secret]) -> dict[str, Any]:
    """The invented incident with these secrets in every kind of line; the first also in title, name and alert."""
    data = incident()
    for n, (secret, kind) in enumerate((s, k) for s in group for k in KINDS_OF_LINES):
        more = {"data": {"as": "cause"}} if kind == "pin" else {}
        text = " ".join(secret.text.split())
        data["events"].append(
            {
                "id": f"e8{n:03d}",
                "at": f"2031-05-06T10:{30 + n % 25}:00Z",
                "kind": kind,
                "actor": "@kim",
                "text": f"Restarted the relay with {text} since it failed 12 times",
                **more,
            }
        )
    first = " ".join(group[0].text.split())
    data["incident"]["title"] = f"Mail queue stalled {first}"
    data["incident"]["people"][0]["name"] = first[:60]
    data["alerts"][0]["unit"] = first[:40]
    return data


def leaves(record: Record) -> dict[str, Callable[[], str]]:
    windows = ledger_of(record, (), 250_000).windows
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
        "prompt": lambda: json.dumps(
            [question(window.fenced("f00d"), "summary") for window in windows], ensure_ascii=False
        ),
    }


@pytest.mark.parametrize("n", range(TOGETHER))
def test_a_secret_in_a_record_leaves_by_no_way(n: int) -> None:
    group = SECRETS[n::TOGETHER]
    data = poisoned(group)
    ways = {name: make() for name, make in leaves(parse_record(data)).items()}
    ways["export"] = json.dumps(without_secrets(data), ensure_ascii=False)
    ways["draft of the export"] = draft(parse_record(without_secrets(data)), "postmortem")
    for secret in group:
        core = " ".join(secret.core.split())
        for name, text in ways.items():
            assert core not in text, f"{name}: {text[max(0, text.find(core) - 80) :][:200]}"
