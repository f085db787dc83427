"""A model behind an OpenAI-shaped server on loopback that says what the test wrote for it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """One HTTP answer; `hang` waits until the server is stopped before the body is finished."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False


def said(content: object) -> Answer:
    """A completion with this text, or with this object as JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    message = {"role": "assistant", "content": text}
    completion = {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
    }
    return Answer(json.dumps(completion).encode())


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
            self.send_header("content-length", str(len(answer.body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if answer.hang:
                self._drip(answer.body)
            else:
                self.wfile.write(answer.body)

        def _drip(self, body: bytes) -> None:
            """A byte now and then, so that no time-out of a single read ever fires."""
            for n in range(len(body)):
                if stopped.wait(0.05):
                    return
                try:
                    self.wfile.write(body[n : n + 1])
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
