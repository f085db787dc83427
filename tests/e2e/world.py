"""A whole little world on loopback: a strict Slack, telephones, and `oncall-bot serve` as a real process.

Knows how to build it, to kill the bot and to bring it back, and how to look from outside: what the telephones and the
Slack received. The bot's database is read for rows only. Serves the tests of this folder; every world has its own
folder and its own ports.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from benchmarks.chaos.nursery import Born, Nursery
from oncall_bot.slack.manifest import manifest
from tests.fakes.http import Answer, FakeHttp, Got, http_server

T = TypeVar("T")
REPOSITORY = Path(__file__).resolve().parents[2]
TOKEN = "sesame-open"
WEBHOOK = "/webhook/alertmanager"
START_WITHIN = 180.0

CONFIG = """
version: 1
defaults: {zone: Europe/Berlin, channel: "#incidents", fallback: [person:carol], last_resort: [carol]}
people:
  alice: {name: Alice Adams, email: alice@example.com, contacts: {push: alice-phone}}
  bob: {name: Bob Brown, email: bob@example.com, contacts: {push: bob-phone}}
  carol: {name: Carol Chen, email: carol@example.com, role: admin, contacts: {push: carol-phone}}
channels:
  push: {url: "ntfy://@PHONE@/{to}"}
teams:
  shop: {members: [alice, bob], managers: [carol], channel: "#incidents", fallback: [person:carol]}
services:
  checkout: {team: shop, policy: shop-primary, label_values: [checkout]}
schedules:
  shop-primary:
    team: shop
    zone: Europe/Berlin
    layers:
      - {name: week, start: "2026-01-05T09:00", rotation: {unit: week, every: 1}, users: [alice]}
policies:
  shop-primary:
    ack_timeout: 30m
    repeat: {times: 3, every: 15m}
    steps:
      - {after: 0m, page: [schedule:shop-primary]}
      - {after: 5m, page: [person:bob], when: {urgency: high}}
routes:
  - {name: rest, service_from: [service], group_by: [alertname, service], wait: 0s, policy: shop-primary}
"""


def wait_until(look: Callable[[], T], within: float = 15.0, *, why: Callable[[], str] = str) -> T:
    """What `look` returns once that is true-ish; an error with the reason when it never is."""
    deadline = time.monotonic() + within
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {within:g} s. {why()}"
        time.sleep(0.05)
    return found


def stays(look: Callable[[], bool], seconds: float) -> None:
    """For so long it is true whenever we look: something that must not happen does not happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert look()
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    body: str
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def http(
    url: str,
    data: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    method: str | None = None,
    timeout: float = 30,
) -> Reply:
    """One request, whatever its status; raises OSError when nobody answers."""
    request = urllib.request.Request(url, data, dict(headers or {}), method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return Reply(answer.status, answer.read().decode(), dict(answer.headers))
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.read().decode(), dict(error.headers))


class Phone:
    """Everybody's telephone: a server as ntfy is one, on a thread of its own. The topic tells whose it rings."""

    def __enter__(self) -> Phone:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._stack = AsyncExitStack()
        self._fake: FakeHttp = self._run(self._stack.enter_async_context(http_server()))
        self._held: list[Got] = []
        self._fake.answer = self._as_ntfy
        return self

    def __exit__(self, *error: object) -> None:
        self._run(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    @property
    def at(self) -> str:
        return self._fake.at

    def rings(self, topic: str | None = None) -> list[dict[str, Any]]:
        """The messages so far, oldest first, each with the `key` it was sent under and when it came."""
        found = [
            {**got.json, "key": got.headers.get("Idempotency-Key"), "at": got.at}
            for got in self._fake.got
            if got.method == "POST"
        ]
        return [one for one in found if topic is None or one["topic"] == topic]

    def answers(self, answer: Answer | None) -> None:
        """From now on every message is answered so; None: accepted again."""
        self._fake.answer = answer or self._as_ntfy

    def _as_ntfy(self, got: Got) -> Answer:
        """Takes a message; asked for a topic, it answers what it still holds, a line of JSON each."""
        if got.method == "POST":
            self._held.append(got)
            told = [got]
        else:
            topic = got.path.strip("/").partition("/")[0]
            told = [one for one in self._held if one.json.get("topic") == topic]
        lines = [json.dumps({"event": "message", "id": _id(one), **one.json}) for one in told]
        return Answer(200, {"Content-Type": "application/json"}, "\n".join(lines).encode())


def _id(got: Got) -> str:
    return f"n{abs(hash(got.body)) % 10**9}"


LOADED_OTHERWISE = {"LD_PRELOAD", "PYTHONPATH"}
"""With one of these of its own a process runs other code than the one it would be forked from."""


@functools.cache
def nursery() -> Nursery:
    """Of this test process: it has loaded the bot's code once, and each `serve` is forked from it."""
    found = Nursery(REPOSITORY)
    atexit.register(found.close)
    return found


class Serve:
    """`oncall-bot serve` with an environment of its own. Its log is kept through every restart.

    It is forked from a process that has loaded the code, because most of a start is loading; `as_command`: it is
    `python -m oncall_bot serve` as people start it.
    """

    def __init__(self, folder: Path, env: Mapping[str, str], *, as_command: bool = False) -> None:
        self.folder = folder
        self.as_command = as_command
        self.env = dict(env)
        self.port = free_port()
        self.log_file = folder / "serve.log"
        self.process: subprocess.Popen[bytes] | Born | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, env: Mapping[str, str]) -> None:
        """Start it with this besides its own environment, and wait until it is ready.

        On another port when somebody else was quicker to take this one.
        """
        for _ in range(3):
            self._spawn(env)
            if self._ready():
                return
            self.port = free_port()
        raise AssertionError(f"oncall-bot serve did not start\n{self.log()}")

    def _spawn(self, env: Mapping[str, str]) -> None:
        base = {
            key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ
        }
        own = {**self.env, **env}
        whole = {
            **base,
            "PYTHONPATH": str(REPOSITORY),
            "ONCALL_HOST": "127.0.0.1",
            "ONCALL_PORT": str(self.port),
            "ONCALL_PUBLIC_URL": self.url,
            **own,
        }
        if not self.as_command and not own.keys() & LOADED_OTHERWISE:
            self.process = nursery().bear(whole, self.folder, self.log_file)
            return
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "oncall_bot", "serve"],
                env=whole,
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _ready(self) -> bool:
        """True once it says so; False when its port was taken; an error when it ended otherwise."""
        assert self.process is not None
        deadline = time.monotonic() + START_WITHIN
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                assert "cannot listen" in self.log(), f"it ended at the start\n{self.log()}"
                return False
            with contextlib.suppress(OSError):
                if http(f"{self.url}/-/ready", timeout=2).status == 200:
                    return True
            time.sleep(0.05)
        raise AssertionError(f"not ready in {START_WITHIN:g} s\n{self.log()}")

    def stop(self) -> int:
        """Politely, as an orchestrator does; the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(25)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
            raise AssertionError(f"it did not stop in 25 s\n{self.log()}") from None

    def kill(self) -> None:
        """As by kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(5)

    def died(self, within: float = 20) -> int:
        """Wait until it is gone by itself; the exit status."""
        assert self.process is not None
        return self.process.wait(within)

    def log(self, lines: int = 60) -> str:
        if not self.log_file.exists():
            return ""
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])


@dataclass
class World:
    """Slack (None: this bot has none), the telephones, the bot, and its database's address."""

    folder: Path
    database: str
    phone: Phone
    slack: Any
    serve: Serve
    mode: str = "socket"
    known: bool = True

    # --- the bot ------------------------------------------------------------------------------------------------

    def start(self, **env: str) -> None:
        """Start the bot, and wait until it is ready, connected and knows who people are in Slack."""
        self.serve.start(env)
        if self.slack is None:
            return
        if self.mode == "http":
            self.slack.server.app.request_url = f"{self.serve.url}/slack/events"
        else:
            self.slack.act("wait", connected=True, timeout=20)
        if not self.known:
            self.until(self._everybody_is_known, "the people of the file are found in Slack")

    def _everybody_is_known(self) -> bool:
        return not self.rows("SELECT key FROM person WHERE slack_user_id IS NULL")

    def restart(self, **env: str) -> None:
        self.serve.stop()
        self.start(**env)

    def post(
        self,
        body: bytes | str | Mapping[str, Any],
        token: str | None = TOKEN,
        headers: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Reply:
        """Post to the webhook as Alertmanager does."""
        data = json.dumps(body) if isinstance(body, Mapping) else body
        auth = {"Authorization": f"Bearer {token}"} if token is not None else {}
        sent = {"Content-Type": "application/json", "User-Agent": "Alertmanager/0.25.0", **auth}
        return http(
            self.serve.url + WEBHOOK,
            data.encode() if isinstance(data, str) else data,
            {**sent, **(headers or {})},
            timeout=timeout,
        )

    def until(self, look: Callable[[], T], what: str = "", within: float = 15.0) -> T:
        """What `look` returns once that is true-ish, else an error with the bot's last words."""
        return wait_until(look, within, why=lambda: f"Waited for: {what}.\n{self.evidence()}")

    def evidence(self) -> str:
        """What a person would look at who asks why something did not come."""
        lines = [
            str(tuple(row.values()))
            for row in self.rows(
                "SELECT id, kind, destination, state, attempts, last_error, dedupe_key FROM outbox"
                " ORDER BY id DESC LIMIT 12"
            )
        ]
        calls = []
        if self.slack is not None:
            calls = [
                f"{one['at']} {one.get('method', one['kind'])} {str(one.get('response', ''))[:90]}"
                for one in list(self.slack.server.log)[-12:]
            ]
        return "\n".join(["outbox:", *lines, "slack:", *calls, "log:", self.serve.log(15)])

    def rows(self, sql: str, **params: Any) -> list[dict[str, Any]]:
        """Rows of the bot's database, looked at by another process."""
        url = make_url(self.database)
        if url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        engine = create_engine(url, poolclass=NullPool)
        try:
            with engine.connect() as connection:
                return [dict(row._mapping) for row in connection.execute(text(sql), params)]
        finally:
            engine.dispose()

    # --- what the outside received --------------------------------------------------------------------------------

    def human(self, name: str) -> Any:
        return self.slack.human(name)

    def reacts(self, user: str, channel: str, ts: str, emoji: str) -> dict[str, Any]:
        """A person's reaction; slackcheck's own client cannot send one, its argument is called `name`."""
        done = self.slack.server.act_react(user, channel, ts, emoji)
        found: dict[str, Any] = asyncio.run_coroutine_threadsafe(done, self.slack.loop).result(10)
        return found

    def channel(self, name: str = "incidents", contains: str = "") -> list[dict[str, Any]]:
        """The bot's own messages that stand in a channel, outside of threads."""
        found = self.slack.act("messages", channel=name)
        return [
            one
            for one in found
            if one["user"] == self.slack.server.app.bot_user
            and one.get("thread_ts", one["ts"]) == one["ts"]
            and contains in shown(one)
        ]

    def thread(self, card: Mapping[str, Any], contains: str = "") -> list[dict[str, Any]]:
        """The bot's own messages in the thread of a card."""
        found = self.slack.act("messages", channel="incidents")
        return [
            one
            for one in found
            if one.get("thread_ts") == card["ts"] != one["ts"] and contains in shown(one)
        ]

    def dms(self, user: str, contains: str = "") -> list[dict[str, Any]]:
        """What the bot sent to a person directly."""
        found = self.slack.act("messages", channel="dm", user=user)
        return [
            one
            for one in found
            if one["user"] == self.slack.server.app.bot_user and contains in shown(one)
        ]

    def calls(self, method: str) -> list[dict[str, Any]]:
        """The bot's calls of a method of Slack, in order, with what it sent and what it was answered."""
        log = list(self.slack.server.log)
        return [one for one in log if one["kind"] == "api" and one["method"] == method]

    def rings(self, topic: str, contains: str = "") -> list[dict[str, Any]]:
        return [one for one in self.phone.rings(topic) if contains in one["title"] + one["message"]]

    def metric(self, line: str) -> float:
        """The value of one line of /metrics, 0 when it is not there."""
        for one in http(f"{self.serve.url}/metrics").body.splitlines():
            if one.startswith(line + " "):
                return float(one.rpartition(" ")[2])
        return 0.0

    def judged_clean(self) -> dict[str, Any]:
        """Slack's own judgement: not one error and not one warning. The whole report."""
        report: dict[str, Any] = self.slack.act("report")
        assert report["ok"], self.slack.server.violations
        assert not self.slack.server.violations, self.slack.server.violations
        return report


def shown(message: Mapping[str, Any]) -> str:
    """Everything a reader of the message may see, as text."""
    return json.dumps([message.get("text"), message.get("blocks")], ensure_ascii=False)


@contextlib.contextmanager
def world(
    folder: Path,
    database: str,
    *,
    slackcheck: ModuleType | None,
    config: str = CONFIG,
    mode: str = "socket",
    env: Mapping[str, str] | None = None,
    start: bool = True,
    known: bool = True,
    as_command: bool = False,
    **slack_options: Any,
) -> Iterator[World]:
    """A world that is taken down whatever happens.

    `mode`: how Slack speaks to the bot, `socket` or `http`. `known`: the file gives people's Slack ids; otherwise the
    bot finds them by e-mail, and the start waits for it.
    """
    with contextlib.ExitStack() as stack:
        phone = stack.enter_context(Phone())
        slack = None
        given: dict[str, str] = {}
        if slackcheck is not None:
            app = slackcheck.App.from_manifest(manifest())
            thread = slackcheck.Thread(app=app, **slack_options)
            stack.callback(thread.loop.close)
            slack = stack.enter_context(thread)
            stack.callback(_quiet, slack)
            given = {"ONCALL_SLACK_BOT_TOKEN": app.bot_token, "ONCALL_SLACK_API_URL": slack.api}
            if mode == "socket":
                given["ONCALL_SLACK_APP_TOKEN"] = app.app_token
            else:
                given["ONCALL_SLACK_SIGNING_SECRET"] = app.signing_secret
            if known:
                config = _with_slack_ids(config, thread.server.ws.users.values())
        file = folder / "oncall.yaml"
        file.write_text(config.replace("@PHONE@", phone.at))
        serve = Serve(
            folder,
            {
                "ONCALL_DATABASE_URL": database,
                "ONCALL_CONFIG": str(file),
                "ONCALL_WEBHOOK_TOKEN": TOKEN,
                **given,
                **(env or {}),
            },
            as_command=as_command,
        )
        stack.callback(_end, serve)
        made = World(folder, database, phone, slack, serve, mode, known)
        if start:
            made.start()
        yield made


def _with_slack_ids(config: str, users: Iterable[Mapping[str, Any]]) -> str:
    for user in users:
        email = f"email: {user['profile'].get('email')}"
        config = config.replace(email, f"{email}, slack: {user['id']}")
    return config


def _end(serve: Serve) -> None:
    if serve.process is not None and serve.process.poll() is None:
        serve.process.terminate()
        try:
            serve.process.wait(15)
        except subprocess.TimeoutExpired:
            serve.process.kill()
            serve.process.wait(5)


def _quiet(slack: Any) -> None:
    """Nothing is delivered to a bot that is gone."""
    slack.server.app.request_url = None


# --- bodies ---------------------------------------------------------------------------------------------------------


def alert(
    name: str = "HighErrorRate",
    *,
    status: str = "firing",
    starts_at: str = "2026-11-22T20:10:22.247Z",
    ends_at: str = "0001-01-01T00:00:00Z",
    annotations: Mapping[str, str] | None = None,
    **labels: Any,
) -> dict[str, Any]:
    given = {"service": "checkout", "severity": "critical", "instance": "web-1:8080", **labels}
    return {
        "status": status,
        "labels": {"alertname": name, **{k: v for k, v in given.items() if v is not None}},
        "annotations": dict(annotations or {"summary": f"{name} on checkout"}),
        "startsAt": starts_at,
        "endsAt": ends_at,
        "generatorURL": "http://prom-a:9090/graph?g0.expr=up",
        "fingerprint": "",
    }


def body(*alerts: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A webhook body, version 4, of these alerts."""
    names: Sequence[Any] = [one["labels"].get("alertname") for one in alerts]
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{names[0] if names else ""}"}}',
        "truncatedAlerts": 0,
        "status": "firing" if any(one["status"] == "firing" for one in alerts) else "resolved",
        "receiver": "oncall",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://am-a:9093",
        "alerts": list(alerts),
        **more,
    }


def ended(one: Mapping[str, Any]) -> dict[str, Any]:
    """The same alert, over now."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {**one, "status": "resolved", "endsAt": at}
