"""Whatever the engine wants shown has its drawing, and the same content is drawn the same way twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oncall_bot.core import situation as shown
from oncall_bot.core.situation import Content, DraftNotice, RunbookNotice, TextNotice
from oncall_bot.slack.rendering import render
from tests.unit.slack import situations as s
from tests.unit.slack.situations import at

CONTENTS: dict[str, tuple[Content, str]] = {
    "card": (s.FIRING, "Nobody has answered yet."),
    "page": (s.notice(s.FIRING), "You are on call"),
    "page to a channel": (
        s.notice(s.FIRING, person_key="channel:#incidents", slack_id=None),
        "Whoever can, takes it.",
    ),
    "work log": (s.LOG, "/pager note"),
    "runbook": (RunbookNotice(s.FIRING, s.BOOK), "Are database connections left?"),
    "possible runbooks": (
        RunbookNotice(replace(s.FIRING, runbook=None, possible=s.POSSIBLE), None),
        "Replica lag on payments-db",
    ),
    "summary": (DraftNotice(s.RESOLVED, "summary", "# S\n\nTwo pages."), "Suggested summary"),
    "postmortem": (DraftNotice(s.RESOLVED, "postmortem", "# P\n\n## What"), "Postmortem draft"),
    "hand-off": (s.HANDED, "Ana Ruiz is on call now"),
    "test": (shown.TestNotice("Ana Ruiz", at(0), ("slack", "push")), "Test page"),
    "text": (TextNotice("Slack <refuses> us."), "Slack &lt;refuses&gt; us."),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_every_content_has_its_drawing(name: str) -> None:
    content, said = CONTENTS[name]
    text, blocks = render(content, at(15), command="/pager")
    assert said in str(list(blocks))
    assert 10 <= len(text) <= 120
    assert render(content, at(15), command="/pager") == (text, blocks)
