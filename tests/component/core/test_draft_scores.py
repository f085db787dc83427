"""Drafts of the shared incident records, judged by the shared scorer; without a model and with a scripted one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from oncall_bot.core.drafts import compose, postmortem
from oncall_bot.core.records import parse_record
from oncall_bot.core.verification import Claim
from tests.shared import shared


def _records(folder: Path) -> dict[str, dict[str, Any]]:
    found = {p.stem: json.loads(p.read_text(encoding="utf-8")) for p in folder.glob("INC-*.json")}
    assert found
    return found


def _score(folder: Path, name: str, draft: Path) -> dict[str, Any]:
    scorer = folder / "score_draft.py"
    done = subprocess.run(
        [sys.executable, str(scorer), str(folder / f"{name}.json"), str(draft), "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_drafts_without_a_model_score_well_and_pass_every_gate(tmp_path: Path) -> None:
    folder = shared("data/incidents")
    scores = {}
    for name, data in _records(folder).items():
        data.pop("truth")
        draft = tmp_path / f"{name}.md"
        draft.write_text(postmortem(parse_record(data)), encoding="utf-8")
        result = _score(folder, name, draft)
        assert result["gate"] == "pass", result
        assert result["unsupported"] == [], name
        assert result["forbidden"] == [], name
        scores[name] = result["score"]
    assert sum(scores.values()) / len(scores) >= 90, scores  # 99 when this was written
    assert min(scores.values()) >= 70, scores


@pytest.mark.parametrize("name", ["INC-2107", "INC-2166"])
def test_prose_of_an_honest_writer_keeps_the_score_and_lies_do_not_lower_it(
    name: str, tmp_path: Path
) -> None:
    folder = shared("data/incidents")
    data = _records(folder)[name]
    data.pop("truth")
    record = parse_record(data)
    good = (folder / "examples" / f"{name}.good.md").read_text(encoding="utf-8")
    claims = _sentences(good)
    lies = [Claim(_altered(c.text), c.section, c.cites) for c in claims]
    drafts = {
        "alone": postmortem(record),
        "honest": compose(record, "postmortem", claims).markdown,
        "lying": compose(record, "postmortem", lies).markdown,
    }
    results = {}
    for kind, markdown in drafts.items():
        path = tmp_path / f"{kind}.md"
        path.write_text(markdown, encoding="utf-8")
        results[kind] = _score(folder, name, path)
        assert results[kind]["gate"] == "pass"
        assert results[kind]["unsupported"] == []
    assert results["honest"]["score"] >= 88
    assert results["lying"]["score"] >= results["alone"]["score"] - 3


def _sentences(markdown: str) -> list[Claim]:
    """The prose of a good draft by hand as a model would send it; uncited sentences cite the computed facts."""
    claims, section = [], ""
    names = {"Summary": "summary", "Root": "causes", "Response": "response", "Lessons": "lessons"}
    for line in markdown.splitlines():
        if line.startswith("## "):
            section = next((s for start, s in names.items() if line[3:].startswith(start)), "")
        elif section and line and not line.startswith("#"):
            for text in re.split(r"(?<=\.)\s+(?=[A-Z])", line.removeprefix("- ")):
                ids = re.findall(r"e\d{3}|calc", " ".join(re.findall(r"\[[^\]]*\]", text)))
                claims.append(
                    Claim(re.sub(r"\s*\[[^\]]*\]", "", text), section, tuple(ids) or ("calc",))
                )
    return claims


def _altered(text: str) -> str:
    """Every number of the sentence changed; a sentence without one gets an invented person."""
    changed = re.sub(r"\d+", lambda m: str(int(m[0]) + 7 if len(m[0]) > 1 else int(m[0]) + 3), text)
    return changed if changed != text else f"Marcus found that {text[:1].lower()}{text[1:]}"
