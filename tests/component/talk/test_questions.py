"""Chat questions and the properties of their answers, with a scripted model that plays fair, by both ways of tools.

A world of our own always; the shared questions where they lie, whichever they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from oncall_bot.core.talk import About
from oncall_bot.llm.assistant import ModelAssistant
from oncall_bot.llm.client import Model
from oncall_bot.ports import TalkAnswer, TalkTurn
from tests.component.talk.chat_world import ChatWorld, build
from tests.fakes.honest import Honest
from tests.fakes.models import scripted_model
from tests.shared import SHARED, shared

OURS = Path(__file__).parent / "questions.json"
WRITES = {
    "page_someone", "ack", "resolve", "silence", "override_create", "declare_incident", "set_severity", "add_note",
}  # fmt: skip


def _questions(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["questions"]
    return found


def _shared_ids() -> list[str]:
    file = SHARED / "data/chat/questions.json" if SHARED else None
    return [one["id"] for one in _questions(file)] if file and file.exists() else ["absent"]


@pytest.fixture(params=["tools", "envelope"])
def native(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "tools")


def asked(
    url: str,
    folder: Path,
    data: Mapping[str, Any],
    question: Mapping[str, Any],
    *,
    native: bool,
    records: Mapping[str, Any] | None = None,
) -> None:
    made = build(url, folder, data["world"], records)
    try:
        _ask(made, question, native=native)
    finally:
        made.store.close()


def _ask(made: ChatWorld, question: Mapping[str, Any], *, native: bool) -> None:
    expect = question["expect"]
    honest = Honest(made.world, native=native)
    honest.expect = expect
    actor, zone = made.asker(question["asked_by"])
    before = made.rows()
    answers: list[TalkAnswer] = []
    about = About()
    with scripted_model(honest) as server:
        model = Model(server.base_url, "k", "scripted", sleep=lambda _: None)
        assistant = ModelAssistant(model, made.store)
        for turn in question["turns"]:
            found = assistant.answer(
                TalkTurn(turn, actor, zone, made.clock.now, question["channel"], about),
                lambda _: None,
            )
            answers.append(found)
            people = re.findall(r"@(\w+)", " ".join(found.sentences))
            about = About(people=tuple(people[:1]))
    _holds(question, answers)
    assert made.rows() == before, "a question writes nothing; only a press does"


def _holds(question: Mapping[str, Any], answers: list[TalkAnswer]) -> None:
    expect = question["expect"]
    said = "\n".join(_whole(one) for one in answers)
    steps = {step for one in answers for step in one.steps}
    for pattern in expect.get("must", ()):
        assert re.search(pattern, said), (question["id"], pattern, said)
    for pattern in expect.get("must_not", ()):
        assert not re.search(pattern, said), (question["id"], pattern, said)
    if expect.get("tools_any"):
        assert steps & set(expect["tools_any"]), steps
    if expect.get("confirm"):
        assert any(one.offers or one.questions for one in answers), said
    if expect.get("refuse"):
        assert not any(one.offers for one in answers)
        assert any(one.refusals for one in answers)
    if expect.get("cite"):
        assert any(one.incidents for one in answers)
    left_out = [why for one in answers for why in one.left_out]
    assert not left_out, "what an honest model says is covered"


def _whole(answer: TalkAnswer) -> str:
    cards = ["".join(str(part) for part in one.says) for one in answer.offers]
    questions = [f"{one.question} {' / '.join(one.choices)}" for one in answer.questions]
    return "\n".join([*answer.sentences, *cards, *questions, *answer.refusals, answer.problem])


@pytest.mark.parametrize("question", _questions(OURS), ids=lambda one: one["id"])
def test_our_questions(
    database: str, tmp_path: Path, question: Mapping[str, Any], native: bool
) -> None:
    asked(database, tmp_path, json.loads(OURS.read_text()), question, native=native)


@pytest.mark.parametrize("question_id", _shared_ids())
def test_the_shared_questions(
    database: str, tmp_path: Path, question_id: str, native: bool
) -> None:
    data = json.loads(shared("data/chat/questions.json").read_text())
    question = next(one for one in data["questions"] if one["id"] == question_id)
    asked(database, tmp_path, data, question, native=native, records=_records())


def _records() -> dict[str, Any]:
    return {
        path.stem: json.loads(path.read_text())
        for path in shared("data/incidents").glob("INC-*.json")
    }
