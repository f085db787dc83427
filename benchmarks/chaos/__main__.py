"""Torment a real oncall-bot on loopback, and count at the far end what reached people.

A load of critical alerts flows through the real webhook into real processes (`python -m oncall_bot serve`), which page
people on a Slack, an ntfy server, a webhook and a mail server of this benchmark. Meanwhile the processes are killed, or
the world around them breaks. What counts is what lies at the receivers, by key; the bot's database is never asked.

  lost     an accepted alert (200) one of whose pages reached nobody by any road, or which stopped escalating
  doubled  a message that lies at its receiver twice under one key
  late     arrival after max(due, a process was ready)

Exit 1 when something was lost, doubled beyond what is allowed, or a scenario's promise was broken. Targets of time that
were missed are printed; with --strict they fail the run too (measure them on a machine that does nothing else).
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from benchmarks.chaos import faults
from benchmarks.chaos.report import Verdict
from benchmarks.chaos.scenarios import Scenario, Wish, calm, kills

SCENARIOS: dict[str, Scenario] = {"calm": calm, "kills": kills, **faults.ALL}
QUICK = {"pages": 150, "kills": 6, "minutes": 1.0, "down_for": 8.0, "timers": 600, "most": 20}
EXAMPLES = """examples:
  python -m benchmarks.chaos kills --quick                      a minute, for CI
  python -m benchmarks.chaos calm --strict                      lateness, nothing fails (F3)
  python -m benchmarks.chaos kills --pages 25000 --kills 160 --quick-births --minutes 60
  python -m benchmarks.chaos kills --database postgresql --processes 2 --pages 25000 --kills 160 --quick-births
  python -m benchmarks.chaos slack_500 --down-for 1800          Slack away for half an hour (F7)
  python -m benchmarks.chaos all --report results.md            every scenario, one after the other

scenarios:
"""


def main() -> int:
    """The exit status."""
    given = _arguments()
    wished = given.scenarios or ["kills"]
    names = list(SCENARIOS) if wished == ["all"] else wished
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        print(f"no scenario {unknown[0]}; there are: all, {', '.join(SCENARIOS)}", file=sys.stderr)
        return 2
    verdicts = [_run(name, _wish(given)) for name in names]
    if given.report:
        _write(given.report, verdicts)
    failed = any(one.faults or (given.strict and one.misses) for one in verdicts)
    return 1 if failed else 0


def _run(name: str, wish: Wish) -> Verdict:
    print(f"{name}: {wish.where}, seed {wish.seed}", flush=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        verdict = runner.run(SCENARIOS[name](wish))
    print(verdict.text() + "\n", flush=True)
    return verdict


def _wish(given: argparse.Namespace) -> Wish:
    chosen = {key: value for key, value in vars(given).items() if key in Wish.__annotations__}
    if given.quick:
        defaults = Wish()
        for key, value in QUICK.items():
            if chosen[key] == getattr(defaults, key):
                chosen[key] = value
    return Wish(**chosen)


def _arguments() -> argparse.Namespace:
    lines = [f"  {name:18} {(run.__doc__ or '').strip()}" for name, run in SCENARIOS.items()]
    usual = Wish()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chaos",
        description=__doc__,
        epilog=EXAMPLES + "\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "scenarios",
        nargs="*",
        metavar="SCENARIO",
        help="`all`, or names from the list below; kills if none is given",
    )
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default=usual.database)
    parser.add_argument(
        "--processes",
        type=int,
        default=usual.processes,
        metavar="N",
        help="with postgresql: equal replicas",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=usual.seed,
        metavar="N",
        help="moments of death, fault points and acknowledgements follow from it",
    )
    parser.add_argument(
        "--pages",
        type=int,
        default=usual.pages,
        metavar="N",
        help="calm and kills: go on until so many pages are owed",
    )
    parser.add_argument(
        "--kills",
        type=int,
        default=usual.kills,
        metavar="N",
        help="kills: and until there were so many",
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=usual.minutes,
        metavar="N",
        help="kills: but no longer than this",
    )
    parser.add_argument(
        "--most",
        type=int,
        default=usual.most,
        metavar="N",
        help="calm and kills: incidents open at once",
    )
    parser.add_argument(
        "--rate",
        type=float,
        default=usual.rate,
        metavar="N",
        help="calm and kills: new alerts a second, at most",
    )
    parser.add_argument(
        "--teams",
        type=int,
        default=usual.teams,
        metavar="N",
        help="teams, each with a channel; one incident a minute each",
    )
    parser.add_argument(
        "--down-for",
        type=float,
        default=usual.down_for,
        metavar="SECONDS",
        help="how long Slack is away, a disk full, a channel closed",
    )
    parser.add_argument(
        "--timers",
        type=int,
        default=usual.timers,
        metavar="N",
        help="open_timers: how many are overdue",
    )
    parser.add_argument(
        "--quick-births",
        action="store_true",
        help="fork each new life from a parent that has loaded the code: more deaths an hour, starts are no figure",
    )
    parser.add_argument(
        "--quick", action="store_true", help="small numbers and short faults, for CI"
    )
    parser.add_argument(
        "--strict", action="store_true", help="a missed target of time fails the run"
    )
    parser.add_argument(
        "--keep", action="store_true", help="leave the folder with database and logs"
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write the verdicts as Markdown"
    )
    return parser.parse_args()


def _write(file: Path, verdicts: list[Verdict]) -> None:
    head = f"# Chaos, {datetime.now(UTC):%Y-%m-%d}\n\n{platform.platform()}, Python {platform.python_version()}.\n\n"
    file.write_text(head + "\n\n".join(one.text() for one in verdicts) + "\n")


if __name__ == "__main__":
    sys.exit(main())
