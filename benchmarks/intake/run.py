"""How many alerts a second are taken in and stored: the bot against F, a bare Python service on the same machine.

F (floor.py) is plain ASGI, msgspec and SQLite with synchronous=FULL and group commit; it only stores. The bot is the
real `python -m oncall_bot serve` with the oncall.yaml beside this file: it authorises, decodes, fingerprints, judges,
routes into 40 groups, keeps incidents, timeline and outbox, and pages by push to a stand-in on loopback. Both answer
after the commit. Rounds are interleaved, so that a slow minute of the machine hits all; read the ratios before the
rates. After every round the database is counted: every answered alert must be stored, or the run fails.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.intake.servers import ROOT, TOKEN, Server, Sink, start_bot, start_floor

RESULTS = Path(__file__).parent / "results"
RATE_AT_LEAST = 0.25
CPU_AT_MOST = 3.0
ROUND_WITHIN = 180.0


@dataclass(frozen=True)
class Round:
    """One load on one server."""

    rate: float  # alerts a second
    p50_ms: float
    p99_ms: float
    cpu: float  # CPU seconds per 1,000 alerts
    rss_mib: float
    answered: int
    missing: int
    refused: int


@dataclass
class Series:
    """All rounds of one server in one case."""

    name: str
    rounds: list[Round] = field(default_factory=list)

    def median(self, of: Callable[[Round], float]) -> float:
        return statistics.median(of(one) for one in self.rounds)

    def ratio(self, base: Series, of: Callable[[Round], float]) -> float:
        """The median over rounds of this server's figure against the base's in the same round."""
        pairs = zip(self.rounds, base.rounds, strict=True)
        return statistics.median(of(mine) / (of(theirs) or 1e-9) for mine, theirs in pairs)


@dataclass
class Case:
    title: str
    series: list[Series]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def load(server: Server, word: str, *, requests: int, alerts: int, connections: int) -> Round:
    """One closed loop of distinct alerts from a client process, and what it cost the server."""
    before, cpu = server.stored(), server.cpu()
    given = {
        "port": server.port,
        "token": TOKEN,
        "run": word,
        "requests": requests,
        "alerts": alerts,
        "connections": connections,
    }
    command = [sys.executable, "-m", "benchmarks.intake.client"]
    command += [f"--{name}={value}" for name, value in given.items()]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=ROUND_WITHIN
    )
    said = json.loads(done.stdout)
    answered = int(said["answered"])
    if said["refused"]:
        say(f"  {server.name}: {said['refused']} refused, the first with {said['first_refusal']}")
    return Round(
        rate=answered / said["seconds"],
        p50_ms=said["p50_ms"],
        p99_ms=said["p99_ms"],
        cpu=(server.cpu() - cpu) / max(answered, 1) * 1000,
        rss_mib=server.rss_mib(),
        answered=answered,
        missing=max(0, answered - (server.stored() - before)),
        refused=int(said["refused"]),
    )


def interleaved(
    title: str,
    servers: list[Server],
    rounds: int,
    *,
    requests: int,
    alerts: int = 1,
    connections: int = 32,
    word: str = "",
) -> Case:
    """`rounds` times each server in turn, every alert a new one; `word` tells calls with the same servers apart."""
    case = Case(title, [Series(server.name) for server in servers])
    for number in range(rounds):
        for server, series in zip(servers, case.series, strict=True):
            run = f"{word}{alerts}x{connections}r{number}"
            one = load(server, run, requests=requests, alerts=alerts, connections=connections)
            series.rounds.append(one)
            say(
                f"  round {number + 1}/{rounds}  {server.name:<24} {one.rate:8,.0f} alerts/s"
                f"  p99 {one.p99_ms:6.1f} ms  {one.cpu:.3f} CPU s/1,000"
            )
    return case


def grown(stack: ExitStack, folder: Path, rounds: int, requests: int, stored: int) -> Case:
    """A bot with many stored alerts against one that has none; the empty one is a new process each round."""
    sink = Sink()
    stack.callback(sink.close)
    full = _kept(stack, start_bot(folder, f"bot, {stored:,} stored", sink))
    say(f"  storing {stored:,} alerts first")
    load(full, "before", requests=-(-stored // 64), alerts=64, connections=8)
    case = Case(
        f"One alert a request, c=32, {stored:,} alerts stored before",
        [Series("bot, empty"), Series(full.name)],
    )
    for number in range(rounds):
        empty = _kept(stack, start_bot(folder, f"bot, empty {number}", sink))
        one = interleaved("", [empty, full], 1, requests=requests, word=f"grown{number}")
        for series, more in zip(case.series, one.series, strict=True):
            series.rounds += more.rounds
        empty.stop()
    return case


def table(case: Case) -> list[str]:
    """The case in Markdown; ratios are medians over rounds against the first line."""
    base = case.series[0]
    against = f"against {base.name}"
    heads = ["server", "alerts/s, median (least - most)", against, "p50 ms", "p99 ms"]
    heads += ["CPU s / 1,000", against, "RSS MiB after", "answered", "answered but not stored"]
    lines = [
        f"### {case.title}",
        "",
        f"| {' | '.join(heads)} |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for series in case.series:
        rates = [one.rate for one in series.rounds]
        lines.append(
            f"| {series.name} | {series.median(lambda r: r.rate):,.0f} ({min(rates):,.0f} - {max(rates):,.0f})"
            f" | {series.ratio(base, lambda r: r.rate):.2f}"
            f" | {series.median(lambda r: r.p50_ms):.1f} | {series.median(lambda r: r.p99_ms):.1f}"
            f" | {series.median(lambda r: r.cpu):.3f} | {series.ratio(base, lambda r: r.cpu):.2f}"
            f" | {series.rounds[-1].rss_mib:.0f}"
            f" | {sum(r.answered for r in series.rounds):,} | {sum(r.missing for r in series.rounds)} |"
        )
    return [*lines, ""]


def faults(cases: list[Case], *, timed: bool) -> list[str]:
    """What went wrong: a lost alert always; a missed target only where time was meant to be judged."""
    found = []
    for case in cases:
        for series in case.series:
            if lost := sum(one.missing for one in series.rounds):
                found.append(f"{series.name}: {lost} answered alerts are not stored")
            if refused := sum(one.refused for one in series.rounds):
                found.append(f"{series.name}: {refused} requests were not answered 200")
    if timed and cases[0].series[0].name == "F":
        floor, bot = cases[0].series[:2]
        if (rate := bot.ratio(floor, lambda r: r.rate)) < RATE_AT_LEAST:
            found.append(f"alerts/s against F: {rate:.2f}, the goal is {RATE_AT_LEAST}")
        if (cpu := bot.ratio(floor, lambda r: r.cpu)) > CPU_AT_MOST:
            found.append(f"CPU against F: {cpu:.2f}, the goal is at most {CPU_AT_MOST}")
    return found


def machine() -> str:
    import os
    import platform
    import sqlite3

    system = "Linux"
    release = Path("/etc/os-release")
    if release.exists():
        pairs = dict(line.split("=", 1) for line in release.read_text().splitlines() if "=" in line)
        system = pairs.get("PRETTY_NAME", system).strip('"')
    return (
        f"{os.cpu_count()} cores, {system}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version};"
        " client, stand-in and server share the machine"
    )


def measure(args: argparse.Namespace, folder: Path) -> list[Case]:
    cases = []
    say("one alert a request, c=32")
    with ExitStack() as stack:
        servers = _pair(stack, folder, "bot")
        title = "One alert a request, c=32"
        cases.append(interleaved(title, servers, args.rounds, requests=args.requests))
        say("64 alerts a request, c=8")
        title = "64 alerts a request, c=8"
        many = {"requests": max(16, args.requests // 50), "alerts": 64, "connections": 8}
        cases.append(interleaved(title, servers, args.rounds, **many))
    if not args.quick:
        say("with Slack, one alert a request, c=32")
        with ExitStack() as stack:
            servers = _pair(stack, folder, "bot with Slack", slack=True)
            title = "With Slack, one alert a request, c=32"
            cases.append(interleaved(title, servers, args.rounds, requests=args.requests))
    if args.stored:
        say(f"with {args.stored:,} alerts stored before")
        with ExitStack() as stack:
            cases.append(grown(stack, folder, args.rounds, args.requests, args.stored))
    return cases


def _pair(stack: ExitStack, folder: Path, name: str, *, slack: bool = False) -> list[Server]:
    """F and a bot, both new and both warm."""
    sink = Sink()
    stack.callback(sink.close)
    floor = _kept(stack, start_floor(folder, f"F beside {name}"))
    floor.name = "F"
    servers = [floor, _kept(stack, start_bot(folder, name, sink, slack=slack))]
    for server in servers:
        load(server, "warm", requests=200, alerts=1, connections=8)
    return servers


def _kept(stack: ExitStack, server: Server) -> Server:
    stack.callback(server.stop)
    return server


def report(args: argparse.Namespace, cases: list[Case], found: list[str]) -> str:
    now = datetime.now(UTC)
    lines = [
        f"# Intake, {now:%Y-%m-%d}",
        "",
        f"{machine()}. {args.rounds} interleaved rounds of {args.requests:,} requests; ratios are medians over rounds.",
        "`bot` runs without Slack tokens and pages by push to a stand-in on loopback; `bot with Slack` also keeps its",
        "cards in a stand-in for Slack's Web API. The database is counted right after the last answer of each round.",
        "",
    ]
    for case in cases:
        lines += table(case)
    lines += [f"- {fault}" for fault in found] or [
        "Every answered alert was stored, in every round."
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.intake.run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit 1: an answered alert was not stored, a request was refused, or (not with --quick) the goals"
        f" were missed: at least {RATE_AT_LEAST} of F's rate and at most {CPU_AT_MOST:.0f} times its CPU.",
    )
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument(
        "--requests", type=int, default=10_000, help="requests a round (default 10000)"
    )
    parser.add_argument(
        "--stored", type=int, default=100_000, help="also with so many alerts stored before; 0: not"
    )
    parser.add_argument(
        "--quick", action="store_true", help="two small rounds, no goals, no file: for CI"
    )
    parser.add_argument("--no-file", action="store_true", help="print the tables only")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.requests, args.stored, args.no_file = 2, 1000, 0, True
    with tempfile.TemporaryDirectory(prefix="oncall-intake-") as folder:
        cases = measure(args, Path(folder))
    found = faults(cases, timed=not args.quick)
    text = report(args, cases, found)
    print(text)
    if not args.no_file:
        RESULTS.mkdir(exist_ok=True)
        file = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}.md"
        file.write_text(text)
        say(f"written: {file}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
