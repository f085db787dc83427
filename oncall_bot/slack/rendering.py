"""One door for everything the engine asks to be drawn: content in, push line and blocks out.

Knows which drawing belongs to which content. Serves `engine.delivery` through `ports.Render`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from oncall_bot.core.situation import (
    Content,
    DraftNotice,
    HandOff,
    PageNotice,
    RunbookNotice,
    Situation,
    TestNotice,
    WorkLog,
)
from oncall_bot.slack import answers, cards, dms, drafts, threads
from oncall_bot.slack.blocks import Drawn


def render(content: Content, now: datetime) -> tuple[str, Sequence[Mapping[str, object]]]:
    """Text of 10 to 120 characters, and blocks; plain text alone stays readable when blocks are refused."""
    drawn = _drawn(content, now)
    return drawn.text, drawn.blocks


def _drawn(content: Content, now: datetime) -> Drawn:
    match content:
        case Situation():
            return cards.card(content, now)
        case WorkLog():
            return threads.work_log(content, now)
        case PageNotice():
            return dms.page(content, now)
        case RunbookNotice():
            return threads.runbook(content.situation, content.runbook, now)
        case DraftNotice():
            draw = drafts.summary if content.kind == "summary" else drafts.postmortem
            return draw(content.situation, content.markdown, now)
        case HandOff():
            return dms.hand_off_notice(content, now)
        case TestNotice():
            return dms.test_page(content.asked_by, content.asked_at, content.roads, now)
    return answers.sentence(content.text)
