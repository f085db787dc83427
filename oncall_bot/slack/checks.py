"""The live checks under a runbook: value, expectation, verdict in words, and when they were read.

Knows how a reading is said. Refuses to run a query. Serves threads, which draws the runbook's message.
"""

from __future__ import annotations

from datetime import datetime

from oncall_bot.core.live_checks import NOT_AS_EXPECTED, UNREAD, Reading
from oncall_bot.core.situation import RunbookNotice
from oncall_bot.slack.blocks import Block, actions, button, section
from oncall_bot.slack.escape import escape, when
from oncall_bot.slack.phrases import count


def drawn(notice: RunbookNotice, now: datetime) -> list[Block]:
    """Nothing for a runbook without checks; before the first reading, that they run."""
    if not notice.checks:
        return []
    shown = notice.readings
    if not shown:
        return [section(f"*Live values*  {count(notice.checks, 'check')} being read.")]
    read_at = max(one.read_at for one in shown)
    left_out = notice.checks - len(shown)
    more = [f"{count(left_out, 'more check')} in the runbook"] if left_out > 0 else []
    lines = [f"*Live values*  read {when(read_at, now)}", *map(_line, shown), *more]
    again = button("Run the checks again", "runbook.checks", notice.situation.incident_id)
    return [section("\n".join(lines)), actions([again], block_id="checks")]


def _line(one: Reading) -> str:
    """`queue depth  *12,431 messages*, expected below 500  →  *not as expected*: “Mitigate first” applies`."""
    name = escape(one.name, 80)
    if one.value is None:
        return f"{name}  *{UNREAD}* ({escape(one.why, 200)})"
    whose = f" ({escape(one.whose, 80)}, of {one.series:,} series)" if one.series > 1 else ""
    value = f"{name}  *{escape(one.shown, 60)}*{whose}"
    if not one.verdict:
        return value
    said = one.verdict
    if one.verdict == NOT_AS_EXPECTED:
        said = f"*{one.verdict}*{_applies(one.section)}"
    return f"{value}, expected {escape(one.expected, 60)}  →  {said}"


def _applies(heading: str) -> str:
    """What follows from it: the step it stands in applies. A list of checks at the end of a runbook is no step."""
    if "check" in heading.casefold() or "live" in heading.casefold():
        return ""
    return f": “{escape(heading, 60)}” applies" if heading.strip() else ": this step applies"
