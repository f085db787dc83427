"""The forms about rotas: cover a shift, swap shifts; what they are filled in with and what they mean once sent.

Knows every field. Refuses what a form says until it was looked up. Serves `rota`, which opens them, and submissions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from oncall_bot.core.outcomes import Outcome
from oncall_bot.core.rota_words import stretch
from oncall_bot.core.situation import Stretch
from oncall_bot.flows.ask_cover import ask_cover, ask_swap
from oncall_bot.flows.cover_shown import Piece
from oncall_bot.flows.set_override import set_override
from oncall_bot.slack import covers, reading
from oncall_bot.slack.blocks import Block
from oncall_bot.slack.edge import Edge
from oncall_bot.slack.escape import escape, when
from oncall_bot.slack.wishes import Form, Submission, Wish

A_DAY = timedelta(days=1)


def cover(edge: Edge, known: Sequence[str], schedule: str, shift: Stretch | None) -> Block:
    """Filled in with the shift, from now on when it runs; without one, the next day."""
    now = edge.clock().replace(second=0, microsecond=0)
    begins = max(shift.starts_at, now) if shift else now + timedelta(hours=1)
    if shift:
        span = f"{when(begins, now)} to {when(shift.ends_at, now)}"
        note = f"Your next shift: *{escape(shift.schedule, 60)}*, {span}."
    else:
        note = "You have no shift ahead. Choose yourself to take somebody's time at once."
    return covers.cover_form(
        known,
        schedule=schedule or (shift.schedule if shift else known[0]),
        starts_at=begins,
        ends_at=shift.ends_at if shift else begins + A_DAY,
        now_on=f"{note} Times are yours. Choose yourself and it is done at once.",
    )


def swap(edge: Edge, mine: Sequence[Stretch], theirs: Sequence[tuple[str, Stretch]]) -> Block:
    """Both lists in the zone of each rota."""
    snapshot = edge.store.snapshot
    return covers.swap_form(
        {_value("", one): _spoken(one) for one in mine},
        {_value(key, one): f"{snapshot.name(key)[:18]}: {_spoken(one)}" for key, one in theirs},
    )


def _value(person: str, one: Stretch) -> str:
    begins, ends = int(one.starts_at.timestamp()), int(one.ends_at.timestamp())
    return f"{begins}:{ends}:{person}:{one.schedule}"


def _spoken(one: Stretch) -> str:
    zone = ZoneInfo(one.zone)
    return f"{stretch(one.starts_at, one.ends_at, zone)}, {one.schedule[:20]}"


def _piece(value: str) -> tuple[str, Piece] | None:
    parts = value.split(":", 3)
    if len(parts) != 4 or not (parts[0].isdigit() and parts[1].isdigit()):
        return None
    begins, ends = _instant(parts[0]), _instant(parts[1])
    if begins is None or ends is None:
        return None
    return parts[2], Piece(parts[3], begins, ends)


def _instant(seconds: str) -> datetime | None:
    if not seconds.isascii() or not seconds.isdigit() or len(seconds) > 11:
        return None
    return datetime.fromtimestamp(int(seconds), UTC)


def _not_done(why: str) -> Outcome:
    return Outcome(False, why)


async def _cover(edge: Edge, form: Form) -> Wish:
    person = form.caller.person
    if person is None:
        return Wish(_not_done("You are not in oncall.yaml."), "schedule")
    begins, ends = (_instant(form.fields.get(name, "")) for name in ("from", "until"))
    if begins is None or ends is None:
        return Wish(_not_done("Give a day and a time."), "from")
    whom = _people(edge, form.fields.get("who", ""))
    piece = Piece(form.fields.get("schedule", ""), begins, ends)
    if whom == [person.key]:
        done: Outcome | None = await edge.press(
            form.press_id, set_override, piece.schedule, begins, ends, person.key, form.caller.actor
        )
        return Wish(done, "schedule", tell=True)
    note = reading.said(form.fields.get("why", ""), edge.name_of)
    done = await edge.press(
        form.press_id, ask_cover, person.key, piece, whom, note, form.caller.actor
    )
    return Wish(done, "who", tell=True)


def _people(edge: Edge, ids: str) -> list[str]:
    """The people of the file behind Slack users; a stranger's id stays, and is refused by the flow."""
    known = edge.store.snapshot.by_slack
    return [known.get(one, one) for one in ids.split(",") if one]


async def _swap(edge: Edge, form: Form) -> Wish:
    person = form.caller.person
    give = _piece(form.fields.get("give", ""))
    take = _piece(form.fields.get("take", ""))
    if person is None or give is None or take is None:
        return Wish(_not_done("That shift is no longer offered. Open the form again."), "give")
    note = reading.said(form.fields.get("why", ""), edge.name_of)
    done = await edge.press(
        form.press_id, ask_swap, person.key, give[1], take[1], take[0], note, form.caller.actor
    )
    return Wish(done, "take", tell=True)


FORMS: Mapping[str, Submission] = {"cover.ask": _cover, "cover.swap": _swap}
