"""`/oncall web`: a link for the asker alone that signs them in to the web pages.

Knows that the key is made here, told once and stored only as a hash. Refuses to know cookies and pages: web has them.
Serves commands.
"""

from __future__ import annotations

import secrets

from oncall_bot.core.sign_in import KEY_BYTES, digest
from oncall_bot.flows.sign_in import offer_sign_in
from oncall_bot.slack import answers
from oncall_bot.slack.blocks import Drawn, actions, button, context
from oncall_bot.slack.callers import Caller
from oncall_bot.slack.edge import Edge
from oncall_bot.slack.escape import escape


async def web_link(edge: Edge, caller: Caller, press_id: str) -> Drawn | None:
    """The answer with the link; viewers may look too, guests may not. A newer link takes an older one's place.

    Only a press or a typed command, which have a `press_id`, is answered for its sender alone: a mention is answered in
    the channel, where a link would sign everybody in as that person.
    """
    if caller.refusal is not None:
        return await edge.turn_away(caller, "web")
    if edge.public_url is None:
        return answers.said(
            "The web pages are off. Set `ONCALL_PUBLIC_URL` to the address under which people reach this server."
        )
    if not press_id:
        return answers.said(
            f"Type `{escape(edge.command, 40)} web`: the link must be seen by you alone."
        )
    key = secrets.token_urlsafe(KEY_BYTES)
    offered = await edge.press(press_id, offer_sign_in, caller.actor, digest(key))
    if offered is None:
        return answers.told(None)
    address = f"{edge.public_url.rstrip('/')}/sign-in/{key}"
    return answers.said(
        "Schedules and incidents on the web, signed in as you.",
        actions([button("Sign in", "incident.open", "web", url=address)]),
        context("The link is for you alone, works once, and is good for 10 minutes."),
    )
