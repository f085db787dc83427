"""Drives flows as the process does: alerts in, timers struck when due, messages claimed and sent.

`World.phone` and `World.slack` hold what people received, in order; tests assert on those.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text

from oncall_bot.core.alerts import Delivery, Notice, fingerprint
from oncall_bot.core.documents import faults_of, normalised, sha256_of
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.situation import Situation
from oncall_bot.flows.acknowledge import acknowledge
from oncall_bot.flows.apply_config import apply_config
from oncall_bot.flows.claiming import claim
from oncall_bot.flows.delivered import delivered
from oncall_bot.flows.find_runbook import found, look_for
from oncall_bot.flows.receive_alerts import Received, receive_alerts
from oncall_bot.flows.strike import strike
from oncall_bot.store import outbox, processes, runs, timers, views
from oncall_bot.store.db import Store
from oncall_bot.store.outbox import Fate
from oncall_bot.store.transactions import Reader
from tests.databases import HandClock

_FIRST_DUE = (
    select(func.min(timers.TIMER.c.due_at)).where(timers.TIMER.c.state == "pending"),
    select(func.min(outbox.OUTBOX.c.next_attempt_at)).where(outbox.OUTBOX.c.state == "pending"),
)


def _first_due(reader: Reader) -> list[datetime]:
    found = [reader.connection.execute(query).scalar() for query in _FIRST_DUE]
    return [instant for instant in found if instant is not None]


ALERTMANAGER = "http://am-1:9093|oncall|{}"

DOCUMENT: dict[str, Any] = {
    "version": 1,
    "defaults": {
        "zone": "Europe/Berlin",
        "channel": "#alerts",
        "fallback": ["person:dee"],
        "last_resort": ["dee"],
    },
    "people": {
        "ana": {"name": "Ana Ruiz", "slack": "U0ANAANA1", "contacts": {"push": "ana-phone"}},
        "bo": {"name": "Bo Lindt", "slack": "U0BOBOBO1", "contacts": {"push": "bo-phone"}},
        "cy": {"name": "Cy Okafor", "slack": "U0CYCYCY1"},
        "dee": {
            "name": "Dee Marsh",
            "slack": "U0DEEDEE1",
            "role": "admin",
            "contacts": {"push": "dee-phone"},
        },
    },
    "channels": {
        "push": {"url": "ntfy://127.0.0.1/{to}"},
        "voice": {"url": "json://127.0.0.1/{to}"},
        "mail": {"url": "mailto://127.0.0.1/{to}"},
    },
    "teams": {
        "shop": {"members": ["ana", "bo", "cy"], "channel": "#shop", "fallback": ["person:dee"]}
    },
    "services": {
        "checkout": {
            "team": "shop",
            "policy": "primary",
            "label_values": ["checkout", "checkout-api"],
        },
        "search": {"team": "shop", "policy": "primary"},
    },
    "schedules": {
        "primary": {
            "team": "shop",
            "layers": [
                {
                    "name": "always",
                    "start": "2026-01-05T09:00",
                    "rotation": {"unit": "week", "every": 1},
                    "users": ["ana"],
                }
            ],
        },
        "nobody": {
            "team": "shop",
            "layers": [
                {
                    "name": "over",
                    "start": "2026-01-05T09:00",
                    "end": "2026-01-06T09:00",
                    "rotation": {"unit": "day", "every": 1},
                    "users": ["bo"],
                }
            ],
        },
    },
    "policies": {
        "primary": {
            "ack_timeout": "30m",
            "repeat": {"times": 1, "every": "15m"},
            "steps": [
                {"after": "0m", "page": ["schedule:primary"]},
                {"after": "5m", "page": ["person:bo"], "when": {"urgency": "high"}},
            ],
        },
        "gap": {"steps": [{"after": "0m", "page": ["schedule:nobody"]}]},
    },
    "routes": [
        {"name": "gap", "match": ['alertname="Gap"'], "policy": "gap"},
        {
            "name": "slow",
            "match": ['alertname="Slow"'],
            "group_by": ["alertname"],
            "wait": "30s",
            "policy": "primary",
        },
        {
            "name": "rest",
            "group_by": ["alertname", "service"],
            "service_from": ["service"],
            "policy": "primary",
        },
    ],
}


@dataclass(frozen=True, slots=True)
class Got:
    """One message that left the house."""

    at: datetime
    to: str
    kind: str
    what: str
    incidents: tuple[int, ...] = ()


@dataclass
class World:
    store: Store
    clock: HandClock
    slack: list[Got] = field(default_factory=list)
    phone: list[Got] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.apply(DOCUMENT)
        self.store.write(processes.start, "me", alone=self.store.sqlite).result()

    def apply(self, document: Mapping[str, Any]) -> None:
        assert faults_of(document) == []
        plain = normalised(document)
        self.store.write(apply_config, plain, sha256_of(plain), "test").result()

    # --- alerts ---------------------------------------------------------------------------------------------------

    def alert(self, name: str = "HighErrorRate", **labels: str) -> dict[str, str]:
        return {"alertname": name, "service": "checkout", "severity": "critical", **labels}

    def told(
        self,
        *label_sets: Mapping[str, str],
        starts_at: datetime | None = None,
        ended: bool = False,
        sender: str = ALERTMANAGER,
        body: str | None = None,
        annotations: Mapping[str, str] | None = None,
        generator: str = "",
    ) -> Received:
        """The source tells of these alerts; a body is new unless it is named twice."""
        start = starts_at or self.clock.now
        notices = tuple(
            Notice(
                fingerprint(labels),
                labels,
                annotations or {"summary": "it is broken"},
                start,
                self.clock.now if ended else None,
                generator,
            )
            for labels in label_sets
        )
        seed = body or f"{label_sets}{start}{ended}{sender}{self.clock.now}"
        sha = hashlib.sha256(seed.encode()).hexdigest()
        delivery = Delivery("default", sender, sha, notices)
        return self.store.write(receive_alerts, [delivery]).result()[0]

    # --- time -----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Strike what is due and send what waits, until nothing is left for this instant."""
        for _ in range(500):
            due = self.store.look(timers.due, limit=100)
            for timer_id in due:
                self.store.write(strike, timer_id).result()
            for search in self.store.look(timers.searches, limit=100):
                about = int(search.subject.partition(":")[2]), int(search.data["group"])
                matches = self.store.look(look_for, *about)
                self.store.write(found, search.id, *about, matches).result()
            rows = self.store.write(claim, "me", 100, timedelta(minutes=2)).result()
            for row in rows:
                self._send(row)
            if not due and not rows:
                return
        raise AssertionError("the engine does not come to rest")

    def _send(self, row: Any) -> None:
        fate, drawn, place = Fate("sent", provider_id=f"{row.id}.1"), None, None
        together = self.store.look(outbox.carried, row)
        about = tuple(sorted({one.incident_id for one in together if one.incident_id}))
        if row.kind == "message":
            message_id = int(row.payload["message_id"])
            if len(together) > 1:
                page = self.store.look(runs.page, row.page_id)
                assert page is not None
                message_id = page.bundle_id
            role = "page" if row.page_id else "edit"
            to = row.destination.removeprefix("slack:")
            self.slack.append(Got(self.clock.now, to, role, row.dedupe_key, about))
            drawn = (message_id, row.generation, str(row.id))
            place = (row.destination.removeprefix("slack:"), f"{message_id}.000")
        elif row.kind == "notice":
            to = row.destination.removeprefix("slack:")
            self.slack.append(
                Got(
                    self.clock.now,
                    to,
                    "notice",
                    str(row.payload.get("text") or row.payload["what"]),
                )
            )
        elif row.kind == "loud":
            what = str(row.payload.get("title") or row.dedupe_key)
            to, road = str(row.payload["address"]), str(row.payload["road"])
            self.phone.append(Got(self.clock.now, to, road, what, about))
        self.store.write(delivered, row.id, "me", fate, drawn=drawn, place=place).result()

    def pass_time(self, seconds: float, step: float = 30.0) -> None:
        """Let time go by in steps, striking as it goes; steps at which nothing waits are leapt over."""
        end = self.clock.now + timedelta(seconds=seconds)
        while self.clock.now < end:
            self.run()
            self.clock.now = min(end, self.clock.now + self._steps(timedelta(seconds=step), end))
        self.run()

    def _steps(self, step: timedelta, end: datetime) -> timedelta:
        """As many whole steps as lead to the first at which something waits to be done."""
        waits = [*self.store.look(_first_due), end]
        return step * max(1, math.ceil((min(waits) - self.clock.now) / step))

    # --- people ---------------------------------------------------------------------------------------------------

    def person(self, key: str) -> Actor:
        return Actor("person", key, self.store.snapshot.config.people[key].name)

    def ack(self, incident_id: int, key: str = "ana") -> Outcome:
        return self.store.write(acknowledge, incident_id, self.person(key)).result()

    # --- looks ----------------------------------------------------------------------------------------------------

    def shown(self, incident_id: int = 1) -> Situation:
        found = self.store.look(views.situation, incident_id)
        assert found is not None
        return found

    def open(self) -> Sequence[Situation]:
        return self.store.look(views.open_incidents)

    def timeline(self, incident_id: int = 1) -> list[str]:
        return [e["text"] for e in self.store.look(views.record, incident_id)["events"]]

    def rang(self) -> list[str]:
        """Whose phones rang, in order."""
        return [got.to for got in self.phone]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        def look(reader: Reader) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in reader.connection.execute(text(sql))]

        return self.store.look(look)
