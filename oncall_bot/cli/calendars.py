"""schedule ics: the shifts of a schedule, a person or a team as an iCalendar file.

Knows which name means what. Refuses to write a calendar (calendars.ics) and to keep what was told: it only looks.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oncall_bot.cli.databases import rules_of
from oncall_bot.cli.rota import schedule
from oncall_bot.cli.terminal import ConfigFile, unknown
from oncall_bot.core.errors import OncallError

if TYPE_CHECKING:
    from oncall_bot.core.config import Config


def add_to(_: typer.Typer) -> None:
    schedule.command("ics")(ics)


def ics(
    name: Annotated[str, typer.Argument(metavar="SCHEDULE|PERSON|TEAM", help="A key of the file.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it there, not to stdout.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Write the shifts as an iCalendar file.

    15 days back and 180 ahead, one event for each shift, times in UTC.

    A name that is both a schedule and something else is the schedule; write person:ana or team:shop to mean those. For
    a calendar that stays up to date ask in Slack with /oncall calendar.

    Example: oncall-bot schedule ics shop-primary --out shop.ics
    """
    from oncall_bot.calendars.feeds import feed_of

    with rules_of(config) as store, store.read() as reader:
        kind, key = _meant(name, reader.snapshot.config)
        text = feed_of(reader, kind, key)
    _write(text, out)


def _meant(name: str, config: Config) -> tuple[str, str]:
    known = {"schedule": config.schedules, "person": config.people, "team": config.teams}
    kind, colon, key = name.partition(":")
    if colon and kind in known:
        if key in known[kind]:
            return kind, key
        raise unknown(kind, key, known[kind])
    found = next((kind for kind, keys in known.items() if name in keys), None)
    if found is None:
        every = [key for keys in known.values() for key in keys]
        raise unknown("schedule, person or team", name, every)
    return found, name


def _write(text: str, out: Path | None) -> None:
    """As it is, with its own line ends."""
    data = text.encode("utf-8", "replace")
    if out is None:
        typer.get_binary_stream("stdout").write(data)
        return
    try:
        out.write_bytes(data)
    except OSError as error:
        raise OncallError(f"{out} cannot be written: {error.strerror}.") from None
