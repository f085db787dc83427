"""One door for everything the engine asks to be drawn: content in, push line and blocks out.

Knows which drawing belongs to which content. Refuses to send. Serves `engine.delivery` through `ports.Render`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import assert_never

from oncall_bot.core.situation import (
    BundleNotice,
    Content,
    CoverNotice,
    DraftNotice,
    HandOff,
    PageNotice,
    RunbookNotice,
    Situation,
    TestNotice,
    TextNotice,
    UpdateNotice,
    WorkLog,
)
from oncall_bot.slack import cards, covers, dms, drafts, hand_offs, threads, verdicts
from oncall_bot.slack.blocks import Drawn


def render(
    content: Content, now: datetime, *, command: str = "/oncall"
) -> tuple[str, Sequence[Mapping[str, object]]]:
    """Text of 10 to 120 characters, and blocks; plain text alone stays readable when blocks are refused."""
    drawn = _drawn(content, now, command)
    return drawn.text, drawn.blocks


def _drawn(content: Content, now: datetime, command: str) -> Drawn:
    match content:
        case Situation():
            return cards.card(content, now)
        case WorkLog():
            return threads.work_log(content, now, command=command)
        case PageNotice() if content.person_key.startswith("channel:"):
            return dms.channel_page(content, now)
        case PageNotice():
            return dms.page(content, now)
        case BundleNotice():
            return dms.bundle(content, now)
        case RunbookNotice():
            if content.runbook is None:
                return verdicts.possible(content.situation)
            return threads.runbook(content, content.runbook, now)
        case DraftNotice():
            return drafts.suggestion(content, now)
        case UpdateNotice():
            return drafts.update(content, now)
        case HandOff():
            arrives = content.reader_key is not None and content.reader_key == content.arriving_key
            return (hand_offs.arriving if arrives else hand_offs.leaving)(content, now)
        case CoverNotice():
            return covers.notice(content, now)
        case TestNotice():
            return dms.test_page(content.asked_by, content.asked_at, content.roads, now)
        case TextNotice():
            return dms.notice_to(content.text)
        case _:
            assert_never(content)
