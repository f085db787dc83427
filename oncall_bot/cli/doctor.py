"""doctor: is everything in place to page somebody tonight?

Knows which checks there are and in which order they are told. Refuses to mend anything. Without a network it tells
what it can: only what is configured is asked, each question for five seconds at most.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from oncall_bot.cli.findings import Finding, State, grouped, lines, run_all
from oncall_bot.cli.terminal import FAULT, JsonFlag, as_json, say

if TYPE_CHECKING:
    from oncall_bot.cli.checks_inside import InForce
    from oncall_bot.files.oncall_yaml import ConfigFile
    from oncall_bot.settings import Settings


HERE, PAGED, AROUND = "This machine", "Who is paged", "What is around it"
LEAVES = "What leaves the house"


def add_to(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(
    json: JsonFlag = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only what is not green.")] = False,
) -> None:
    """Check the whole installation: what is so and what to do.

    Settings, database, clock, zone data, configuration, people and their roads, schedules, runbooks, and what is
    configured of Slack (tokens, scopes, channels), Prometheus, Alertmanager (does it post here, with a token?) and the
    model; then what leaves the house, and where to. Nothing is changed and nobody is paged. Exit 1 when something is
    red. Run it again until all is green.

    Example: oncall-bot doctor
    """
    found = examine(os.environ)
    red = any(one.state is State.FAIL for one in found)
    if json:
        as_json({"ok": not red, "checks": found})
    else:
        shown = [one for one in found if not quiet or one.state is not State.OK]
        for line in lines(shown, _painted):
            typer.echo(line)  # made safe there; the colour of a mark is our own
        if shown:
            say()
        _tell_end(found)
    if red:
        raise typer.Exit(FAULT)


def examine(env: Mapping[str, str]) -> list[Finding]:
    """Every finding, in order. Settings that cannot be read end the examination: all else hangs on them."""
    from datetime import UTC, datetime

    from oncall_bot.cli import checks_inside as inside
    from oncall_bot.cli import checks_outside as outside
    from oncall_bot.cli.checks_leaving import leaving
    from oncall_bot.cli.databases import address, quiet_logs

    quiet_logs()
    settings, found = inside.settings_of(env)
    found += inside.env_file(env)
    if settings is None:
        return grouped(HERE, found)
    file = inside.read_file(settings)
    state, more = _database(settings, file)
    config = inside.config_judged(file, state)
    now = datetime.now(UTC)
    found += more
    if state is not None:
        found += inside.clock(state, sqlite=address(settings).startswith("sqlite"))
    found += inside.zones(now)
    paged = inside.configuration(settings, file, state)
    paged += inside.people(config, state, slack=settings.slack_mode != "off")
    paged += inside.schedules(config, state, now)
    paged += inside.roads(settings, config)
    paged += inside.daily_page(config, state, now)
    paged += inside.runbooks(settings, config)
    around = inside.sources(settings, config)
    around += run_all(list(outside.checks(settings, config, now)))
    leaves = leaving(settings, config)
    return [
        *grouped(HERE, found),
        *grouped(PAGED, paged),
        *grouped(AROUND, around),
        *grouped(LEAVES, leaves),
    ]


def _database(settings: Settings, file: ConfigFile | None) -> tuple[InForce | None, list[Finding]]:
    """The look at the database, bounded as the others are."""
    from oncall_bot.cli import checks_inside as inside

    held: list[InForce | None] = []

    def check() -> list[Finding]:
        state, found = inside.database(settings, file)
        held.append(state)
        return found

    found = run_all([("database", check)])
    return (held[0] if held else None), found


def _painted(state: State, mark: str) -> str:
    """The mark in colour on a terminal; elsewhere `say` prints it plain."""
    colour = {State.OK: "green", State.WARN: "yellow", State.FAIL: "red"}[state]
    return typer.style(mark, fg=colour, bold=state is State.FAIL) if _in_colour() else mark


def _in_colour() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def _tell_end(found: list[Finding]) -> None:
    counts = {state: sum(1 for one in found if one.state is state) for state in State}
    if not counts[State.FAIL] and not counts[State.WARN]:
        say(f"All {len(found)} checks are green.")
        return
    say(f"{counts[State.FAIL]} red, {counts[State.WARN]} yellow, {counts[State.OK]} green.")
    if counts[State.FAIL]:
        say("Mend what is red (FAIL) first, then run oncall-bot doctor again.")
