"""The bot's messages in an incident's thread: the work log and the runbook. Three at most, people own the rest.

Knows how they read. Refuses to know what happened; it is handed entries. Serves engine's delivery.
"""

from __future__ import annotations

from datetime import datetime

from oncall_bot.core.situation import LogEntry, RunbookNotice, ShownRunbook, WorkLog
from oncall_bot.slack import checks, verdicts
from oncall_bot.slack.blocks import Block, Drawn, actions, button, context, section
from oncall_bot.slack.escape import escape, link, push, when
from oncall_bot.slack.markdown import mrkdwn_of
from oncall_bot.slack.phrases import count

ENTRIES_SHOWN, LOG_MAX, SECTION_ROOM = 40, 9000, 2800
STEPS_SHOWN = 12


def work_log(log: WorkLog, now: datetime, *, command: str = "/oncall") -> Drawn:
    """ONE message, edited in place, newest at the bottom; people in bold, the bot in plain."""
    lines = [_entry(entry, now) for entry in log.entries[-ENTRIES_SHOWN:]]
    while sum(map(len, lines)) > LOG_MAX:
        lines.pop(0)
    hidden = log.folded + len(log.entries) - len(lines)
    last = log.entries[-1] if log.entries else None
    text = push(
        f"Work log of incident {log.incident_id}, {_total(log)}, last: ",
        _said(last) or "nothing yet",
    )
    add = f"Add to it: react with 📌 or write `{escape(command, 40)} note …`"
    older = f"{count(hidden, 'older entry', 'older entries')}"
    fold = [section(link(log.url, older) if log.url else older)] if hidden else []
    late = [
        button("Catch me up", "incident.catchup", log.incident_id),
        button("Write an update", "incident.update", log.incident_id),
    ]
    return Drawn(
        text, [section("*Work log*"), *fold, *_sections(lines), actions(late), context(add)]
    )


def _total(log: WorkLog) -> str:
    return count(log.folded + len(log.entries), "entry", "entries")


def _said(entry: LogEntry | None) -> str:
    if entry is None:
        return ""
    if entry.actor is None or entry.text.startswith(f"{entry.actor} "):
        return entry.text
    return f"{entry.actor}: {entry.text}"


def _entry(entry: LogEntry, now: datetime) -> str:
    what = f" {entry.pinned_as}" if entry.pinned_as else ""
    pin = f" 📌{what}" if entry.pinned else ""
    if entry.actor is None:
        return f"{when(entry.at, now)}  {escape(entry.text, 240)}{pin}"
    name, said = escape(entry.actor, 60), escape(entry.text, 240)
    if said.startswith(f"{name} "):  # a deed: the sentence names its doer
        return f"{when(entry.at, now)}  *{name}*{said.removeprefix(name)}{pin}"
    return f"{when(entry.at, now)}  *{name}:* “{said}”{pin}"


def _sections(lines: list[str]) -> list[Block]:
    out, part = [], ""
    for line in lines:
        if part and len(part) + len(line) > SECTION_ROOM:
            out.append(section(part))
            part = ""
        part = f"{part}\n{line}" if part else line
    return [*out, section(part)] if part else [*out, section("Nothing has happened yet.")]


def runbook(notice: RunbookNotice, book: ShownRunbook, now: datetime) -> Drawn:
    """The runbook beside the incident: why this one, its first steps, and what its live checks say."""
    s = notice.situation
    text = push(
        f"Runbook for incident {s.incident_id}: ",
        book.title,
        f", {count(len(book.steps), 'step')}.",
    )
    why = f"\n_Why this one:_ {escape(book.why, 300)}" if book.why else ""
    steps = [
        section(f"*{n}*  {mrkdwn_of(step, links=True, limit=1200)}")
        for n, step in enumerate(book.steps[:STEPS_SHOWN], start=1)
    ]
    room = 4000 if steps else 8000
    rest = [] if steps else _texts(book, room)
    more = len(book.steps) - STEPS_SHOWN
    tail = [context(f"{count(more, 'more step')} in the runbook.")] if more > 0 else []
    head = section(f"*Runbook: {link(book.link, book.title)}*{why}")
    shown = _within([head, *steps, *rest, *tail, *checks.drawn(notice, now)])
    return Drawn(text, [*shown, *verdicts.asked(s, book)])


def _texts(book: ShownRunbook, room: int) -> list[Block]:
    """A runbook without numbered steps shows its first sections."""
    out: list[Block] = []
    for heading, body in book.section_texts[:4]:
        said = f"*{escape(heading, 150)}*\n{mrkdwn_of(body, links=True, limit=1800)}"
        room -= len(said)
        if room < 0:
            break
        out.append(section(said))
    return out


def _within(blocks: list[Block], limit: int = 11_000) -> list[Block]:
    """Whole blocks as long as they fit in a message."""
    kept: list[Block] = []
    size = 0
    for block in blocks:
        size += len(str(block))
        if size > limit:
            return [*kept, context("The rest is in the runbook.")]
        kept.append(block)
    return kept
