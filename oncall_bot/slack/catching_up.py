"""Catch me up, and a status update to send: what one person asks for and only that person sees.

Knows the words behind them and the buttons in the work log. Refuses to post: an update goes out when its asker accepts.
Serves commands and actions.
"""

from __future__ import annotations

from datetime import datetime

from oncall_bot.core.drafts.status_update import AUDIENCES
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.situation import Situation
from oncall_bot.flows.catching_up import looked, suggest_update
from oncall_bot.slack import answers
from oncall_bot.slack.blocks import Drawn, actions, button, context, section
from oncall_bot.slack.drafts import sources, suggested_update
from oncall_bot.slack.edge import Edge
from oncall_bot.slack.escape import link, push
from oncall_bot.slack.markdown import paragraphs
from oncall_bot.store import views


async def caught_up(edge: Edge, incident_id: int, actor: Actor) -> Drawn:
    """The incident for somebody who joins late; that they looked is noted afterwards, and waits for nothing."""
    situation = await edge.situation(incident_id)
    text = await edge.store.view(views.catch_up, incident_id, str(actor))
    if situation is None or text is None:
        return answers.no_such_incident(str(incident_id))
    edge.later(_noted(edge, incident_id, actor))
    return drawn(situation, text, edge.clock())


async def _noted(edge: Edge, incident_id: int, actor: Actor) -> None:
    await edge.store.write(looked, incident_id, actor)


def drawn(s: Situation, text: str, now: datetime) -> Drawn:
    """Five short parts, the sources as numbers of the timeline."""
    card = f"  ·  {link(s.chat_link, 'Card')}" if s.chat_link else ""
    return Drawn(
        push(f"Catch up on incident {s.incident_id}: ", s.title),
        [
            section(f"*Incident {s.incident_id}, caught up*"),
            *[section(part) for part in paragraphs(sources(text), most=3)],
            actions(
                [
                    button("Why…", "incident.why", s.incident_id),
                    button("Write an update", "incident.update", s.incident_id),
                ]
            ),
            context(f"Only you see this. Times in the text are UTC.{card}"),
        ],
    )


async def update_for(
    edge: Edge, press_id: str, incident_id: int, audience: str, actor: Actor
) -> Drawn | None:
    """The suggestion, with what its asker can do about it."""
    made = await edge.press(press_id, suggest_update, incident_id, audience, actor)
    if made is None:
        return None
    if isinstance(made, Outcome):
        return answers.sentence(made.reason)
    notice = await edge.store.view(views.draft_by_id, made)
    return suggested_update(notice) if notice else None


def audience_in(words: list[str]) -> str | None:
    """`customers`, `for customers`, nothing: internal. None for a word that is no audience."""
    said = [word.casefold() for word in words if word.casefold() not in {"for", "to", "the"}]
    if not said:
        return "internal"
    known = {"customer": "customers", "colleagues": "internal", "team": "internal"}
    found = known.get(said[0], said[0])
    return found if found in AUDIENCES and len(said) == 1 else None
