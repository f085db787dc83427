"""The words and buttons about rotas: schedule, override, cover, swap, out, back, remind.

Knows what stands behind each word and which flow or view it means. Refuses to draw and to decide. Times that a clock
shows never or twice are asked back before anything is changed. Serves the tables of commands and actions.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from oncall_bot.core.outcomes import Outcome
from oncall_bot.core.rights import Right
from oncall_bot.core.situation import Stretch
from oncall_bot.flows.absence import Away, be_back, be_out
from oncall_bot.flows.answer_cover import accept, decline, undo, withdraw
from oncall_bot.flows.ask_cover import ask_cover
from oncall_bot.flows.cover_shown import Piece
from oncall_bot.flows.reminders import set_reminders
from oncall_bot.flows.set_override import cancel_override, set_override
from oncall_bot.slack import answers, covers, reading, rota_forms, schedules, typed_times
from oncall_bot.slack.blocks import Block, Drawn
from oncall_bot.slack.callers import Caller
from oncall_bot.slack.edge import Edge
from oncall_bot.slack.phrases import duration
from oncall_bot.slack.typed_times import Unclear
from oncall_bot.slack.week_picture import week_picture
from oncall_bot.store import views

if TYPE_CHECKING:
    from oncall_bot.slack.actions import Press
    from oncall_bot.slack.commands import Asked

Word = Callable[[Edge, "Asked"], Awaitable[Drawn | None]]
Handler = Callable[[Edge, "Press"], Awaitable[Drawn | None]]

OVERRIDE_FORM = "override SCHEDULE NAME fri 09:00 to sat 09:00"
COVER_FORM = "cover SCHEDULE fri 09:00 to sat 09:00"
OUT_FORM = "out until fri 18:00"


def person_named(edge: Edge, word: str, caller: Caller) -> str:
    """`me`, a mention, or the key of a person; anything else as it was typed."""
    if word.casefold() in {"me", "myself"} and caller.person is not None:
        return caller.person.key
    if word.startswith("<@") and word.endswith(">"):
        slack_id = word[2:-1].partition("|")[0]
        return edge.store.snapshot.by_slack.get(slack_id, slack_id)
    return word.lstrip("@").strip()


async def _meant(edge: Edge, caller: Caller, name: str) -> str | None:
    """The schedule of that name; without a name the only one, else the one of the caller's next shift."""
    known = edge.config.schedules
    if name:
        return name if name in known else None
    if len(known) == 1:
        return next(iter(known))
    mine = await _next(edge, caller, 1)
    return mine[0].schedule if mine else None


async def _next(edge: Edge, caller: Caller, most: int) -> list[Stretch]:
    if caller.person is None:
        return []
    return await edge.store.view(views.next_shifts, caller.person.key, most)


# --- the schedule -------------------------------------------------------------------------------------------------


async def _schedule(edge: Edge, asked: Asked) -> Drawn | None:
    """`schedule`, `schedule shop-primary`: who now, who next, the week."""
    name = asked.rest.strip().casefold()
    key = await _meant(edge, asked.caller, name)
    if key is None and name:
        close = reading.nearest(name, list(edge.config.schedules))
        hint = f" Did you mean {close}?" if close else ""
        return answers.sentence(f"No schedule is called {name[:80]}.{hint}")
    if key is None:
        return schedules.which(list(edge.config.schedules), "schedule NAME", command=edge.command)
    return await week_of(edge, key)


async def week_of(edge: Edge, schedule: str, first: date | None = None) -> Drawn:
    """Seven days from that day, or from today."""
    shown = await edge.store.view(views.rota_week, schedule, first)
    if shown is None:
        return answers.sentence(f"No schedule is called {schedule[:80]}.")
    drawn = await picture_of(edge, schedule, shown.days[0].date)
    return schedules.week(shown, edge.clock(), picture=drawn)


async def picture_of(edge: Edge, schedule: str, first: date) -> Block | None:
    """The same week drawn, where pictures are drawn and kept; the lines say the same."""
    looks = edge.look_with
    if looks is None or looks.week is None or looks.album is None:
        return None
    return await week_picture(edge.store, looks.week, looks.album.keep, schedule, first=first)


async def _page(edge: Edge, press: Press) -> Drawn | None:
    day, _, key = press.value.partition(":")
    try:
        first = date.fromisoformat(day)
    except ValueError:
        return answers.said("That week is no longer offered here.")
    return await week_of(edge, key, first)


async def _open(edge: Edge, press: Press) -> Drawn | None:
    return await week_of(edge, press.value)


# --- overrides ----------------------------------------------------------------------------------------------------


async def _override(edge: Edge, asked: Asked) -> Drawn | None:
    """`override SCHEDULE PERSON FROM to UNTIL`, `... nobody ...` for a gap; alone it opens the form."""
    words = asked.words
    if not words:
        return await open_cover_form(edge, asked.caller, asked.body, "")
    if words[0] == "cancel" and len(words) == 2:
        return await _cancel(edge, words[1], asked.press_id, asked.caller)
    if len(words) < 5 or "to" not in words[2:]:
        return answers.usage(OVERRIDE_FORM, "set who takes a shift", command=edge.command)
    times = _stretch(edge, asked.caller, words[2:])
    if not isinstance(times, tuple):
        return times
    named = person_named(edge, words[1], asked.caller)
    who = None if named.casefold() == "nobody" else named
    done = await edge.press(asked.press_id, set_override, words[0], *times, who, asked.caller.actor)
    if done is None or done.override_id is None:
        return answers.told(done)
    return schedules.overridden(done.reason, done.override_id, words[0])


def _stretch(edge: Edge, caller: Caller, words: list[str]) -> tuple[datetime, datetime] | Drawn:
    """FROM to UNTIL in the caller's zone, or what has to be asked back."""
    zone = reading.zone_of(caller.zone)
    found = typed_times.stretch(words, edge.clock(), zone)
    if found is None:
        return answers.unread_time(" ".join(words), str(zone))
    return typed_times.ask_back(found) if isinstance(found, Unclear) else found


async def _cancel(edge: Edge, value: str, press_id: str, caller: Caller) -> Drawn:
    override_id = reading.number(value)
    if override_id is None:
        return answers.said("That override is no longer known here.")
    return answers.told(await edge.press(press_id, cancel_override, override_id, caller.actor))


async def _cancel_pressed(edge: Edge, press: Press) -> Drawn | None:
    return await _cancel(edge, press.value, press.press_id, press.caller)


# --- cover --------------------------------------------------------------------------------------------------------


async def _cover(edge: Edge, asked: Asked) -> Drawn | None:
    """`cover`, `cover me`, `cover list`, `cover SCHEDULE FROM to UNTIL ask BO, CY`."""
    caller, words = asked.caller, asked.words
    if caller.person is None:
        return answers.not_yours("you have no shift to be covered")
    if words in (["list"], ["mine"]):
        return await _list(edge, caller)
    if not words or words[0] == "me" or len(words) == 1:
        name = words[0].casefold() if words and words[0] != "me" else ""
        return await open_cover_form(edge, caller, asked.body, name)
    if "to" not in words:
        return answers.usage(COVER_FORM, "ask for cover", command=edge.command)
    named_first = words[0].casefold() in edge.config.schedules
    key = words[0].casefold() if named_first else await _meant(edge, caller, "")
    if key is None:
        return schedules.which(list(edge.config.schedules), COVER_FORM, command=edge.command)
    words = words[1:] if named_first else words
    cut = words.index("ask") if "ask" in words else len(words)
    times = _stretch(edge, caller, words[:cut])
    if not isinstance(times, tuple):
        return times
    whom = [person_named(edge, word.strip(","), caller) for word in words[cut + 1 :]]
    piece = Piece(key, *times)
    return answers.told(
        await edge.press(
            asked.press_id, ask_cover, caller.person.key, piece, whom, "", caller.actor
        )
    )


async def _list(edge: Edge, caller: Caller) -> Drawn:
    assert caller.person is not None
    mine = await edge.store.view(views.asked_for, caller.person.key)
    return covers.listed(mine, edge.clock(), command=edge.command)


async def open_cover_form(
    edge: Edge, caller: Caller, body: Mapping[str, Any], schedule: str
) -> Drawn | None:
    """The form, filled in with the caller's next shift on that schedule, else on any."""
    if caller.person is None:
        return answers.not_yours("you have no shift to be covered")
    known = list(edge.config.schedules)
    if not known:
        return answers.said("No schedule is set up, so there is nothing to cover.")
    if schedule and schedule not in known:
        return answers.sentence(f"No schedule is called {schedule[:80]}.")
    mine = await _next(edge, caller, 20)
    shift = next((one for one in mine if not schedule or one.schedule == schedule), None)
    return await edge.open_form(body, rota_forms.cover(edge, known, schedule, shift))


async def _form(edge: Edge, press: Press) -> Drawn | None:
    return await open_cover_form(edge, press.caller, press.body, press.value)


async def _answer(edge: Edge, press: Press, flow: Callable[..., Outcome]) -> Drawn | None:
    """Accept, decline, withdraw, undo: what worked shows on the message itself, and on App Home."""
    request_id = reading.number(press.value)
    if request_id is None:
        return answers.said("That request is no longer known here.")
    done = await edge.press(press.press_id, flow, request_id, press.caller.actor)
    if done is None:
        return None
    on_message = (press.body.get("container") or {}).get("type") == "message"
    ephemeral = (press.body.get("container") or {}).get("is_ephemeral")
    return None if done.done and on_message and not ephemeral else answers.sentence(done.reason)


async def _accept(edge: Edge, press: Press) -> Drawn | None:
    return await _answer(edge, press, accept)


async def _decline(edge: Edge, press: Press) -> Drawn | None:
    return await _answer(edge, press, decline)


async def _withdraw(edge: Edge, press: Press) -> Drawn | None:
    return await _answer(edge, press, withdraw)


async def _undo(edge: Edge, press: Press) -> Drawn | None:
    return await _answer(edge, press, undo)


# --- swap, out, remind --------------------------------------------------------------------------------------------


async def _swap(edge: Edge, asked: Asked) -> Drawn | None:
    """A form with the own shifts and those of others."""
    person = asked.caller.person
    if person is None:
        return answers.not_yours("you have no shift to swap")
    mine = await edge.store.view(views.next_shifts, person.key, 20)
    theirs = await edge.store.view(views.shifts_of_others, person.key)
    if not mine or not theirs:
        return answers.said("There is no shift of yours ahead, or none of others to swap it for.")
    return await edge.open_form(asked.body, rota_forms.swap(edge, mine, theirs))


async def _out(edge: Edge, asked: Asked) -> Drawn | None:
    """`out until fri 18:00`, `out from thu 09:00 to fri 18:00`, `out cancel`; alone it lists what is not covered."""
    caller, words = asked.caller, _until(asked.words)
    if caller.person is None:
        return answers.not_yours("you have no shifts here")
    if not words:
        return await _list(edge, caller)
    if words == ["cancel"]:
        return await _back(edge, asked)
    if "until" not in words or words[-1] == "until":
        return answers.usage(
            OUT_FORM, "ask for cover of your shifts until then", command=edge.command
        )
    first = words[1:] if words[0] == "from" else words
    times = _out_times(edge, caller, first if words[0] == "from" else ["now", *first])
    if not isinstance(times, tuple):
        return times
    done = await edge.press(asked.press_id, be_out, caller.person.key, *times, "", caller.actor)
    return _away(edge, done)


def _until(words: list[str]) -> list[str]:
    """`to` says the same as `until`."""
    return words if "until" in words else ["until" if word == "to" else word for word in words]


async def _back(edge: Edge, asked: Asked) -> Drawn | None:
    """`back`: the holiday is over, and what nobody has accepted is withdrawn."""
    return await _be_back(edge, asked.press_id, asked.caller)


async def _back_pressed(edge: Edge, press: Press) -> Drawn | None:
    return await _be_back(edge, press.press_id, press.caller, reading.number(press.value))


async def _be_back(edge: Edge, press_id: str, caller: Caller, begun: int | None = None) -> Drawn:
    if caller.person is None:
        return answers.not_yours("you have no shifts here")
    return answers.told(
        await edge.press(press_id, be_back, caller.person.key, caller.actor, begun=begun)
    )


def _out_times(edge: Edge, caller: Caller, words: list[str]) -> tuple[datetime, datetime] | Drawn:
    zone = reading.zone_of(caller.zone)
    found = typed_times.stretch(words, edge.clock(), zone, between="until")
    if found is None:
        return answers.usage(OUT_FORM, "ask for cover of your shifts", command=edge.command)
    return typed_times.ask_back(found) if isinstance(found, Unclear) else found


def _away(edge: Edge, done: Away | None) -> Drawn:
    if done is None or not done.done:
        return answers.told(done)
    rows = [
        (Stretch(one.piece.schedule, one.piece.starts_at, one.piece.ends_at), one.asked, one.why)
        for one in done.shifts
    ]
    holiday = (done.starts_at, done.ends_at) if done.starts_at and done.ends_at else None
    return schedules.away(done.reason, rows, edge.clock(), holiday)


async def _remind(edge: Edge, asked: Asked) -> Drawn | None:
    """`remind 24h 1h`, `remind off`; alone it says what is set."""
    person, words = asked.caller.person, asked.words
    if person is None:
        return answers.not_yours("you have no shifts to be reminded of")
    if not words:
        found = await edge.store.view(views.reminders, person.key)
        return answers.sentence(_reminded(found))
    spans: list[timedelta] = []
    for word in words if words != ["off"] else []:
        span = reading.span(word.strip(","))
        if span is None:
            return answers.usage("remind 24h 1h", "be told before each shift", command=edge.command)
        spans.append(span)
    return answers.told(
        await edge.press(asked.press_id, set_reminders, person.key, spans, asked.caller.actor)
    )


def _reminded(spans: list[timedelta]) -> str:
    if not spans:
        return "You are not reminded before your shifts. Write: remind 24h 1h"
    return f"You are reminded before each shift: {', '.join(duration(one) for one in spans)} ahead."


WORDS: Mapping[str, Word] = {
    "schedule": _schedule,
    "override": _override,
    "cover": _cover,
    "swap": _swap,
    "out": _out,
    "back": _back,
    "remind": _remind,
}
ALIASES = {
    "schedules": "schedule",
    "rota": "schedule",
    "covers": "cover",
    "reminders": "remind",
    "holiday": "out",
}
CHANGES: frozenset[Word] = frozenset({_override, _cover, _swap, _out, _back, _remind})
NEEDS: Mapping[Word, Right] = {
    _override: Right.OVERRIDE,
    **dict.fromkeys((_cover, _swap, _out, _back, _remind), Right.OWN_SHIFTS),
}
ACTIONS: Mapping[str, Handler] = {
    "schedule.earlier": _page,
    "schedule.later": _page,
    "schedule.open": _open,
    "override.cancel": _cancel_pressed,
    "cover.open": _form,
    "cover.accept": _accept,
    "cover.decline": _decline,
    "cover.withdraw": _withdraw,
    "cover.undo": _undo,
    "holiday.end": _back_pressed,
}
LOOKS: frozenset[Handler] = frozenset({_page, _open})
