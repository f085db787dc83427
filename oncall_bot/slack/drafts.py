"""Suggested texts in Slack: summary, postmortem and status update, with what a person can do about them.

Knows how a suggestion, its end and an accepted update read. Refuses to know how a text was written or checked.
Serves engine's delivery, answers and reviews; every text passes the one escape function.
"""

from __future__ import annotations

import re
from datetime import datetime

from oncall_bot.core.drafts.editing import Piece, pieces
from oncall_bot.core.situation import DraftNotice, Situation, ToCheck, UpdateNotice
from oncall_bot.slack.blocks import Block, Drawn, actions, button, context, divider, section
from oncall_bot.slack.escape import escape, link, push, when
from oncall_bot.slack.markdown import paragraphs
from oncall_bot.slack.phrases import count

PROMISE = "Numbers are computed; every sentence names its timeline entry."
SHOWN = ("Summary", "Impact")
MOST_PARTS = 4
NAMES = {
    "summary": "summary",
    "postmortem": "postmortem",
    "update-internal": "status update",
    "update-customers": "status update for customers",
}
DID = {
    "accepted": "Accepted",
    "edited": "Edited and accepted",
    "discarded": "Discarded",
}
_CITED = re.compile(r"\s*\[((?:[ea]\d{1,6}|calc)(?:, (?:[ea]\d{1,6}|calc))*)\]")
_SENTENCE = re.compile(r"\]\.")


def suggestion(notice: DraftNotice, now: datetime) -> Drawn:
    """The thread's message: the suggestion with its buttons, later who decided on it."""
    if notice.kind == "postmortem":
        return _postmortem(notice, now)
    return _document(notice, now)


def _document(notice: DraftNotice, now: datetime) -> Drawn:
    s, name = notice.situation, NAMES.get(notice.kind, "text")
    to_check = unanswered(notice)
    size = count(len(_SENTENCE.findall(_prose(notice.markdown))), "sentence")
    asked = f", *{len(to_check)} to check*" if to_check else ""
    told = f"{size}{asked}. Nothing is published before you accept."
    waiting = f", {len(to_check)} to check" if to_check else ""
    return Drawn(
        push(f"{_lead(notice)} {name} of incident {s.incident_id}{waiting}: ", s.title),
        [
            section(
                f"*{_lead(notice)} {name}*, incident {s.incident_id}\n{_state(notice, now, told)}"
            ),
            *_texts(notice),
            *_checks(notice, to_check),
            *_buttons(notice, [button("Draft postmortem", "postmortem.draft", s.incident_id)]),
            context(PROMISE),
        ],
    )


def _lead(notice: DraftNotice) -> str:
    return "Suggested" if notice.open else DID.get(notice.state, "Decided").split()[0]


def _state(notice: DraftNotice, now: datetime, told: str) -> str:
    """What it is as long as it waits; then who decided and when."""
    if notice.open or notice.decided_at is None:
        return told
    by = escape(notice.decided_by or "somebody", 60)
    return f"{DID.get(notice.state, 'Decided')} by {by}, {when(notice.decided_at, now)}."


def _texts(notice: DraftNotice) -> list[Block]:
    if notice.state == "discarded":
        return []
    return [section(part) for part in paragraphs(shown(notice.markdown), most=MOST_PARTS)]


def shown(markdown: str) -> str:
    """The prose with its sources as `[7]`, which is how people name timeline entries."""
    return sources(_prose(markdown))


def _prose(markdown: str) -> str:
    """The document without its tables."""
    _, parts = pieces(markdown)
    chosen = [piece for piece in parts if piece.heading in SHOWN] or parts[:1]
    return "\n\n".join(_piece(piece) for piece in chosen) if chosen else markdown


def _piece(piece: Piece) -> str:
    return piece.body if piece.heading == SHOWN[0] else f"## {piece.heading}\n{piece.body}"


def sources(text: str) -> str:
    """`[e007, e020, calc]` as `[7] [20]`; what is computed needs no source in chat."""

    def shown(found: re.Match[str]) -> str:
        ids = [one.lstrip("e").lstrip("0") for one in found[1].split(", ") if one.startswith("e")]
        return "".join(f" [{one}]" for one in ids if one)

    return _CITED.sub(shown, text)


def unanswered(notice: DraftNotice) -> list[ToCheck]:
    return [one for one in notice.checks if one.answer is None] if notice.open else []


def _checks(notice: DraftNotice, waiting: list[ToCheck]) -> list[Block]:
    """Each sentence apart, with the reason and its three answers; left out if nobody answers."""
    blocks: list[Block] = []
    for one in waiting:
        value = f"{notice.draft_id}:{one.check_id}"
        cited = escape(sources(f" [{', '.join(one.cites)}]").strip(), 80)
        said = f">*Check*  _{escape(one.text, 400)}_ {cited}\n>{escape(one.reason[:1].upper() + one.reason[1:], 200)}."
        blocks += [
            section(said),
            actions(
                [
                    button("Drop it", "sentence.drop", value),
                    button("Keep as a guess", "sentence.guess", value),
                    button("I confirm it", "sentence.confirm", value),
                ],
                block_id=f"check-{one.check_id}",
            ),
        ]
    return blocks


def _buttons(notice: DraftNotice, more: list[Block]) -> list[Block]:
    """Accept, Edit and Discard while it waits; the file as long as there is a text."""
    number = notice.situation.incident_id
    file = button("Get Markdown", f"{notice.kind}.file", number)
    if notice.open:
        return [divider(), actions([*deciding(notice), file, *more], block_id="draft")]
    if notice.state == "discarded":
        again = f"{notice.kind}.draft" if notice.kind == "postmortem" else "summary.draft"
        return [actions([button("Draft again", again, number)], block_id="draft")]
    return [actions([file, *more], block_id="draft")]


def deciding(notice: DraftNotice) -> list[Block]:
    return [
        button("Accept", "draft.accept", notice.draft_id, style="primary"),
        button("Edit…", "draft.edit", notice.draft_id),
        button("Discard", "draft.discard", notice.draft_id),
    ]


def _postmortem(notice: DraftNotice, now: datetime) -> Drawn:
    """The postmortem's cover: its size, what it still asks for, and its file on demand."""
    s, markdown = notice.situation, notice.markdown
    to_check = unanswered(notice)
    asked = open_questions(markdown) + len(to_check)
    size = f"{len(markdown.split()):,} words in {count(headings(markdown), 'section')}; Get Markdown sends the file."
    told = size + (f" *{count(asked, 'thing')} to decide.*" if asked else "")
    decide = f" {count(asked, 'thing')} to decide." if asked and notice.open else ""
    lead = "Postmortem draft" if notice.open else f"{_lead(notice)} postmortem"
    verb = " is ready." if notice.open else "."
    return Drawn(
        push(f"{lead} of incident {s.incident_id}{verb}{decide} ", s.title),
        [
            section(f"*{lead}, incident {s.incident_id}*\n{link(s.url, s.title)}"),
            section(_state(notice, now, told)),
            *_checks(notice, to_check),
            *_buttons(notice, []),
            context(PROMISE),
        ],
    )


def headings(markdown: str) -> int:
    return sum(1 for line in markdown.splitlines() if line.startswith("## "))


def open_questions(markdown: str) -> int:
    """Lines the draft leaves to a human: action items that need an owner or a date."""
    return sum(1 for line in markdown.splitlines() if re.search(r"needs an? (?:owner|date)", line))


def suggested_update(notice: DraftNotice) -> Drawn:
    """A status update for one reader, who may make it theirs."""
    s, whom = notice.situation, audience_of(notice.kind)
    return Drawn(
        push(f"Suggested update of incident {s.incident_id} {whom}: ", s.title),
        [
            section(f"*Suggested status update* {whom}, incident {s.incident_id}"),
            *[section(part) for part in paragraphs(sources(notice.markdown), most=2)],
            actions(deciding(notice), block_id="draft"),
            context("Only you see this. Accept posts it in the incident's thread as your words."),
        ],
    )


def audience_of(kind: str) -> str:
    return "for customers" if kind.endswith("customers") else "for colleagues"


def update(notice: UpdateNotice, now: datetime) -> Drawn:
    """What somebody told the others, with their name."""
    s: Situation = notice.situation
    whom = "For customers" if notice.audience == "customers" else "Status update"
    line = " ".join(notice.markdown.replace("*", "").split())
    foot = (
        f"{whom}, by {escape(notice.by, 60)}, {when(notice.at, now)}  ·  {escape(s.severity, 20)}"
    )
    texts = [section(part) for part in paragraphs(sources(notice.markdown), most=2)]
    return Drawn(push("", sources(line)), [*texts, context(foot)])


def file_name(incident_id: int, kind: str) -> str:
    return f"incident-{incident_id}-{kind}.md"
