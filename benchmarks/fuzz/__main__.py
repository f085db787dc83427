"""`python -m benchmarks.fuzz --door webhook --bodies 200000 --seed 1`: see README.md beside this file."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

from benchmarks.fuzz.doors import DOORS
from benchmarks.fuzz.throwing import BATCH, Figures, throw

TELL_EVERY_S = 20.0


class Progress:
    """A line now and then, on stderr."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def __call__(self, figures: Figures) -> None:
        if time.monotonic() - self._told > TELL_EVERY_S:
            self._told = time.monotonic()
            print(figures.line(), file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz")
    parser.add_argument("--door", choices=[*DOORS, "all"], default="all")
    parser.add_argument("--bodies", type=int, default=200_000, help="at each door")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=BATCH, help="looked at after so many")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for culprits")
    given = parser.parse_args()
    found = 0
    for name in DOORS if given.door == "all" else [given.door]:
        work = throw(
            DOORS[name](), given.bodies, given.seed, batch=given.batch, progress=Progress()
        )
        figures = asyncio.run(work)
        print(figures.line(), flush=True)
        for n, finding in enumerate(figures.findings):
            path = given.out / f"fuzz-{name}-{given.seed}-{figures.bodies}-{n}.jsonl"
            path.write_text(finding.written())
            print(f"  {finding.what[:1000]}\n  culprit in {path}", flush=True)
            if n == 9:
                break
        found += len(figures.findings)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
