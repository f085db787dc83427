"""An honest model makes a draft better or leaves it as good; a liar or a broken server never makes it worse."""

from __future__ import annotations

import importlib.util
import json
import re
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from oncall_bot.core.config import Llm
from oncall_bot.core.disclosure import Scope, disclose
from oncall_bot.core.drafts import draft
from oncall_bot.core.records import Record, parse_record
from oncall_bot.core.spending import Spent
from oncall_bot.llm.client import Model
from oncall_bot.llm.drafter import ModelDrafter
from oncall_bot.llm.drafting import Written, write_draft
from oncall_bot.ports import Assignment
from tests.fakes.models import Answer, Script, ScriptedModel, said, scripted_model
from tests.fakes.records import records
from tests.fakes.writers import BROKEN, CANARY, LIARS, honest, honest_claims
from tests.shared import shared

OWN = records()


def _written(record: Record, script: Script) -> tuple[Written, ScriptedModel]:
    disclosure = disclose(Llm(), Scope(record.severity), "scripted", Spent())
    with scripted_model(script) as server:
        model = Model(server.base_url, "k", "scripted", sleep=lambda _: None)
        done = write_draft(Assignment(record, "postmortem", disclosure), ModelDrafter(model))
    return done, server


def _sentences_sent(server: ScriptedModel, script: Script) -> list[str]:
    """What the model said to each first question."""
    told = []
    for n, request in enumerate(server.requests):
        reply = json.loads(script(request, n).body)["choices"][0]["message"]["content"]
        told += [claim["text"] for claim in json.loads(reply)["claims"]]
    return told


@pytest.mark.parametrize("name", OWN)
def test_what_an_honest_model_writes_stands_in_the_draft(name: str) -> None:
    record = parse_record(OWN[name])
    done, server = _written(record, honest)
    told = [text for request in server.requests for text, _, _ in honest_claims(request)]
    kept = [text for text in told if text.rstrip(".")[:60].replace("|", "/") in done.markdown]
    assert len(told) >= 8
    assert len(kept) >= 0.8 * len(set(told)), (set(told) - set(kept), done.review)


@pytest.mark.parametrize("kind", LIARS)
@pytest.mark.parametrize("name", OWN)
def test_no_sentence_of_a_liar_stands_in_the_draft(name: str, kind: str) -> None:
    record = parse_record(OWN[name])
    done, server = _written(record, LIARS[kind])
    alone = draft(record, "postmortem")
    for text in _sentences_sent(server, LIARS[kind]):
        shown = " ".join(text.split()).replace("[", "(").replace("]", ")")
        assert shown in alone or shown not in done.markdown, shown
    assert CANARY not in done.markdown
    facts = [line for line in alone.splitlines() if line.startswith(("- ", "| "))]
    assert all(line in done.markdown for line in facts)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_model_leaves_the_facts_alone(kind: str) -> None:
    record = parse_record(OWN["pool"])
    done, _ = _written(record, BROKEN[kind])
    alone = draft(record, "postmortem")
    facts = [line for line in alone.splitlines() if line.startswith(("- ", "| "))]
    assert all(line in done.markdown for line in facts)
    if kind not in ("loops", "is cut off"):
        assert done.markdown.startswith(alone)
        assert "No prose was added" in done.markdown


def test_an_order_in_the_record_reaches_no_model_and_no_draft() -> None:
    for data in OWN.values():
        done, server = _written(parse_record(data), honest)
        assert "gnore" not in json.dumps(server.requests)
        assert not re.search(r"ignore (?:all )?previous", done.markdown, re.IGNORECASE)


# --- the shared records, with the shared judge ---------------------------------------------------------------------


def _judge(folder: Path) -> Any:
    spec = importlib.util.spec_from_file_location("score_draft", folder / "score_draft.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.score


def good_by_hand(folder: Path, name: str) -> Script | None:
    """The good draft by hand as a model would say it, where there is one."""
    path = folder / "examples" / f"{name}.good.md"
    if not path.exists():
        return None
    from tests.component.core.test_draft_scores import _sentences

    claims = _sentences(path.read_text(encoding="utf-8"))

    def script(request: dict[str, Any], _: int) -> Answer:
        from tests.fakes.writers import sections_asked

        wanted = sections_asked(request)
        rows = [{"text": c.text, "cites": list(c.cites)} for c in claims if c.section in wanted]
        return said({"claims": rows[:12]})

    return script


def test_on_the_shared_records_honest_models_score_well_and_liars_cost_nothing() -> None:
    folder = shared("data/incidents")
    score = _judge(folder)
    honest_scores = []
    told = ("numbers", "times", "names"), ("ids", "causes", "injection")
    for path, kinds in zip(sorted(folder.glob("INC-*.json")), cycle(told), strict=False):
        data = json.loads(path.read_text(encoding="utf-8"))
        record = parse_record({k: v for k, v in data.items() if k != "truth"})
        alone = score(data, draft(record, "postmortem"))["score"]
        for script in filter(None, (honest, good_by_hand(folder, path.stem))):
            result = score(data, _written(record, script)[0].markdown)
            assert result["gate"] == "pass", (path.stem, result)
            assert result["unsupported"] == [], (path.stem, result["unsupported"])
            honest_scores.append(result["score"])
        for kind in kinds:
            script = LIARS[kind]
            result = score(data, _written(record, script)[0].markdown)
            assert result["gate"] == "pass", (path.stem, kind)
            assert result["score"] >= alone - 3, (path.stem, kind, alone, result)
            assert result["unsupported"] == [], (path.stem, kind, result["unsupported"])
    assert sum(honest_scores) / len(honest_scores) >= 85, honest_scores
    assert min(honest_scores) >= 70, honest_scores
