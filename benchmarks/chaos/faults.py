"""Each fault of the world around as a scenario of its own, with its own verdict.

Knows what is broken, for how long, and what must hold meanwhile and afterwards. Refuses to mend anything. Serves the
command. Every scenario keeps a small load flowing, so that what is measured is people being paged through the fault.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from benchmarks.chaos.bots import ROOT, Bot
from benchmarks.chaos.databases import Postgresql
from benchmarks.chaos.installation import Installation
from benchmarks.chaos.ledger import figures, percentile
from benchmarks.chaos.load import alert_body
from benchmarks.chaos.report import Verdict, counted, lateness
from benchmarks.chaos.scenarios import Scenario, Wish, evidence
from benchmarks.chaos.stage import Stage, quick_folder, stage

LIBFAKETIME = ("x86_64-linux-gnu", "aarch64-linux-gnu")


@asynccontextmanager
async def _flowing(
    wish: Wish, verdict: Verdict, *, start: bool = True, **options: Any
) -> AsyncIterator[Stage]:
    """A stage under a small load; at the end it is drained and counted."""
    installation = options.pop("installation", Installation(teams=wish.teams, steps=4))
    no_root_needed = options.pop("no_root_needed", False)
    given = {
        "most": 20,
        "rate": 4.0,
        "quick_births": wish.quick_births,
        "processes": wish.processes,
        "keep": wish.keep,
        **options,
    }
    database = given.pop("database", wish.database)
    async with stage(installation, database, seed=wish.seed, **given) as on:
        if start:
            await on.bots.start()
        flowing = asyncio.create_task(on.load.run(lambda: False))
        try:
            yield on
        except BaseException:
            flowing.cancel()
            raise
        on.load.running = False
        await flowing
        drained = await on.drained(240)
        counted(verdict, on.ledger, drained=drained, slack=on.with_slack and not no_root_needed)
        evidence(verdict, on)


# --- the database -------------------------------------------------------------------------------------------------


async def database_restart(wish: Wish) -> Verdict:
    """PostgreSQL is stopped and started under load, as by an orchestrator and as by a crash (F4)."""
    verdict = Verdict(f"database_restart (postgresql, {wish.processes} process(es))")
    waits: list[float] = []
    answers: Counter[int] = Counter()
    async with _flowing(wish, verdict, database="postgresql") as on:
        assert isinstance(on.database, Postgresql)
        await asyncio.sleep(4)
        for mode in ("fast", "immediate", "fast") if not wish.quick else ("immediate",):
            await on.database.stop(mode)
            until = time.monotonic() + (3 if wish.quick else 8)
            while time.monotonic() < until:
                answers[await on.bots.post("/webhook/alertmanager", _probe(0), within=10)] += 1
                await asyncio.sleep(0.5)
            before = on.phones.rings
            await on.database.start()
            answered = time.time()
            waits.append(await _first_ring(on, before, 30) - answered)
            await asyncio.sleep(4)
    verdict.say(f"the webhook while it was down: {dict(answers)}")
    verdict.say(f"first page after it answered again: {figures(waits)}")
    verdict.must(
        set(answers) <= {503}, "the webhook said something else than 503 while it was down"
    )
    verdict.should(max(waits) <= 2.0, "first page <= 2 s after the database answers again (F4)")
    return verdict


# --- Slack --------------------------------------------------------------------------------------------------------


def _slack_says(fault: str) -> Scenario:
    async def scenario(wish: Wish) -> Verdict:
        return await _slack_away(wish, fault)

    scenario.__doc__ = f"Slack is away for a while ({fault}): the loud road goes at once, no flood afterwards (F7)."
    return scenario


async def _slack_away(wish: Wish, fault: str) -> Verdict:
    verdict = Verdict(f"slack_{fault} ({wish.where}, {wish.down_for:g} s)")
    async with _flowing(wish, verdict) as on:
        await asyncio.sleep(3)
        began = time.time()
        on.slack.fault = fault
        await asyncio.sleep(wish.down_for)
        on.slack.fault = "ok"
        back = time.time()
        await asyncio.sleep(min(12.0, wish.down_for))
    _loud_at_once(verdict, on, began, back)
    _no_flood(verdict, on, back)
    return verdict


def _closed(word: str) -> Scenario:
    async def scenario(wish: Wish) -> Verdict:
        verdict = Verdict(f"channel {word} ({wish.where}, {wish.down_for:g} s)")
        async with _flowing(wish, verdict, no_root_needed=True) as on:
            await asyncio.sleep(3)
            began = time.time()
            on.slack.closed.update({f"C{n:08d}": word for n in range(on.installation.teams)})
            await asyncio.sleep(wish.down_for)
            on.slack.closed.clear()
            back = time.time()
            await asyncio.sleep(15)
        _loud_at_once(verdict, on, began, back)
        _no_flood(verdict, on, back)
        after = [case for case in on.ledger.accepted() if case.posted_at > back]
        bare = [case.name for case in after if not on.ledger.roots.get(case.name)]
        verdict.say(
            f"incidents begun after it was mended: {len(after)}, without a card {len(bare)}"
        )
        verdict.must(not bare, f"no card though the channel is back: {bare[:3]}")
        verdict.must(
            any("could not be delivered" in line for line in on.ledger.admin),
            "no admin heard by another road that messages cannot be delivered",
        )
        return verdict

    scenario.__doc__ = (
        f"Every incident channel answers {word}: pages go on, admins hear of it by another road."
    )
    return scenario


def _loud_at_once(verdict: Verdict, on: Stage, began: float, back: float) -> None:
    waited = [
        case.arrived[step]["push"] - case.due(step)
        for case in on.ledger.accepted()
        for step in case.expected
        if began <= case.due(step) <= back and "push" in case.arrived.get(step, {})
    ]
    verdict.say(f"loud road while Slack was away: {figures(waited)}; of {len(waited)}")
    verdict.must(waited, "no page was due while Slack was away: the load was too small")
    verdict.should(percentile(sorted(waited), 0.99) <= 2.0, "the loud road goes at once")
    verdict.must(max(waited, default=0) <= 60.0, "a page waited longer than 60 s for its loud road")


def _no_flood(verdict: Verdict, on: Stage, back: float) -> None:
    by_second: Counter[tuple[str, int]] = Counter()
    total = 0
    for channel, posted in on.slack.messages.items():
        for one in posted.values():
            if one.at >= back:
                by_second[channel, int(one.at)] += 1
                total += 1
    worst = max(by_second.values(), default=0)
    verdict.say(
        f"new messages in Slack after it was back: {total}; at most {worst} a second in one channel"
    )
    verdict.must(worst <= 3, f"{worst} messages in one second in one channel")


async def socket_drops(wish: Wish) -> Verdict:
    """Socket Mode is cut again and again while people press Acknowledge in Slack."""
    verdict = Verdict(f"socket_drops ({wish.where})")
    installation = Installation(teams=wish.teams, steps=4, slack_each=1)
    cut = presses = 0
    async with _flowing(
        wish, verdict, installation=installation, early_acks=0.0, presses_links=False
    ) as on:
        until = time.monotonic() + (8 if wish.quick else 30)
        turn = 0
        while time.monotonic() < until or (on.load.open and turn < 400):
            if time.monotonic() >= until:
                on.load.running = False
            turn += 1
            await asyncio.sleep(0.3)
            if turn % 3 == 0 and time.monotonic() < until:
                cut += await on.slack.drop_sockets()
            presses += await _press_all(on)
    verdict.say(f"connections cut {cut}, made {on.slack.connections}; presses sent {presses}")
    acked = [case for case in on.ledger.accepted() if case.acked_at]
    verdict.say(f"acknowledged in Slack: {len(acked)}")
    verdict.must(acked, "no press was ever taken")
    return verdict


async def _press_all(on: Stage) -> int:
    """Everybody whose last page lies in Slack presses Acknowledge; again until the message says so."""
    sent = 0
    for channel, posted in list(on.slack.messages.items()):
        if not channel.startswith("D"):
            continue
        for one in list(posted.values()):
            for case, step in on.ledger.told(int(channel[1:]), one.text + one.blocks):
                if case.acked_at is not None or step < case.ack_after_step:
                    continue
                if "page.ack" not in one.blocks:
                    case.acked_at = time.time()
                    on.load.answered(case)
                    continue
                value = next(
                    element["value"]
                    for block in json.loads(one.blocks)
                    for element in block.get("elements", ())
                    if element.get("action_id") == "page.ack"
                )
                sent += await on.slack.press(one, "page.ack", value, "U" + channel[1:])
    return sent


# --- roads --------------------------------------------------------------------------------------------------------


async def deaf_provider(wish: Wish) -> Verdict:
    """The push provider accepts every message and delivers none to the first people: the next step goes on by time."""
    verdict = Verdict(f"deaf_provider ({wish.where})")
    async with stage(
        Installation(teams=wish.teams, steps=6),
        wish.database,
        seed=wish.seed,
        processes=wish.processes,
        with_slack=False,
        answers=False,
        early_acks=0.0,
    ) as on:
        await on.bots.start()
        teams = range(20)
        deaf = {f"p{on.installation.person(team, step)}" for team in teams for step in range(3)}
        deaf -= {f"p{on.installation.person(team, step)}" for team in teams for step in range(3, 6)}
        on.phones.deaf = deaf
        cases = [on.load.begin(team) for team in teams]
        await asyncio.sleep(5 + 10)
        heard = [(case, step) for case in cases for step in case.arrived]
        due = [
            (case, step)
            for case in cases
            for step in range(6)
            if f"p{case.people[step]}" not in deaf
        ]
        late = [min(case.arrived[step].values()) - case.due(step) for case, step in heard]
        verdict.say(f"messages swallowed by the provider {on.phones.swallowed}, heard {len(heard)}")
        verdict.say(f"steps after the deaf ones, after due: {figures(late)}")
        verdict.must(on.phones.swallowed >= 30, "nothing was swallowed")
        verdict.must(set(map(_id, due)) <= set(map(_id, heard)), "a later step never came")
        verdict.should(percentile(sorted(late), 0.99) <= 2.0, "p99 <= 2 s")
        evidence(verdict, on)
    return verdict


def _id(pair: tuple[Any, int]) -> tuple[str, int]:
    return pair[0].name, pair[1]


async def roads(wish: Wish) -> Verdict:
    """Kills while four roads are in use: Slack, ntfy, a webhook and mail."""
    verdict = Verdict(f"roads ({wish.where})")
    async with _flowing(
        wish,
        verdict,
        installation=Installation(teams=wish.teams, steps=4, every_road=True),
    ) as on:
        for _ in range(3 if wish.quick else 10):
            await asyncio.sleep(on.rng.uniform(1.0, 4.0))
            bot = on.rng.choice(on.bots.all)
            bot.kill()
            on.ledger.kills["at random"] += 1
            await bot.start()
    by = Counter(road for road, _ in on.ledger.rings)
    verdict.say(f"kills {sum(on.ledger.kills.values())}; messages by road {dict(by)}")
    verdict.must({"slack", "push", "hook", "mail"} <= set(by), "a road carried nothing")
    return verdict


# --- the machine --------------------------------------------------------------------------------------------------


async def disk_full(wish: Wish) -> Verdict:
    """The file system of the database is full for a while: 503, nothing accepted is lost, no start is needed after."""
    verdict = Verdict(f"disk_full (sqlite, {wish.down_for:g} s)")
    place = Path(quick_folder() or "/tmp") / f"oncall-chaos-full-{os.getpid()}"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", str(place)], check=False
    )
    if mounted.returncode != 0:
        verdict.say("skipped: only root may mount a small file system")
        place.rmdir()
        return verdict
    answers: Counter[int] = Counter()
    try:
        async with _flowing(wish, verdict, database="sqlite", processes=1, folder=place) as on:
            await asyncio.sleep(4)
            ballast = place / "ballast"
            began = time.time()
            _fill(ballast)
            until = time.monotonic() + min(wish.down_for, 30)
            while time.monotonic() < until:
                answers[await on.bots.post("/webhook/alertmanager", _probe(answers.total()))] += 1
                with contextlib.suppress(OSError):
                    _fill(ballast)
                await asyncio.sleep(0.5)
            before = on.phones.rings
            ballast.unlink()
            back = time.time()
            first = await _first_ring(on, before, 30) - back
            verdict.say(f"full for {back - began:.0f} s; the webhook meanwhile: {dict(answers)}")
            verdict.say(f"first page after there was room again: {first:.2f} s")
            verdict.must(on.bots.all[0].alive, "the process ended")
            verdict.must(answers[503] > 0, "the webhook never said 503")
            await asyncio.sleep(4)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)
        with contextlib.suppress(OSError):
            place.rmdir()
    return verdict


def _fill(ballast: Path) -> None:
    with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
        piece = b"\0" * 65536
        while True:
            if not file.write(piece):
                return


async def clock(wish: Wish) -> Verdict:
    """PostgreSQL, two processes: one clock ten minutes ahead, one behind, both stepping while they run (F13)."""
    verdict = Verdict("clock (postgresql, 2 processes)")
    library = next(
        (
            path
            for machine in LIBFAKETIME
            if (path := Path(f"/usr/lib/{machine}/faketime/libfaketime.so.1")).exists()
        ),
        None,
    )
    if library is None:
        verdict.say("skipped: Debian's package faketime is not installed")
        return verdict
    async with _flowing(wish, verdict, database="postgresql", processes=2, start=False) as on:
        for bot, shift in zip(on.bots.all, ("+600", "-600"), strict=True):
            _set(on.folder / f"clock-{bot.number}", shift)
            await _start_with_clock(bot, library, on.folder / f"clock-{bot.number}")
        for shifts in (("-600", "+600"), ("+0", "-600"), ("+600", "-601"), ("+0", "+0")):
            await asyncio.sleep(3 if wish.quick else 8)
            for bot, shift in zip(on.bots.all, shifts, strict=True):
                _set(on.folder / f"clock-{bot.number}", shift)
        await asyncio.sleep(3)
        on.bots.all[0].kill()
        on.ledger.kills["at random"] += 1
        _set(on.folder / "clock-0", "-600")
        await _start_with_clock(on.bots.all[0], library, on.folder / "clock-0")
        await asyncio.sleep(4)
    late, _ = lateness(verdict, on.ledger)
    verdict.should(percentile(late, 0.99) <= 2.0, "p99 <= 2 s")
    return verdict


def _set(file: Path, shift: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(f"{shift}\n")
    new.replace(file)


async def _start_with_clock(bot: Bot, library: Path, file: Path) -> None:
    await bot.start(
        LD_PRELOAD=str(library),
        FAKETIME_TIMESTAMP_FILE=str(file),
        FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
        DONT_FAKE_MONOTONIC="1",
        FAKETIME_DONT_RESET="1",
    )


# --- rows ---------------------------------------------------------------------------------------------------------


async def poison(wish: Wish) -> Verdict:
    """Rows that make the code raise every time: a message, an unreadable message, a timer. Others are unharmed."""
    verdict = Verdict(f"poison ({wish.where})")
    async with _flowing(wish, verdict) as on:
        await asyncio.sleep(3)
        _poison(on)
        await asyncio.sleep(6 if wish.quick else 15)
    late, _ = lateness(verdict, on.ledger)
    verdict.should(percentile(late, 0.99) <= 2.0, "p99 <= 2 s beside the poison")
    said = " ".join(on.ledger.admin)
    verdict.must(
        "could not be delivered" in said, "no admin heard of the message that cannot be sent"
    )
    verdict.must("A step of oncall-bot fails" in said, "no admin heard of the timer that fails")
    return verdict


def _poison(on: Stage) -> None:
    now = datetime.now(UTC) - timedelta(hours=1)
    sqlite = on.database.name == "sqlite"
    stamp: Any = int(now.timestamp() * 1_000_000) if sqlite else now
    outbox = (
        "INSERT INTO outbox (lane, kind, destination, payload, generation, state, created_at,"
        " next_attempt_at, attempts, failures, dedupe_key)"
        " VALUES (0, :kind, :dest, :payload, 0, 'pending', :at, :at, 0, 0, :key)"
    )
    rows = [
        {"kind": "nonsense", "dest": "push:poison1", "payload": "{}", "key": "poison:1"},
        {"kind": "loud", "dest": "push:poison2", "payload": "[]", "key": "poison:2"},
        {"kind": "loud", "dest": "push:poison3", "payload": "{}", "key": "poison:3"},
    ]
    if sqlite:  # PostgreSQL lets no such thing in
        rows.append({"kind": "loud", "dest": "push:poison4", "payload": "{not JSON", "key": "p:4"})
    timer = (
        "INSERT INTO timer (kind, subject, due_at, state, data, attempts, dedupe_key)"
        " VALUES (:kind, :subject, :at, 'pending', :data, 0, :key)"
    )
    timers = [
        {"kind": "nonsense", "subject": "run:1", "data": "{}", "key": "poison:t1"},
        {"kind": "escalate", "subject": "run:1", "data": "{}", "key": "poison:t2"},
    ]
    if sqlite:
        timers.append({"kind": "escalate", "subject": "run:2", "data": "{", "key": "poison:t3"})
    engine = _engine(on)
    with engine.begin() as connection:
        for row in rows:
            connection.execute(
                text("INSERT INTO destination (key) VALUES (:dest)"), {"dest": row["dest"]}
            )
            connection.execute(text(outbox), {**row, "at": stamp})
        for one in timers:
            connection.execute(text(timer), {**one, "at": stamp})
    engine.dispose()


def _engine(on: Stage) -> Any:
    url = make_url(on.database.url)
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return create_engine(url, poolclass=NullPool)


async def open_timers(wish: Wish) -> Verdict:
    """Ten thousand steps are overdue when the process starts: the first page comes within 5 s (F5)."""
    count = wish.timers
    verdict = Verdict(f"open_timers ({wish.where}, {count} timers)")
    teams = max(20, count // 16)
    wait = 20 if wish.quick else 150
    installation = Installation(teams=teams, steps=2, gap=600.0, first_wait=f"{wait}s")
    async with stage(
        installation,
        wish.database,
        seed=wish.seed,
        processes=wish.processes,
        with_slack=False,
        answers=False,
        keep=wish.keep,
    ) as on:
        await on.bots.start()
        began = time.time()
        for turn in range(0, count, 64):
            cases = [on.load.unposted(n % teams) for n in range(turn, min(turn + 64, count))]
            while await on.bots.post("/webhook/alertmanager", alert_body(cases)) != 200:
                await asyncio.sleep(0.2)
            for case in cases:
                on.ledger.accept(case, time.time())
            if turn % 1280 == 0:
                print(f"  open_timers: {turn} accepted in {time.time() - began:.0f} s", flush=True)
        took = time.time() - began
        for bot in on.bots.all:
            bot.kill()
        early = on.phones.rings
        on.phones.heard.clear()
        verdict.say(f"{count} alerts accepted in {took:.0f} s; {early} pages rang before the kill")
        await asyncio.sleep(wait + 4)
        await asyncio.gather(*(bot.start(wait=False) for bot in on.bots.all))
        started = min(bot.started_at for bot in on.bots.all)
        waiting = asyncio.gather(*(bot.until_ready() for bot in on.bots.all))
        first = await _first_ring(on, early, 60) - started
        await waiting
        ready = [one for bot in on.bots.all for one in bot.start_took[-1:]]
        await asyncio.sleep(10)
        rate = (on.phones.rings - early) / (time.time() - started)
        verdict.say(f"first overdue page {first:.2f} s after start; ready {figures(ready)}")
        verdict.say(f"then {rate:.0f} messages a second")
        verdict.should(first <= 5.0, "first overdue page <= 5 s after start (F5)")
        verdict.should(max(ready) <= 4.0, "ready <= 4 s after start")
        verdict.must(on.ledger.doubled().get("push", 0) == 0, "doubled without need")
        until = time.monotonic() + (60 if wish.quick else 400)
        people = {f"p{installation.person(team, 0)}" for team in range(teams)}
        while not people <= on.phones.heard and time.monotonic() < until:
            await asyncio.sleep(0.5)
        verdict.say(
            f"all {len(people)} people were reached {time.time() - started:.0f} s after start"
        )
        verdict.say("pages of one person travel together, so there are fewer messages than timers")
        silent = people - on.phones.heard
        verdict.must(not silent, f"{len(silent)} people were never reached: {sorted(silent)[:3]}")
        evidence(verdict, on)
    return verdict


async def restored_backup(wish: Wish) -> Verdict:
    """A backup is put back: nothing is sent before `resume`, and then what is open pages again."""
    verdict = Verdict(f"restored_backup ({wish.where})")
    if wish.database != "sqlite":
        verdict.say("skipped: the clients of PostgreSQL are needed; see tests/component/store")
        return verdict
    async with stage(
        Installation(teams=wish.teams, steps=6, gap=4.0),
        "sqlite",
        seed=wish.seed,
        answers=False,
        early_acks=0.0,
        keep=wish.keep,
    ) as on:
        bot = on.bots.all[0]
        await bot.start()
        cases = [on.load.begin(team) for team in range(10)]
        await _until(lambda: all(0 in case.arrived for case in cases), 40)
        copy = on.folder / "backup.db"
        await _command(on, "backup", str(copy))
        await _until(lambda: all(1 in case.arrived for case in cases), 40)
        bot.kill()
        await _command(on, "restore", str(copy))
        before, posts = on.phones.rings, sum(len(one) for one in on.slack.messages.values())
        await bot.start()
        await asyncio.sleep(8)
        quiet = on.phones.rings - before
        posted = sum(len(one) for one in on.slack.messages.values()) - posts
        verdict.say(f"in 8 s after the restore: {quiet} rang, {posted} new messages in Slack")
        verdict.must(quiet == 0 and posted == 0, "something was sent before `resume`")
        await _command(on, "resume")
        resumed = time.time()
        first = await _first_ring(on, before, 30) - resumed
        await _until(lambda: all(5 in case.arrived for case in cases), 90)
        missing = [case.name for case in cases if 5 not in case.arrived]
        verdict.say(f"first page after `resume` {first:.2f} s; all steps went on: {not missing}")
        verdict.must(not missing, f"stopped escalating: {missing[:3]}")
        roots = on.ledger.second_roots()
        verdict.must(not roots, f"second root messages: {roots[:3]}")
        evidence(verdict, on)
    return verdict


# --- small things -------------------------------------------------------------------------------------------------


async def _command(on: Stage, *words: str) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith("ONCALL_")}
    env |= {"ONCALL_DATABASE_URL": on.database.url, "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "oncall_bot", *words, cwd=on.folder, env=env,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"oncall-bot {' '.join(words)} failed: {said.decode()[-800:]}")


async def _first_ring(on: Stage, before: int, within: float) -> float:
    """When the first message after the first `before` rang."""
    until = time.monotonic() + within
    while on.phones.rings <= before and time.monotonic() < until:
        await asyncio.sleep(0.01)
    return time.time()


async def _until(look: Callable[[], bool], within: float) -> None:
    until = time.monotonic() + within
    while not look() and time.monotonic() < until:
        await asyncio.sleep(0.1)


def _probe(number: int) -> dict[str, Any]:
    """An alert that pages nobody: only whether it is taken is asked."""
    labels = {"alertname": f"Probe{number}", "service": "s0", "severity": "info"}
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    alert = {"status": "firing", "labels": labels, "startsAt": at, "endsAt": "0001-01-01T00:00:00Z"}
    return {"version": "4", "status": "firing", "alerts": [alert]}


SLACK_FAULTS = {
    f"slack_{fault}": _slack_says(fault)
    for fault in ("500", "429", "silent", "slow", "lost_answer", "token_revoked")
}
CLOSED = {
    "channel_archived": _closed("is_archived"),
    "bot_kicked": _closed("not_in_channel"),
}
ALL: dict[str, Scenario] = {
    "database_restart": database_restart,
    **SLACK_FAULTS,
    **CLOSED,
    "socket_drops": socket_drops,
    "deaf_provider": deaf_provider,
    "roads": roads,
    "disk_full": disk_full,
    "clock": clock,
    "poison": poison,
    "open_timers": open_timers,
    "restored_backup": restored_backup,
}
