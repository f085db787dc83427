"""Who is on call: now, at another instant, over weeks; how a person is reached; and schedules answered for outsiders.

Knows tables and instants. Refuses rota arithmetic (core.rotations). `schedule answer` reads no settings and no
database: it is the door for programs that only want the arithmetic.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from oncall_bot.cli.databases import rules_of
from oncall_bot.cli.terminal import (
    FAULT,
    ConfigFile,
    JsonFlag,
    as_json,
    family,
    fault,
    instant_of,
    say,
    shown_at,
    table,
    unknown,
)
from oncall_bot.core.errors import BadInput

if TYPE_CHECKING:
    from oncall_bot.core.rotations import Shift
    from oncall_bot.core.situation import OnCallNow
    from oncall_bot.store.transactions import Reader
    from oncall_bot.store.views import ReachShown

SHOWN_FOR = timedelta(days=14)
SHOWN_MAX = timedelta(days=3 * 366)

schedule = family("Schedules: show, verify, share, answer.")


def add_to(app: typer.Typer) -> None:
    app.command()(who)
    app.command()(reach)
    app.add_typer(schedule, name="schedule")


def who(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[SCHEDULE|SERVICE]", help="One schedule or service; else all."),
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="T", help="Another instant: 2026-03-02T09:00Z.")
    ] = None,
    config: ConfigFile = None,
    json: JsonFlag = False,
) -> None:
    """Say who is on call, until when, and who follows.

    Covers made in Slack count. A person without a loud road (push, voice, SMS, webhook) is named: a page at night
    would reach them in Slack only.

    Example: oncall-bot who checkout --at 2026-03-02T03:00Z
    """
    from oncall_bot.store import views

    instant = instant_of(at, "--at")
    with rules_of(config) as store, store.read() as reader:
        _known(reader, name)
        found = views.who(reader, instant, name)
        if json:
            as_json(found)
            return
        rows = [_row(reader, one) for one in found]
        quiet = sorted({one.name for one in found if one.name and not one.loud_roads})
    if not rows:
        say(f"{name} has no schedule." if name else "There are no schedules in force.")
        return
    table(("SCHEDULE", "ON CALL", "UNTIL", "THEN"), rows)
    if quiet:
        say(f"No loud road (reached in Slack only): {', '.join(quiet)}")


def reach(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="Their key in the file: ana.")],
    config: ConfigFile = None,
    json: JsonFlag = False,
) -> None:
    """Say by which roads a page would reach somebody now.

    After how long, and what would not work. Computed by what pages, with their own rules, quiet hours and holiday;
    nothing is sent.

    Example: oncall-bot reach ana
    """
    from oncall_bot.store import views

    with rules_of(config) as store, store.read() as reader:
        if person not in reader.snapshot.config.people:
            raise unknown("person", person, reader.snapshot.config.people)
        found = views.reach(reader, person)
        named = reader.snapshot.config.people[person].zone
        zone = ZoneInfo(named or reader.snapshot.config.defaults.zone)
    if json:
        as_json(found)
        return
    _tell_reach(found, zone)


def _tell_reach(found: ReachShown, zone: ZoneInfo) -> None:
    say(found.name)
    for urgency, rules in (("High", found.high), ("Low", found.low)):
        whose = "their own rules" if rules.own else "the rules of the file"
        say(f"{urgency} urgency, {whose}: {rules.typed or 'none'}")
        say(f"  {rules.preview}")
        for note in rules.notes:
            say(f"  {note}")
    lasts = f", now until {shown_at(found.quiet_until, zone)}" if found.quiet_until else ""
    say(f"Quiet hours: {found.quiet or 'none'}{lasts}")
    if found.holiday is None:
        say("Holiday: none")
        return
    begins, ends = (shown_at(at, zone) for at in found.holiday)
    say(f"Holiday: {'until' if found.away else f'{begins} to'} {ends}")


@schedule.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The schedule.")],
    from_: Annotated[
        str | None, typer.Option("--from", metavar="T", help="First instant; now without it.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="T", help="Last instant; 14 days on without it.")
    ] = None,
    config: ConfigFile = None,
    json: JsonFlag = False,
) -> None:
    """Print a schedule's shifts in its zone, covers included.

    A gap is shown as nobody. A cut of the window is not a hand-off: the first and last shift may be longer.

    Example: oncall-bot schedule show shop-primary --from 2026-03-01 --to 2026-04-01
    """
    start, end = instant_of(from_, "--from"), instant_of(to, "--to")
    with rules_of(config) as store, store.read() as reader:
        if name not in reader.snapshot.config.schedules:
            raise unknown("schedule", name, reader.snapshot.config.schedules)
        start = start or reader.now
        end = end or start + SHOWN_FOR
        if not start < end <= start + SHOWN_MAX:
            raise typer.BadParameter(
                "must be later than --from, by 3 years at most", param_hint="--to"
            )
        found = _shifts(reader, name, start, end)
        zone = reader.snapshot.config.schedules[name].definition.zone
        names = {shift.user: reader.snapshot.name(shift.user) for shift in found}
    if json:
        as_json({"schedule": name, "zone": zone.key, "shifts": found})
        return
    rows = [
        (
            shown_at(shift.start, zone),
            shown_at(shift.end, zone),
            hours(shift.end - shift.start),
            names[shift.user] if shift.user else "nobody",
        )
        for shift in found
    ]
    table(("FROM", "TO", "FOR", "ON CALL"), rows)


@schedule.command("answer")
def answer() -> None:
    """Answer who is on call in a window: JSON on stdin, JSON out.

    In: {"definition": {...}, "window": {"from": T, "to": T}}. Out: {"shifts": [{"start", "end", "user"}]}, in UTC,
    gaps with user null. With one document on each line there is one answer on each line, at once; a line that cannot
    be answered gets {"error": "..."}, and the exit code is 1.

    Example: echo '{"definition": ..., "window": ...}' | oncall-bot schedule answer
    """
    import json

    bad = 0
    for number, document in enumerate(_documents(), start=1):
        try:
            said: Mapping[str, Any] = _answer(document)
        except BadInput as error:
            bad += 1
            fault(f"stdin, document {number}: {error}")
            said = {"error": str(error)}
        typer.echo(json.dumps(said))
        sys.stdout.flush()
    if bad:
        raise typer.Exit(FAULT)


def hours(length: timedelta) -> str:
    """A length for people: 7 d, 13 h 30 min."""
    minutes = round(length.total_seconds() / 60)
    days, rest = divmod(minutes, 1440)
    parts = ((days, "d"), (rest // 60, "h"), (rest % 60, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 min"


def _known(reader: Reader, name: str | None) -> None:
    config = reader.snapshot.config
    if name is not None and name not in config.schedules and name not in config.services:
        raise unknown("schedule or service", name, [*config.schedules, *config.services])


def _row(reader: Reader, one: OnCallNow) -> tuple[str, str, str, str]:
    zone = reader.snapshot.config.schedules[one.schedule].definition.zone
    then = [f"{name} {after}" for name, after in one.then]
    if one.fallback:
        then.append(f"fallback {', '.join(one.fallback)}")
    return (
        one.schedule,
        f"{one.name or 'nobody'}{' (on holiday)' if one.away_until else ''}",
        shown_at(one.until, zone) if one.until else "-",
        "; ".join(then),
    )


def _shifts(reader: Reader, key: str, start: datetime, end: datetime) -> list[Shift]:
    from oncall_bot.core.rotations import shifts

    snapshot = reader.snapshot
    definition = snapshot.config.schedules[key].definition
    return shifts(definition, start, end, snapshot.overrides.get(key, ()))


def _answer(document: object) -> Mapping[str, Any]:
    if isinstance(document, BadInput):
        raise document
    if not isinstance(document, dict):
        raise BadInput('write one object: {"definition": {...}, "window": {"from": T, "to": T}}')
    if "ics" in document:
        from oncall_bot.calendars import events

        return events.answer(document)
    from oncall_bot.core import rotations

    return rotations.answer(document)


def _documents() -> Iterator[object]:
    """Each line's document as it comes; one document may also be spread over many lines."""
    lines: Iterator[str] = (line for line in sys.stdin if line.strip())
    first = next(lines, None)
    if first is None:
        raise BadInput("nothing was given on stdin")
    document = _decoded(first)
    if not isinstance(document, BadInput):
        yield document
    else:
        rest = list(lines)
        whole = _decoded("".join([first, *rest]))
        if not isinstance(whole, BadInput) or not rest:
            yield whole
            return
        yield document
        lines = iter(rest)
    yield from (_decoded(line) for line in lines)


def _decoded(text: str) -> object:
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        return BadInput(f"it is not JSON: {str(error)[:120]}")
