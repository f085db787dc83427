"""A log line tells what happened, and never a secret, whoever wrote it."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from oncall_bot.core.errors import BadInput
from oncall_bot.telemetry import logs

SECRET = "xoxb-1111111111-2222222222-abcdefABCDEF"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """The process's log at DEBUG; afterwards everything is as it was."""
    root = logging.getLogger()
    before = list(root.handlers), root.level
    stream = io.StringIO()
    logs.configure("DEBUG", "json", stream=stream)
    yield stream
    root.handlers[:], root.level = before
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def read(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_time_level_room_and_fields(lines: io.StringIO) -> None:
    logs.get_logger("paging").info("page sent", page_id=7, road="push")
    [line] = read(lines)
    assert line["event"] == "page sent"
    assert (line["level"], line["logger"], line["page_id"], line["road"]) == (
        "info",
        "paging",
        7,
        "push",
    )
    assert line["timestamp"].endswith("Z")


def test_secrets_are_hidden_in_events_values_names_and_depths(lines: io.StringIO) -> None:
    logs.get_logger("x").warning(
        f"tried {SECRET}",
        url="https://bot:hunter2hunter2@ntfy.example.com/x",
        api_token="plain-looking-words",
        headers={"Authorization": "Basic abc", "cookies": ["a"], "deep": [{"password": "p4ss"}]},
        password=b"bytes",
    )
    text = lines.getvalue()
    for secret in (SECRET, "hunter2", "plain-looking-words", "Basic abc", "p4ss", "bytes"):
        assert secret not in text


def test_counts_of_tokens_are_no_tokens(lines: io.StringIO) -> None:
    logs.get_logger("llm").info("draft written", prompt_tokens=812)
    assert read(lines)[0]["prompt_tokens"] == 812


def test_an_acknowledge_link_is_a_key_and_is_hidden(lines: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").info(
        '%s - "POST %s HTTP/1.1"', "10.0.0.1", "/ack/abc.def?again=1"
    )
    logging.getLogger("x").info("calendar /ical/0123abc.ics read")
    text = lines.getvalue()
    assert "abc.def" not in text
    assert "0123abc" not in text
    assert "/ack/[hidden]" in text


def test_keys_in_paths_are_hidden(lines: io.StringIO) -> None:
    logging.getLogger("web").error("request failed %s", "/sign-in/kEy-0123?to=/schedules")
    assert "kEy-0123" not in lines.getvalue()
    assert "/sign-in/[hidden]" in lines.getvalue()
    logging.getLogger("web").error("request failed %s", "/phone/voice-2/key/kEy-4567")
    assert "kEy-4567" not in lines.getvalue()


def test_libraries_speak_through_the_same_filter(lines: io.StringIO) -> None:
    logging.getLogger("slack_sdk.web").warning("sending with token %s", SECRET)
    logging.getLogger("uvicorn.error").error("broken: %s", SECRET)
    found = read(lines)
    assert [line["logger"] for line in found] == ["slack_sdk.web", "uvicorn.error"]
    assert SECRET not in lines.getvalue()


def test_a_traceback_keeps_its_end_and_loses_its_secrets(lines: io.StringIO) -> None:
    def fail(depth: int) -> None:
        if not depth:
            raise RuntimeError(f"refused {SECRET} " + "x" * 9000 + " the end")
        fail(depth - 1)

    try:
        fail(30)
    except RuntimeError:
        logging.getLogger("engine").exception("a duty failed")
    [line] = read(lines)
    assert SECRET not in lines.getvalue()
    assert line["exception"].rstrip().endswith("the end")
    assert len(line["exception"]) < logs.MAX_TRACE + 200


def test_what_comes_from_outside_is_bounded_and_stays_on_its_line(lines: io.StringIO) -> None:
    logs.get_logger("x").info("alert", text='a\n{"event": "forged"}\r\x1b[31m\u202e' + "y" * 10**6)
    logs.get_logger("x").info("many", labels={str(n): "v" for n in range(1000)}, body=b"\x00" * 99)
    first, second = read(lines)
    assert len(first["text"]) <= logs.MAX_VALUE + 1
    assert not set(first["text"]) & set("\n\r\x1b\u202e")
    assert len(second["labels"]) == logs.MAX_ITEMS
    assert second["body"] == "(99 bytes)"


async def test_every_line_about_an_incident_says_which(lines: io.StringIO) -> None:
    async def work(incident_id: int) -> None:
        with logs.about(incident_id=incident_id):
            await asyncio.sleep(0)
            logging.getLogger("lib").info("inside")

    await asyncio.gather(work(1), work(2))
    logging.getLogger("lib").info("outside")
    assert [line.get("incident_id") for line in read(lines)] == [1, 2, None]


def test_a_line_that_cannot_be_written_stops_nothing_and_tells_nothing(lines: io.StringIO) -> None:
    class Broken:
        def __str__(self) -> str:
            raise ValueError(SECRET)

    logs.get_logger("x").info("half", what=Broken())
    assert lines.getvalue() == "a log line of x could not be written\n"


def test_a_terminal_gets_readable_lines_without_secrets(lines: io.StringIO) -> None:
    stream = io.StringIO()
    logs.configure("INFO", "console", stream=stream)
    logs.get_logger("x").info("page sent", to=SECRET, page_id=7)
    logs.get_logger("x").debug("not shown")
    assert "page sent" in stream.getvalue()
    assert "page_id" in stream.getvalue()
    assert SECRET not in stream.getvalue()
    assert "not shown" not in stream.getvalue()
    assert lines.getvalue() == ""  # the former arrangement is replaced


def test_warnings_of_libraries_are_log_lines(lines: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("an old call", DeprecationWarning, stacklevel=1)
    assert read(lines)[0]["logger"] == "py.warnings"


@pytest.mark.parametrize(("level", "form"), [("LOUD", "json"), ("INFO", "xml")])
def test_a_wrong_setting_is_named(level: str, form: str) -> None:
    with pytest.raises(BadInput, match="is not one of"):
        logs.configure(level, form)
