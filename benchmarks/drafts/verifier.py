"""How many spoiled sentences the verifier lets through: `python -m benchmarks.drafts.verifier RECORD.json ...`.

`not kept` is what the reader of a draft does not see as a fact: dropped or marked.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from oncall_bot.core.records import Record, parse_record
from oncall_bot.core.verification import Outcome, Verifier
from tests.fakes.mutations import Sentence, spoiled, true_sentences


def verdicts(record: Record) -> list[tuple[Sentence, Outcome, str]]:
    verifier = Verifier(record)
    told = [sentence for _, sentence in true_sentences(record)]
    judged = [(s, verifier.verify(s.text, s.cites)) for s in (*told, *spoiled(record))]
    return [(s, verdict.outcome, verdict.reason) for s, verdict in judged]


def main(paths: list[str], *, show: bool) -> None:
    counts: Counter[tuple[str, Outcome]] = Counter()
    for path in paths:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        data.pop("truth", None)
        for sentence, outcome, reason in verdicts(parse_record(data)):
            counts[sentence.how, outcome] += 1
            if show and (outcome is Outcome.KEEP) != (sentence.how == "true"):
                print(f"{sentence.how} | {sentence.text[:200]} | {reason}", file=sys.stderr)
    print("| sentences | all | kept | marked | dropped | not kept |")
    print("|---|---|---|---|---|---|")
    for how in dict.fromkeys(how for how, _ in counts):
        kept, marked, dropped = (counts[how, o] for o in (Outcome.KEEP, Outcome.MARK, Outcome.DROP))
        total = kept + marked + dropped
        print(
            f"| {how} | {total} | {kept} | {marked} | {dropped} | {(marked + dropped) / total:.3f} |"
        )


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main([a for a in arguments if a != "--show"], show="--show" in arguments)
