"""`/oncall calendar`: a link for a calendar program, given to one person, seen by nobody else, taken back by a button.

Knows the words, the drawing and that a token is shown once. Refuses to store one (its SHA-256 is) and to draw shifts.
Serves commands and actions of this room.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from oncall_bot.core.feeds import LINK_MARK, LINK_SHOWN, link_digest
from oncall_bot.flows.calendar_links import create_link, revoke_link
from oncall_bot.slack import answers, reading
from oncall_bot.slack.blocks import Block, Drawn, actions, button, confirm, context, section
from oncall_bot.slack.escape import code, escape, push, when
from oncall_bot.store.views import feeds

if TYPE_CHECKING:
    from oncall_bot.slack.actions import Press
    from oncall_bot.slack.commands import Asked
    from oncall_bot.slack.edge import Edge

SHOWN = 5


async def on_calendar(edge: Edge, asked: Asked) -> Drawn | None:
    """`calendar` of one's own shifts, `calendar shop-primary`, `calendar team shop`; `calendar list` of one's links."""
    person = asked.caller.person
    if person is None:
        return answers.not_yours("no calendar is yours")
    if asked.words == ["list"]:
        return await _links(edge, person.key)
    if edge.public_url is None:
        return answers.said(
            "No calendar program could reach me: ONCALL_PUBLIC_URL is not set. Ask an admin to set it.",
            context("Meanwhile `oncall-bot schedule ics` writes a file."),
        )
    meant = _meant(edge, asked.words, person.key)
    if isinstance(meant, Drawn):
        return meant
    token = LINK_MARK + secrets.token_urlsafe(32)
    prefix = token[:LINK_SHOWN]
    done = await edge.press(
        asked.press_id,
        create_link,
        person.key,
        *meant,
        asked.caller.actor,
        sha256=link_digest(token),
        prefix=prefix,
    )
    if done is None or not done.done:
        return answers.told(done)
    return given(_about(edge, *meant), edge.public_url, token, command=edge.command)


async def on_revoke(edge: Edge, press: Press) -> Drawn | None:
    """The button under a link, or in the list of one's links: the value is the link's first letters."""
    person = press.caller.person
    if person is None:
        return answers.not_yours("no calendar is yours")
    done = await edge.press(
        press.press_id, revoke_link, person.key, press.value[:LINK_SHOWN], press.caller.actor
    )
    return answers.outcome(done, by_command=True) if done is not None else None


async def _links(edge: Edge, person: str) -> Drawn:
    return links(await edge.store.view(feeds.calendar_links, person), edge.clock())


def _meant(edge: Edge, words: Sequence[str], person: str) -> tuple[str, str] | Drawn:
    config = edge.config
    match [word.casefold() for word in words]:
        case [] | ["me"]:
            return "person", person
        case ["team", key] if key in config.teams:
            return "team", key
        case [key] if key in config.schedules:
            return "schedule", key
        case [*_, key]:
            known = [*config.schedules, *(f"team {team}" for team in config.teams)]
            close = reading.nearest(" ".join(words), known)
            hint = f" Did you mean {code(f'{edge.command} calendar {close}')}?" if close else ""
            return answers.said(f"There is no schedule or team {code(key)}.{hint}")
    raise AssertionError(words)


def _about(edge: Edge, kind: str, key: str) -> str:
    return "your own shifts" if kind == "person" else f"the {kind} {key}"


def given(about: str, public_url: str, token: str, *, command: str) -> Drawn:
    """The link, once. `webcal` opens a calendar program; https is for those that want to be given an address."""
    https = f"{public_url.rstrip('/')}/ical/{token}.ics"
    webcal = f"webcal://{https.partition('://')[2]}"
    return Drawn(
        push("A calendar link of ", about, ". Only you see it, and only now."),
        [
            section(
                f"*Calendar of {escape(about, 100)}*\nSubscribe to this address in your calendar program:\n"
                f"{code(webcal, 300)}\nIf it wants an https address:\n{code(https, 300)}"
            ),
            actions([_revoke(token[:LINK_SHOWN])]),
            context(
                "Whoever has the address can read the shifts, so keep it to yourself. It is shown once;"
                f" `{escape(command, 40)} calendar list` shows and revokes your links. Calendar programs look"
                " again every hour at best: who is paged never depends on them."
            ),
        ],
    )


def links(found: Sequence[feeds.OwnLink], now: datetime) -> Drawn:
    """One's links by their first letters; the newest first."""
    if not found:
        return answers.said("You have no calendar link.")
    lines: list[Block] = []
    for one in list(reversed(found))[:SHOWN]:
        of = "your own shifts" if one.kind == "person" else f"the {one.kind} {one.key}"
        words = f"{code(one.prefix + '…')} of {escape(of, 100)}, since {when(one.created_at, now)}"
        lines.append(section(words, accessory=_revoke(one.prefix)))
    more = len(found) - SHOWN
    tail = [context(f"{more} older ones are valid too.")] if more > 0 else []
    return Drawn(push(f"You have {len(found)} calendar links."), [*lines, *tail])


def _revoke(prefix: str) -> Block:
    sure = confirm(
        "Revoke this link?",
        "Calendars that subscribed with it lose the shifts. Paging is not touched.",
        "Revoke",
        "Keep it",
    )
    return button("Revoke", "calendar.revoke", prefix, style="danger", confirm=sure)
