"""Pins: by reaction, and by the message shortcut with its form.

Knows which reaction means what, and that a message said before the bot listened is taken down first. Who may pin the
flow knows. Serves events, listeners and submissions; what a pin is worth, core.pins knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError

from oncall_bot.core.pins import PINNED_AS, Pin, PinKind
from oncall_bot.core.rights import Right
from oncall_bot.flows.pinning import NOT_OURS, pin, pin_only, unpin
from oncall_bot.flows.record_chat import record_chat
from oncall_bot.slack import modals, reading
from oncall_bot.slack.blocks import Block, chooser, context, modal, option, section, text_input
from oncall_bot.slack.callers import Caller
from oncall_bot.slack.edge import Edge
from oncall_bot.slack.escape import escape, quote
from oncall_bot.slack.refusals import error_of
from oncall_bot.store import views

log = structlog.get_logger(__name__)

SHORTCUT_PIN = "pin_message"
FORM = "pin.message"
WORDS_MAX = 500
REACTIONS: Mapping[str, PinKind] = {
    "pushpin": PinKind.KEEP,
    "dart": PinKind.CAUSE,
    "boom": PinKind.IMPACT,
    "no_entry_sign": PinKind.REJECTED,
}
"""Marks that nobody sets in passing: a cause must not be confirmed by a thumb."""

SAID_BY_PEOPLE = frozenset({None, "file_share", "thread_broadcast", "me_message"})
NOTHING = "none"
CHOICES: tuple[tuple[PinKind, str, str], ...] = (
    (PinKind.CAUSE, "The cause", "Drafts name it as the cause, confirmed by you"),
    (PinKind.IMPACT, "The impact", "Drafts tell it as what users felt"),
    (PinKind.REJECTED, "A ruled-out guess", "Drafts tell it only as ruled out"),
    (PinKind.KEEP, "Only keep it", "It stays in the work log"),
)

Message = Mapping[str, Any]


# --- reactions ----------------------------------------------------------------------------------------------------


async def keep_reaction(edge: Edge, event: Message, event_id: str) -> bool:
    """A mark on a person's message in an incident's thread, set or taken away. Always ours to acknowledge."""
    item = event.get("item") or {}
    kind = REACTIONS.get(str(event.get("reaction") or "").partition("::")[0])
    if kind is None or item.get("type") != "message":
        return True
    channel, ts = str(item["channel"]), str(item["ts"])
    caller = await edge.callers.who(str(event["user"]))
    if caller.refusal is not None:
        await edge.turn_away(caller, str(Right.PIN))
        return True
    if event.get("type") == "reaction_removed":
        await edge.press(event_id, unpin, channel, ts, caller.actor, kind=kind)
        return True
    done = await edge.press(event_id, pin, channel, ts, kind, caller.actor)
    if done == NOT_OURS and await _take_down(edge, channel, ts):
        await edge.press("", pin, channel, ts, kind, caller.actor)
    return True


async def _take_down(edge: Edge, channel: str, ts: str) -> bool:
    """A message that was said before we listened goes on the timeline now; False when it is not an incident's."""
    found = await _message(edge, channel, ts)
    if found is None or not is_said(found):
        return False
    thread = str(found.get("thread_ts") or ts)
    if await edge.store.view(views.incident_of_thread, channel, thread) is None:
        return False
    author = await edge.callers.who(str(found["user"]))
    words = spoken(edge, found)
    done = await edge.press("", record_chat, channel, thread, ts, author.actor, words)
    return bool(done and done.done)


async def _message(edge: Edge, channel: str, ts: str) -> Message | None:
    """One message, alone or in a thread; None when Slack does not show it."""
    try:
        answer: Any = await edge.client.conversations_replies(
            channel=channel, ts=ts, latest=ts, inclusive=True, limit=1
        )
    except SlackApiError as error:
        log.info("slack_pin_unread", channel=channel, error=error_of(error))
        return None
    return next((one for one in answer.get("messages") or () if one.get("ts") == ts), None)


def is_said(message: Message) -> bool:
    """Whether a person said it: not a bot, not Slack itself."""
    return (
        message.get("subtype") in SAID_BY_PEOPLE
        and bool(message.get("user"))
        and not message.get("bot_id")
    )


def spoken(edge: Edge, message: Message) -> str:
    """What was said, as its readers saw it."""
    return reading.said(str(message.get("text") or ""), edge.name_of)


# --- the shortcut and its form ------------------------------------------------------------------------------------


async def on_shortcut(edge: Edge, body: Mapping[str, Any]) -> None:
    """The message's menu: what is it? Opened at once; everything is looked up again when the form comes back."""
    caller = await edge.caller(body)
    message = body.get("message") or {}
    channel, ts = str((body.get("channel") or {}).get("id") or ""), str(message.get("ts") or "")
    await edge.open_form(body, await _form_for(edge, caller, channel, ts, message))


async def _form_for(edge: Edge, caller: Caller, channel: str, ts: str, message: Message) -> Block:
    thread = str(message.get("thread_ts") or ts)
    ours = await edge.store.view(views.incident_of_thread, channel, thread)
    situation = await edge.situation(ours) if ours is not None else None
    refusal = await edge.may_not(caller, Right.PIN, situation)
    if refusal is not None:
        return modals.page_of("Not done", refusal.blocks)
    if ours is None or not is_said(message):
        return modals.page_of("Pin", [section(escape(NOT_OURS.reason, 300))])
    pins = await edge.store.view(views.pins_on, channel, ts) or ()
    mine = [one for one in pins if one.by == f"@{caller.actor.key}"]
    names = edge.config.people
    by = {one.by: names[key].name if (key := one.by[1:]) in names else key for one in pins}
    return form(spoken(edge, message), channel, ts, pins, mine, by)


def form(
    said: str,
    channel: str,
    ts: str,
    pins: tuple[Pin, ...] = (),
    mine: list[Pin] | None = None,
    names: Mapping[str, str] | None = None,
) -> Block:
    """The words, what is pinned already and by whom, the choice, and room to put it better."""
    options = [option(text, str(kind), does) for kind, text, does in CHOICES]
    options += [option("Nothing any more", NOTHING, "Takes every pin back")] if pins else []
    standing = [
        f"Pinned as {PINNED_AS[p.kind]} by {escape((names or {}).get(p.by, p.by), 60)}."
        for p in pins
    ]
    own = next((p.text for p in reversed(mine or []) if p.own_words), None)
    return modal(
        FORM,
        "Pin to the incident",
        [
            section(quote(said, 600)),
            *([context(" ".join(standing[:4]))] if standing else []),
            chooser(
                "as",
                "What is it?",
                options,
                initial=str(mine[-1].kind) if mine else None,
                kind="radio_buttons",
            ),
            text_input(
                "words",
                "Put it better, if you can",
                placeholder="The batch job had used up the connections of the pool",
                initial=own,
                max_length=WORDS_MAX,
                multiline=True,
                optional=True,
            ),
            context(
                "Drafts name a cause only when a person pinned one. Pins stay on the timeline."
            ),
        ],
        submit="Pin",
        metadata=modals.about(channel=channel, ts=ts),
    )


async def submitted(
    edge: Edge,
    caller: Caller,
    fields: Mapping[str, str],
    about: Mapping[str, object],
    press_id: str,
) -> Any:
    """The outcome of the sent form."""
    channel, ts = str(about.get("channel") or ""), str(about.get("ts") or "")
    chosen = fields.get("as", "")
    kind = None if chosen == NOTHING else _kind(chosen)
    words = reading.said(fields.get("words", ""), edge.name_of)[:WORDS_MAX]
    done = await edge.press(press_id, pin_only, channel, ts, kind, caller.actor, words=words)
    if done == NOT_OURS and await _take_down(edge, channel, ts):
        return await edge.press("", pin_only, channel, ts, kind, caller.actor, words=words)
    return done


def _kind(chosen: str) -> PinKind:
    """What was chosen; something else than we offered is kept as words only."""
    return PinKind(chosen) if chosen in set(PinKind) else PinKind.KEEP
