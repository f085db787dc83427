"""One way to a model: bounded in time, counted, and clear about what went wrong."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from oncall_bot.llm.breaker import Breaker
from oncall_bot.llm.client import Model
from oncall_bot.llm.exchange import (
    Ending,
    ModelCall,
    ModelError,
    Reply,
    Subject,
    TooLongError,
    ToolsRefusedError,
)
from tests.fakes.models import Answer, Script, said, scripted_model, streamed

ASKED = [{"role": "user", "content": "How many?"}]
TOOL = {"type": "function", "function": {"name": "who_is_on_call", "parameters": {}}}
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
PASSWORD = "hunter2-Zebra-99"


class Asked:
    """What one question brought: the reply or the error, the text as it came, and the books."""

    def __init__(self, script: Script, **options: Any) -> None:
        self.calls: list[ModelCall] = []
        self.heard: list[str] = []
        self.waits: list[float] = []
        stream = options.pop("stream", False)
        options = {"max_tokens": 50, "within": 5.0, "purpose": "test"} | options
        messages = options.pop("messages", ASKED)
        if stream:
            options["on_text"] = self.heard.append
        self.error: ModelError | None = None
        self.reply: Reply | None = None
        with scripted_model(script) as server:
            model = Model(
                server.base_url, "k", "m1", observe=self.calls.append, sleep=self.waits.append
            )
            try:
                self.reply = model.ask(messages, **options)
            except ModelError as error:
                self.error = error
        self.requests = server.requests

    @property
    def told(self) -> Reply:
        assert self.reply is not None, self.error
        return self.reply


def test_a_reply_has_its_text_its_end_and_what_the_server_counted() -> None:
    asked = Asked(lambda *_: said("Four.", usage=(11, 2)), subject=Subject(7, 9))
    assert asked.told.text == "Four."
    assert asked.told.finish_reason == "stop"
    assert (asked.told.usage.prompt_tokens, asked.told.usage.completion_tokens) == (11, 2)
    (call,) = asked.calls
    assert (call.outcome, call.purpose, call.incident_id, call.draft_id) == (
        Ending.ANSWERED,
        "test",
        7,
        9,
    )
    assert not call.usage.estimated
    assert len(call.prompt_sha256) == 64


def test_tokens_nobody_counted_are_estimated_from_bytes() -> None:
    usage = Asked(lambda *_: said("x" * 300)).told.usage
    assert usage.estimated
    assert usage.completion_tokens == 100
    assert 3 < usage.prompt_tokens < 30


def test_a_stream_is_heard_as_it_comes() -> None:
    asked = Asked(lambda *_: streamed(["Fo", "ur", "."], usage=(11, 2)), stream=True)
    assert asked.heard == ["Fo", "ur", "."]
    assert asked.told.text == "Four."
    assert asked.told.usage.prompt_tokens == 11
    assert asked.requests[0]["stream_options"] == {"include_usage": True}


def test_a_stream_that_is_cut_leaves_what_arrived() -> None:
    asked = Asked(lambda *_: streamed(["Fo", "ur"], cut=True), stream=True)
    assert asked.told.text == "Four"
    assert asked.told.finish_reason == "cut"
    assert asked.calls[0].outcome == Ending.CUT
    assert len(asked.requests) == 1, "who heard half an answer does not hear it twice"


def test_a_stream_that_does_not_end_is_cut_at_the_deadline() -> None:
    began = time.monotonic()
    slow = streamed(["Four"] * 500, hang=True)
    asked = Asked(lambda *_: slow, stream=True, within=4.0)
    assert time.monotonic() - began < 20.0
    assert asked.told.finish_reason == "cut"
    assert asked.calls[0].outcome == Ending.LATE


def test_a_server_without_streams_is_heard_in_one_piece() -> None:
    asked = Asked(lambda *_: said("Four."), stream=True)
    assert asked.heard == ["Four."]
    assert asked.told.text == "Four."


def test_a_reply_that_ran_into_max_tokens_says_so() -> None:
    asked = Asked(lambda *_: said("One two thr", finish_reason="length"))
    assert asked.told.finish_reason == "length"
    assert asked.calls[0].outcome == Ending.TRUNCATED


@pytest.mark.parametrize("stream", [False, True])
def test_tool_calls_come_whole(stream: bool) -> None:
    wanted = [("who_is_on_call", {"rotation": "shop"}), ("list_incidents", {})]
    answer = streamed([], tools=wanted) if stream else said(None, tools=wanted)
    asked = Asked(lambda *_: answer, stream=stream, tools=[TOOL])
    calls = [(c.id, c.name, json.loads(c.arguments)) for c in asked.told.tool_calls]
    assert calls == [
        ("call_1", "who_is_on_call", {"rotation": "shop"}),
        ("call_2", "list_incidents", {}),
    ]
    assert asked.told.finish_reason == "tool_calls"


def test_a_server_that_takes_no_tools_says_so_once_and_is_not_asked_again() -> None:
    refusal = Answer(b'{"error": {"message": "tools is not supported"}}', status=400)
    with scripted_model(lambda *_: refusal) as server:
        model = Model(server.base_url, "k", "m1")
        for _ in range(2):
            with pytest.raises(ToolsRefusedError):
                model.ask(ASKED, tools=[TOOL], max_tokens=5, within=5.0, purpose="test")
        assert not model.takes_tools
    assert len(server.requests) == 1


def test_a_schema_steps_back_to_plain_json_and_then_to_nothing() -> None:
    refusal = Answer(b'{"error": {"message": "response_format not available"}}', status=400)
    asked = Asked(
        lambda request, _: refusal if "response_format" in request else said('{"n": 4}'),
        schema=SCHEMA,
    )
    assert asked.told.text == '{"n": 4}'
    formats = [r.get("response_format", {}).get("type") for r in asked.requests]
    assert formats == ["json_schema", "json_object", None]


def test_a_server_of_the_newer_kind_is_asked_with_max_completion_tokens() -> None:
    refusal = Answer(
        b'{"error": {"message": "Use max_completion_tokens, max_tokens is gone"}}', status=400
    )
    asked = Asked(lambda request, _: refusal if "max_tokens" in request else said("Four."))
    assert asked.told.text == "Four."
    assert asked.requests[-1]["max_completion_tokens"] == 50


@pytest.mark.parametrize(
    ("answer", "ending", "permanent"),
    [
        (Answer(b"<html>Sign in</html>", content_type="text/html"), Ending.GARBAGE, False),
        (Answer(b"{}" * 3), Ending.GARBAGE, False),
        (Answer(b"[]"), Ending.GARBAGE, False),
        (Answer(b'{"choices": []}'), Ending.GARBAGE, False),
        (Answer(b"no", status=500), Ending.BROKEN, False),
        (Answer(b"<html>", status=502, content_type="text/html"), Ending.BROKEN, False),
        (Answer(b"{}", status=429), Ending.BUSY, False),
        (Answer(b"{}", status=401), Ending.REFUSED, True),
        (Answer(b"", status=307, headers={"location": "/v1/else"}), Ending.REFUSED, True),
        (Answer(b'{"error": {"message": "bad request"}}', status=400), Ending.REFUSED, True),
    ],
    ids=range(10),
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_went_wrong_has_a_name(
    answer: Answer, ending: Ending, permanent: bool, stream: bool
) -> None:
    asked = Asked(lambda *_: answer, stream=stream)
    assert asked.error is not None
    assert (asked.error.ending, asked.error.permanent) == (ending, permanent)
    assert [call.outcome for call in asked.calls] == [ending]
    assert len(asked.requests) == (1 if permanent else 2) + (stream and ending is Ending.GARBAGE)
    assert asked.heard == []


@pytest.mark.parametrize(
    "body",
    [
        {"code": "context_length_exceeded", "message": "maximum context length is 8192 tokens"},
        {"type": "exceed_context_size_error", "message": "the request exceeds the context size"},
        {"message": "prompt is too long: 9000 tokens > 4096"},
    ],
)
def test_a_prompt_that_is_too_long_has_an_error_of_its_own(body: dict[str, str]) -> None:
    answer = Answer(json.dumps({"error": body}).encode(), status=400)
    asked = Asked(lambda *_: answer)
    assert isinstance(asked.error, TooLongError)
    assert asked.calls[0].outcome == Ending.TOO_LONG


def test_a_busy_server_is_asked_again_after_the_time_it_named() -> None:
    busy = Answer(b"{}", status=429, headers={"retry-after": "2"})
    asked = Asked(lambda _, n: busy if n == 1 else said("Four."), within=30.0)
    assert asked.told.text == "Four."
    assert asked.waits == [2.0]
    assert [call.outcome for call in asked.calls] == [Ending.ANSWERED]


def test_a_server_that_names_a_long_time_is_not_waited_for() -> None:
    busy = Answer(b"{}", status=429, headers={"retry-after": "600"})
    asked = Asked(lambda *_: busy)
    assert asked.waits == []
    assert asked.error is not None
    assert asked.error.retry_after == 600.0


def test_a_late_reply_costs_its_time_and_is_counted_as_if_it_had_come() -> None:
    drip = Answer(said("Four.").body * 50, hang=True)
    asked = Asked(lambda *_: drip, within=0.5)
    assert asked.error is not None
    assert asked.error.ending is Ending.LATE
    assert asked.calls[0].usage.completion_tokens == 50
    assert asked.calls[0].usage.estimated


def test_a_server_that_keeps_failing_is_left_alone_then_tried_again() -> None:
    now, broken = [0.0], [True]
    with scripted_model(lambda *_: Answer(b"", status=500) if broken[0] else said("Four.")) as s:
        model = Model(
            s.base_url,
            "k",
            "m1",
            breaker=Breaker(2, 30.0),
            sleep=lambda _: None,
            seconds=lambda: now[0],
        )

        def ask() -> str:
            return model.ask(ASKED, max_tokens=5, within=5.0, purpose="test").text

        with pytest.raises(ModelError):
            ask()
        with pytest.raises(ModelError, match="left alone for 30 s"):
            ask()
        asked_so_far = len(s.requests)
        now[0], broken[0] = 30.0, False
        assert ask() == "Four."
        assert ask() == "Four."
    assert asked_so_far == 2
    assert len(s.requests) == 4


def test_secrets_that_were_overlooked_do_not_leave() -> None:
    messages = [
        {"role": "system", "content": "Help."},
        {"role": "user", "content": f"the password is {PASSWORD}, and [secret-1] is gone"},
        {"role": "tool", "tool_call_id": "call_1", "content": f"password={PASSWORD}"},
    ]
    asked = Asked(lambda *_: said("Four."), messages=messages)
    assert PASSWORD not in json.dumps(asked.requests)
    assert asked.requests[0]["messages"][2]["tool_call_id"] == "call_1"
    assert asked.calls[0].redactions == 2


def test_several_threads_may_ask_at_once() -> None:
    with scripted_model(lambda r, _: said(r["messages"][0]["content"])) as server:
        model = Model(server.base_url, "k", "m1")
        heard: dict[int, str] = {}

        def ask(n: int) -> None:
            asked = [{"role": "user", "content": f"n{n}"}]
            heard[n] = model.ask(asked, max_tokens=5, within=10.0, purpose="test").text

        threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert heard == {n: f"n{n}" for n in range(8)}
