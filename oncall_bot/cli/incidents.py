"""incidents: what is open, one of them whole, and the record as JSON.

Knows how an incident is told in a terminal. Refuses to change one: that is done in Slack.
"""

from __future__ import annotations

import json as encoding
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oncall_bot.cli.databases import database
from oncall_bot.cli.terminal import (
    JsonFlag,
    as_json,
    family,
    say,
    shown_at,
    table,
    write_out,
)
from oncall_bot.core.errors import OncallError

if TYPE_CHECKING:
    from datetime import datetime

    from oncall_bot.core.situation import Paged, Situation, WorkLog

Number = Annotated[int, typer.Argument(metavar="N", min=1, help="The incident's number.")]

incidents = family("Incidents: list them, show one, export its record.")


def add_to(app: typer.Typer) -> None:
    app.add_typer(incidents, name="incidents")


@incidents.command("list")
def listed(
    all_: Annotated[bool, typer.Option("--all", help="Closed and quiet ones too.")] = False,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=1000, help="How many at most.")
    ] = 50,
    json: JsonFlag = False,
) -> None:
    """List open incidents, newest first.

    Quiet ones (urgency none) and those that are over are left out without --all.

    Example: oncall-bot incidents list --all --limit 20
    """
    from oncall_bot.store import views

    with database() as store:
        found = store.look(views.latest_incidents if all_ else views.open_incidents, limit)
    if json:
        as_json(found)
        return
    if not found:
        say("There are no incidents." if all_ else "No incident is open.")
        return
    heads = ("NO", "SEVERITY", "STATE", "OPENED", "WHO", "TITLE")
    table(heads, [_row(one) for one in found])


@incidents.command("show")
def show(number: Number, json: JsonFlag = False) -> None:
    """Show one incident: its state, who was paged and why, its work log.

    Example: oncall-bot incidents show 12
    """
    from oncall_bot.store import views

    with database() as store, store.read() as reader:
        found = views.situation(reader, number)
        if found is None:
            raise OncallError(f"There is no incident {number}.")
        log, why = views.work_log(reader, number), views.why(reader, number)
    if json:
        as_json({"incident": found, "why": [line.plain() for line in why], "log": log})
        return
    _tell(found, [line.text(shown_at) for line in why], log)


@incidents.command("export")
def export(
    number: Number,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write to this file, not to stdout."),
    ] = None,
) -> None:
    """Export an incident's record as JSON (incident-record/1).

    It holds the alerts, the timeline and the people; `draft --record` reads it without a database. What looks like a
    secret is blacked out.

    Example: oncall-bot incidents export 12 --out INC-12.json
    """
    from oncall_bot.core.redaction import without_secrets
    from oncall_bot.store import views

    with database() as store:
        record = store.look(views.record, number)
    write_out(encoding.dumps(without_secrets(record), indent=2) + "\n", out)


def _row(one: Situation) -> tuple[str, ...]:
    who = one.acked_by or ", ".join(dict.fromkeys(paged.name for paged in one.paged)) or "-"
    return (
        str(one.incident_id),
        one.severity,
        str(one.state),
        shown_at(one.opened_at),
        who,
        one.title,
    )


def _tell(shown: Situation, why: list[str], log: WorkLog) -> None:
    say(f"Incident {shown.incident_id}: {shown.title}")
    say(f"{shown.severity}, urgency {shown.urgency}, {shown.state} since {shown_at(_since(shown))}")
    about = {
        "service": shown.service,
        "team": shown.team,
        "channel": shown.channel,
        "acknowledged by": shown.acked_by,
        "resolved by": shown.resolved_by,
        "runbook": f"{shown.runbook.title}, because {shown.runbook.why}" if shown.runbook else None,
    }
    for name, value in about.items():
        if value:
            say(f"  {name}: {value}")
    if shown.firing or shown.held_back:
        say(
            f"  alerts: {shown.firing} firing, {shown.held_back} held back, {shown.alerts_ever} ever"
        )
    if shown.next is not None:
        say(
            f"  next: {', '.join(shown.next.names)} at {shown_at(shown.next.at)} ({shown.next.what})"
        )
    _section("Paged", [_paged(one) for one in shown.paged])
    _section("Why", why)
    entries = [
        f"{shown_at(e.at)}  {f'{e.actor}: ' if e.actor else ''}{e.text}" for e in log.entries
    ]
    _section("Log", ([f"({log.folded} earlier entries)"] if log.folded else []) + entries)


def _since(shown: Situation) -> datetime:
    known = {
        "acknowledged": shown.acked_at,
        "mitigated": shown.mitigated_at,
        "resolved": shown.resolved_at,
    }
    return known.get(str(shown.state)) or shown.opened_at


def _paged(one: Paged) -> str:
    roads = ", ".join(f"{road.road} {road.state}" for road in one.roads) or "no road yet"
    answered = f"; answered {shown_at(one.answered_at)}" if one.answered_at else ""
    step = f"step {one.step}" if one.step else "by hand"
    return f"{shown_at(one.decided_at)}  {one.name} ({step}): {roads}{answered}"


def _section(title: str, lines: list[str]) -> None:
    if lines:
        say(f"{title}:")
        for line in lines:
            say(f"  {line}")
