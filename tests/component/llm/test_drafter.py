"""A model may add prose to a draft; whatever it does wrong costs the prose and nothing else."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from oncall_bot.core.drafts import draft
from oncall_bot.core.records import parse_record
from oncall_bot.core.verification import Claim
from oncall_bot.llm.drafter import OpenAIDrafter
from oncall_bot.llm.drafting import NO_PROSE, draft_record
from oncall_bot.ports import DeliveryError
from tests.fakes.incidents import PASSWORD, id_of, incident
from tests.fakes.models import Answer, Script, said, scripted_model

RECORD = parse_record(incident())
ALONE = draft(RECORD, "postmortem")
LOCK = id_of("holds a lock")
HONEST = {
    "summary": [
        ("The queue held 48,000 messages when the alert fired", [id_of("QueueDepthHigh critical")]),
        ("The mail-worker pool was restarted with batch size 50", [id_of("Restarted")]),
        ("Zone b was rolled back to 3.1.4", [id_of("Rolled mail-worker")]),
    ],
    "causes": [
        ("Each worker held a lock for 90 s per batch and the pool had only 4 workers", [LOCK])
    ],
    "response": [
        (
            "The smtp relay was suspected first and ruled out",
            [id_of("smtp relay"), id_of("not the relay")],
        ),
    ],
    "lessons": [("The page was escalated after 5 min", [id_of("No ack after")])],
}
LIES = [
    ("The queue held 84,000 messages when the alert fired", [id_of("QueueDepthHigh critical")]),
    ("The pool was restarted at 11:05 UTC", [id_of("Restarted")]),
    ("Marcus restarted the pool with batch size 50", [id_of("Restarted")]),
    ("Kim Sato rolled mail-worker back to 3.1.4 in zone b", [id_of("Rolled mail-worker")]),
    ("The smtp relay caused the stall", [id_of("smtp relay")]),
    ("The relay password is " + PASSWORD, [id_of("password")]),
    ("Customers are owed a 100% refund", [id_of("Ignore all")]),
    ("The database was deleted", ["e999"]),
]


def _claims(rows: list[tuple[str, list[str]]]) -> dict[str, Any]:
    return {"claims": [{"text": text, "cites": cites} for text, cites in rows]}


def _section(request: dict[str, Any]) -> str:
    question = request["messages"][1]["content"].rsplit("Write ", 1)[1]
    words = {"the summary": "summary", "what contributed": "causes", "how the response": "response"}
    return next((name for start, name in words.items() if question.startswith(start)), "lessons")


def _honest(request: dict[str, Any], _: int) -> Answer:
    return said(_claims(HONEST[_section(request)]))


def _drafter(base_url: str, timeout: float = 5.0) -> OpenAIDrafter:
    return OpenAIDrafter(
        base_url,
        "key-of-the-test",
        "scripted",
        timeout,
        marker=lambda: "m4rk3r",
        sleep=lambda _: None,
    )


def _draft(script: Script, timeout: float = 5.0) -> str:
    with scripted_model(script) as model:
        return draft_record(incident(), "postmortem", _drafter(model.base_url, timeout))


def test_an_honest_model_adds_prose_and_the_facts_stay() -> None:
    told = _draft(_honest)
    for rows in HONEST.values():
        for text, _ in rows:
            assert text in told
    for line in ALONE.splitlines():
        if line.startswith(("- ", "| ")):
            assert line in told


def test_the_sentences_of_a_lying_model_are_left_out() -> None:
    told = _draft(lambda request, _: said(_claims(LIES + HONEST[_section(request)])))
    for text, _ in LIES:
        assert text not in told
    assert HONEST["causes"][0][0] in told


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b'{"error": {"message": "out of memory"}}', status=500),
        Answer(b"<html>Bad gateway</html>", status=502, content_type="text/html"),
        Answer(b"<html>Sign in</html>", content_type="text/html"),
        Answer(b'{"error": {"message": "bad key"}}', status=401),
        Answer(b'{"error": {"message": "slow down"}}', status=429, headers={"retry-after": "1"}),
        Answer(b'{"choices": [', content_type="application/json"),
        Answer(b"[]"),
        Answer(b"null"),
        Answer(b'{"choices": []}'),
        Answer(b'{"choices": [{"message": {"content": null}}]}'),
        said("I'm sorry, as a language model I can't."),
        said('{"claims": "none"}'),
        said('{"claims": [{"text": 7}]}'),
        said("[" * 50_000),
    ],
    ids=range(14),
)
def test_a_broken_model_costs_the_prose_and_nothing_else(answer: Answer) -> None:
    told = _draft(lambda *_: answer)
    assert told.startswith(ALONE)
    assert NO_PROSE in told


def test_a_model_that_hangs_costs_its_time_limit_and_no_more() -> None:
    began = time.monotonic()
    drip = Answer(said(_claims(LIES)).body * 50, hang=True)
    told = _draft(lambda *_: drip, timeout=0.5)
    assert time.monotonic() - began < 5.5
    assert told.startswith(ALONE)


def test_a_model_that_is_not_there_costs_the_prose_and_nothing_else() -> None:
    with scripted_model(_honest) as model:
        gone = model.base_url
    assert draft_record(incident(), "postmortem", _drafter(gone)).startswith(ALONE)


def test_a_failure_late_in_the_draft_keeps_what_was_answered() -> None:
    def script(request: dict[str, Any], _: int) -> Answer:
        if _section(request) == "summary":
            return _honest(request, 0)
        return Answer(b"{}", status=503)

    told = _draft(script)
    assert HONEST["summary"][0][0] in told
    assert NO_PROSE not in told


@pytest.mark.parametrize(
    "wrap",
    [
        lambda reply: f"Sure! Here it is:\n```json\n{reply}\n```\nAnything else?",
        lambda reply: f"<think>hm</think>{reply}",
        lambda reply: json.dumps(json.loads(reply)["claims"]),
        lambda reply: reply.replace('["e', '"[e').replace('"]', ']"').replace(f'{LOCK}"', LOCK),
    ],
    ids=["fenced", "chatty", "bare list", "cites as text"],
)
def test_a_reply_in_a_slightly_wrong_shape_is_read(wrap: Any) -> None:
    reply = json.dumps({"claims": [{"text": HONEST["causes"][0][0], "cites": [LOCK]}]})
    assert HONEST["causes"][0][0] in _draft(lambda *_: said(wrap(reply)))


def test_an_unreadable_reply_is_asked_for_again_once() -> None:
    def script(request: dict[str, Any], _: int) -> Answer:
        return _honest(request, 0) if len(request["messages"]) == 4 else said("certainly!")

    with scripted_model(script) as model:
        claims = _drafter(model.base_url).draft(RECORD, "summary")
    assert [len(r["messages"]) for r in model.requests] == [2, 4]
    assert claims[0] == Claim(HONEST["summary"][0][0], "summary", tuple(HONEST["summary"][0][1]))


def test_a_busy_server_is_asked_again_after_the_time_it_named() -> None:
    waits: list[float] = []
    busy = Answer(b"{}", status=429, headers={"retry-after": "2"})
    with scripted_model(lambda r, n: busy if n == 1 else _honest(r, n)) as model:
        drafter = OpenAIDrafter(model.base_url, "k", "scripted", 30.0, sleep=waits.append)
        assert drafter.draft(RECORD, "summary")
    assert waits == [2.0]


def test_a_server_that_knows_no_schema_is_asked_without_it() -> None:
    refusal = Answer(b'{"error": {"message": "response_format is not supported"}}', status=400)

    def script(request: dict[str, Any], n: int) -> Answer:
        return refusal if "response_format" in request else _honest(request, n)

    with scripted_model(script) as model:
        assert _drafter(model.base_url).draft(RECORD, "postmortem")
    assert ["response_format" in r for r in model.requests].count(True) == 1


def test_no_secret_and_no_outside_text_is_sent_and_the_record_stays_in_its_fence() -> None:
    with scripted_model(_honest) as model:
        _drafter(model.base_url).draft(RECORD, "postmortem")
    assert model.paths == ["/v1/chat/completions"] * 4
    for request in model.requests:
        sent = json.dumps(request)
        assert PASSWORD not in sent
        assert "Ignore all previous" not in sent
        assert "[secret-1]" in sent
        system, user = (m["content"] for m in request["messages"])
        assert "QueueDepthHigh" not in system
        fenced = user.split("=== LEDGER m4rk3r ===", 1)[1].split("=== END OF LEDGER m4rk3r ===")[0]
        assert "QueueDepthHigh" in fenced
        assert "QueueDepthHigh" not in user.replace(fenced, "")


def test_a_long_incident_is_asked_about_in_one_window_of_150_entries() -> None:
    data = incident()
    data["events"] = [
        {**event, "id": f"e{n:02d}{k:03d}"}
        for k in range(40)
        for n, event in enumerate(data["events"])
    ]
    with scripted_model(lambda *_: said({"claims": []})) as model:
        _drafter(model.base_url).draft(parse_record(data), "summary")
    schema = model.requests[0]["response_format"]["json_schema"]["schema"]
    ids = schema["properties"]["claims"]["items"]["properties"]["cites"]["items"]["enum"]
    assert len(ids) == 151
    assert "e22039" in ids, "the newest status change is among them"


def test_a_refused_key_is_a_permanent_error() -> None:
    with (
        scripted_model(lambda *_: Answer(b"{}", status=401)) as model,
        pytest.raises(DeliveryError) as caught,
    ):
        _drafter(model.base_url).draft(RECORD, "summary")
    assert caught.value.permanent
    assert len(model.requests) == 1
