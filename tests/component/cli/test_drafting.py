"""draft with a model: what leaves is said before and after, what is doubted goes to stderr and never into the draft."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.component.cli.conftest import CONFIG, Run
from tests.fakes.models import Script, scripted_model
from tests.fakes.records import records
from tests.fakes.writers import LIARS, honest


def _draft(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, script: Script, llm: str = ""
) -> tuple[str, str, int]:
    (home / "record.json").write_text(json.dumps(records()["pool"]))
    (home / "oncall.yaml").write_text(CONFIG + llm)
    with scripted_model(script) as model:
        monkeypatch.setenv("ONCALL_LLM_BASE_URL", model.base_url)
        monkeypatch.setenv("ONCALL_LLM_MODEL", "scripted")
        said = run("draft", "summary", "--record", "record.json")
    assert said.code == 0
    return said.out, said.err, len(model.requests)


def test_prose_with_its_tokens_before_and_after(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err, asked = _draft(run, home, monkeypatch, honest)
    assert asked > 0
    assert "Monitoring reported at 14:12 UTC" in out
    assert "at most about" in err
    assert "tokens used" in err


def test_lies_go_to_stderr_with_their_reasons(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err, _ = _draft(run, home, monkeypatch, LIARS["names"])
    assert "Marcus" not in out
    assert "## Left out" in err
    assert "Marcus" in err


def test_an_incident_that_the_file_keeps_at_home_is_not_sent(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, _, asked = _draft(run, home, monkeypatch, honest, "llm: {sends: [severity:SEV1]}\n")
    assert asked == 0
    assert "llm.sends does not name this incident" in out


def test_a_file_with_faults_lets_nothing_out(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "record.json").write_text(json.dumps(records()["pool"]))
    (home / "oncall.yaml").write_text(CONFIG + "llm: {sends: [nonsense]}\n")
    with scripted_model(honest) as model:
        monkeypatch.setenv("ONCALL_LLM_BASE_URL", model.base_url)
        monkeypatch.setenv("ONCALL_LLM_MODEL", "scripted")
        said = run("draft", "summary", "--record", "record.json")
    assert said.code == 1
    assert "oncall-bot doctor" in said.err
    assert model.requests == []
