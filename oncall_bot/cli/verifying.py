"""schedule verify: the proof that nights are covered, or every fault by name and cause.

Knows how faults are listed for people and for programs. Refuses to find any (core.coverage).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oncall_bot.cli.databases import rules_of
from oncall_bot.cli.rota import schedule
from oncall_bot.cli.terminal import FAULT, ConfigFile, JsonFlag, as_json, say, shown_at, unknown

if TYPE_CHECKING:
    from oncall_bot.core.coverage import CoverageFault
    from oncall_bot.store.snapshot import Snapshot
    from oncall_bot.store.views.coverage import CalendarState

MONTHS_MAX = 24


def add_to(_: typer.Typer) -> None:
    schedule.command("verify")(verify)


def verify(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One schedule; else all.")
    ] = None,
    months: Annotated[
        int, typer.Option("--months", metavar="N", min=1, max=MONTHS_MAX, help="How far to look.")
    ] = 3,
    config: ConfigFile = None,
    json: JsonFlag = False,
) -> None:
    """Prove that nights are covered, or list every fault.

    Somebody who can be woken is on call at every instant, or the fault is told by name and cause.

    Faults: nobody is on call; a person has no loud road, is on leave, is not in the file, has two schedules at once,
    or rests less than 11 h between shifts; a calendar of the file cannot be read. Exit 1 when there is one. Nights on
    which clocks change are listed and are no fault. Good before a quarter begins, and with --config before an apply.

    Example: oncall-bot schedule verify --months 3 --config oncall.yaml
    """
    from oncall_bot.store.views.coverage import calendar_states, coverage

    with rules_of(config) as store, store.read() as reader:
        snapshot = reader.snapshot
        if name is not None and name not in snapshot.config.schedules:
            raise unknown("schedule", name, snapshot.config.schedules)
        keys = [name] if name else list(snapshot.config.schedules)
        until = reader.now + timedelta(days=months * 365.25 / 12)
        found = coverage(reader, reader.now, until, keys)
        calendars = [state for state in calendar_states(reader) if state.fault]
    if json:
        as_json({"from": reader.now, "until": until, **_plain(found, keys, snapshot, calendars)})
    else:
        for line in _lines(found, keys, snapshot, months, calendars):
            say(line)
    if calendars or any(not fault.is_note for fault in found):
        raise typer.Exit(FAULT)


def _plain(
    found: Sequence[CoverageFault],
    keys: Sequence[str],
    snapshot: Snapshot,
    calendars: Sequence[CalendarState],
) -> Mapping[str, Any]:
    from oncall_bot.core.coverage import Kind
    from oncall_bot.core.rotations import Shift

    gaps = {
        key: [
            Shift(fault.start, fault.end, None)
            for fault in found
            if fault.kind is Kind.GAP and fault.schedule == key
        ]
        for key in keys
    }
    quiet = {f.person for f in found if f.kind is Kind.NO_LOUD_ROAD}
    return {
        "faults": [_fault(fault) for fault in found if not fault.is_note],
        "notes": [_fault(fault) for fault in found if fault.is_note],
        "gaps": gaps,
        "no_loud_road": sorted(snapshot.name(person) for person in quiet),
        "calendars": calendars,
    }


def _fault(fault: CoverageFault) -> Mapping[str, Any]:
    return {
        "fault": fault.kind,
        "schedule": fault.schedule,
        "start": fault.start,
        "end": fault.end,
        "person": fault.person,
        "other": fault.other,
        "cause": fault.cause,
    }


def _lines(
    found: Sequence[CoverageFault],
    keys: Sequence[str],
    snapshot: Snapshot,
    months: int,
    calendars: Sequence[CalendarState],
) -> Iterator[str]:
    """The faults of each schedule, alike ones in one line; then what is only worth knowing."""
    from oncall_bot.core.coverage import gathered

    faults = [fault for fault in found if not fault.is_note]
    for group in gathered(faults):
        yield _line(group, snapshot)
    faulty = {key for fault in faults for key in (fault.schedule, fault.other)}
    for key in keys:
        if key not in faulty:
            yield f"{key}: no fault in {months} month{'' if months == 1 else 's'}"
    for state in calendars:
        yield f"calendar {state.key}: {state.fault}; what it said before is still counted"
    for group in gathered(fault for fault in found if fault.is_note):
        yield f"Note: {_line(group, snapshot)}"


def _line(group: Sequence[CoverageFault], snapshot: Snapshot) -> str:
    from oncall_bot.core.coverage import sentence

    first, last = group[0], group[-1]
    zone = snapshot.config.schedules[first.schedule].definition.zone
    said = sentence(first, snapshot.name, zone)
    if len(group) == 1:
        return said
    more = len(group) - 1
    return f"{said} (and {more} more until {shown_at(last.end, zone)})"
