"""What a model adds to drafts and what a lying one costs, judged by a scorer; and what a long incident takes.

    python -m benchmarks.drafts.run FOLDER [--long 5000]

FOLDER holds records (`INC-*.json`, with `truth`) and `score_draft.py`; with `examples/NAME.good.md` a good draft
by hand is told by a scripted model as well. The models are scripts on loopback: no real one is asked.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from oncall_bot.core.config import Llm
from oncall_bot.core.disclosure import Scope, disclose
from oncall_bot.core.drafts import draft
from oncall_bot.core.records import Record, parse_record
from oncall_bot.core.spending import Spent
from oncall_bot.llm.client import Model
from oncall_bot.llm.drafter import ModelDrafter
from oncall_bot.llm.drafting import write_draft
from oncall_bot.ports import Assignment
from tests.component.llm.test_writers import good_by_hand
from tests.fakes.models import Script, scripted_model
from tests.fakes.records import records
from tests.fakes.writers import BROKEN, LIARS, honest

Score = Callable[[Mapping[str, Any], str], Mapping[str, Any]]


def scorer(folder: Path) -> Score:
    spec = importlib.util.spec_from_file_location("score_draft", folder / "score_draft.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    score: Score = module.score
    return score


def assignment(record: Record) -> Assignment:
    return Assignment(
        record, "postmortem", disclose(Llm(), Scope(record.severity), "scripted", Spent())
    )


def told(record: Record, script: Script) -> str:
    with scripted_model(script) as server:
        model = Model(server.base_url, "k", "scripted", sleep=lambda _: None)
        return write_draft(assignment(record), ModelDrafter(model)).markdown


def quality(folder: Path) -> None:
    score = scorer(folder)
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for path in sorted(folder.glob("INC-*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        record = parse_record({k: v for k, v in data.items() if k != "truth"})
        scripts: dict[str, Script | None] = {
            "honest": honest,
            "good draft by hand": good_by_hand(folder, path.stem),
            **{f"lies about {kind}": script for kind, script in LIARS.items()},
            **BROKEN,
        }
        rows.setdefault("no model", []).append(score(data, draft(record, "postmortem")))
        for kind, script in scripts.items():
            if script is not None:
                rows.setdefault(kind, []).append(score(data, told(record, script)))
    print("| the model | records | mean | lowest | gates failed | unsupported |")
    print("|---|---|---|---|---|---|")
    for kind, results in rows.items():
        scores = [float(result["score"]) for result in results]
        failed = sum(result["gate"] != "pass" for result in results)
        wrong = sum(len(result["unsupported"]) for result in results)
        mean = statistics.mean(scores)
        print(f"| {kind} | {len(scores)} | {mean:.1f} | {min(scores):.1f} | {failed} | {wrong} |")


def long_incident(entries: int) -> None:
    """The three invented incidents over and over, with new words each time, as one of so many entries."""
    data = records()["pool"]
    rows = [event for one in records().values() for event in one["events"]]
    day = "2032-06-09T"
    data["events"] = [
        {**rows[n % len(rows)], "id": f"e{n:05d}"}
        | {"at": f"{day}{n // 3600 % 24:02d}:{n // 60 % 60:02d}:{n % 60:02d}Z"}
        | {"text": f"{rows[n % len(rows)]['text']} (part {n // len(rows) + 1})"}
        for n in range(entries)
    ]
    record = parse_record(data)
    began = time.perf_counter()
    draft(record, "postmortem")
    alone = time.perf_counter() - began
    with scripted_model(honest) as server:
        drafter = ModelDrafter(Model(server.base_url, "k", "scripted"))
        most = drafter.estimate(assignment(record))
        began = time.perf_counter()
        prose = drafter.draft(assignment(record))
        took = time.perf_counter() - began
        newest = any(f"e{entries - 1:05d}" in json.dumps(r["messages"]) for r in server.requests)
    print(
        f"\n{entries} entries: {1_000 * alone:.0f} ms without a model; with a scripted one {took:.1f} s,"
    )
    print(
        f"{len(server.requests)} calls, estimated {most.tokens:,} tokens, counted {prose.used_tokens:,};"
    )
    print(f"the newest entry was sent: {newest}; missing: {prose.missing or 'nothing'}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--long", type=int, default=5_000)
    given = parser.parse_args()
    quality(given.folder)
    long_incident(given.long)


if __name__ == "__main__":
    main()
