"""The words, buttons and forms about how one is woken: rules, quiet.

Knows what stands behind each word and which flow it means. Refuses to draw (`reach`) and to decide. Everybody sets
their own; whom else a word names, the flow refuses. Serves the tables of commands, actions and submissions.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from oncall_bot.core import personal_rules, quiet_hours
from oncall_bot.core.config import PersonalRule, Urgency
from oncall_bot.core.outcomes import Outcome
from oncall_bot.flows.personal_rules import reset_rules, set_quiet, set_rules
from oncall_bot.slack import answers, reach, reading
from oncall_bot.slack.blocks import Drawn
from oncall_bot.slack.callers import Caller
from oncall_bot.slack.edge import Edge
from oncall_bot.slack.rota import person_named
from oncall_bot.slack.wishes import Form, Submission, Wish
from oncall_bot.store import views

if TYPE_CHECKING:
    from oncall_bot.slack.actions import Press
    from oncall_bot.slack.commands import Asked

Word = Callable[[Edge, "Asked"], Awaitable[Drawn | None]]
Handler = Callable[[Edge, "Press"], Awaitable[Drawn | None]]
NOBODY = "nobody pages you, and there is nothing to set"


async def shown(edge: Edge, caller: Caller) -> Drawn:
    """How a page reaches the caller."""
    if caller.person is None:
        return answers.not_yours(NOBODY)
    found = await edge.store.view(views.reach, caller.person.key, who="you")
    return reach.rules(found, edge.clock(), command=edge.command)


async def _rules(edge: Edge, asked: Asked) -> Drawn | None:
    """`rules`, `rules high slack 0m, push 0m, voice 1m`, `rules low slack 0m`, `rules reset [NAME]`."""
    person, actor = asked.caller.person, asked.caller.actor
    first, _, rest = asked.rest.partition(" ")
    if person is None:
        return answers.not_yours(NOBODY)
    if not first:
        return await shown(edge, asked.caller)
    if first == "reset":
        whose = person_named(edge, rest.strip() or "me", asked.caller)
        return answers.told(await edge.press(asked.press_id, reset_rules, whose, actor))
    if first not in {Urgency.HIGH, Urgency.LOW}:
        return answers.usage(personal_rules.FORM, "set how you are woken", command=edge.command)
    if not rest.strip():
        return await _open_change(edge, asked.body, asked.caller, Urgency(first))
    wanted = personal_rules.read(rest)
    if isinstance(wanted, str):
        return answers.sentence(wanted)
    return answers.told(
        await edge.press(asked.press_id, set_rules, person.key, Urgency(first), wanted, actor)
    )


async def _quiet(edge: Edge, asked: Asked) -> Drawn | None:
    """`quiet`, `quiet 22:00-07:00`, `quiet 22:00-07:00 mon-fri`, `quiet off`."""
    person = asked.caller.person
    if person is None:
        return answers.not_yours(NOBODY)
    if not asked.words:
        return await _open_quiet(edge, asked.body, asked.caller)
    hours = None
    if asked.words != ["off"]:
        read = quiet_hours.read(asked.rest, str(reading.zone_of(asked.caller.zone)))
        if isinstance(read, str):
            return answers.sentence(read)
        hours = read
    return answers.told(
        await edge.press(asked.press_id, set_quiet, person.key, hours, asked.caller.actor)
    )


# --- buttons ------------------------------------------------------------------------------------------------------


async def _open(edge: Edge, press: Press) -> Drawn | None:
    return await shown(edge, press.caller)


async def _change(edge: Edge, press: Press) -> Drawn | None:
    urgency = Urgency.LOW if press.value == Urgency.LOW else Urgency.HIGH
    return await _open_change(edge, press.body, press.caller, urgency)


async def _open_change(
    edge: Edge, body: Mapping[str, Any], caller: Caller, urgency: Urgency
) -> Drawn | None:
    if caller.person is None:
        return answers.not_yours(NOBODY)
    found = await edge.store.view(views.reach, caller.person.key)
    in_force = found.high if urgency is Urgency.HIGH else found.low
    known = ["slack", *edge.config.channels]
    return await edge.open_form(body, reach.change(urgency, known, in_force))


async def _quiet_pressed(edge: Edge, press: Press) -> Drawn | None:
    return await _open_quiet(edge, press.body, press.caller)


async def _open_quiet(edge: Edge, body: Mapping[str, Any], caller: Caller) -> Drawn | None:
    if caller.person is None:
        return answers.not_yours(NOBODY)
    hours = edge.store.snapshot.quiet.get(caller.person.key)
    zone = str(reading.zone_of(caller.zone))
    return await edge.open_form(body, reach.quiet_form(hours, zone))


async def _reset(edge: Edge, press: Press) -> Drawn | None:
    if press.caller.person is None:
        return answers.not_yours(NOBODY)
    return answers.told(
        await edge.press(press.press_id, reset_rules, press.caller.person.key, press.caller.actor)
    )


# --- forms --------------------------------------------------------------------------------------------------------


async def _changed(edge: Edge, form: Form) -> Wish:
    person = form.caller.person
    field = next((name for name in form.fields if name.startswith(reach.ROAD)), reach.ROAD)
    if person is None:
        return Wish(Outcome(False, "You are not in oncall.yaml."), field)
    urgency = Urgency.LOW if form.about.get("urgency") == Urgency.LOW else Urgency.HIGH
    wanted = [
        PersonalRule(timedelta(seconds=int(delay)), name.removeprefix(reach.ROAD))
        for name, delay in form.fields.items()
        if name.startswith(reach.ROAD) and delay.isascii() and delay.isdigit() and len(delay) < 6
    ]
    done = await edge.press(
        form.press_id, set_rules, person.key, urgency, wanted, form.caller.actor
    )
    return Wish(done, field, tell=True)


async def _quiet_set(edge: Edge, form: Form) -> Wish:
    person, days = form.caller.person, form.fields.get("days", "")
    if person is None:
        return Wish(Outcome(False, "You are not in oncall.yaml."), "from")
    hours = None
    if days != reach.NEVER:
        zone = str(reading.zone_of(form.caller.zone))
        read = quiet_hours.read(
            f"{form.fields.get('from', '')}-{form.fields.get('until', '')} {days}", zone
        )
        if isinstance(read, str):
            return Wish(Outcome(False, read), "until")
        hours = read
    done = await edge.press(form.press_id, set_quiet, person.key, hours, form.caller.actor)
    return Wish(done, "days", tell=True)


WORDS: Mapping[str, Word] = {"rules": _rules, "quiet": _quiet}
ALIASES = {"rule": "rules", "reach": "rules"}
CHANGES: frozenset[Word] = frozenset({_rules, _quiet})
ACTIONS: Mapping[str, Handler] = {
    "rules.open": _open,
    "rules.change.high": _change,
    "rules.change.low": _change,
    "rules.reset": _reset,
    "quiet.open": _quiet_pressed,
}
FORMS: Mapping[str, Submission] = {"rules.change": _changed, "quiet.set": _quiet_set}
