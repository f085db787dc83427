"""The documents: which sections a summary and a postmortem have, and the one line for Slack.

Knows order and headings; the sections know their content.
Serves the CLI and the draft flow.
"""

from __future__ import annotations

from oncall_bot.core.drafts import chronicle, closing, figures, findings, handling, opening
from oncall_bot.core.drafts.story import Story, tell
from oncall_bot.core.drafts.wording import count, figure, joined, spell
from oncall_bot.core.errors import BadInput
from oncall_bot.core.records import Record

KINDS = ("summary", "postmortem")
SLACK_LINE = 300


def draft(record: Record, kind: str) -> str:
    """The document of that kind as Markdown; BadInput for a kind that does not exist."""
    if kind == "summary":
        return summary(record)
    if kind == "postmortem":
        return postmortem(record)
    raise BadInput(f"There is no draft called {kind[:40]!r}; there are {joined(KINDS)}.")


def summary(record: Record) -> str:
    """The short document: what happened, how bad, the key times, what follows."""
    story = tell(record)
    return _document(
        story,
        [
            opening.header(story),
            opening.summary(story),
            figures.impact(story),
            figures.key_times(story),
            closing.action_items(story),
        ],
    )


def postmortem(record: Record) -> str:
    """The whole document in our order of sections; what the record lacks is said, not filled in."""
    story = tell(record)
    return _document(
        story,
        [
            opening.header(story),
            opening.summary(story),
            figures.impact(story),
            figures.key_times(story),
            chronicle.timeline(story),
            findings.factors(story),
            findings.hypotheses(story),
            handling.detection(story),
            handling.response(story),
            closing.lessons(story),
            findings.open_questions(story),
            closing.action_items(story),
            closing.appendix(story),
        ],
    )


def summary_line(record: Record) -> str:
    """One line for Slack: severity, title, how long, how bad."""
    story = tell(record)
    facts = story.facts
    parts = [f"{record.severity or 'Incident'}: {story.words.plain(record.title)}"]
    lasted = facts.time_to_mitigate or facts.time_to_resolve
    if lasted:
        parts.append(f"impact for {spell(lasted)}")
    elif facts.resolved is None:
        parts.append("still open")
    parts += [story.words.plain(figure(item)) for item in facts.impact[:2]]
    if facts.time_to_ack:
        parts.append(f"acknowledged after {spell(facts.time_to_ack)}")
    if facts.reopened:
        parts.append(f"reopened {count(len(facts.reopened), 'time')}")
    line = " · ".join(parts)
    return line if len(line) <= SLACK_LINE else line[: SLACK_LINE - 1].rstrip() + "…"


def _document(story: Story, parts: list[list[str]]) -> str:
    blocks = ["\n".join(lines) for lines in parts if lines]
    return "\n\n".join(blocks).strip() + "\n"
