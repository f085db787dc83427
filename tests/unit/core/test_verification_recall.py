"""How many spoiled sentences the verifier lets through, and how many true ones it loses, over whole records.

The bars are those of the shared reference; `python -m benchmarks.drafts.verifier` prints the table for any record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from benchmarks.drafts.verifier import verdicts
from oncall_bot.core.records import Record, parse_record
from oncall_bot.core.verification import Outcome, Verifier
from tests.fakes.incidents import id_of, incident
from tests.fakes.records import records

BARS = {
    "time": 0.97,
    "number": 0.97,
    "actor": 0.97,
    "wrong id": 0.97,
    "negation": 0.85,
    "one to three": 0.97,
    "swapped numbers": 0.97,
    "unit": 0.97,
    "state": 0.97,
    "name": 1.0,
    "blame": 1.0,
    "link": 1.0,
    "instruction": 1.0,
    "secret": 1.0,
    "superseded figure": 1.0,
    "cause on a guess": 1.0,
    "cause nobody pinned": 0.97,
}


def below_the_bars(some: Iterable[Record]) -> list[str]:
    """Each kind that fell below its bar, with its share and an example."""
    counts: Counter[tuple[str, bool]] = Counter()
    examples: dict[str, str] = {}
    for record in some:
        for sentence, outcome, reason in verdicts(record):
            right = (outcome is Outcome.KEEP) == (sentence.how == "true")
            counts[sentence.how, right] += 1
            if not right:
                examples[sentence.how] = f"{sentence.text} {sentence.cites} {reason}"
    assert counts["true", True] > 50
    shares = {
        how: counts[how, True] / (counts[how, True] + counts[how, False]) for how, _ in counts
    }
    bars = {"true": 0.99} | BARS
    assert set(shares) <= set(bars)
    return [
        f"{how}: {share:.3f} {examples.get(how)}"
        for how, share in shares.items()
        if share < bars[how]
    ]


def test_on_our_own_records_every_kind_of_lie_is_caught() -> None:
    assert below_the_bars(parse_record(data) for data in records().values()) == []


RECORD = parse_record(incident())
FIRED, ENDED, LOCK = id_of("QueueDepthHigh critical"), id_of("resolved: 12"), id_of("holds a lock")
RESTARTED = id_of("Restarted")


@pytest.mark.parametrize(
    ("text", "cites", "outcome"),
    [
        # one to three, written as words
        ("The pool had only three workers", [LOCK], Outcome.DROP),
        ("The pool had only four workers", [LOCK], Outcome.KEEP),
        ("One worker held a lock for 90 s per batch", [LOCK], Outcome.KEEP),
        # each number for the other thing
        ("The queue held 5,000 messages with a threshold of 48,000", [FIRED], Outcome.DROP),
        ("The queue held 5,000 messages", [FIRED], Outcome.DROP),
        ("The queue held 48,000 messages, above the limit of 5,000", [FIRED], Outcome.KEEP),
        ("Each worker held 4 locks for 90 s per batch", [LOCK], Outcome.KEEP),
        ("The pool had 90 workers", [LOCK], Outcome.DROP),
        # units
        ("Each worker held a lock for 90 ms per batch", [LOCK], Outcome.DROP),
        ("The queue held 48,000 % of its messages", [FIRED], Outcome.DROP),
        # an alert by its own entry
        ("QueueDepthHigh fired at 09:45 UTC and ended at 10:43 UTC", ["a01"], Outcome.KEEP),
        ("QueueDepthHigh fired at 09:46 UTC", ["a01"], Outcome.DROP),
        ("QueueDepthHigh was acknowledged at 09:45 UTC", ["a01"], Outcome.DROP),
        # what cites no entry is no less doubted
        ("Nobody was affected and no outage took place", ["calc"], Outcome.MARK),
        ("Nobody was affected and no outage took place", ["a01"], Outcome.MARK),
        ("The billing database was deleted by accident", ["calc"], Outcome.MARK),
        ("The billing database was deleted by accident", ["a01"], Outcome.MARK),
        ("The impact lasted 1 h and was acknowledged at 09:51 UTC", ["calc"], Outcome.KEEP),
        ("Customers were furious", [FIRED], Outcome.MARK),
        # who did it
        ("Lee Okoro restarted the mail-worker pool with batch size 50", [RESTARTED], Outcome.DROP),
        ("Lee Okoro escalated after 5 min", [id_of("No ack after")], Outcome.DROP),
        ("Kim Sato paged the primary", [id_of("Paged @kim")], Outcome.DROP),
        ("Kim Sato was paged as primary", [id_of("Paged @kim")], Outcome.KEEP),
        # causes in other words
        ("The lock of 90 s per batch contributed to the stall", [LOCK], Outcome.MARK),
        ("Each worker held a lock for 90 s, so the queue grew", [LOCK, FIRED], Outcome.MARK),
        # states
        ("QueueDepthHigh resolved at 12 messages", [ENDED], Outcome.KEEP),
    ],
)
def test_holes_that_were_closed(text: str, cites: list[str], outcome: Outcome) -> None:
    verdict = Verifier(RECORD).verify(text, cites)
    assert verdict.outcome is outcome, verdict.reason
