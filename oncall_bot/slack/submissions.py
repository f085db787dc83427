"""Forms that were sent, and the lists that are asked for while somebody types in one.

Knows every form's fields. Refuses what a form says it is about until it was looked up. A form closes once its wish is
committed; what could not be done is said in the form, next to the field that can mend it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from oncall_bot.core.errors import OncallError
from oncall_bot.core.incidents import SEVERITIES
from oncall_bot.flows.declare import change_severity, declare, note
from oncall_bot.flows.escalate import hand_over, page_by_hand
from oncall_bot.flows.resolve import resolve
from oncall_bot.flows.silence_incident import silence_incident
from oncall_bot.slack import (
    answers,
    contacts,
    modals,
    personal_rules,
    pins,
    reading,
    reviews,
    rota_forms,
)
from oncall_bot.slack.blocks import Block, Drawn, option
from oncall_bot.slack.edge import Edge
from oncall_bot.slack.escape import plain
from oncall_bot.slack.wishes import Form, Submission, Wish

OPTIONS_MAX = 100


async def on_submission(edge: Edge, ack: Any, body: Mapping[str, Any]) -> None:
    view = body["view"]
    do = FORMS[view["callback_id"]]
    form = Form(
        await edge.caller(body),
        _fields(view),
        modals.read_about(view.get("private_metadata") or ""),
        str(view["id"]),
        str(body.get("trigger_id") or ""),
    )
    if form.caller.refusal is not None:
        refusal = await edge.turn_away(form.caller, view["callback_id"])
        await ack(**_not_done(refusal or form.caller.refusal))
        return
    try:
        wish = await do(edge, form)
    except OncallError as error:
        await ack(response_action="errors", errors={_first_field(view): plain(str(error), 150)})
        return
    if wish.outcome is not None and wish.outcome.refused:
        await ack(**_not_done(answers.sentence(wish.outcome.reason)))
        return
    if wish.outcome is not None and not wish.outcome.done:
        await ack(response_action="errors", errors={wish.field: plain(wish.outcome.reason, 150)})
        return
    if wish.then is not None:
        await ack(response_action="update", view=wish.then)
        return
    if wish.outcome is not None and wish.tell:
        said = answers.sentence(wish.outcome.reason)
        await ack(response_action="update", view=modals.page_of("oncall-bot", said.blocks))
        return
    await ack()


def _not_done(why: Drawn) -> dict[str, Any]:
    """The form gives way to why: no field of it could mend that."""
    return {"response_action": "update", "view": modals.page_of("Not done", why.blocks)}


def _first_field(view: Mapping[str, Any]) -> str:
    return next(str(b["block_id"]) for b in view["blocks"] if b["type"] == "input")


def _fields(view: Mapping[str, Any]) -> dict[str, str]:
    """Each input's value as text: people by commas, instants in seconds, clocks as 22:00; empty if nothing is given."""
    found = {}
    for block_id, elements in (view.get("state") or {}).get("values", {}).items():
        for state in elements.values():
            chosen = state.get("selected_option") or {}
            people = ",".join(state.get("selected_users") or ())
            value = (
                state.get("value") or chosen.get("value") or people or state.get("selected_time")
            )
            found[block_id] = str(value or state.get("selected_date_time") or "").strip()
    return found


async def _declare(edge: Edge, form: Form) -> Wish:
    severity = form.fields.get("severity", "")
    channel = form.about.get("channel")
    done = await edge.press(
        "",
        declare,
        form.fields.get("title", "")[: modals.TITLE_MAX],
        severity if severity in SEVERITIES else "SEV2",
        form.caller.actor,
        service=form.fields.get("service") or None,
        channel=channel if isinstance(channel, str) else None,
        press_id=form.view_id,
    )
    return Wish(done, "title")


async def _silence(edge: Edge, form: Form) -> Wish:
    for_ = reading.span(form.fields.get("for", "")) or reading.span("1h")
    assert for_ is not None
    done = await edge.press(
        form.press_id,
        silence_incident,
        form.incident_id,
        for_,
        form.fields.get("why", ""),
        form.caller.actor,
    )
    return Wish(done, "for")


async def _resolve(edge: Edge, form: Form) -> Wish:
    reason = form.fields.get("reason", "")
    done = await edge.press(
        form.press_id, resolve, form.incident_id, form.caller.actor, reason=reason
    )
    return Wish(done, "reason")


async def _severity(edge: Edge, form: Form) -> Wish:
    severity = form.fields.get("severity", "")
    done = await edge.press(
        form.press_id, change_severity, form.incident_id, severity, form.caller.actor
    )
    return Wish(done, "severity")


async def _hand_over(edge: Edge, form: Form) -> Wish:
    done = await edge.press(
        form.press_id, hand_over, form.incident_id, form.fields.get("to", ""), form.caller.actor
    )
    return Wish(done, "to")


async def _page(edge: Edge, form: Form) -> Wish:
    done = await edge.press(
        form.press_id,
        page_by_hand,
        form.incident_id,
        form.fields.get("target", ""),
        form.caller.actor,
        note=form.fields.get("note", ""),
    )
    return Wish(done, "target")


async def _note(edge: Edge, form: Form) -> Wish:
    done = await edge.press(
        form.press_id, note, form.incident_id, form.fields.get("text", ""), form.caller.actor
    )
    return Wish(done, "text")


async def _pin(edge: Edge, form: Form) -> Wish:
    done = await pins.submitted(edge, form.caller, form.fields, form.about, form.press_id)
    return Wish(done, "as")


async def _edit_draft(edge: Edge, form: Form) -> Wish:
    done = await reviews.submitted(edge, form.caller.actor, form.fields, form.about, form.press_id)
    return Wish(done, next(iter(form.fields), reviews.FIELD))


FORMS: Mapping[str, Submission] = {
    "incident.declare": _declare,
    "silence.create": _silence,
    "incident.resolve": _resolve,
    "incident.severity": _severity,
    "incident.hand_over": _hand_over,
    "incident.page": _page,
    "incident.note": _note,
    **contacts.FORMS,
    pins.FORM: _pin,
    reviews.FORM: _edit_draft,
    **rota_forms.FORMS,
    **personal_rules.FORMS,
}


# --- lists --------------------------------------------------------------------------------------------------------


async def on_suggestion(edge: Edge, ack: Any, body: Mapping[str, Any]) -> None:
    """Options for what was typed so far; at most 100, best first."""
    list_ = LISTS[body["action_id"]]
    typed = str(body.get("value") or "").casefold().strip()[:100]
    entries = [(text, value) for text, value in list_(edge) if typed in text.casefold()]
    entries.sort(key=lambda entry: (not entry[0].casefold().startswith(typed), entry[0].casefold()))
    await ack(options=[option(text, value) for text, value in entries[:OPTIONS_MAX]])


def _services(edge: Edge) -> list[tuple[str, str]]:
    return [(key, key) for key in edge.config.services]


def _people(edge: Edge) -> list[tuple[str, str]]:
    return [(f"{person.name} ({key})", key) for key, person in edge.config.people.items()]


def _targets(edge: Edge) -> list[tuple[str, str]]:
    people = [(text, f"person:{key}") for text, key in _people(edge)]
    teams = [(f"team {key}", f"team:{key}") for key in edge.config.teams]
    policies = [(f"policy {key}", f"policy:{key}") for key in edge.config.policies]
    return [*people, *teams, *policies]


LISTS: Mapping[str, Callable[[Edge], list[tuple[str, str]]]] = {
    "service.search": _services,
    "person.search": _people,
    "target.search": _targets,
}

__all__ = ["FORMS", "LISTS", "Block", "Drawn", "on_submission", "on_suggestion"]
