"""Reading a written schedule (JSON or YAML already decoded) into a Definition, or saying why not.

Knows the keys and what they mean together; every fault names its place, such as
layers[0].rotation.unit. Refuses to know people, files and lines. Serves the files room, which adds
the line, and the command `schedule answer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from oncall_bot.core.rotations.definition import (
    Definition,
    Holiday,
    HolidayAction,
    Layer,
    Override,
    Shift,
)
from oncall_bot.core.rotations.fields import Field
from oncall_bot.core.rotations.painting import shifts
from oncall_bot.core.rotations.turns import (
    Change,
    ElapsedTurns,
    Turns,
    WallTurns,
    WindowTurns,
    members_over_time,
)
from oncall_bot.core.rotations.walltime import instant_of
from oncall_bot.core.rotations.windows import Windows, weekly

MAX_EVERY = 10_000
MAX_PLUS_DAYS = 28
LONGEST_ANSWER = timedelta(days=366 * 30)

_HOLIDAY_ACTIONS: dict[str, HolidayAction] = {
    "nobody": "nobody",
    "user": "user",
    "skip_layers": "skip_layers",
}
_STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
_UNITS = (*_STEPS, "month", "window")
_DAY = timedelta(days=1)


def parse_definition(data: Mapping[str, object]) -> Definition:
    """The schedule written in `data`, checked and resolved to instants.

    The key `team` is accepted and not read; `overrides` are read, though oncall.yaml does not
    allow them. Raises DefinitionError with the place of the fault.
    """
    return _definition(Field(data))


def answer(document: Mapping[str, object]) -> dict[str, list[dict[str, str | None]]]:
    """The reply to `schedule answer`: {"definition", "window"} in, {"shifts": [...]} out.

    Instants are written in UTC to the second. Raises DefinitionError, its path from the document.
    """
    field = Field(document).with_keys(required=("definition", "window"))
    definition = _definition(field["definition"])
    window = field["window"].with_keys(required=("from", "to"))
    start, end = window["from"].instant(), window["to"].instant()
    if start >= end:
        raise window["to"].refused("later than from")
    if end - start > LONGEST_ANSWER:
        raise window["to"].fault(f"at most {LONGEST_ANSWER.days} days are answered at a time")
    return {"shifts": [_written(shift) for shift in shifts(definition, start, end)]}


def _written(shift: Shift) -> dict[str, str | None]:
    start, end = (at.strftime("%Y-%m-%dT%H:%M:%SZ") for at in (shift.start, shift.end))
    return {"start": start, "end": end, "user": shift.user}


def _definition(field: Field) -> Definition:
    field.with_keys(required=("zone", "layers"), optional=("team", "holidays", "overrides"))
    zone = field["zone"].zone()
    layers = tuple(_layer(item, zone) for item in field["layers"].items(at_least=1))
    names = frozenset(layer.name for layer in layers if layer.name is not None)
    return Definition(
        zone=zone,
        layers=layers,
        holidays=tuple(_holiday(item, zone, names) for item in field.listed("holidays")),
        overrides=tuple(_override(item, zone) for item in field.listed("overrides")),
    )


def _layer(field: Field, schedule_zone: ZoneInfo) -> Layer:
    field.with_keys(
        required=("start", "rotation", "users"),
        optional=("name", "end", "zone", "restrictions", "changes"),
    )
    zone = _own_zone(field, schedule_zone)
    starts_at, anchor = field["start"].instant_and_wall(zone)
    end = field.given("end")
    ends_at = end.instant_in(zone) if end else None
    if end and ends_at and ends_at <= starts_at:
        raise end.refused("later than the layer's start")
    restrictions = [_restriction(item) for item in field.listed("restrictions")]
    windows = weekly(zone, restrictions) if restrictions else None
    turns = _turns(field["rotation"], starts_at, anchor, zone, windows)
    changes = sorted((_change(c, zone) for c in field.listed("changes")), key=lambda c: c.at)
    name = field.given("name")
    return Layer(
        name=name.name() if name else None,
        zone=zone,
        starts_at=starts_at,
        ends_at=ends_at,
        turns=turns,
        orders=members_over_time(turns, starts_at, field["users"].people(), changes),
        windows=windows,
    )


def _own_zone(field: Field, schedule_zone: ZoneInfo) -> ZoneInfo:
    zone = field.given("zone")
    return zone.zone() if zone else schedule_zone


def _turns(
    field: Field, starts_at: datetime, anchor: datetime, zone: ZoneInfo, windows: Windows | None
) -> Turns:
    field.with_keys(required=("unit",), optional=("every",))
    unit = field["unit"].one_of(_UNITS)
    given = field.given("every")
    every = given.number(1, MAX_EVERY) if given else 1
    if unit == "window":
        if windows is None:
            raise field["unit"].fault("unit window counts the layer's restrictions; list one")
        return WindowTurns(starts_at, windows, every)
    if unit == "month":
        return WallTurns(starts_at, anchor, zone, timedelta(0), every_months=every)
    if unit == "hour" and 24 % every:
        return ElapsedTurns(starts_at, every * _STEPS[unit])
    return WallTurns(starts_at, anchor, zone, every * _STEPS[unit])


def _restriction(field: Field) -> tuple[list[int], timedelta, timedelta]:
    """The window's days with its from and until, counted from local midnight (R7)."""
    field.with_keys(required=("from", "to"), optional=("days", "plus_days"))
    days, more = field.given("days"), field.given("plus_days")
    listed = [day.number(1, 7) for day in days.items(at_least=1)] if days else [*range(1, 8)]
    opens, closes = field["from"].time_of_day(), field["to"].time_of_day(may_be_24=True)
    if closes <= opens:
        closes += _DAY
    return listed, opens, closes + (more.number(0, MAX_PLUS_DAYS) if more else 0) * _DAY


def _change(field: Field, zone: ZoneInfo) -> Change:
    field.with_keys(required=("at", "users"), optional=("first",))
    users, given = field["users"].people(), field.given("first")
    first = given.name() if given else None
    if given and first not in users:
        raise given.refused("one of the change's users")
    return Change(field["at"].instant_in(zone), users, first)


def _holiday(field: Field, schedule_zone: ZoneInfo, layer_names: frozenset[str]) -> Holiday:
    field.with_keys(required=("date", "action"), optional=("zone", "from", "to", "user", "layers"))
    zone = _own_zone(field, schedule_zone)
    midnight, opens, closes = field["date"].midnight_of_date(), *_part_of_day(field)
    action = _HOLIDAY_ACTIONS[field["action"].one_of(_HOLIDAY_ACTIONS)]
    user = _only_with("user", action, "user", field)
    skipped = _only_with("skip_layers", action, "layers", field)
    return Holiday(
        start=instant_of(midnight + opens, zone),
        end=instant_of(midnight + closes, zone),
        action=action,
        user=user.name() if user else None,
        layers=frozenset(
            item.one_of(layer_names) for item in (skipped.items(at_least=1) if skipped else [])
        ),
    )


def _part_of_day(field: Field) -> tuple[timedelta, timedelta]:
    given_from, given_to = field.given("from"), field.given("to")
    opens = given_from.time_of_day() if given_from else timedelta(0)
    closes = given_to.time_of_day(may_be_24=True) if given_to else _DAY
    if given_to and closes <= opens:
        raise given_to.refused("later than from; a holiday is one date, write another for the next")
    return opens, closes


def _only_with(
    wanted_by: HolidayAction, action: HolidayAction, key: str, field: Field
) -> Field | None:
    """The field under a key that one action needs and no other may have."""
    given = field.given(key)
    if given and action != wanted_by:
        raise given.fault(f"only the action {wanted_by} has this key, and here it is {action}")
    if not given and action == wanted_by:
        raise field.fault(f"the action {action} needs the key {key}")
    return given


def _override(field: Field, schedule_zone: ZoneInfo) -> Override:
    field.with_keys(required=("start", "end", "user"), optional=("replaces",))
    start, end = (field[key].instant_in(schedule_zone) for key in ("start", "end"))
    if start >= end:
        raise field["end"].refused("later than the start")
    replaces = field.given("replaces")
    return Override(
        start, end, field["user"].person_or_nobody(), replaces.name() if replaces else None
    )
