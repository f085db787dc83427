"""A model may add prose to a draft; whatever it does wrong costs the prose and nothing else."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from oncall_bot.core.config import Llm, Price
from oncall_bot.core.disclosure import Scope, disclose
from oncall_bot.core.drafts import draft
from oncall_bot.core.records import parse_record
from oncall_bot.core.spending import Spent
from oncall_bot.core.verification import Claim
from oncall_bot.llm.client import Model
from oncall_bot.llm.drafter import ModelDrafter
from oncall_bot.llm.drafting import write_draft
from oncall_bot.llm.exchange import Ending, ModelCall
from oncall_bot.ports import Assignment, Prose
from tests.fakes.incidents import PASSWORD, id_of, incident
from tests.fakes.models import Answer, Script, ScriptedModel, said, scripted_model

NO_PROSE = "No prose was added"
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


def _assignment(kind: str = "postmortem", data: Any = None, llm: Llm | None = None) -> Assignment:
    record = parse_record(data or incident())
    scope = Scope(record.severity, services=record.services)
    texts = [event.text for event in record.events]
    disclosure = disclose(llm or Llm(), scope, "scripted", Spent(), (), texts)
    return Assignment(record, kind, disclosure, incident_id=7, draft_id=9)


def _drafter(
    base_url: str, timeout: float = 5.0, calls: list[ModelCall] | None = None
) -> ModelDrafter:
    model = Model(
        base_url,
        "key-of-the-test",
        "scripted",
        observe=(calls if calls is not None else []).append,
        sleep=lambda _: None,
    )
    return ModelDrafter(model, reply_within=timeout, marker=lambda: "m4rk3r")


def _draft(script: Script, timeout: float = 5.0) -> str:
    with scripted_model(script) as model:
        return write_draft(_assignment(), _drafter(model.base_url, timeout)).markdown


def _prose(script: Script, assignment: Assignment) -> tuple[Prose, ScriptedModel]:
    with scripted_model(script) as model:
        return _drafter(model.base_url).draft(assignment), model


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
    assert time.monotonic() - began < 15.0
    assert told.startswith(ALONE)


def test_a_model_that_is_not_there_costs_the_prose_and_nothing_else() -> None:
    with scripted_model(_honest) as model:
        gone = model.base_url
    assert write_draft(_assignment(), _drafter(gone)).markdown.startswith(ALONE)


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

    prose, model = _prose(script, _assignment("summary"))
    assert [len(r["messages"]) for r in model.requests] == [2, 4]
    told = HONEST["summary"][0]
    assert prose.claims[0] == Claim(told[0], "summary", tuple(told[1]))
    assert prose.missing == ""


def test_sentences_that_were_not_kept_are_asked_for_once_more_with_the_reasons() -> None:
    wrong, right = LIES[0], HONEST["summary"][0]

    def script(request: dict[str, Any], _: int) -> Answer:
        if len(request["messages"]) == 4:
            assert "84,000" in request["messages"][3]["content"]
            assert "is not in what it cites" in request["messages"][3]["content"]
            return said(_claims([right]))
        return said(_claims([wrong, HONEST["summary"][1]]))

    prose, model = _prose(script, _assignment("summary"))
    assert len(model.requests) == 2
    assert [c.text for c in prose.claims] == [HONEST["summary"][1][0], right[0]]
    assert [(j.kept, j.marked, j.dropped) for j in prose.judged] == [(1, 0, 1), (1, 0, 0)]


def test_a_model_that_lies_twice_is_not_asked_a_third_time() -> None:
    prose, model = _prose(lambda *_: said(_claims([LIES[0]])), _assignment("summary"))
    assert len(model.requests) == 2
    assert [(j.kept, j.dropped) for j in prose.judged] == [(0, 1), (0, 1)]


def test_of_a_reply_that_was_cut_off_the_whole_sentences_stay() -> None:
    whole = json.dumps(_claims(HONEST["summary"]))
    prose, _ = _prose(lambda *_: said(whole[:-40], finish_reason="length"), _assignment("summary"))
    assert [c.text for c in prose.claims] == [text for text, _ in HONEST["summary"][:2]]


def test_what_is_to_be_checked_stands_apart_and_never_in_the_draft() -> None:
    doubted = ("The lock of 90 s per batch caused the stall", [LOCK])
    with scripted_model(lambda *_: said(_claims([doubted, LIES[0]]))) as model:
        done = write_draft(_assignment(), _drafter(model.base_url))
    assert doubted[0] not in done.markdown
    assert LIES[0][0] not in done.markdown
    check, left_out = done.review.split("## Left out")
    assert doubted[0] in check
    assert "nobody confirmed" in check
    assert LIES[0][0] in left_out


def test_a_server_that_knows_no_schema_is_asked_without_it() -> None:
    refusal = Answer(b'{"error": {"message": "response_format is not supported"}}', status=400)

    def script(request: dict[str, Any], n: int) -> Answer:
        return refusal if "response_format" in request else _honest(request, n)

    prose, model = _prose(script, _assignment())
    assert prose.claims
    formats = [r.get("response_format", {}).get("type") for r in model.requests]
    assert formats == ["json_schema", "json_object", None, None, None, None]


def test_no_secret_and_no_outside_text_is_sent_and_the_record_stays_in_its_fence() -> None:
    with scripted_model(_honest) as model:
        _drafter(model.base_url).draft(_assignment())
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


def _long(times: int) -> dict[str, Any]:
    """The same incident again and again, with new ids and other words for what would be folded."""
    data = incident()
    rows = list(data["events"])
    data["events"] = [
        {**event, "id": f"e{k * len(rows) + n:05d}", "text": f"{event['text']} (part {k + 1})"}
        for k in range(times)
        for n, event in enumerate(rows, 1)
    ]
    return data


ORDERED: list[dict[str, Any]] = [
    {"text": "The pool was restarted with batch size 50 at 10:05 UTC", "from": ["c01", "c02"]},
    {"text": "The pool was restarted with batch size 50 at 10:06 UTC", "from": ["c01"]},
    {"text": "The pool was restarted with batch size 50", "from": ["c99"]},
]


def _window_ids(request: dict[str, Any]) -> list[str]:
    shape = request["response_format"]["json_schema"]["schema"]
    fields = shape["properties"]["claims"]["items"]["properties"]
    return list(fields["cites"]["items"]["enum"]) if "cites" in fields else []


def test_a_long_incident_is_read_in_windows_and_its_newest_entries_are_never_left_out() -> None:
    data = _long(210)
    prose, model = _prose(lambda *_: said({"claims": []}), _assignment(data=data))
    windows = [ids for ids in map(_window_ids, model.requests) if ids]
    assert len(windows) > 5
    assert all(len(ids) <= 152 for ids in windows), "150 entries, the computed facts and the alert"
    assert any("e05250" in ids for ids in windows)
    assert prose.used_tokens <= 250_000
    assert prose.missing == ""


def test_what_windows_found_is_ordered_without_new_sources_and_verified_again() -> None:
    data = _long(20)
    texts = {event["id"]: event["text"] for event in data["events"]}
    orders: list[str] = []

    def script(request: dict[str, Any], _: int) -> Answer:
        ids = _window_ids(request)
        if not ids:
            orders.append(request["messages"][1]["content"])
            return said({"claims": ORDERED})
        restarts = [i for i in ids if "Restarted" in texts.get(i, "")]
        parts = [(i, texts[i].partition("(")[2].rstrip(")")) for i in restarts]
        told = [(f"The pool was restarted with batch size 50 ({part})", [i]) for i, part in parts]
        rows = [{"text": t, "cites": c, "section": "response"} for t, c in told]
        return said({"claims": rows})

    prose, _ = _prose(script, _assignment(data=data))
    (order,) = orders
    assert order.count("The pool was restarted") == 20
    assert "e0" not in order.partition("=== END")[0], "only sentences, no sources to cite"
    assert [c.text for c in prose.claims] == [ORDERED[0]["text"]]
    assert len(prose.claims[0].cites) == 2


def test_a_window_too_long_for_the_model_is_halved_and_so_for_the_next_draft() -> None:
    too_long = Answer(b'{"error": {"message": "the request exceeds the context size"}}', status=400)

    def script(request: dict[str, Any], _: int) -> Answer:
        return too_long if len(request["messages"][1]["content"]) > 12_000 else said({"claims": []})

    with scripted_model(script) as model:
        drafter = _drafter(model.base_url)
        assert drafter.draft(_assignment(data=_long(6))).missing == ""
        asked = len(model.requests)
        assert drafter.draft(_assignment("summary", data=_long(6))).missing == ""
        halved = list(model.requests[asked:])
    assert all(len(r["messages"][1]["content"]) <= 12_000 for r in halved)


def test_the_second_draft_asks_only_about_what_is_new() -> None:
    data = _long(13)
    newer = {
        **data,
        "events": [*data["events"], {**data["events"][-1], "id": "e99999", "text": "All quiet"}],
    }
    with scripted_model(
        lambda *_: said(
            _claims([])
            | {
                "claims": [
                    {"text": "It began at 09:45 UTC", "cites": ["calc"], "section": "summary"}
                ]
            }
        )
    ) as model:
        drafter = _drafter(model.base_url)
        drafter.draft(_assignment(data=data))
        first = len(model.requests)
        drafter.draft(_assignment(data=newer))
    assert 0 < len(model.requests) - first < first


@pytest.mark.parametrize(
    "llm",
    [
        Llm(sends=("severity:SEV1",)),
        Llm(sends=()),
    ],
)
def test_an_incident_that_may_not_be_sent_is_not_sent_and_the_draft_says_so(llm: Llm) -> None:
    with scripted_model(_honest) as model:
        done = write_draft(_assignment(llm=llm), _drafter(model.base_url))
    assert model.requests == []
    assert done.markdown.startswith(ALONE)
    assert "llm.sends does not name this incident" in done.markdown


def test_a_cap_that_one_call_would_break_leaves_the_facts_alone_and_one_line() -> None:
    llm = Llm(daily_cap="0.01 USD", prices={"scripted": Price(100.0, 100.0)})
    with scripted_model(_honest) as model:
        done = write_draft(_assignment(llm=llm), _drafter(model.base_url))
    assert model.requests == []
    assert done.markdown.startswith(ALONE)
    assert "used up" in done.markdown


def test_a_draft_stays_within_its_tokens_and_says_what_is_missing() -> None:
    llm = Llm(tokens_per_draft=6_000)
    with scripted_model(
        lambda r, _: said(_claims(HONEST[_section(r)]), usage=(2_000, 300))
    ) as model:
        done = write_draft(_assignment(llm=llm), _drafter(model.base_url))
    assert 0 < len(model.requests) < 4
    assert done.used_tokens <= 6_000
    assert HONEST["summary"][0][0] in done.markdown
    assert "Some prose is missing" in done.markdown


def test_values_of_withheld_labels_never_leave_and_come_back_at_home() -> None:
    data = incident()
    data["events"][1]["text"] += ' {customer="Acme GmbH"}'
    data["events"][6]["text"] += " (told by acme gmbh)"
    fired = data["events"][1]["id"]
    llm = Llm(never_labels=("customer",))
    sentence = "The queue of [withheld-1] held 48,000 messages"
    with scripted_model(lambda *_: said(_claims([(sentence, [fired])]))) as model:
        done = write_draft(_assignment(data=data, llm=llm), _drafter(model.base_url))
    assert "acme" not in json.dumps(model.requests).lower()
    assert "The queue of Acme GmbH held 48,000 messages" in done.markdown


def test_every_call_is_written_down_with_what_it_was_for() -> None:
    calls: list[ModelCall] = []
    with scripted_model(_honest) as model:
        _drafter(model.base_url, calls=calls).draft(_assignment())
    assert [(c.purpose, c.outcome, c.incident_id, c.draft_id) for c in calls] == [
        ("draft", Ending.ANSWERED, 7, 9)
    ] * 4
    assert all(c.redactions == 1 for c in calls)
    assert len({c.prompt_sha256 for c in calls}) == 4


def test_the_estimate_before_is_not_below_what_was_used() -> None:
    with scripted_model(_honest) as model:
        drafter = _drafter(model.base_url)
        most = drafter.estimate(_assignment())
        assert 0 < drafter.draft(_assignment()).used_tokens <= most.tokens


def test_a_refused_key_ends_the_asking() -> None:
    prose, model = _prose(lambda *_: Answer(b"{}", status=401), _assignment())
    assert prose.claims == ()
    assert prose.missing.startswith(NO_PROSE)
    assert len(model.requests) == 1
