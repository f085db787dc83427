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
    from collections.abc import Callable

    from oncall_bot.core.config import Llm
    from oncall_bot.core.spending import ModelCall
    from oncall_bot.llm.client import Model
    from oncall_bot.ports import Assignment
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
    settings = settings_now()
    if kind in (DraftKind.CATCHUP, DraftKind.UPDATE):
        data = _record(record) if record is not None else _of(settings, incident or 0)
        text = _told_now(data, kind, audience)
    elif record is not None:
        text = _from_file(settings, record, str(kind))
    else:
        text = _of_incident(settings, incident or 0, str(kind))
    write_out(text, out)


def _from_file(settings: Settings, path: Path, kind: str) -> str:
    """Without a database; what a model may see stands in the file of the settings, if there is one."""
    from oncall_bot.core.disclosure import Scope, disclose
    from oncall_bot.core.drafts import draft
    from oncall_bot.core.records import parse_record
    from oncall_bot.core.spending import Spent
    from oncall_bot.ports import Assignment

    record = parse_record(_record(path))
    model = model_of(settings)
    if model is None:
        return draft(record, kind)
    labels = [e.data["labels"] for e in record.events if isinstance(e.data.get("labels"), dict)]
    disclosure = disclose(
        _llm_of(settings),
        Scope(record.severity, services=record.services),
        model.name,
        Spent(),
        [*labels, *(e.data for e in record.events)],
        [record.title, *(e.text for e in record.events)],
    )
    return _written(model, Assignment(record, kind, disclosure))


def _told_now(data: object, kind: DraftKind, audience: Audience) -> str:
    from oncall_bot.core.drafts.catchup import catch_up
    from oncall_bot.core.drafts.status_update import status_update
    from oncall_bot.core.records import parse_record

    record = parse_record(data)
    return catch_up(record) if kind is DraftKind.CATCHUP else status_update(record, str(audience))


def _of(settings: Settings, number: int) -> object:
    from oncall_bot.store import views

    with database(settings) as store:
        return store.look(views.record, number)


def _of_incident(settings: Settings, number: int, kind: str) -> str:
    """From the database, where the calls of the model are written down as well."""
    from oncall_bot.core.drafts import draft
    from oncall_bot.core.records import parse_record
    from oncall_bot.flows.model_calls import book_call
    from oncall_bot.ports import Assignment
    from oncall_bot.store import views

    with database(settings) as store:
        record = parse_record(store.look(views.record, number))
        model = model_of(settings, lambda call: store.write(book_call, call).result())
        if model is None:
            return draft(record, kind)
        disclosure = store.look(views.disclosure, number, model.name)
        return _written(model, Assignment(record, kind, disclosure, incident_id=number))


def _written(model: Model, assignment: Assignment) -> str:
    """The draft; stderr tells before what it may take, and after what it took and what is to be checked."""
    from oncall_bot.llm.drafter import ModelDrafter
    from oncall_bot.llm.drafting import write_draft

    drafter = ModelDrafter(model)
    most = drafter.estimate(assignment)
    if most.tokens:
        allowance = assignment.disclosure.allowance
        price = f"{allowance.price.input:g} and {allowance.price.output:g} a million"
        cost = f"{allowance.cost(most):.2f} at {price}"
        typer.echo(f"{model.name}: at most about {most.tokens:,} tokens, {cost}", err=True)
    done = write_draft(assignment, drafter)
    if done.used_tokens:
        typer.echo(f"{model.name}: {done.used_tokens:,} tokens used", err=True)
    if done.review:
        typer.echo(f"\n{done.review}", err=True)
    return done.markdown


def model_of(
    settings: Settings, observe: Callable[[ModelCall], None] | None = None
) -> Model | None:
    """The model of the settings, or none."""
    if not settings.llm_is_on or settings.llm_model is None:
        return None
    from oncall_bot.llm.client import Model, unobserved

    key = settings.llm_api_key
    return Model(
        settings.llm_base_url or "https://api.openai.com/v1",
        key.get_secret_value() if key is not None else "none",
        settings.llm_model,
        observe=observe or unobserved,
    )


def _llm_of(settings: Settings) -> Llm:
    """The section of the file; a file that cannot be read lets nothing out."""
    from oncall_bot.core.config import Llm
    from oncall_bot.core.documents import config_of
    from oncall_bot.files.oncall_yaml import read_config

    if not settings.config.exists():
        return Llm()
    found = read_config(settings.config)
    if not found.ok:
        raise BadInput(
            f"{settings.config} has faults, so what a model may see is not known; see: oncall-bot doctor"
        )
    return config_of(found.document).llm


def _record(path: Path) -> object:
    import json

    try:
        return json.loads(read_text(path, RECORD_MAX))
    except (ValueError, RecursionError):
        raise BadInput(
            f"{path} is not JSON; write one with: oncall-bot incidents export N"
        ) from None
