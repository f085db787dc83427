"""Cover requests as their readers see them: what waits for somebody, what somebody asked for.

Knows how rows become a CoverNotice. Writes nothing and decides nothing. Serves slack, and the
engine's drawing.
"""

from __future__ import annotations

from datetime import datetime

from oncall_bot.core.situation import Asked, CoverNotice, Stretch
from oncall_bot.store import covers
from oncall_bot.store.messages import COVER
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader


def cover_notice(reader: Reader, role: str) -> CoverNotice | None:
    """The request behind a message's role, `cover:17:bo`, as that person must see it now."""
    number, _, person = role.removeprefix(COVER).partition(":")
    row = covers.get(reader, int(number))
    return _notice(reader, row, person) if row is not None else None


def waits_for(reader: Reader, person: str) -> list[CoverNotice]:
    """What waits for this person's answer."""
    known = reader.snapshot.people.get(person)
    rows = covers.waiting_for(reader, known.id) if known else ()
    return [_notice(reader, row, person) for row in rows]


def asked_for(reader: Reader, person: str) -> list[CoverNotice]:
    """What this person asked for and is not over: open requests, and covers that were accepted."""
    known = reader.snapshot.people.get(person)
    rows = covers.of_asker(reader, known.id) if known else ()
    return [_notice(reader, row, person) for row in rows]


def _notice(reader: Reader, row: Row, person: str) -> CoverNotice:
    snapshot = reader.snapshot
    take = None
    if row.back_schedule is not None:
        take = _stretch(reader, row.back_schedule, row.back_starts_at, row.back_ends_at)
    asked = [
        Asked(one.person, snapshot.name(one.person), snapshot.slack_id(one.person), one.answer)
        for one in covers.asked(reader, row.id)
    ]
    return CoverNotice(
        request_id=row.id,
        state=row.state,
        give=_stretch(reader, row.schedule, row.starts_at, row.ends_at),
        take=take,
        asker_key=row.asker,
        asker=snapshot.name(row.asker),
        asker_slack=snapshot.slack_id(row.asker),
        reader_key=person,
        expires_at=row.expires_at,
        note=row.note,
        taken_by_key=row.taken_by,
        taken_by=snapshot.name(row.taken_by) if row.taken_by else None,
        taken_by_slack=snapshot.slack_id(row.taken_by) if row.taken_by else None,
        asked=asked,
        busy=_busy(reader, person, row) if row.state == "open" and person != row.asker else (),
    )


def _stretch(reader: Reader, schedule: str, start: datetime, end: datetime) -> Stretch:
    found = reader.snapshot.config.schedules.get(schedule)
    return Stretch(schedule, start, end, found.definition.zone.key if found else "UTC")


def _busy(reader: Reader, person: str, row: Row) -> list[str]:
    """The schedules on which this person has a shift in the same time."""
    return [
        key
        for key in reader.snapshot.config.schedules
        if any(s.user == person for s in reader.snapshot.shifts(key, row.starts_at, row.ends_at))
    ]
