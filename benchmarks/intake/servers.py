"""The measured processes: the floor, the real bot, and a stand-in for what the bot talks to.

Knows how each is started on loopback, what it has stored, what it costs (/proc, Linux). Serves `benchmarks.intake.run`.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

TOKEN = "benchmark-token-of-the-default-source"
STARTED_WITHIN = 30.0
TICKS = os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).parents[2]
CHANNELS = ("alerts", "shop-incidents", "money-incidents", "core-incidents")


@dataclass
class Server:
    """One measured process with a database of its own."""

    name: str
    port: int
    database: Path
    tables: tuple[str, ...]
    process: subprocess.Popen[bytes] = field(repr=False)

    def cpu(self) -> float:
        """Seconds of CPU so far, all threads, user and system."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / TICKS

    def rss_mib(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def stored(self) -> int:
        """Alerts that are whole in the database: the least of the tables an alert must stand in."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as db:
            return min(
                int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
                for table in self.tables
            )

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


def start_floor(folder: Path, name: str = "F") -> Server:
    port, database = free_port(), folder / f"{_word(name)}.db"
    command = [sys.executable, "-m", "benchmarks.intake.floor", str(database), str(port)]
    return _started(Server(name, port, database, ("alert",), _spawn(command, folder, name, {})))


def start_bot(folder: Path, name: str, sink: Sink, *, slack: bool = False) -> Server:
    """`python -m oncall_bot serve` with the oncall.yaml beside this file; pages go to the sink."""
    port, database = free_port(), folder / f"{_word(name)}.db"
    config = folder / f"{_word(name)}.yaml"
    text = (Path(__file__).parent / "oncall.yaml").read_text()
    config.write_text(text.replace("{sink}", f"127.0.0.1:{sink.port}"))
    settings = {
        "ONCALL_DATABASE_URL": f"sqlite:///{database}",
        "ONCALL_CONFIG": str(config),
        "ONCALL_PORT": str(port),
        "ONCALL_WEBHOOK_TOKEN": TOKEN,
    }
    if slack:
        settings |= {
            "ONCALL_SLACK_BOT_TOKEN": "xoxb-benchmark",
            "ONCALL_SLACK_SIGNING_SECRET": "benchmark-signing-secret",
            "ONCALL_SLACK_API_URL": f"http://127.0.0.1:{sink.port}/api/",
        }
    command = [sys.executable, "-m", "oncall_bot", "serve"]
    tables = ("alert", "occurrence", "group_member")
    return _started(Server(name, port, database, tables, _spawn(command, folder, name, settings)))


def _spawn(
    command: list[str], folder: Path, name: str, settings: dict[str, str]
) -> subprocess.Popen[bytes]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ONCALL_")}
    with (folder / f"{_word(name)}.log").open("wb") as log:
        return subprocess.Popen(
            command, cwd=ROOT, env=clean | settings, stdout=log, stderr=subprocess.STDOUT
        )


def _started(server: Server) -> Server:
    until = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < until and server.process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", server.port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return server
    server.process.kill()
    log = server.database.with_suffix(".log").read_text(errors="replace")
    raise SystemExit(f"{server.name} did not start:\n{log[-2000:]}")


def _word(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Sink:
    """Takes what the bot sends: a push server and as much of Slack's Web API as a card needs."""

    def __init__(self) -> None:
        numbers = count(1)

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                self._say()

            def do_GET(self) -> None:
                self._say()

            def _say(self) -> None:
                text = json.dumps(_answer(self.path, next(numbers))).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _answer(path: str, number: int) -> dict[str, object]:
    if "conversations.list" in path:
        channels = [
            {"id": f"C{n}", "name": name, "is_member": True} for n, name in enumerate(CHANNELS)
        ]
        return {"ok": True, "channels": channels}
    if "conversations." in path:
        return {"ok": True, "messages": [], "channel": {"id": "D1"}}
    return {
        "ok": True,
        "id": str(number),
        "ts": f"1700000000.{number:06d}",
        "channel": "C1",
        "team_id": "T1",
        "user_id": "U1",
        "url": "https://example.slack.com/",
        "user": {"id": "U1"},
    }
