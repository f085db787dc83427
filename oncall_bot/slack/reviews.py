"""What people press on a suggested text: accept, edit, discard, and the three answers to a sentence to check.

Knows the edit form: one field for each section of prose. Refuses to decide: flows.reviewing does, and names the first.
Serves actions and submissions. A press names the draft; the message it lies on is never the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oncall_bot.core.drafts.editing import MOST_CHARACTERS, editable
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.rights import Right
from oncall_bot.core.situation import DraftNotice
from oncall_bot.flows.drafting import request_draft
from oncall_bot.flows.reviewing import accept, answer_check, discard, edit
from oncall_bot.slack import answers, modals, reading
from oncall_bot.slack.blocks import Block, Drawn, context, modal, section, text_input
from oncall_bot.slack.callers import Caller
from oncall_bot.slack.drafts import NAMES
from oncall_bot.slack.edge import Edge
from oncall_bot.slack.escape import escape
from oncall_bot.store import views

FORM = "draft.edit"
FIELD = "text:"
GONE = "That suggestion is no longer there."


async def decide(edge: Edge, press_id: str, value: str, actor: Actor, verb: str) -> Drawn | None:
    """Accept or discard; a summary's or postmortem's own message shows it, so only the loser of a race is told."""
    draft_id = reading.number(value)
    if draft_id is None:
        return answers.said(GONE)
    flow = accept if verb == "accept" else discard
    done = await edge.press(press_id, flow, draft_id, actor)
    return await _told(edge, draft_id, done)


async def _told(edge: Edge, draft_id: int, done: Outcome | None) -> Drawn | None:
    if done is None:
        return None
    notice = await edge.store.view(views.draft_by_id, draft_id)
    private = notice is not None and notice.kind.startswith("update-")
    return answers.outcome(done, by_command=private)


async def answer(edge: Edge, press_id: str, value: str, actor: Actor, said: str) -> Drawn | None:
    """`17:s2`: the draft and its sentence."""
    number, _, check_id = value.partition(":")
    draft_id = reading.number(number)
    if draft_id is None:
        return answers.said(GONE)
    done = await edge.press(press_id, answer_check, draft_id, check_id, said, actor)
    return answers.outcome(done, by_command=False) if done is not None else None


async def draft_again(edge: Edge, press_id: str, incident_id: int, actor: Actor) -> Drawn | None:
    """A new summary in the place of one that was discarded."""
    done = await edge.press(press_id, request_draft, incident_id, "summary", actor)
    return answers.outcome(done, by_command=False) if done is not None else None


async def open_edit(
    edge: Edge, caller: Caller, body: Mapping[str, Any], value: str
) -> Drawn | None:
    draft_id = reading.number(value)
    notice = await edge.store.view(views.draft_by_id, draft_id) if draft_id is not None else None
    if notice is None:
        return answers.said(GONE)
    if not notice.open:
        by = escape(notice.decided_by or "Somebody", 60)
        return answers.said(f"{by} decided on it already. Nothing is left to do.")
    refusal = await edge.may_not(caller, Right.DRAFT, notice.situation)
    return refusal or await edge.open_form(body, form(notice))


def form(notice: DraftNotice) -> Block:
    """The prose, section by section; what is computed is not offered."""
    name, s = NAMES.get(notice.kind, "text"), notice.situation
    fields = [
        text_input(
            f"{FIELD}{piece.heading}"[:255],
            piece.heading or "Text",
            placeholder="Left out when empty",
            initial=piece.body,
            max_length=MOST_CHARACTERS,
            multiline=True,
            optional=True,
        )
        for piece in editable(notice.markdown)
    ]
    if not fields:
        said = "This text is too long for a form. Get Markdown sends it as a file."
        return modals.page_of("Edit", [section(said)])
    return modal(
        FORM,
        f"Edit {name}"[:24],
        [
            section(f"*Incident {s.incident_id}*  {escape(s.title, 90)}"),
            *fields,
            context(
                "Tables, times and action items are computed and stay. Saving accepts the text."
            ),
        ],
        submit="Save",
        metadata=modals.about(draft=notice.draft_id),
    )


async def submitted(
    edge: Edge, actor: Actor, fields: Mapping[str, str], about: Mapping[str, object], press_id: str
) -> Outcome | None:
    draft_id = about.get("draft")
    if not isinstance(draft_id, int):
        return Outcome(False, GONE)
    bodies = {
        key.removeprefix(FIELD): reading.said(text, edge.name_of)
        for key, text in fields.items()
        if key.startswith(FIELD)
    }
    return await edge.press(press_id, edit, draft_id, bodies, actor)
