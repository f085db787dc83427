"""The forms: declare, silence, contact, resolve, severity, hand over, page someone, note.

Knows what is asked, in which words, with which limits. Refuses to act: `submissions` does. What a form is about
travels in `private_metadata`, signed by nobody, so it is read as a wish and looked up again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

from oncall_bot.core.situation import Situation
from oncall_bot.slack import reading
from oncall_bot.slack.blocks import (
    Block,
    chooser,
    context,
    modal,
    option,
    searcher,
    section,
    text_input,
)
from oncall_bot.slack.escape import escape
from oncall_bot.slack.phrases import SEVERITY_MEANS, count

TITLE_MAX, NOTE_MAX, REASON_MAX = 120, 2000, 300
SILENCE_FOR = (
    ("30 min", "30m"),
    ("1 hour", "1h"),
    ("2 hours", "2h"),
    ("4 hours", "4h"),
    ("12 hours", "12h"),
    ("24 hours", "24h"),
    ("3 days", "3d"),
    ("7 days", "7d"),
)
_PAGES = {
    "SEV1": "Pages now",
    "SEV2": "Pages now",
    "SEV3": "Pages now",
    "SEV4": "Slack only, wakes nobody",
    "SEV5": "No page, a record",
}


def about(**what: object) -> str:
    """What the form is about, for `private_metadata`."""
    return json.dumps(what, separators=(",", ":"))[:3000]


def read_about(metadata: str) -> Mapping[str, object]:
    """The form's subject; an empty mapping when it is not ours."""
    try:
        found = json.loads(metadata or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def declare(*, title: str = "", service: str | None = None, channel: str | None = None) -> Block:
    """Three inputs; the title from the command's words."""
    return modal(
        "incident.declare",
        "Declare incident",
        [
            text_input(
                "title",
                "What do users see?",
                placeholder="Checkout fails for some cards",
                initial=title or None,
                max_length=TITLE_MAX,
            ),
            searcher(
                "service",
                "Where?",
                "service.search",
                placeholder="Service",
                initial=service,
                optional=True,
            ),
            _severities("How bad?", "SEV2"),
            context("The card appears in the team's channel; its thread is the place to talk."),
        ],
        submit="Declare and page",
        metadata=about(channel=channel),
    )


def _severities(label: str, initial: str) -> Block:
    options = [option(f"{key}: {means}", key, _PAGES[key]) for key, means in SEVERITY_MEANS.items()]
    return chooser("severity", label, options, initial=initial, kind="radio_buttons")


def silence(s: Situation, longest: timedelta) -> Block:
    """What it holds back is counted before the press; only lengths that the asker may; a reason is asked."""
    options = [
        option(text, value)
        for text, value in SILENCE_FOR
        if (for_ := reading.span(value)) is not None and for_ <= longest
    ]
    matched = (
        f"Its {count(s.firing, 'alert that fires', 'alerts that fire')} now"
        if s.firing
        else "Its alerts"
    )
    return modal(
        "silence.create",
        "Silence alerts",
        [
            section(f"*Incident {s.incident_id}*  {escape(s.title, 90)}"),
            chooser("for", "How long?", options, placeholder="Time", initial="2h"),
            text_input("why", "Why?", placeholder="DB move, change 1882", max_length=200),
            context(
                f"{matched} page nobody until then; what still fires afterwards pages at once."
            ),
        ],
        submit="Silence",
        metadata=about(incident=s.incident_id),
    )


def resolve(s: Situation) -> Block:
    still = (
        f"{count(s.firing, 'alert')} still firing. Resolving stops the paging."
        if s.firing
        else "No alert fires now."
    )
    return modal(
        "incident.resolve",
        f"Resolve incident {s.incident_id}",
        [
            section(f"{escape(s.title, 90)}\n{still}"),
            text_input(
                "reason",
                "What ended it?",
                placeholder="Rollback to the last good version",
                max_length=REASON_MAX,
                optional=True,
            ),
        ],
        submit="Resolve",
        close="Keep open",
        metadata=about(incident=s.incident_id),
    )


def severity(s: Situation) -> Block:
    return modal(
        "incident.severity",
        "Change severity",
        [
            section(f"*Incident {s.incident_id}*  {escape(s.title, 90)}"),
            _severities("How bad is it?", s.severity),
            context("Worse pages from step 1 again; better pages nobody."),
        ],
        submit="Change",
        metadata=about(incident=s.incident_id),
    )


def hand_over(s: Situation) -> Block:
    return modal(
        "incident.hand_over",
        "Hand over",
        [
            section(f"*Incident {s.incident_id}*  {escape(s.title, 90)}"),
            searcher("to", "Who takes it?", "person.search", placeholder="Name"),
            context("They are paged now, and nobody has it until they acknowledge."),
        ],
        submit="Hand over",
        metadata=about(incident=s.incident_id),
    )


def page_someone(s: Situation) -> Block:
    return modal(
        "incident.page",
        "Page someone",
        [
            section(f"*Incident {s.incident_id}*  {escape(s.title, 90)}"),
            searcher("target", "Whom?", "target.search", placeholder="Person, team or policy"),
            text_input(
                "note",
                "What should they know?",
                placeholder="The pool is empty on both pods",
                max_length=REASON_MAX,
                optional=True,
            ),
        ],
        submit="Page",
        metadata=about(incident=s.incident_id),
    )


def note(s: Situation) -> Block:
    return modal(
        "incident.note",
        "Add a note",
        [
            section(f"*Incident {s.incident_id}*  {escape(s.title, 90)}"),
            text_input(
                "text",
                "Note",
                placeholder="What you saw or did",
                max_length=NOTE_MAX,
                multiline=True,
            ),
        ],
        submit="Add",
        metadata=about(incident=s.incident_id),
    )


def page_of(title: str, blocks: Sequence[Block]) -> Block:
    """An answer where there is no message to answer in: App Home."""
    return modal("told", title, blocks, close="Close")
