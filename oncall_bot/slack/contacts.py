"""`/oncall contact`: how somebody can be woken, how each road did last, adding one and proving it by a code.

Knows the words, the two forms and the list. Refuses to send codes and to judge addresses: the flow does. Serves
commands, actions and submissions of this room.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from oncall_bot.core.outcomes import Outcome
from oncall_bot.core.rights import Right
from oncall_bot.flows.contacts import add_contact, remove_contact, verify_contact
from oncall_bot.slack import answers, phrases
from oncall_bot.slack.blocks import (
    Block,
    Drawn,
    actions,
    button,
    chooser,
    context,
    modal,
    option,
    section,
    text_input,
)
from oncall_bot.slack.callers import Caller
from oncall_bot.slack.escape import code, escape, push, when
from oncall_bot.slack.phrases import count
from oncall_bot.slack.wishes import Form, Submission, Wish
from oncall_bot.store import views
from oncall_bot.store.views.on_call import ContactShown

if TYPE_CHECKING:
    from oncall_bot.slack.actions import Press
    from oncall_bot.slack.commands import Asked
    from oncall_bot.slack.edge import Edge

SHOWN = 20
NO_ROADS = "No road besides Slack is set up in oncall.yaml under channels."
NOTHING = "You have no contact of your own; only Slack reaches you."
NOBODY = "you have no contacts here"
WORDS = {
    "voice": "Phone call",
    "sms": "SMS",
    "push": "Push",
    "mail": "E-mail",
    "webhook": "Webhook",
    "telegram": "Telegram",
}
SLOW = {"mail": "Too slow to wake you: records only"}


async def on_contact(edge: Edge, asked: Asked) -> Drawn | None:
    """`contact`, `contact add KIND ADDRESS`, `contact verify CODE`, `contact remove KIND [ADDRESS]`."""
    person = asked.caller.person
    if person is None:
        return answers.not_yours(NOBODY)
    actor, words, done = asked.caller.actor, asked.words, None
    match words:
        case ["add", kind, *address] if address:
            done = await edge.press(
                asked.press_id, add_contact, person.key, kind.casefold(), " ".join(address), actor
            )
        case ["add"]:
            return await _open_add(edge, asked.caller, asked.body)
        case ["verify", entered]:
            done = await edge.press(asked.press_id, verify_contact, person.key, entered, actor)
        case ["remove", kind, *address]:
            what = " ".join(address) or None
            done = await edge.press(
                asked.press_id, remove_contact, person.key, kind.casefold(), what, actor
            )
        case [] | ["list"]:
            return await contacts_of(edge, asked.caller)
        case _:
            return answers.usage(
                "contact add KIND ADDRESS", "add a road that wakes you", command=edge.command
            )
    return answers.told(done)


async def contacts_of(edge: Edge, caller: Caller) -> Drawn:
    """The asker's own roads."""
    if caller.person is None:
        return answers.not_yours(NOBODY)
    rows = await edge.store.view(views.contacts, caller.person.key)
    return listed(rows, edge.clock(), command=edge.command)


async def on_list(edge: Edge, press: Press) -> Drawn | None:
    return await contacts_of(edge, press.caller)


async def on_open(edge: Edge, press: Press) -> Drawn | None:
    if press.caller.person is None:
        return answers.not_yours(NOBODY)
    return await _open_add(edge, press.caller, press.body)


async def on_code(edge: Edge, press: Press) -> Drawn | None:
    return await edge.open_form(press.body, code_form())


async def _open_add(edge: Edge, caller: Caller, body: Mapping[str, Any]) -> Drawn | None:
    refusal = await edge.may_not(caller, Right.OWN_ROADS)
    kinds = list(edge.config.channels)
    if refusal is not None or not kinds:
        return refusal or answers.said(NO_ROADS)
    return await edge.open_form(body, add_form(kinds))


async def _added(edge: Edge, form: Form) -> Wish:
    """The code is on its way; the same form asks for it."""
    person = form.caller.person
    if person is None:
        return Wish(Outcome(False, "You are not in oncall.yaml."), "address")
    kind, address = form.fields.get("kind", ""), form.fields.get("address", "")
    done = await edge.press(
        form.press_id, add_contact, person.key, kind, address, form.caller.actor
    )
    return Wish(done, "address", then=code_form(kind))


async def _verified(edge: Edge, form: Form) -> Wish:
    person = form.caller.person
    if person is None:
        return Wish(Outcome(False, "You are not in oncall.yaml."), "code")
    entered = form.fields.get("code", "")
    done = await edge.press(form.press_id, verify_contact, person.key, entered, form.caller.actor)
    return Wish(done, "code", tell=True)


# --- drawing ------------------------------------------------------------------------------------------------------


def listed(rows: Sequence[ContactShown], now: datetime, *, command: str) -> Drawn:
    """The asker's own roads, each with how it did last."""
    lines = "\n".join(_line(row, now) for row in rows[:SHOWN])
    waits = any(not row.verified for row in rows)
    buttons = [
        button("Enter code…", "contact.code", "me", style="primary") if waits else None,
        button("Add contact…", "contact.open", "me"),
        button("Test now", "contact.test", "me"),
    ]
    return Drawn(
        push(f"You can be reached by {count(len(rows), 'contact')} besides Slack."),
        [
            section(f"*How you can be woken*\n{lines or NOTHING}"),
            actions([one for one in buttons if one is not None]),
            context(
                "Only you and admins see these."
                f" Remove one: `{escape(command, 40)} contact remove KIND`"
            ),
        ],
    )


def _line(row: ContactShown, now: datetime) -> str:
    return f"{phrases.road(row.kind)}  {code(row.address)}  {_standing(row, now)}"


def _standing(row: ContactShown, now: datetime) -> str:
    """How it did last, the bad news first."""
    why = f": {escape(row.why, 120)}" if row.why else ""
    if not row.verified:
        return "*not verified yet*"
    if row.set_aside:
        return f"*does not reach you*{why}. Used only if nothing else can wake you"
    if row.failed_at is not None and (row.worked_at is None or row.failed_at > row.worked_at):
        return f"*failed* {when(row.failed_at, now)}{why}"
    if row.worked_at is not None:
        return f"worked {when(row.worked_at, now)}"
    return "from the file, never used" if row.from_file else "verified"


def add_form(kinds: Sequence[str]) -> Block:
    """One method per form; it counts only after its code came back."""
    options = [option(WORDS.get(kind, kind), kind, SLOW.get(kind)) for kind in kinds]
    return modal(
        "contact.add",
        "Add contact method",
        [
            chooser("kind", "How?", options, initial=options[0]["value"], kind="radio_buttons"),
            text_input(
                "address",
                "Number or address",
                placeholder="+49 30 5550100",
                hint="A phone number with country code, or the topic, user key or address of that road",
                max_length=200,
            ),
            context("Next: a code by that road. Only you and admins see the address."),
        ],
        submit="Save and test",
    )


def code_form(kind: str | None = None) -> Block:
    """Where the code that came by the new road is typed."""
    where = f" by {phrases.road(kind)}" if kind else ""
    return modal(
        "contact.verify",
        "Enter the code",
        [
            text_input(
                "code",
                f"The code that came{where}",
                placeholder="482190",
                hint="Six digits, good for 15 minutes",
                max_length=20,
            ),
            context("Nothing came? Close this, and add the contact again after a minute."),
        ],
        submit="Verify",
    )


FORMS: dict[str, Submission] = {"contact.add": _added, "contact.verify": _verified}
