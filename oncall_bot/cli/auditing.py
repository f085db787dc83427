"""audit: who did what, and who was refused, newest first.

Knows flags and how the audit is told in a terminal. Refuses to change it: nothing does.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from oncall_bot.cli.databases import database
from oncall_bot.cli.terminal import JsonFlag, as_json, say, shown_at, table
from oncall_bot.core.errors import OncallError


def add_to(app: typer.Typer) -> None:
    app.command("audit")(audit)


def audit(
    incident: Annotated[
        int | None,
        typer.Option("--incident", metavar="N", min=1, help="Only what was done to this incident."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="WHO",
            help="Only of this person: key, name, Slack id, or system:cli/USER.",
        ),
    ] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Only what was refused.")] = False,
    since: Annotated[
        str | None, typer.Option("--since", metavar="SPAN", help="Not older than this, such as 7d.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=10_000, help="How many at most.")
    ] = 50,
    json: JsonFlag = False,
) -> None:
    """Show who did what, newest first, and who was refused and why.

    Managers and admins read the same in Slack with `/oncall audit`.

    Example: oncall-bot audit --refused --since 7d
    """
    from oncall_bot.store import views

    span = _span(since)
    with database() as store, store.read() as reader:
        found = views.audit_trail(
            reader,
            incident=incident,
            by=by,
            refused=refused,
            since=reader.now - span if span is not None else None,
            limit=limit,
        )
    if json:
        as_json(found)
        return
    if not found:
        say("The audit holds nothing of that.")
        return
    table(("WHEN", "WHO", "WHAT"), [(shown_at(one.at), one.who, one.text) for one in found])


def _span(text: str | None) -> timedelta | None:
    from oncall_bot.core.documents import duration_of

    found = duration_of(text) if text is not None else None
    if text is not None and found is None:
        raise OncallError(f"{text[:40]!r} is no span of time; write 12h or 7d.")
    return found
