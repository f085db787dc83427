"""Drafts in Slack: the suggested summary and the postmortem, delivered as suggestions with their file.

Knows how a draft is offered. Refuses to know how it was written or checked. Serves engine's delivery and answers.
"""

from __future__ import annotations

from oncall_bot.core.situation import Situation
from oncall_bot.slack.blocks import Drawn, actions, button, context, section
from oncall_bot.slack.escape import link, push
from oncall_bot.slack.markdown import paragraphs
from oncall_bot.slack.phrases import count

PROMISE = "Numbers are computed; every sentence names its timeline entry."


def summary(s: Situation, markdown: str) -> Drawn:
    """The suggested summary: nothing is published by itself."""
    text = push(f"Suggested summary of incident {s.incident_id}: ", s.title)
    return Drawn(
        text,
        [
            section(f"*Suggested summary*, incident {s.incident_id}"),
            *[section(part) for part in paragraphs(markdown, most=3)],
            actions(
                [
                    button("Get Markdown", "summary.file", s.incident_id),
                    button("Draft postmortem", "postmortem.draft", s.incident_id),
                ],
                block_id="draft",
            ),
            context(PROMISE),
        ],
    )


def postmortem(s: Situation, markdown: str) -> Drawn:
    """The postmortem's cover: its size, what it still asks for, and its file on demand."""
    asked = open_questions(markdown)
    decide = f" {count(asked, 'thing')} to decide." if asked else ""
    text = push(f"Postmortem draft of incident {s.incident_id} is ready.{decide} ", s.title)
    words = len(markdown.split())
    blocks = [
        section(f"*Postmortem draft, incident {s.incident_id}*\n{link(s.url, s.title)}"),
        section(
            f"{words:,} words, {count(headings(markdown), 'section')}, the file comes by Get Markdown."
            + (f" *{count(asked, 'thing')} to decide*, marked `check` or `TODO`." if asked else "")
        ),
        actions([button("Get Markdown", "postmortem.file", s.incident_id)], block_id="draft"),
        context(PROMISE),
    ]
    return Drawn(text, blocks)


def headings(markdown: str) -> int:
    return sum(1 for line in markdown.splitlines() if line.startswith("## "))


def open_questions(markdown: str) -> int:
    """Lines the draft leaves to a human: `TODO` places and sentences to check."""
    marks = ("TODO", "**Check**", "*check*", "_Check_")
    return sum(1 for line in markdown.splitlines() if any(mark in line for mark in marks))


def file_name(incident_id: int, kind: str) -> str:
    return f"incident-{incident_id}-{kind}.md"
