"""draft: a summary or a postmortem from a record, with or without a database and a model.

Knows where a record comes from. Refuses to write prose (core.drafts) and to trust a model (core.verification).
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oncall_bot.cli.databases import database, settings_now
from oncall_bot.cli.terminal import read_text, write_out
from oncall_bot.core.errors import BadInput

if TYPE_CHECKING:
    from oncall_bot.ports import Drafter
    from oncall_bot.settings import Settings

RECORD_MAX = 64 * 1024 * 1024


class DraftKind(StrEnum):
    SUMMARY = "summary"
    POSTMORTEM = "postmortem"
    CATCHUP = "catchup"
    UPDATE = "update"


class Audience(StrEnum):
    INTERNAL = "internal"
    CUSTOMERS = "customers"


def add_to(app: typer.Typer) -> None:
    app.command()(draft)


def draft(
    kind: Annotated[DraftKind, typer.Argument(metavar="summary|postmortem|catchup|update")],
    record: Annotated[
        Path | None,
        typer.Option(
            "--record", metavar="FILE", help="A record as `incidents export` writes it; - is stdin."
        ),
    ] = None,
    incident: Annotated[
        int | None, typer.Option("--incident", metavar="N", help="An incident of the database.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write to this file, not to stdout."),
    ] = None,
    audience: Annotated[
        Audience, typer.Option("--audience", help="Whom an update is for.")
    ] = Audience.INTERNAL,
) -> None:
    """Draft a summary, postmortem, catch-up or update as Markdown.

    Numbers are computed from the record and every sentence names its evidence; what the record lacks is said, not
    filled in. From a file no database is needed. A model adds prose only when ONCALL_LLM_MODEL is set, and only
    sentences that the record bears out stay; when it fails, the facts stand alone. A catch-up and an update tell where
    the record's last line left the incident, without a model.

    Example: oncall-bot draft postmortem --record INC-12.json --out INC-12.md
    """
    if (record is None) == (incident is None):
        raise typer.BadParameter("give either --record or --incident", param_hint="--record")
    from oncall_bot.llm.drafting import draft_record

    settings = settings_now()
    data = _record(record) if record is not None else _of_incident(settings, incident or 0)
    if kind in (DraftKind.CATCHUP, DraftKind.UPDATE):
        write_out(_told_now(data, kind, audience), out)
        return
    write_out(draft_record(data, str(kind), drafter_of(settings)), out)


def _told_now(data: object, kind: DraftKind, audience: Audience) -> str:
    from oncall_bot.core.drafts.catchup import catch_up
    from oncall_bot.core.drafts.status_update import status_update
    from oncall_bot.core.records import parse_record

    record = parse_record(data)
    return catch_up(record) if kind is DraftKind.CATCHUP else status_update(record, str(audience))


def drafter_of(settings: Settings) -> Drafter | None:
    """The model of the settings, or none."""
    if not settings.llm_is_on or settings.llm_model is None:
        return None
    from oncall_bot.llm.drafter import OpenAIDrafter

    key = settings.llm_api_key
    return OpenAIDrafter(
        settings.llm_base_url or "https://api.openai.com/v1",
        key.get_secret_value() if key is not None else "none",
        settings.llm_model,
    )


def _record(path: Path) -> object:
    import json

    try:
        return json.loads(read_text(path, RECORD_MAX))
    except (ValueError, RecursionError):
        raise BadInput(
            f"{path} is not JSON; write one with: oncall-bot incidents export N"
        ) from None


def _of_incident(settings: Settings, number: int) -> object:
    from oncall_bot.store import views

    with database(settings) as store:
        return store.look(views.record, number)
