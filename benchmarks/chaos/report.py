"""What a run found, in lines: progress while it goes on, a verdict at its end.

Knows words and numbers. Decides what counts as a failure. Serves the command and the dated results.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from benchmarks.chaos.ledger import Ledger, figures


@dataclass
class Verdict:
    """One scenario's end: lines for people, and what was wrong."""

    name: str
    lines: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    misses: list[str] = field(default_factory=list)  # targets of time that were not met

    def say(self, line: str) -> None:
        self.lines.append(line)

    def must(self, holds: object, fault: str) -> None:
        """A promise: when it does not hold the run has failed."""
        if not holds:
            self.faults.append(fault)

    def should(self, holds: object, miss: str) -> None:
        """A target of time: missing it is said, and fails the run as well unless it was asked to be lenient."""
        if not holds:
            self.misses.append(miss)

    def text(self) -> str:
        state = "FAILED" if self.faults else "missed" if self.misses else "passed"
        found = [f"## {self.name}: {state}", "", *(f"- {line}" for line in self.lines)]
        found += [f"- FAULT: {fault}" for fault in self.faults]
        found += [f"- target missed: {miss}" for miss in self.misses]
        return "\n".join(found)


class Progress:
    """A line every few seconds, so that nobody wonders whether it still runs."""

    def __init__(self, name: str, *, every: float = 10.0) -> None:
        self._name = name
        self._every = every
        self._began = time.monotonic()
        self._said = 0.0

    def tell(self, ledger: Ledger, more: str = "") -> None:
        now = time.monotonic()
        if now - self._said < self._every:
            return
        self._said = now
        kills = sum(ledger.kills.values())
        accepted = ledger.accepted()
        arrived = sum(len(case.arrived) for case in accepted)
        print(
            f"  {self._name} {now - self._began:5.0f} s: {kills} kills, {len(accepted)} alerts accepted, "
            f"{arrived} pages arrived {more}",
            flush=True,
        )


def counted(verdict: Verdict, ledger: Ledger, *, drained: bool, slack: bool = True) -> None:
    """The four counts every scenario ends with, and the faults they show."""
    accepted, missing = ledger.accepted(), ledger.missing()
    verdict.say(f"accepted {len(accepted)} critical alerts, {ledger.pages()} pages to people")
    verdict.say(f"lost {len(missing)}; messages {sum(ledger.rings.values())} by {_roads(ledger)}")
    doubled = ledger.doubled()
    total = sum(doubled.values())
    share = 100.0 * total / max(1, sum(ledger.rings.values()))
    verdict.say(f"doubled {total} ({share:.3f} %): {doubled}")
    roots = ledger.second_roots()
    verdict.say(f"second root messages {len(roots)}")
    for case, step in missing[:5]:
        verdict.say(
            f"  lost: {case.name} step {step} to p{case.people[step]}, arrived {case.arrived}"
        )
    verdict.must(not missing, f"{len(missing)} pages never reached anybody")
    verdict.must(not roots, f"{len(roots)} incidents have a second root message: {roots[:3]}")
    verdict.must(not doubled.get("slack"), f"{doubled.get('slack')} messages doubled in Slack")
    verdict.must(drained, "some incidents did not come to their end")
    if slack:
        bare = ledger.without_root()
        verdict.must(not bare, f"{len(bare)} incidents have no root message: {bare[:3]}")
    rang = ledger.after_the_ack()
    verdict.must(
        not rang, f"{len(rang)} pages that were due after an acknowledgement rang all the same"
    )
    early = ledger.early()
    verdict.must(not early, f"{len(early)} pages came before their time")
    verdict.must(not ledger.strangers, f"messages to the wrong people: {ledger.strangers[:2]}")


def lateness(verdict: Verdict, ledger: Ledger) -> tuple[list[float], list[float]]:
    late, waited = ledger.latenesses()
    verdict.say(f"lateness (arrival after due and ready): {figures(late)}; of {len(late)}")
    verdict.say(f"waiting (arrival after due): {figures(waited)}")
    return late, waited


def deaths(verdict: Verdict, ledger: Ledger) -> None:
    total = sum(ledger.kills.values())
    parts = ", ".join(f"{point} {count}" for point, count in sorted(ledger.kills.items()))
    verdict.say(f"kills {total} ({parts})")


def _roads(ledger: Ledger) -> str:
    by: dict[str, int] = {}
    for (road, _), count in ledger.rings.items():
        by[road] = by.get(road, 0) + count
    return ", ".join(f"{road} {count}" for road, count in sorted(by.items())) or "no road"
