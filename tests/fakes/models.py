"""A model behind an OpenAI-shaped server on loopback that says what the test wrote for it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """One HTTP answer; `hang` waits until the server is stopped before the body is finished.

    `cut` closes the line where the body ends, though more was promised.
    """

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    cut: bool = False


def said(
    content: object,
    *,
    finish_reason: str = "stop",
    tools: Sequence[tuple[str, Mapping[str, Any]]] = (),
    usage: tuple[int, int] | None = None,
) -> Answer:
    """A completion with this text, or with this object as JSON; `tools` are the calls it asks for."""
    text = content if isinstance(content, str) or content is None else json.dumps(content)
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if tools:
        message["tool_calls"] = _tool_calls(tools)
        finish_reason = "tool_calls"
    completion: dict[str, Any] = {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted",
        "choices": [{"index": 0, "finish_reason": finish_reason, "message": message}],
    }
    if usage is not None:
        completion["usage"] = _usage(usage)
    return Answer(json.dumps(completion).encode())


def streamed(
    texts: Sequence[str],
    *,
    finish_reason: str | None = "stop",
    tools: Sequence[tuple[str, Mapping[str, Any]]] = (),
    usage: tuple[int, int] | None = None,
    cut: bool = False,
    hang: bool = False,
) -> Answer:
    """The same as server-sent events, one for each text; `cut` leaves out the end and breaks the line."""
    deltas: list[dict[str, Any]] = [{"content": text} for text in texts]
    for n, row in enumerate(_tool_calls(tools)):
        arguments = row["function"].pop("arguments")
        half = len(arguments) // 2
        begun = {**row, "index": n, "function": {**row["function"], "arguments": arguments[:half]}}
        rest = {"index": n, "function": {"arguments": arguments[half:]}}
        deltas += [{"tool_calls": [begun]}, {"tool_calls": [rest]}]
    chunks = [_chunk([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
    if not cut:
        last = "tool_calls" if tools else finish_reason
        chunks.append(_chunk([{"index": 0, "delta": {}, "finish_reason": last}]))
        if usage is not None:
            chunks.append(_chunk([], usage=_usage(usage)))
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    body = "".join([*lines, *([] if cut else ["data: [DONE]\n\n"])])
    return Answer(body.encode(), content_type="text/event-stream", cut=cut, hang=hang)


def _tool_calls(tools: Sequence[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    return [
        {
            "id": f"call_{n}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for n, (name, arguments) in enumerate(tools, 1)
    ]


def _chunk(choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "scripted"}
    return {**head, "choices": choices, **more}


def _usage(counted: tuple[int, int]) -> dict[str, int]:
    prompt, completion = counted
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


Script = Callable[[dict[str, Any], int], Answer]


@dataclass
class ScriptedModel:
    """The running server: its base URL and the requests it got, oldest first."""

    base_url: str
    requests: list[dict[str, Any]]
    paths: list[str]


@contextmanager
def scripted_model(script: Script) -> Iterator[ScriptedModel]:
    """A server that asks `script(request, number)` for each answer."""
    requests: list[dict[str, Any]] = []
    paths: list[str] = []
    stopped = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            requests.append(json.loads(body))
            paths.append(self.path)
            answer = script(requests[-1], len(requests))
            self.send_response(answer.status)
            self.send_header("content-type", answer.content_type)
            self.send_header("content-length", str(len(answer.body) + 1_000 * answer.cut))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if answer.hang:
                self._drip(answer.body)
            else:
                self.wfile.write(answer.body)
            if answer.cut:
                self.close_connection = True

        def _drip(self, body: bytes) -> None:
            """A byte, or an event, now and then, so that no time-out of a single read ever fires."""
            events = b"\n\n" in body
            parts = body.splitlines(keepends=True) if events else [bytes([b]) for b in body]
            for part in parts:
                if stopped.wait(0.05):
                    return
                try:
                    self.wfile.write(part)
                    self.wfile.flush()
                except OSError:
                    return

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield ScriptedModel(f"http://127.0.0.1:{server.server_port}/v1", requests, paths)
    finally:
        stopped.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
