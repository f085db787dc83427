"""schedule fairness: hours, nights, weekends, holidays and pages of each person, for people and as CSV for pay.

Knows the window and where the answer goes. Refuses to count (core.fairness).
"""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oncall_bot.cli.databases import rules_of
from oncall_bot.cli.rota import schedule
from oncall_bot.cli.terminal import (
    ConfigFile,
    JsonFlag,
    as_json,
    instant_of,
    say,
    shown_at,
    table,
    unknown,
)
from oncall_bot.core.errors import OncallError

if TYPE_CHECKING:
    from oncall_bot.core.fairness import Report
    from oncall_bot.store.snapshot import Snapshot

LOOKED_BACK = timedelta(days=90)
LONGEST = timedelta(days=3 * 366)


def add_to(_: typer.Typer) -> None:
    schedule.command("fairness")(fairness)


def fairness(
    name: Annotated[str, typer.Argument(metavar="SCHEDULE", help="A schedule of the file.")],
    from_: Annotated[
        str | None, typer.Option("--from", metavar="T", help="90 days ago, if not given.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="T", help="Now, if not given; may lie ahead.")
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write CSV there; - is stdout.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE", help="Draw it there, as PNG.")
    ] = None,
    config: ConfigFile = None,
    json: JsonFlag = False,
) -> None:
    """Count each person's share: hours, nights, pages.

    Hours on call, at night, on weekends and holidays, and pages.

    The past is counted as it was, by the log of shifts and the schedule in force then; what lies ahead is the plan.
    Nights (22:00 to 06:00) and weekends are those of the person's zone, holidays those of the schedule. Weighted hours
    are by the team's `fairness` in the file.

    Example: oncall-bot schedule fairness shop-primary --from 2026-01-01 --to 2026-02-01 --csv january.csv
    """
    from oncall_bot.store.views.fairness import fairness as counted

    start, end = instant_of(from_, "--from"), instant_of(to, "--to")
    with rules_of(config) as store, store.read() as reader:
        snapshot = reader.snapshot
        if name not in snapshot.config.schedules:
            raise unknown("schedule", name, snapshot.config.schedules)
        end = end or reader.now
        start = start or end - LOOKED_BACK
        if not start < end <= start + LONGEST:
            raise typer.BadParameter(
                "must be later than --from, by 3 years at most", param_hint="--to"
            )
        found = counted(reader, name, start, end)
    if picture is not None:
        _draw(found, snapshot, picture)
    if csv_file is not None:
        _write(_csv(found, snapshot), csv_file)
    elif json:
        as_json(
            {**_plain(found), "names": {s.person: snapshot.name(s.person) for s in found.shares}}
        )
    else:
        _show(found, snapshot)


def _plain(found: Report) -> dict[str, object]:
    return {
        "schedule": found.schedule,
        "from": found.start,
        "to": found.end,
        "weights": found.weights,
        "balance": found.balance,
        "nobody": found.nobody,
        "shares": found.shares,
    }


def _csv(found: Report, snapshot: Snapshot) -> bytes:
    from oncall_bot.core.fairness import COLUMNS, rows

    people = snapshot.config.people

    def email(key: str) -> str:
        person = people.get(key)
        return (person.email if person else None) or ""

    out = io.StringIO()
    csv.writer(out).writerows([COLUMNS, *rows(found, snapshot.name, email)])
    return out.getvalue().encode("utf-8", "replace")


def _draw(found: Report, snapshot: Snapshot, path: Path) -> None:
    from oncall_bot.pictures.drawing import png_of
    from oncall_bot.pictures.shares import svg_of

    _write(png_of(svg_of(found, snapshot.name)), path)


def _write(data: bytes, path: Path) -> None:
    if str(path) == "-":
        typer.get_binary_stream("stdout").write(data)
        return
    try:
        path.write_bytes(data)
    except OSError as error:
        raise OncallError(f"{path} cannot be written: {error.strerror}.") from None


def _show(found: Report, snapshot: Snapshot) -> None:
    zone = snapshot.config.schedules[found.schedule].definition.zone
    say(f"{found.schedule}: {shown_at(found.start, zone)} to {shown_at(found.end, zone)}")
    hour = timedelta(hours=1)
    table(
        (
            "PERSON",
            "SHIFTS",
            "HOURS",
            "NIGHT",
            "WEEKEND",
            "HOLIDAY",
            "WEIGHTED",
            "PAGES",
            "AT NIGHT",
        ),
        [
            (
                snapshot.name(one.person),
                str(one.shifts),
                *(
                    f"{part / hour:.1f}"
                    for part in (one.on_call, one.night, one.weekend, one.holiday)
                ),
                f"{one.points:.1f}",
                str(one.pages),
                str(one.night_pages),
            )
            for one in found.shares
        ],
    )
    if found.nobody:
        say(f"Nobody was on call for {found.nobody / hour:.1f} h of it.")
    if found.balance is not None:
        share = f"{found.balance * 100:.0f} %"
        say(f"Of the rotation, whoever has least has {share} of whoever has most, weighted.")
