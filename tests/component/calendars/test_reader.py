"""Calendars of the file become leave and covers; what cannot be read changes nothing and is told. On both databases."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from oncall_bot.calendars.reader import CalendarReader
from oncall_bot.core.coverage import Kind
from oncall_bot.core.outcomes import Actor
from oncall_bot.flows.set_override import set_override
from oncall_bot.store import views
from tests.component.flows.world import DOCUMENT, World

DEE = Actor("person", "dee", "Dee Marsh")

HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"


def ics(*events: tuple[str, datetime, timedelta]) -> str:
    body = "".join(
        f"BEGIN:VEVENT\r\nUID:{n}\r\nSUMMARY:{title}\r\nDTSTART:{start:%Y%m%dT%H%M%SZ}\r\n"
        f"DTEND:{start + lasts:%Y%m%dT%H%M%SZ}\r\nEND:VEVENT\r\n"
        for n, (title, start, lasts) in enumerate(events)
    )
    return f"{HEAD}{body}END:VCALENDAR\r\n"


def with_calendars(world: World, **calendars: Any) -> None:
    document = deepcopy(DOCUMENT)
    document["calendars"] = calendars
    world.apply(document)


def on_call(world: World, at: datetime) -> str | None:
    return world.store.look(lambda reader: reader.snapshot.on_call("primary", at))


DAY, HOUR = timedelta(days=1), timedelta(hours=1)


async def test_leave_pages_nobody_else_and_is_a_fault_while_on_call(
    world: World, tmp_path: Path
) -> None:
    with_calendars(world, out={"use": "leave", "file": "out.ics"})
    begin = world.clock.now + 3 * DAY
    (tmp_path / "out.ics").write_text(ics(("Ana Ruiz: holiday", begin, 2 * DAY)))
    await CalendarReader(world.store, tmp_path).run()
    now = world.clock.now
    found = world.store.look(views.coverage, now, now + 28 * DAY)
    [fault] = [one for one in found if one.kind is Kind.ON_LEAVE]
    assert (fault.person, fault.start, fault.end) == ("ana", begin, begin + 2 * DAY)
    assert fault.cause == "the calendar out says so"
    assert on_call(world, begin + HOUR) == "ana"


async def test_covers_from_a_calendar_are_overrides_that_follow_it(
    world: World, tmp_path: Path
) -> None:
    with_calendars(world, covers={"use": "overrides", "schedule": "primary", "file": "c.ics"})
    reader, begin = CalendarReader(world.store, tmp_path), world.clock.now + 3 * DAY
    (tmp_path / "c.ics").write_text(ics(("bo", begin, 4 * HOUR), ("nobody", begin, DAY)))
    await reader.run()
    assert [on_call(world, begin + n * HOUR) for n in (-1, 1, 5)] == ["ana", "bo", "ana"]
    [state] = world.store.look(views.calendar_states)
    assert state.fault is None
    assert state.notes == (f"{begin:%Y-%m-%d} 'nobody' names nobody of the file",)
    (tmp_path / "c.ics").write_text(ics(("cy", begin, 2 * HOUR)))
    await reader.run()
    assert [on_call(world, begin + n * HOUR) for n in (1, 3)] == ["cy", "ana"]
    with_calendars(world)
    await reader.run()
    assert on_call(world, begin + HOUR) == "ana"


async def test_a_cover_made_by_a_person_later_stays_over_that_of_a_calendar(
    world: World, tmp_path: Path
) -> None:
    with_calendars(world, covers={"use": "overrides", "schedule": "primary", "file": "c.ics"})
    reader, begin = CalendarReader(world.store, tmp_path), world.clock.now + 3 * DAY
    (tmp_path / "c.ics").write_text(ics(("bo", begin, DAY)))
    await reader.run()
    world.store.write(set_override, "primary", begin, begin + HOUR, "cy", DEE).result(10)
    await reader.run()
    assert [on_call(world, begin + n * HOUR) for n in (0, 2)] == ["cy", "bo"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"x" * (50 * 1024 * 1024), "it is larger than 4 MiB"),
        (b"<html>sign in</html>", "line 1: this is no property"),
        (None, "c.ics cannot be read: No such file"),
    ],
)
async def test_what_cannot_be_read_leaves_the_last_good_reading_in_force(
    world: World, tmp_path: Path, content: bytes | None, says: str
) -> None:
    with_calendars(world, covers={"use": "overrides", "schedule": "primary", "file": "c.ics"})
    reader, begin = CalendarReader(world.store, tmp_path), world.clock.now + 3 * DAY
    (tmp_path / "c.ics").write_text(ics(("bo", begin, DAY)))
    await reader.run()
    good_at = world.clock.now
    world.clock.advance(900)
    (tmp_path / "c.ics").unlink()
    if content is not None:
        (tmp_path / "c.ics").write_bytes(content)
    await reader.run()
    assert on_call(world, begin + HOUR) == "bo"
    [state] = world.store.look(views.calendar_states)
    assert state.fault is not None
    assert says in state.fault
    assert state.good_at == good_at


async def test_an_address_on_a_host_that_is_not_allowed_is_never_asked(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "address").write_text("https://127.0.0.1:1/secret.ics")
    with_calendars(world, out={"use": "leave", "url_file": "address"}, hosts=["calendar.test"])
    await CalendarReader(world.store, tmp_path).run()
    [state] = world.store.look(views.calendar_states)
    assert state.fault == "the host 127.0.0.1 is not in calendars.hosts"
