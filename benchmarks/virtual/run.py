"""Days of virtual time through the real store, flows, tick and delivery: what was lost, stuck, rung too often, grown.

    python -m benchmarks.virtual.run [--days 30] [--seed 1] [--database URL]

Knows the goal F8 and prints one line a figure; it exits 1 if one misses. The clock is driven: from each instant at
which something is due to the next. Telephones and Slack are fakes that count; the ledger reads what people would read.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import hashlib
import itertools
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import text

from benchmarks.virtual.installation import VOICE_CAP, VOICE_WITHIN, document
from benchmarks.virtual.people import Habits, People, Ring
from benchmarks.virtual.weather import Agenda, Told, Trouble, Weather
from oncall_bot.core.alerts import Delivery as Told_
from oncall_bot.core.alerts import Notice, fingerprint
from oncall_bot.core.documents import faults_of, normalised, sha256_of
from oncall_bot.core.faults import Pulse
from oncall_bot.core.incidents import CALM_AFTER_FLAP
from oncall_bot.core.outcomes import Actor
from oncall_bot.engine.delivery import Delivery, Ports
from oncall_bot.engine.tick import Tick
from oncall_bot.flows.acknowledge import acknowledge_all
from oncall_bot.flows.apply_config import apply_config
from oncall_bot.flows.checks import look_all
from oncall_bot.flows.receive_alerts import receive_alerts
from oncall_bot.flows.resolve import resolve
from oncall_bot.flows.shifts import plan_handoffs
from oncall_bot.flows.silence_incident import silence_incident
from oncall_bot.slack.rendering import render
from oncall_bot.store import migrations, processes, retention
from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Reader
from oncall_bot.telemetry.metrics import Telemetry
from oncall_bot.web.ack import acknowledge_by_link

BEGAN = datetime(2026, 3, 10, 6, tzinfo=UTC)
"""Thirty days from here hold the night of 29 March, on which Berlin has no half past two."""

HOURLY = timedelta(hours=1)
LOOKS_EVERY = timedelta(minutes=10)
STUCK_AFTER = timedelta(seconds=60)
RINGS_WITHIN = timedelta(seconds=45)
"""Brake, gap and a little: a critical alert rings somebody within so long, or had ended by then."""

ME = "virtual"


@dataclass
class Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Report:
    """Lines for people, and what was wrong."""

    lines: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        self.lines.append(line)

    def must(self, good: bool, fault: str) -> None:
        if not good:
            self.faults.append(fault)


class Days:
    """One run: the bot on a driven clock, what breaks, and who answers."""

    def __init__(self, url: str, *, days: float, seed: int, a_day: int = 40) -> None:
        self.clock = Clock(BEGAN)
        self.ends = BEGAN + timedelta(days=days)
        self.days = days
        self.url = url
        migrations.upgrade(url)
        self.store = Store(url, clock=self.clock)
        self.store.open()
        self.people = People(self.clock)
        self.agenda = Agenda()
        self.random = Random(seed + 1)
        self.habits = Habits(Random(seed + 2), _deaf(days))
        self.weather = Weather(seed, BEGAN, days, a_day)
        self.held: dict[int, list[tuple[datetime, datetime]]] = {}
        self.taken: dict[int, list[datetime]] = {}
        self.stuck: list[str] = []
        self.sizes: list[tuple[float, int, int]] = []
        self.instants = 0
        telemetry = Telemetry()
        self.tick = Tick(self.store, instance=ME, version="0", telemetry=telemetry, now=self.clock)
        self.delivery = Delivery(
            self.store,
            Ports(render, self.people, lambda: self.people),
            instance=ME,
            telemetry=telemetry,
            public_url="http://oncall.test",
            now=self.clock,
        )

    # --- the course of time -----------------------------------------------------------------------------------

    async def live(self) -> None:
        plain = normalised(document())
        assert faults_of(document()) == []
        await self.store.write(apply_config, plain, sha256_of(plain), "virtual")
        await self.store.write(processes.start, ME, alone=self.store.sqlite)
        for at, together in itertools.groupby(self.weather.told, key=lambda told: told.at):
            self.agenda.add(at, _later(self._tell, list(together)))
        self._every(HOURLY, self._hourly)
        self._every(LOOKS_EVERY, self._look)
        self._every(timedelta(days=1), self._measure)
        delivering = asyncio.create_task(self.delivery.run())
        try:
            while self.clock.now < self.ends:
                await self._instant()
                self.clock.now = min(self.ends, await self._next_at())
        finally:
            await self.delivery.stop()
            await delivering

    async def _instant(self) -> None:
        self.instants += 1
        for act in self.agenda.due(self.clock.now):
            await act()  # type: ignore[misc]
        for _ in range(100):
            await self.tick.run()
            assert await self.delivery.settled(within=60)
            if not await self.store.view(_anything_due):
                break
        else:
            self.stuck.append(f"{self.clock.now}: the engine does not come to rest")
        for ring in self.people.fresh:
            self._heard(ring)
        self.people.fresh.clear()

    async def _next_at(self) -> datetime:
        candidates = [self.agenda.next_at(), await self.store.view(_next_due)]
        soonest = min((at for at in candidates if at is not None), default=self.ends)
        return max(soonest, self.clock.now + timedelta(milliseconds=50))

    def _every(self, every: timedelta, act: Any) -> None:
        async def again() -> None:
            await act()
            self.agenda.add(self.clock.now + every, again)  # type: ignore[arg-type]

        self.agenda.add(BEGAN, again)  # type: ignore[arg-type]

    # --- the source -----------------------------------------------------------------------------------------------

    async def _tell(self, together: Sequence[Told]) -> None:
        notices = tuple(
            Notice(
                fingerprint(told.trouble.labels),
                told.trouble.labels,
                {"summary": f"{told.trouble.service} is in trouble"},
                told.start,
                told.at if told.ended else None,
            )
            for told in together
        )
        body = hashlib.sha256(f"{[told.number for told in together]}".encode()).hexdigest()
        await self.store.write(receive_alerts, [Told_("default", "am|oncall|{}", body, notices)])

    # --- the people -----------------------------------------------------------------------------------------------

    def _heard(self, ring: Ring) -> None:
        after = self.habits.answer_after(ring)
        if after is not None:
            self.agenda.add(ring.at + after, _later(self._answer, ring))

    async def _answer(self, ring: Ring) -> None:
        actor = Actor("person", ring.person, ring.person.title(), by="slack")
        if ring.link is not None:
            token = ring.link.rsplit("/", 1)[1]
            secret = self.store.snapshot.signing_key
            assert secret is not None
            await self.store.write(acknowledge_by_link, secret, token, again=False)
        else:
            open_now = await self.store.view(_open_of, sorted(ring.troubles))
            await self.store.write(acknowledge_all, [row.id for row in open_now], actor)
        for number in ring.troubles:
            self.taken.setdefault(number, []).append(self.clock.now)
        if self.random.random() < 0.1:
            await self._meddle(ring, actor)

    async def _meddle(self, ring: Ring, actor: Actor) -> None:
        """Some resolve by hand, some silence."""
        for row in (await self.store.view(_open_of, sorted(ring.troubles)))[:1]:
            if self.random.random() < 0.5:
                await self.store.write(resolve, row.id, actor)
                until = self.clock.now
            else:
                for_ = timedelta(minutes=self.random.choice([10, 30, 60]))
                await self.store.write(silence_incident, row.id, for_, "known", actor)
                until = self.clock.now + for_
            for number in ring.troubles:
                self.held.setdefault(number, []).append((self.clock.now, until))

    # --- duties and looks -----------------------------------------------------------------------------------------

    async def _hourly(self) -> None:
        await self.store.write(plan_handoffs)
        while await self.store.write(retention.forget) >= retention.SLICE:
            pass

    async def _look(self) -> None:
        before = self.clock.now - STUCK_AFTER
        self.stuck += await self.store.view(_stuck, before)
        found = dict(await self.store.view(look_all, Pulse("looks on", has_chat=True)))
        found.pop("process_row", None)  # nobody beats beside a driven clock
        self.stuck += [
            f"{self.clock.now}: {name}: {fault.text}" for name in found for fault in found[name]
        ]

    async def _measure(self) -> None:
        day = (self.clock.now - BEGAN) / timedelta(days=1)
        self.sizes.append((day, _rss(), await self.store.view(_database_size)))


def _later(act: Any, *args: Any) -> Any:
    return lambda: act(*args)


def _deaf(days: float) -> tuple[tuple[datetime, datetime], ...]:
    """Nights in which nobody answers: one in four, from 22 to 6."""
    nights = [BEGAN + timedelta(days=day, hours=16) for day in range(0, int(days) + 1, 4)]
    return tuple((night, night + timedelta(hours=8)) for night in nights)


# --- what the rows say ------------------------------------------------------------------------------------------------


def _rows(reader: Reader, sql: str, **params: Any) -> list[Any]:
    return list(reader.connection.execute(text(sql), params))


def _instant(reader: Reader, at: datetime) -> Any:
    return at if reader.postgresql else int(at.timestamp() * 1_000_000)


_WAITING = (
    "SELECT min(CASE WHEN d.not_before > o.next_attempt_at THEN d.not_before"
    " ELSE o.next_attempt_at END) FROM outbox o JOIN destination d ON d.key = o.destination"
    " WHERE o.state = 'pending'"
)


def _next_due(reader: Reader) -> datetime | None:
    found = [
        row[0]
        for sql in ("SELECT min(due_at) FROM timer WHERE state = 'pending'", _WAITING)
        for row in _rows(reader, sql)
        if row[0] is not None
    ]
    if not found:
        return None
    soonest = min(found)
    if reader.postgresql:
        return soonest.astimezone(UTC)  # type: ignore[no-any-return]
    return datetime.fromtimestamp(soonest / 1_000_000, UTC)


def _anything_due(reader: Reader) -> bool:
    due = _next_due(reader)
    return due is not None and due <= reader.now


def _stuck(reader: Reader, before: datetime) -> list[str]:
    at = _instant(reader, before)
    found = _rows(
        reader,
        "SELECT 'timer ' || kind FROM timer WHERE state = 'pending' AND due_at < :at"
        " UNION ALL SELECT 'outbox ' || kind || ' ' || destination FROM outbox"
        " WHERE state = 'pending' AND next_attempt_at < :at"
        " UNION ALL SELECT 'in hand: ' || kind FROM outbox WHERE state = 'sending'",
        at=at,
    )
    return [f"{reader.now}: {row[0]}" for row in found]


def _open_of(reader: Reader, troubles: Sequence[int]) -> list[Any]:
    found: list[Any] = []
    for number in troubles:
        found += _rows(
            reader,
            "SELECT id FROM incident WHERE first_alert = :name AND status = 'open'",
            name=f"Trouble{number:05d}",
        )
    return found


def _database_size(reader: Reader) -> int:
    if reader.postgresql:
        return int(_rows(reader, "SELECT pg_database_size(current_database())")[0][0])
    pages, size, free = (
        _rows(reader, f"PRAGMA {what}")[0][0]
        for what in ("page_count", "page_size", "freelist_count")
    )
    return int((pages - free) * size)


TABLES = ("incident", "incident_event", "page", "outbox", "delivery", "timer", "slack_message",
          "occurrence", "alert", "alert_group", "group_member", "inbound_seen", "draft", "audit")  # fmt: skip


def _counts(reader: Reader) -> dict[str, int]:
    return {name: _rows(reader, f"SELECT count(*) FROM {name}")[0][0] for name in TABLES}


def _rss() -> int:
    """Resident bytes of this process."""
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# --- the judgement ----------------------------------------------------------------------------------------------------


def judge(days: Days, report: Report) -> None:
    """What a person could complain of, from the fakes alone; then rows, memory and size."""
    lost = [fault for trouble in days.weather.troubles if (fault := _lost(days, trouble))]
    flapped = [
        fault for trouble in days.weather.troubles if (fault := _rang_by_flap(days, trouble))
    ]
    capped = _over_the_cap(days.people)
    critical = sum(trouble.critical for trouble in days.weather.troubles)
    episodes = sum(len(t.times) for t in days.weather.troubles if t.critical)
    rings = Counter(ring.road for ring in days.people.rings)
    report.say(
        f"{days.days:g} virtual days, {days.instants} instants, ends {days.ends:%Y-%m-%d %H:%M} UTC"
    )
    report.say(
        f"{len(days.weather.troubles)} troubles, {critical} critical with {episodes} beginnings"
    )
    report.say(f"rings: {dict(sorted(rings.items()))}, {days.people.bundles} of them about several")
    report.say(f"Slack: {days.people.posts} posts, {days.people.edits} edits")
    for what, faults in (
        ("lost", lost),
        ("rung twice in 5 min by a flap", flapped),
        (f"called more than {VOICE_CAP} times in 15 min", capped),
        ("stuck rows or repairs", days.stuck),
    ):
        report.say(f"{what}: {len(faults)}")
        report.must(not faults, f"{what}: {faults[:5]}")


def _lost(days: Days, trouble: Trouble) -> str | None:
    """A critical beginning nobody was rung for in time, though it went on, nobody had it and nothing held it."""
    number = int(trouble.name.removeprefix("Trouble"))
    if not trouble.critical or trouble.storm or trouble.service == "data-7":
        return None
    ats = [ring.at for ring in days.people.of_trouble.get(number, ())]
    for start, end in trouble.times:
        if _in_a_storm(days, trouble, start):
            continue
        before = [at for at in ats if at < start]
        calm_until = max(before) + CALM_AFTER_FLAP if before else start
        due = max(start, calm_until) + RINGS_WITHIN
        if due >= min(end, days.ends):
            continue
        if any(begin <= due and start < until for begin, until in days.held.get(number, ())):
            continue
        if any(start <= taken <= due for taken in days.taken.get(number, ())):
            continue
        if not any(start <= at <= due for at in ats):
            return f"{trouble.name} from {start}: {[str(at) for at in ats[:4]]}"
    return None


def _in_a_storm(days: Days, trouble: Trouble, at: datetime) -> bool:
    """More than twenty groups in a minute are one incident, under a name of its own."""
    team = trouble.service.partition("-")[0]
    return any(
        other.storm
        and other.service.startswith(team)
        and abs(other.times[0][0] - at) < timedelta(minutes=2)
        for other in days.weather.troubles
    )


def _rang_by_flap(days: Days, trouble: Trouble) -> str | None:
    number = int(trouble.name.removeprefix("Trouble"))
    starts = [start for start, _ in trouble.times[1:]]
    of: dict[tuple[str, str], list[datetime]] = {}
    for ring in days.people.of_trouble.get(number, ()):
        of.setdefault((ring.person, ring.road), []).append(ring.at)
    for (person, road), ats in of.items():
        for one, two in itertools.pairwise(ats):
            between = bisect.bisect_right(starts, two) - bisect.bisect_right(starts, one)
            if two - one < CALM_AFTER_FLAP and between:
                return f"{trouble.name}: {person} by {road} at {one} and {two}"
    return None


def _over_the_cap(people: People) -> list[str]:
    faults = []
    for (person, road), rings in people.of_person.items():
        ats = [ring.at for ring in rings]
        faults += [
            f"{person} from {ats[n]} to {ats[n + VOICE_CAP]}"
            for n in range(len(ats) - VOICE_CAP)
            if road == "voice" and ats[n + VOICE_CAP] - ats[n] < VOICE_WITHIN
        ]
    return faults


def judge_growth(days: Days, counts: Mapping[str, int], report: Report) -> None:
    report.say("rows: " + ", ".join(f"{name} {n}" for name, n in counts.items()))
    if len(days.sizes) < 2:
        return
    (_, first_rss, _), (_, last_rss, last_size) = days.sizes[1], days.sizes[-1]
    report.say(
        f"memory: {first_rss / 2**20:.0f} MB after a day, {last_rss / 2**20:.0f} MB at the end"
    )
    report.say(
        "database: "
        + ", ".join(f"day {day:.0f} {size / 2**20:.1f} MB" for day, _, size in days.sizes[1::7])
        + f", at the end {last_size / 2**20:.1f} MB,"
        f" {last_size / 1024 / max(1, counts['incident']):.1f} kB an incident"
    )
    half = [size for _, _, size in days.sizes]
    if days.days >= 28:
        early, late = half[14] - half[7], half[28] - half[21]
        report.say(f"growth: {early / 2**20:.1f} MB in week 2, {late / 2**20:.1f} MB in week 4")
        report.must(late <= early * 1.25 + 2**20, "the database grows faster and faster")
    report.must(
        last_rss <= first_rss * 1.05 + 64 * 2**20, f"memory grew to {last_rss / 2**20:.0f} MB"
    )


def run(url: str, *, days: float, seed: int, a_day: int = 40) -> Report:
    """Live through it and judge it."""
    report = Report()
    began = time.monotonic()
    lived = Days(url, days=days, seed=seed, a_day=a_day)
    try:
        asyncio.run(lived.live())
        judge(lived, report)
        judge_growth(lived, lived.store.look(_counts), report)
    finally:
        lived.store.close()
    report.say(f"took {time.monotonic() - began:.0f} s")
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.virtual.run")
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--a-day", type=int, default=40, help="troubles a day besides storms")
    parser.add_argument("--database", help="an empty database; by default a SQLite file of its own")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        url = given.database or f"sqlite:///{folder}/virtual.db"
        report = run(url, days=given.days, seed=given.seed, a_day=given.a_day)
    print("\n".join([f"seed {given.seed}", *report.lines]))
    for fault in report.faults:
        print(f"FAULT {fault}")
    print(json.dumps({"faults": len(report.faults)}))
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
