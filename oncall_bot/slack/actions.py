"""Buttons and menus: each press becomes one flow or one form. The message is never the record, its value names it.

Knows every action id we draw. Refuses to trust what else a click carries. A press is committed before Slack hears it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from oncall_bot.core.errors import OncallError
from oncall_bot.core.rights import Right
from oncall_bot.core.situation import Situation
from oncall_bot.flows.acknowledge import acknowledge, acknowledge_message
from oncall_bot.flows.drafting import request_draft
from oncall_bot.flows.escalate import escalate
from oncall_bot.flows.judge_runbook import call_none_fitting, call_right, call_wrong, take_back
from oncall_bot.flows.looking import run_checks
from oncall_bot.flows.resolve import mitigate, resolve
from oncall_bot.flows.silence_incident import end_silence
from oncall_bot.ports import DeliveryError
from oncall_bot.slack import (
    answers,
    calendars,
    catching_up,
    commands,
    contacts,
    dms,
    modals,
    personal_rules,
    proposals,
    reading,
    reviews,
    road_test,
    rota,
    talk,
)
from oncall_bot.slack.answering import who_is_on_call, why_of
from oncall_bot.slack.blocks import Block, Drawn
from oncall_bot.slack.callers import Caller
from oncall_bot.slack.drafts import file_name
from oncall_bot.slack.edge import Edge, excuse
from oncall_bot.slack.events import publish_home
from oncall_bot.slack.refusals import NETWORK
from oncall_bot.store import views
from oncall_bot.store.queue import Busy


@dataclass(frozen=True, slots=True)
class Press:
    """One press: who, on what, and the id that makes it count once."""

    caller: Caller
    value: str
    body: Mapping[str, Any]
    press_id: str

    @property
    def incident_id(self) -> int | None:
        return reading.number(self.value.partition(":")[0])


Handler = Callable[[Edge, Press], Awaitable[Drawn | None]]


async def on_action(edge: Edge, ack: Any, body: Mapping[str, Any]) -> None:
    """Any of our buttons: act, then acknowledge to Slack, then say what needs saying."""
    action = body["actions"][0]
    handler = ACTIONS[action["action_id"]]
    press = Press(await edge.caller(body), _value(action), body, _press_id(body, action))
    said = await _obey(edge, handler, press)
    await ack()
    await edge.tell(body, said)
    if (body.get("view") or {}).get("type") == "home" and handler not in LOOKS:
        await publish_home(edge, press.caller)


async def _obey(edge: Edge, handler: Handler, press: Press) -> Drawn | None:
    if handler not in LOOKS and press.caller.refusal is not None:
        return await edge.turn_away(press.caller, handler.__name__.strip("_"), press.incident_id)
    try:
        return await handler(edge, press)
    except Busy:
        return answers.late_press()
    except OncallError as error:
        return excuse(error)


def _value(action: Mapping[str, Any]) -> str:
    chosen = action.get("selected_option") or {}
    return str(action.get("value") or chosen.get("value") or "")[:2000]


def _press_id(body: Mapping[str, Any], action: Mapping[str, Any]) -> str:
    """Unique to this press: Slack's trigger, else the moment it was made."""
    return str(body.get("trigger_id") or f"{action.get('action_ts')}:{action['action_id']}")


async def _change(edge: Edge, press: Press, flow: Callable[..., Any], **more: Any) -> Drawn | None:
    """Run a flow on the incident; success shows on the card, anything else is said."""
    if press.incident_id is None:
        return answers.no_such_incident(press.value)
    done = await edge.press(press.press_id, flow, press.incident_id, press.caller.actor, **more)
    return answers.outcome(done, by_command=False) if done is not None else None


async def _form(
    edge: Edge, press: Press, draw: Callable[[Situation], Block], right: Right
) -> Drawn | None:
    """A form about the incident, for who may send it; the flow behind it asks again."""
    situation = await edge.situation(press.incident_id) if press.incident_id is not None else None
    if situation is None:
        return answers.no_such_incident(press.value)
    refusal = await edge.may_not(press.caller, right, situation)
    return refusal or await edge.open_form(press.body, draw(situation))


# --- the incident -------------------------------------------------------------------------------------------------


async def _ack(edge: Edge, press: Press) -> Drawn | None:
    return await _change(edge, press, acknowledge)


async def _ack_all(edge: Edge, press: Press) -> Drawn | None:
    """Under a message with several pages: `message:17` names the message, not an incident."""
    message_id = reading.number(press.value.partition(":")[2])
    if message_id is None:
        return answers.said("That message is no longer known here.")
    done = await edge.press(press.press_id, acknowledge_message, message_id, press.caller.actor)
    return answers.outcome(done, by_command=False) if done is not None else None


async def _escalate(edge: Edge, press: Press) -> Drawn | None:
    return await _change(edge, press, escalate)


async def _decline(edge: Edge, press: Press) -> Drawn | None:
    """`I can't`: the next step is paged at once, and the person is told that they may rest."""
    said = await _change(edge, press, escalate)
    return said or answers.said("The next step is paged now. Nothing else is asked of you.")


async def _run_checks(edge: Edge, press: Press) -> Drawn | None:
    return await _change(edge, press, run_checks)


async def _mitigate(edge: Edge, press: Press) -> Drawn | None:
    return await _change(edge, press, mitigate)


async def _resolve(edge: Edge, press: Press) -> Drawn | None:
    return await _change(edge, press, resolve)


async def _resolve_form(edge: Edge, press: Press) -> Drawn | None:
    return await _form(edge, press, modals.resolve, Right.RESOLVE)


async def _page(edge: Edge, press: Press) -> Drawn | None:
    return await _form(edge, press, modals.page_someone, Right.PAGE)


async def _hand_over(edge: Edge, press: Press) -> Drawn | None:
    return await _form(edge, press, modals.hand_over, Right.HAND_OVER)


async def _silence(edge: Edge, press: Press) -> Drawn | None:
    def draw(s: Situation) -> Block:
        return modals.silence(s, edge.longest_silence(press.caller, s))

    return await _form(edge, press, draw, Right.SILENCE)


async def _severity(edge: Edge, press: Press) -> Drawn | None:
    return await _form(edge, press, modals.severity, Right.CHANGE_SEVERITY)


async def _note(edge: Edge, press: Press) -> Drawn | None:
    return await _form(edge, press, modals.note, Right.NOTE)


async def _why(edge: Edge, press: Press) -> Drawn | None:
    if press.incident_id is None:
        return answers.no_such_incident(press.value)
    return await why_of(edge, press.incident_id)


async def _more(edge: Edge, press: Press) -> Drawn | None:
    """The card's menu: `42:silence`."""
    entry = MENU.get(press.value.partition(":")[2])
    if entry is None:
        return answers.said("That entry is no longer offered. The card above is up to date.")
    if entry is not _why and press.caller.refusal is not None:
        return await edge.turn_away(press.caller, entry.__name__.strip("_"), press.incident_id)
    return await entry(edge, press)


async def _end_silence(edge: Edge, press: Press) -> Drawn | None:
    situation = await edge.situation(press.incident_id) if press.incident_id is not None else None
    if situation is None or situation.silence is None:
        return answers.said("No silence holds this incident any more.")
    done = await edge.press(
        press.press_id, end_silence, situation.silence.silence_id, press.caller.actor
    )
    return answers.outcome(done, by_command=False) if done is not None else None


async def _declare(edge: Edge, press: Press) -> Drawn | None:
    channel = (press.body.get("channel") or {}).get("id")
    refusal = await edge.may_not(press.caller, Right.DECLARE)
    return refusal or await edge.open_form(press.body, modals.declare(channel=channel))


async def _catchup(edge: Edge, press: Press) -> Drawn | None:
    if press.incident_id is None:
        return answers.no_such_incident(press.value)
    return await catching_up.caught_up(edge, press.incident_id, press.caller.actor)


async def _update(edge: Edge, press: Press) -> Drawn | None:
    if press.incident_id is None:
        return answers.no_such_incident(press.value)
    actor = press.caller.actor
    return await catching_up.update_for(edge, press.press_id, press.incident_id, "internal", actor)


# --- drafts -------------------------------------------------------------------------------------------------------


async def _summary(edge: Edge, press: Press) -> Drawn | None:
    return await _draft(edge, press, "summary")


async def _draft(edge: Edge, press: Press, kind: str) -> Drawn | None:
    if press.incident_id is None:
        return answers.no_such_incident(press.value)
    return await commands.draft_of(edge, press.incident_id, kind, press.caller, press.press_id)


async def _postmortem(edge: Edge, press: Press) -> Drawn | None:
    """Asks for a new one; where it will lie is said, since nothing on the card changes."""
    if press.incident_id is None:
        return answers.no_such_incident(press.value)
    done = await edge.press(
        press.press_id, request_draft, press.incident_id, "postmortem", press.caller.actor
    )
    return answers.outcome(done, by_command=True) if done is not None else None


async def _summary_again(edge: Edge, press: Press) -> Drawn | None:
    if press.incident_id is None:
        return answers.no_such_incident(press.value)
    return await reviews.draft_again(edge, press.press_id, press.incident_id, press.caller.actor)


async def _accept(edge: Edge, press: Press) -> Drawn | None:
    return await reviews.decide(edge, press.press_id, press.value, press.caller.actor, "accept")


async def _discard(edge: Edge, press: Press) -> Drawn | None:
    return await reviews.decide(edge, press.press_id, press.value, press.caller.actor, "discard")


async def _edit(edge: Edge, press: Press) -> Drawn | None:
    return await reviews.open_edit(edge, press.caller, press.body, press.value)


async def _drop(edge: Edge, press: Press) -> Drawn | None:
    return await reviews.answer(edge, press.press_id, press.value, press.caller.actor, "drop")


async def _guess(edge: Edge, press: Press) -> Drawn | None:
    return await reviews.answer(edge, press.press_id, press.value, press.caller.actor, "guess")


async def _confirm(edge: Edge, press: Press) -> Drawn | None:
    return await reviews.answer(edge, press.press_id, press.value, press.caller.actor, "confirm")


async def _summary_file(edge: Edge, press: Press) -> Drawn | None:
    return await _file(edge, press, "summary")


async def _postmortem_file(edge: Edge, press: Press) -> Drawn | None:
    return await _file(edge, press, "postmortem")


async def _file(edge: Edge, press: Press, kind: str) -> Drawn | None:
    """The draft as a Markdown file in the asker's direct messages."""
    if press.incident_id is None:
        return answers.no_such_incident(press.value)
    text = await edge.store.view(views.draft, press.incident_id, kind)
    if not text:
        return answers.said(f"No {kind} was drafted for incident {press.incident_id} yet.")
    edge.later(_send_file(edge, press, text, file_name(press.incident_id, kind)))
    return answers.said("The file is on its way to your direct messages.")


async def _send_file(edge: Edge, press: Press, text: str, name: str) -> None:
    try:
        await edge.chat.upload(press.caller.slack_id, text.encode(), name)
    except DeliveryError as error:
        await edge.tell(press.body, excuse(error))


# --- the runbook --------------------------------------------------------------------------------------------------


async def _judge(edge: Edge, press: Press, flow: Callable[..., Any]) -> Drawn | None:
    """`42:7` names the incident and the runbook; the answer shows on the message itself."""
    runbook_id = reading.number(press.value.partition(":")[2])
    if runbook_id is None:
        return answers.no_such_incident(press.value)
    return await _change(edge, press, flow, runbook_id=runbook_id)


async def _right(edge: Edge, press: Press) -> Drawn | None:
    return await _judge(edge, press, call_right)


async def _wrong(edge: Edge, press: Press) -> Drawn | None:
    return await _judge(edge, press, call_wrong)


async def _none_fits(edge: Edge, press: Press) -> Drawn | None:
    return await _change(edge, press, call_none_fitting)


async def _take_back(edge: Edge, press: Press) -> Drawn | None:
    return await _judge(edge, press, take_back)


# --- oneself ------------------------------------------------------------------------------------------------------


async def _test(edge: Edge, press: Press) -> Drawn | None:
    if press.caller.person is None:
        return answers.not_yours("there is nobody to test")
    caller = press.caller
    refusal = await edge.may_not(caller, Right.OWN_ROADS)
    if refusal is not None:
        return refusal
    done = await road_test.begin(
        edge, press.press_id, press.caller.person.key, caller.slack_id, caller.actor
    )
    return answers.outcome(done, by_command=True) if done is not None else None


async def _test_ok(edge: Edge, press: Press) -> Drawn | None:
    """`Received`: the test page itself is edited, as a page would be."""
    now = edge.clock()
    asked = reading.number(press.value) or int(now.timestamp())
    drawn = dms.received(min(datetime.fromtimestamp(asked, UTC), now), now, now)
    container = press.body.get("container") or {}
    try:
        await edge.client.chat_update(
            channel=container["channel_id"],
            ts=container["message_ts"],
            text=drawn.text,
            blocks=list(drawn.blocks),
        )
    except (KeyError, *NETWORK):
        return drawn
    return None


async def _help(edge: Edge, press: Press) -> Drawn | None:
    return answers.help_(edge.command, edge.guide)


async def _who(edge: Edge, press: Press) -> Drawn | None:
    return await who_is_on_call(edge, None)


async def _ask(edge: Edge, press: Press) -> Drawn | None:
    """A choice under a question of ours: its words are asked, and their answer takes the question's place."""
    place = press.body.get("channel") or {}
    message = press.body.get("message") or {}
    channel, thread = str(place.get("id") or ""), message.get("thread_ts")
    alone = channel.startswith("D") or bool((press.body.get("container") or {}).get("is_ephemeral"))
    heard = talk.Heard(press.caller, press.value[:600], channel, thread, alone)
    said = await talk.hear(edge, heard)
    await talk.remember(edge, heard, said)
    edge.later(proposals.replace_message(edge, press.body, said.drawn))
    return None


async def _carry_out(edge: Edge, press: Press) -> Drawn | None:
    return await proposals.pressed(
        edge, press.value, press.caller.actor, press.body, press.press_id
    )


async def _dismiss(edge: Edge, press: Press) -> Drawn | None:
    return await proposals.dismissed(
        edge, press.value, press.caller.actor, press.body, press.press_id
    )


async def _link(edge: Edge, press: Press) -> Drawn | None:
    """A button that only opens an address still tells us; nothing is to be done."""
    return None


MENU: Mapping[str, Handler] = {
    "silence": _silence,
    "hand_over": _hand_over,
    "severity": _severity,
    "resolve": _resolve_form,
    "note": _note,
    "why": _why,
}
ACTIONS: Mapping[str, Handler] = {
    "incident.ack": _ack,
    "incident.escalate": _escalate,
    "incident.mitigate": _mitigate,
    "incident.resolve": _resolve,
    "incident.resolve_form": _resolve_form,
    "incident.page": _page,
    "incident.hand_over": _hand_over,
    "incident.more": _more,
    "incident.declare": _declare,
    "incident.open": _link,
    "incident.catchup": _catchup,
    "incident.update": _update,
    "incident.why": _why,
    "page.ack": _ack,
    "page.decline": _decline,
    "page.open": _link,
    "bundle.ack": _ack_all,
    "silence.end": _end_silence,
    "summary.review": _summary,
    "summary.draft": _summary_again,
    "summary.file": _summary_file,
    "draft.accept": _accept,
    "draft.edit": _edit,
    "draft.discard": _discard,
    "sentence.drop": _drop,
    "sentence.guess": _guess,
    "sentence.confirm": _confirm,
    "postmortem.draft": _postmortem,
    "postmortem.file": _postmortem_file,
    "runbook.right": _right,
    "runbook.wrong": _wrong,
    "runbook.none": _none_fits,
    "runbook.undo": _take_back,
    "contact.list": contacts.on_list,
    "contact.open": contacts.on_open,
    "contact.code": contacts.on_code,
    "contact.test": _test,
    "contact.test_ok": _test_ok,
    "runbook.checks": _run_checks,
    "calendar.revoke": calendars.on_revoke,
    "help.open": _help,
    "who.open": _who,
    "talk.ask.0": _ask,
    "talk.ask.1": _ask,
    "talk.ask.2": _ask,
    proposals.CONFIRM: _carry_out,
    proposals.DISMISS: _dismiss,
    **rota.ACTIONS,
    **personal_rules.ACTIONS,
}
LOOKS: frozenset[Handler] = frozenset(
    {
        *(_ask, _more, _why, _catchup, _link, _help, _who),
        *(_summary, _summary_file, _postmortem_file),
        *rota.LOOKS,
    }
)
"""What a guest may press too: nothing is changed. `_more` and `_summary` refuse for themselves."""
