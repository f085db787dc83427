"""Cards of wishes: drawn, signed, pressed once. The press is the act, never the sentence.

Knows how an offer looks and what becomes of its card. Refuses to judge a press: the flow behind it does. Serves the
talk and the assistant.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from slack_sdk.webhook.async_client import AsyncWebhookClient

from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.talk.proposals import (
    EXPIRES_AFTER,
    Offer,
    Part,
    Proposal,
    opened,
    signed,
)
from oncall_bot.flows.carry_out_proposal import REPEATED, carry_out_proposal, dismiss_proposal
from oncall_bot.slack import answers
from oncall_bot.slack.blocks import Block, Drawn, actions, button, context, section
from oncall_bot.slack.edge import Edge
from oncall_bot.slack.escape import cut, escape, push, utc, when
from oncall_bot.slack.patience import patiently

CONFIRM, DISMISS = "proposal.confirm", "proposal.dismiss"


def card(edge: Edge, offer: Offer, actor: Actor) -> Drawn:
    """The offer with its buttons: exactly what a press does, who may press, until when."""
    now = edge.clock()
    proposal = Proposal(
        secrets.token_urlsafe(9),
        offer.act,
        offer.incident,
        str(actor),
        now + EXPIRES_AFTER,
        _bounded(offer.args),
    )
    token = signed(edge.store.snapshot.signing_key, proposal)
    return drawn(offer, token, actor.name, now)


def drawn(offer: Offer, token: str, asker: str, now: datetime) -> Drawn:
    """The card itself; `token` is what its buttons carry."""
    plain = "".join(utc(part, now) if isinstance(part, datetime) else part for part in offer.says)
    foot = (
        f"Asked by {escape(asker, 60)}. Nothing happens before the press; "
        f"good until {when(now + EXPIRES_AFTER, now)}."
    )
    blocks: list[Block] = [
        section(f"*{_worded(offer.says, now)}*\n{_worded(offer.effect, now)}".rstrip()),
        actions(
            [
                button(offer.button, CONFIRM, token, style="primary"),
                button("Leave it", DISMISS, token),
            ],
            block_id="confirm",
        ),
        context(foot),
    ]
    return Drawn(push("", cut(plain, 90), " Press to confirm."), blocks)


def _bounded(args: Mapping[str, str]) -> dict[str, str]:
    """Arguments that fit into a button; only free text is ever long."""
    return {name: cut(value, 280) for name, value in args.items()}


def _worded(parts: Sequence[Part], now: datetime) -> str:
    return "".join(when(p, now) if isinstance(p, datetime) else _kept(p) for p in parts)


def _kept(text: str) -> str:
    """Escaped, with the blanks at its ends: they part it from an instant."""
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{before}{escape(text, 600)}{after if text.strip() else ''}"


async def pressed(
    edge: Edge, token: str, actor: Actor, body: Mapping[str, Any], press_id: str
) -> Drawn | None:
    """The act, once it is committed; the card then says what became of it."""
    proposal = opened(edge.store.snapshot.signing_key, token)
    if proposal is None:
        return answers.said("That card is not one of mine, or is older than this installation.")
    done = await edge.press(press_id, carry_out_proposal, proposal, actor)
    return _told(edge, body, done, actor)


async def dismissed(
    edge: Edge, token: str, actor: Actor, body: Mapping[str, Any], press_id: str
) -> Drawn | None:
    proposal = opened(edge.store.snapshot.signing_key, token)
    if proposal is None:
        return answers.said("That card is not one of mine, or is older than this installation.")
    done = await edge.press(press_id, dismiss_proposal, proposal, actor)
    return _told(edge, body, done, actor)


def _told(edge: Edge, body: Mapping[str, Any], done: Outcome | None, actor: Actor) -> Drawn | None:
    """What became of it takes the card's place; what concerns this person alone is said to them, and the card stays."""
    if done is None:
        return None
    if done.refused or done.reason == REPEATED:
        return answers.sentence(done.reason)
    now = edge.clock()
    by = f"{escape(actor.name, 60)}, {when(now, now)}."
    what = Drawn(push("", done.reason), [section(escape(done.reason, 1000)), context(by)])
    edge.later(replace_message(edge, body, what))
    return None if done.done else answers.sentence(done.reason)


async def replace_message(edge: Edge, body: Mapping[str, Any], what: Drawn) -> None:
    """The message whose button was pressed reads differently from now on."""
    container = body.get("container") or {}
    url = body.get("response_url")
    if container.get("is_ephemeral") and url:
        hook = AsyncWebhookClient(str(url), timeout=10, session=edge.client.session)
        await patiently(
            lambda: hook.send(text=what.text, blocks=list(what.blocks), replace_original=True),
            "card",
        )
        return
    channel, ts = container.get("channel_id"), container.get("message_ts")
    if not channel or not ts:
        return
    await patiently(
        lambda: edge.client.chat_update(
            channel=str(channel), ts=str(ts), text=what.text, blocks=list(what.blocks)
        ),
        "card",
    )
