"""A practice Alertmanager: groups what fires, waits as it does, posts version 4 webhooks, lists what it knows.

Knows group_wait, group_interval, repeat_interval, retries while the receiver is down, and API v2 as far as the bot
asks for it. Refuses to know what the receiver does with a post. Serves stories: nothing reaches the bot but through it.
Time is the practice's: `step()` does whatever is due, and is called at every beat and after every leap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

import aiohttp
from aiohttp import web

from oncall_bot.core.alerts import fingerprint
from oncall_bot.practice.prometheus import ActiveAlert, PracticePrometheus

VERSION = "0.27.0-practice"
RETRY_FIRST, RETRY_MAX = timedelta(seconds=1), timedelta(seconds=30)
POST_WITHIN = aiohttp.ClientTimeout(total=15)
NOT_ENDED = "0001-01-01T00:00:00Z"
UP_BEFORE = timedelta(days=3)
"""How long it has been up when a story begins: its list may be believed at once."""


@dataclass(frozen=True, slots=True)
class Routing:
    """The one route of the practice; the bot groups anew by its own routes."""

    receiver: str = "oncall-bot"
    group_by: tuple[str, ...] = ("alertname", "service")
    group_wait: timedelta = timedelta(seconds=2)
    group_interval: timedelta = timedelta(seconds=30)
    repeat_interval: timedelta = timedelta(hours=4)


@dataclass
class Known:
    """An alert it was told of."""

    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    updated_at: datetime
    generator_url: str = ""
    ended_at: datetime | None = None

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.labels)


@dataclass
class Group:
    labels: dict[str, str]
    next_at: datetime
    alerts: dict[str, Known] = field(default_factory=dict)
    told: dict[str, bool] = field(default_factory=dict)  # fingerprint -> told as resolved
    told_at: datetime | None = None
    failures: int = 0

    @property
    def key(self) -> str:
        inner = ", ".join(f'{k}="{v}"' for k, v in sorted(self.labels.items()))
        return f"{{}}:{{{inner}}}"


@dataclass(frozen=True, slots=True)
class Posted:
    """One post to the receiver and what came of it; `status` 0: nobody answered."""

    at: datetime
    group_key: str
    firing: int
    resolved: int
    status: int


class PracticeAlertmanager:
    """`receiver_url` and `token` say where posts go; None: nobody listens yet."""

    def __init__(self, prometheus: PracticePrometheus, *, now: Callable[[], datetime]) -> None:
        self._prometheus = prometheus
        self._now = now
        self._session: aiohttp.ClientSession | None = None
        self._stepping = asyncio.Lock()
        self.receiver_url: str | None = None
        self.token = ""
        self.url = ""
        self.reset()

    def reset(self, routing: Routing | None = None) -> None:
        """Forget everything; a new story begins."""
        self.routing = routing or Routing()
        self.posted: list[Posted] = []
        self._alerts: dict[str, Known] = {}
        self._groups: dict[tuple[tuple[str, str], ...], Group] = {}
        self._by_hand: set[str] = set()
        self._up_since = self._now() - UP_BEFORE

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    # --- time ---------------------------------------------------------------------------------------------------

    async def step(self) -> None:
        """Compute the rules, take what changed, and post every group that is due."""
        async with self._stepping:
            self._take(self._prometheus.evaluate())
            for group in list(self._groups.values()):
                if group.next_at <= self._now():
                    await self._flush(group)

    def fire(self, labels: Mapping[str, str], annotations: Mapping[str, str]) -> None:
        """An alert posted to it by hand, as amtool does; it stays until `end`."""
        self._put(dict(labels), dict(annotations), self._now(), "", by_hand=True)

    def end(self, labels: Mapping[str, str]) -> None:
        known = self._alerts.get(fingerprint(labels))
        if known is not None and known.ended_at is None:
            known.ended_at = known.updated_at = self._now()
        self._by_hand.discard(fingerprint(labels))

    def _take(self, firing: Sequence[ActiveAlert]) -> None:
        now = self._now()
        here = set(self._by_hand)
        for one in firing:
            url = f"{self._prometheus.url}/graph?g0.expr={quote_plus(one.rule.expr)}&g0.tab=1"
            starts_at = one.fired_at or now
            here.add(self._put(dict(one.labels), dict(one.annotations), starts_at, url))
        for mark, known in self._alerts.items():
            if mark not in here and known.ended_at is None:
                known.ended_at = known.updated_at = now

    def _put(
        self,
        labels: dict[str, str],
        annotations: dict[str, str],
        starts_at: datetime,
        url: str,
        *,
        by_hand: bool = False,
    ) -> str:
        mark = fingerprint(labels)
        now = self._now()
        if by_hand:
            self._by_hand.add(mark)
        known = self._alerts.get(mark)
        if known is None or known.ended_at is not None:
            known = Known(labels, annotations, starts_at, now, url)
            self._alerts[mark] = known
        known.annotations, known.updated_at = annotations, now
        key = tuple((name, labels.get(name, "")) for name in self.routing.group_by)
        group = self._groups.get(key)
        if group is None:
            shown = {name: value for name, value in key if value}
            group = self._groups[key] = Group(shown, now + self.routing.group_wait)
        group.alerts[mark] = known
        return mark

    # --- posting ------------------------------------------------------------------------------------------------

    async def _flush(self, group: Group) -> None:
        """Post the group when there is something to tell; forget what was told as resolved."""
        now = self._now()
        alerts = list(group.alerts.values())
        if not self._is_news(group, alerts, now):
            group.next_at = now + self.routing.group_interval
            return
        status = await self._post(self._payload(group, alerts))
        firing = sum(1 for one in alerts if one.ended_at is None)
        self.posted.append(Posted(now, group.key, firing, len(alerts) - firing, status))
        if status == 0 or status >= 500:
            group.failures += 1
            group.next_at = self._now() + min(RETRY_FIRST * 2 ** min(group.failures, 6), RETRY_MAX)
            return
        group.failures = 0
        group.told = {one.fingerprint: one.ended_at is not None for one in alerts}
        group.told_at = now
        group.next_at = now + self.routing.group_interval
        for one in alerts:
            if one.ended_at is not None and group.alerts.get(one.fingerprint) is one:
                del group.alerts[one.fingerprint]
                if self._alerts.get(one.fingerprint) is one:
                    del self._alerts[one.fingerprint]
        if not group.alerts:
            self._groups = {k: g for k, g in self._groups.items() if g is not group}

    def _is_news(self, group: Group, alerts: Sequence[Known], now: datetime) -> bool:
        """As Alertmanager's dedup stage: something fires or ended that was not told, or it is time to repeat."""
        if not alerts:
            return False
        firing = {one.fingerprint for one in alerts if one.ended_at is None}
        resolved = {one.fingerprint for one in alerts} - firing
        told_firing = {mark for mark, over in group.told.items() if not over}
        told_over = set(group.told) - told_firing
        if group.told_at is None:
            return bool(firing)
        if firing - told_firing or (resolved - told_over) & told_firing:
            return True
        return bool(firing) and now - group.told_at >= self.routing.repeat_interval

    def _payload(self, group: Group, alerts: Sequence[Known]) -> dict[str, Any]:
        is_firing = any(one.ended_at is None for one in alerts)
        return {
            "version": "4",
            "groupKey": group.key,
            "truncatedAlerts": 0,
            "status": "firing" if is_firing else "resolved",
            "receiver": self.routing.receiver,
            "groupLabels": group.labels,
            "commonLabels": _common([one.labels for one in alerts]),
            "commonAnnotations": _common([one.annotations for one in alerts]),
            "externalURL": self.url,
            "alerts": [_plain(one) for one in alerts],
        }

    async def _post(self, body: Mapping[str, Any]) -> int:
        """The status the receiver answered with, 0 when nobody did."""
        if self.receiver_url is None:
            return 0
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=POST_WITHIN, trust_env=False)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "User-Agent": f"Alertmanager/{VERSION}",
        }
        try:
            async with self._session.post(
                self.receiver_url, json=dict(body), headers=headers, allow_redirects=False
            ) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    # --- API v2 -------------------------------------------------------------------------------------------------

    def add_routes(self, app: web.Application, prefix: str = "") -> None:
        app.router.add_get(f"{prefix}/api/v2/alerts", self._list)
        app.router.add_get(f"{prefix}/api/v2/status", self._status)
        app.router.add_get(f"{prefix}/-/healthy", _healthy)
        app.router.add_get(f"{prefix}/-/ready", _healthy)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response(
            [
                {
                    "labels": one.labels,
                    "annotations": one.annotations,
                    "startsAt": stamp(one.starts_at),
                    "updatedAt": stamp(one.updated_at),
                    "endsAt": stamp(self._now() + timedelta(minutes=4)),
                    "fingerprint": one.fingerprint,
                    "generatorURL": one.generator_url,
                    "receivers": [{"name": self.routing.receiver}],
                    "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
                }
                for one in self._alerts.values()
                if one.ended_at is None
            ]
        )

    async def _status(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "cluster": {"status": "disabled", "peers": []},
                "config": {"original": self._config()},
                "uptime": stamp(self._up_since),
                "versionInfo": {"version": VERSION, "revision": "practice", "branch": ""},
            }
        )

    def _config(self) -> str:
        names = ", ".join(self.routing.group_by)
        return (
            f"route:\n  receiver: {self.routing.receiver}\n  group_by: [{names}]\n"
            f"receivers:\n  - name: {self.routing.receiver}\n    webhook_configs:\n"
            f"      - url: {self.receiver_url or '<secret>'}\n        send_resolved: true\n"
        )


def _plain(one: Known) -> dict[str, Any]:
    return {
        "status": "resolved" if one.ended_at else "firing",
        "labels": one.labels,
        "annotations": one.annotations,
        "startsAt": stamp(one.starts_at),
        "endsAt": stamp(one.ended_at) if one.ended_at else NOT_ENDED,
        "generatorURL": one.generator_url,
        "fingerprint": one.fingerprint,
    }


def _common(maps: Sequence[Mapping[str, str]]) -> dict[str, str]:
    first = maps[0] if maps else {}
    return {k: v for k, v in first.items() if all(one.get(k) == v for one in maps)}


def stamp(at: datetime) -> str:
    """As Go writes an instant in JSON."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def _healthy(request: web.Request) -> web.Response:
    return web.Response(text="OK")
