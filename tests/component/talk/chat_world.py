"""A world of chat questions as rows: people, rotations with covers, incidents old and open, alerts, runbooks.

The form is that of the shared questions (chat-questions/1). Every part goes through the flows that the product itself
uses; only the numbers of incidents are given, so that INC-72 is 72.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from oncall_bot.core.alerts import Delivery, Notice, fingerprint
from oncall_bot.core.outcomes import Actor
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.files.oncall_yaml import read_config
from oncall_bot.files.runbooks import read_runbooks
from oncall_bot.flows.acknowledge import acknowledge
from oncall_bot.flows.apply_config import apply_config
from oncall_bot.flows.import_runbooks import import_runbooks
from oncall_bot.flows.receive_alerts import receive_alerts
from oncall_bot.flows.resolve import resolve
from oncall_bot.flows.set_override import set_override
from oncall_bot.store import incidents
from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Tx
from tests.databases import HandClock

WRITTEN = (
    "incident",
    "incident_event",
    "page_run",
    "page",
    "silence",
    "override",
    "outbox",
    "timer",
)


@dataclass
class ChatWorld:
    """The running store, its clock, and who asks."""

    store: Store
    clock: HandClock
    world: Mapping[str, Any]
    records: Mapping[str, Mapping[str, Any]]

    def asker(self, handle: str) -> tuple[Actor, str]:
        user = next(one for one in self.world["users"] if one["handle"] == handle)
        return Actor("person", key_of(handle), user["name"]), user["tz"]

    def rows(self) -> dict[str, int]:
        """How many rows each table of consequence has: a question must not change it."""

        def count(reader: Any) -> dict[str, int]:
            ask = reader.connection.execute
            return {name: ask(text(f'SELECT count(*) FROM "{name}"')).scalar() for name in WRITTEN}

        return self.store.look(count)


def key_of(handle: str) -> str:
    return handle.lstrip("@")


def build(
    url: str,
    folder: Path,
    world: Mapping[str, Any],
    records: Mapping[str, Mapping[str, Any]] | None = None,
) -> ChatWorld:
    """The world on a fresh database, its clock at the world's now; `records` tell of earlier incidents."""
    now = datetime.fromisoformat(world["now"])
    clock = HandClock(now)
    path = folder / "oncall.yaml"
    path.write_text(_config(world))
    read = read_config(path)
    assert not read.faults, [str(fault) for fault in read.faults]
    store = Store(url, clock=clock)
    store.open()
    store.write(apply_config, read.document, read.sha256, "test").result(10)
    _runbooks(store, folder / "runbooks", world)
    made = ChatWorld(store, clock, world, records or {})
    clock.now = now - timedelta(days=30)
    _covers(made)
    _past(made)
    _present(made)
    clock.now = now
    return made


def _config(world: Mapping[str, Any]) -> str:
    people = "\n".join(
        f"  {key_of(u['handle'])}: {{name: {u['name']}, slack: {u['slack']}00000, zone: {u['tz']},"
        f" role: {u['role']}}}"
        for u in world["users"]
    )
    admin = next(u for u in world["users"] if u["role"] == "admin")
    schedules = "\n".join(_schedule(one) for one in world["rotations"])
    policies = "\n".join(
        f"  {one['name']}-policy:\n    steps: [{{after: 0m, page: [schedule:{one['name']}]}}]"
        for one in world["rotations"]
    )
    services = "\n".join(
        f"  {one['name']}: {{team: all, policy: {one['rotation']}-policy}}"
        for one in world["services"]
    )
    members = ", ".join(key_of(u["handle"]) for u in world["users"] if u["role"] != "viewer")
    first = world["rotations"][0]["name"]
    chief = key_of(admin["handle"])
    return f"""
version: 1
defaults: {{zone: UTC, channel: "#ops", fallback: [person:{chief}], last_resort: [{chief}]}}
people:
{people}
teams:
  all: {{members: [{members}], channel: "#ops"}}
services:
{services}
schedules:
{schedules}
policies:
{policies}
routes:
  - {{name: rest, group_by: [alertname, service], policy: {first}-policy}}
"""


def _schedule(one: Mapping[str, Any]) -> str:
    """Each stretch of a level is a layer with an end; lower levels are painted over by level 1, so only that counts."""
    layers = [
        f'      - {{name: "l{n}", start: "{_wall(layer["start"])}", end: "{_wall(layer["end"])}",'
        f" rotation: {{unit: week, every: 1}}, users: [{key_of(layer['user'])}]}}"
        for n, layer in enumerate(one["layers"])
        if layer["level"] == 1
    ]
    return f"  {one['name']}:\n    team: all\n    zone: UTC\n    layers:\n" + "\n".join(layers)


def _wall(stamp: str) -> str:
    return stamp.removesuffix("Z")[:16]


def _runbooks(store: Store, folder: Path, world: Mapping[str, Any]) -> None:
    folder.mkdir()
    for book in world.get("runbooks", ()):
        steps = "\n".join(f"{n}. {step}" for n, step in enumerate(book["steps"], 1))
        matches = "\n".join(f"  - 'alertname=\"{name}\"'" for name in book["matches"])
        (folder / f"{book['id']}.md").write_text(
            f"---\ntitle: {book['title']}\nslug: {book['id']}\nmatch:\n{matches}\n---\n# {book['title']}\n\n{steps}\n"
        )
    books, problems = read_runbooks(folder)
    assert not problems
    store.write(import_runbooks, "file", books).result(10)


def _covers(made: ChatWorld) -> None:
    for rotation in made.world["rotations"]:
        for one in rotation.get("overrides", ()):
            start, end = (datetime.fromisoformat(one[name]) for name in ("start", "end"))
            by = Actor("person", key_of(one["user"]), key_of(one["user"]))
            key = key_of(one["user"])
            done = made.store.write(set_override, rotation["name"], start, end, key, by).result(10)
            assert done.done, done


def _past(made: ChatWorld) -> None:
    """Every earlier time an alert fired, with the incident it opened and what was done about it."""
    for name, times in made.world.get("alert_history", {}).items():
        for one in times:
            if one["ends_at"] is None:
                continue
            made.clock.now = datetime.fromisoformat(one["starts_at"])
            labels = {"alertname": name, "severity": "critical", "service": _service_of(made, name)}
            _told(made, labels, one["starts_at"], None, number(one["incident"]))
            actor = Actor("person", "somebody", "Somebody")
            made.clock.now += timedelta(minutes=5)
            found = number(one["incident"])
            for entry in _entries(made, one, actor):
                made.store.write(_write, found, entry).result(10)
            made.clock.now = datetime.fromisoformat(one["ends_at"])
            _told(made, labels, one["starts_at"], one["ends_at"], found)
            made.store.write(resolve, found, actor).result(10)


def _entries(made: ChatWorld, one: Mapping[str, Any], actor: Actor) -> list[Entry]:
    """What people did and said then: of the incident's record where there is one, else the one deed the world names."""
    record = made.records.get(one["incident"])
    if record is None:
        deed = one.get("fixed_by")
        return [Entry(Kind.ACTION, deed, made.clock.now, actor)] if deed else []
    known = {"action", "chat", "note", "deploy", "status", "impact", "metric"}
    return [
        Entry(
            Kind(event["kind"]),
            event["text"],
            datetime.fromisoformat(event["at"]),
            Actor("slack", str(event.get("actor") or "x"), str(event.get("actor") or "x")),
            data=event.get("data") or {},
        )
        for event in record["events"]
        if event["kind"] in known
    ]


def _write(tx: Tx, incident_id: int, entry: Entry) -> None:
    incidents.write(tx, incident_id, [entry])


def _present(made: ChatWorld) -> None:
    """What fires now, in the order in which it began; incidents are numbered as the world numbers them."""
    numbers = {name: one for one in made.world["open_incidents"] for name in one["alerts"]}
    for alert in sorted(made.world["alerts_firing"], key=lambda one: one["starts_at"]):
        made.clock.now = datetime.fromisoformat(alert["starts_at"])
        labels = {"alertname": alert["name"], **alert["labels"]}
        shown = numbers.get(alert["name"])
        wanted = number(shown["id"]) if shown else None
        _told(made, labels, alert["starts_at"], None, wanted)
        if shown is not None and wanted is not None:
            key = key_of(shown["commander"])
            made.clock.now = max(made.clock.now, datetime.fromisoformat(shown["declared_at"]))
            actor, _ = made.asker(shown["commander"])
            made.store.write(acknowledge, wanted, actor).result(10)
            made.store.write(_retitle, wanted, shown["title"], shown["severity"]).result(10)
            assert key


def _retitle(tx: Tx, incident_id: int, title: str, severity: str) -> None:
    incidents.change(tx, incident_id, title=title, severity=severity)


def _service_of(made: ChatWorld, alert: str) -> str:
    firing = [one for one in made.world["alerts_firing"] if one["name"] == alert]
    label = firing[0]["labels"].get("service") if firing else None
    return label or made.world["services"][0]["name"]


def _told(
    made: ChatWorld, labels: Mapping[str, str], starts: str, ends: str | None, wanted: int | None
) -> None:
    """The source tells of one alert; the incident it opens gets the wanted number."""
    if wanted is not None and ends is None:
        made.store.write(_next_incident, wanted).result(10)
    notice = Notice(
        fingerprint(labels),
        labels,
        {"summary": "it is broken"},
        datetime.fromisoformat(starts),
        datetime.fromisoformat(ends) if ends else None,
    )
    sha = hashlib.sha256(f"{labels}{starts}{ends}".encode()).hexdigest()
    delivery = Delivery("default", "http://am|oncall|{}", sha, (notice,))
    made.store.write(receive_alerts, [delivery]).result(10)


def _next_incident(tx: Tx, wanted: int) -> None:
    """The next incident's number, on either engine."""
    if tx.postgresql:
        tx.connection.execute(
            text("SELECT setval(pg_get_serial_sequence('incident', 'id'), :n, false)"),
            {"n": wanted},
        )
        return
    last = tx.connection.execute(text("SELECT coalesce(max(id), 0) FROM incident")).scalar() or 0
    if last >= wanted - 1:
        return
    blank = {"origin": "declared", "title": "before", "severity": "SEV5", "urgency": "none"}
    made = incidents.insert(tx, **blank, status="merged", opened_at=tx.now)
    tx.connection.execute(
        text("UPDATE incident SET id = :wanted WHERE id = :made"),
        {"wanted": wanted - 1, "made": made},
    )


def number(incident: str) -> int:
    return int(incident.removeprefix("INC-"))
