"""Talk: what somebody writes to the bot becomes an answer, a card, a question back, or a kind no.

Knows the order: a wish, a plain question, then the model where one is named, then what is asked instead. Refuses to
know Slack's events (`events` and `pane` do) and how answers are found (`answering` does). What a conversation is
about is kept in SQL for half an hour, ids only, so that `and tonight?` works on every replica.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from oncall_bot.core.errors import OncallError
from oncall_bot.core.talk import (
    About,
    AskBack,
    Intent,
    Question,
    Smalltalk,
    Unknown,
    Wish,
    understand,
)
from oncall_bot.core.talk.proposals import Impossible, Needs
from oncall_bot.core.talk.questions import Understood
from oncall_bot.flows.refuse import refuse
from oncall_bot.flows.remember_talk import remember_talk
from oncall_bot.slack import answers, proposals, reading, told
from oncall_bot.slack.answering import Place, answered
from oncall_bot.slack.blocks import Drawn
from oncall_bot.slack.callers import Caller
from oncall_bot.slack.edge import Edge, excuse
from oncall_bot.store import views
from oncall_bot.store.transactions import Reader

TEXT_MAX = 4000


@dataclass(frozen=True, slots=True)
class Heard:
    """Something said to the bot: by whom, where, and in which thread the conversation goes on."""

    caller: Caller
    text: str
    channel: str
    thread: str | None
    alone: bool  # one person reads the answer: a direct message, the pane, a command

    @property
    def place(self) -> Place:
        return Place(self.caller, self.channel, self.alone)


@dataclass(frozen=True, slots=True)
class Said:
    """What to say. `open_to_model`: a model may do better; `drawn` is then what is said without one."""

    drawn: Drawn
    about: About
    open_to_model: bool = False
    understood: bool = True
    changed: Mapping[str, Any] = field(default_factory=dict)


async def hear(edge: Edge, heard: Heard) -> Said:
    """What to answer, and what the conversation is about from now on. Writes nothing."""
    known, about = await edge.store.view(_known_and_about, heard.channel, heard.thread)
    names = edge.names.of(known)
    zone = reading.zone_of(heard.caller.zone)
    understood = understand(heard.text, names, edge.clock(), zone, about)
    try:
        return await _said(edge, heard, understood, about)
    except OncallError as error:
        return Said(excuse(error), about)


async def _said(edge: Edge, heard: Heard, understood: Understood, about: About) -> Said:
    match understood:
        case Question():
            found = await answered(edge, understood, heard.place)
            changed = {**found.about, "intent": str(understood.intent)}
            return Said(found.drawn, about, not understood.certain, changed=changed)
        case Wish():
            return Said(await wished(edge, understood, heard), about, changed=_wished(understood))
        case AskBack(question, choices):
            return Said(told.ask_back(question, choices), about, open_to_model=True)
        case Smalltalk(kind):
            return Said(told.small_talk(kind), about, understood=False)
        case Unknown(near):
            return Said(_declined(edge, near), about, open_to_model=True, understood=False)


def _known_and_about(reader: Reader, channel: str, thread: str | None) -> tuple[Any, About]:
    return views.known(reader), views.about(reader, channel, thread)


def _wished(wish: Wish) -> dict[str, Any]:
    kind, _, key = (wish.target or "").partition(":")
    return {"incident": wish.incident, "people": (key,) if kind == "person" and key != "me" else ()}


def _declined(edge: Edge, near: tuple[Intent, ...]) -> Drawn:
    asked = {
        Intent.ON_CALL: "who is on call",
        Intent.OPEN: "open incidents",
        Intent.SHIFTS: "my shifts",
        Intent.FIRING: "which alerts are firing",
        Intent.WHY: "why was I paged",
        Intent.HELP: "help",
    }
    return told.declined(edge.command, [asked[one] for one in near if one in asked])


async def wished(edge: Edge, wish: Wish, heard: Heard) -> Drawn:
    """A card to press, a question, or why not; who has no right is told so, and it goes into the audit."""
    if heard.caller.refusal is not None:
        await edge.turn_away(heard.caller, f"ask_{wish.act}", wish.incident)
        return heard.caller.refusal
    asker = views.Asker(heard.caller.actor, heard.channel if not heard.alone else "")
    prepared = await edge.store.view(views.offer, wish, asker)
    match prepared:
        case Needs(question, choices):
            return told.ask_back(question, choices)
        case Impossible(why, refused):
            if refused:
                await _refused(edge, wish, heard, why)
            return answers.sentence(why)
        case _:
            return proposals.card(edge, prepared, heard.caller.actor)


async def _refused(edge: Edge, wish: Wish, heard: Heard, why: str) -> None:
    about = f"incident:{wish.incident}" if wish.incident is not None else "slack"
    await edge.store.write(refuse, heard.caller.actor, f"ask_{wish.act}", about, why)


async def remember(edge: Edge, heard: Heard, said: Said) -> None:
    """Keep what is talked about, unless nothing new is."""
    now = said.about.then(**said.changed)
    if now != said.about and (now.kept() != About().kept()):
        await edge.store.write(remember_talk, views.key_of(heard.channel, heard.thread), now)


def plain(edge: Edge, text: str) -> str:
    """What was written, as `understand` reads it: our own mention gone, people as @key, no entities."""
    if edge.bot_user:
        text = text.replace(f"<@{edge.bot_user}>", " ")
    by_slack = edge.store.snapshot.by_slack
    return reading.said(text[:TEXT_MAX], lambda slack_id: by_slack.get(slack_id, slack_id)).strip()
