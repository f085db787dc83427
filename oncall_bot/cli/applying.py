"""Config as code: apply and export.

Knows how a plan and faults are shown. Refuses to judge a document (core) and to read YAML (files). What people own
(contacts, overrides, silences) is never touched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oncall_bot.cli.databases import address, check_schema, opened, settings_now
from oncall_bot.cli.terminal import FAULT, JsonFlag, as_json, fault, note, say, write_out
from oncall_bot.core.errors import OncallError

if TYPE_CHECKING:
    from oncall_bot.core.plan import PlanLine
    from oncall_bot.core.shift_changes import Covers
    from oncall_bot.files.oncall_yaml import ConfigFile
    from oncall_bot.settings import Settings
    from oncall_bot.store.db import Store
    from oncall_bot.store.transactions import Reader

Owned = tuple[dict[str, set[str]], "Covers"]
"""What people own and a plan needs to know: the kinds of contact they verified, and their covers."""
InForce = tuple[int | None, Mapping[str, Any] | None, Owned]


def add_to(app: typer.Typer) -> None:
    app.command()(apply)
    app.command()(export)


def apply(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The configuration, oncall.yaml.")],
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what would change; change nothing.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Show what a configuration changes, and put it into force.

    The plan is a diff for people: + new, - gone, ~ changed, * who is on call, ! look at this. It tells who loses and
    gains which shift in the coming 28 days, covers included, and names gaps and people without a loud road. With a
    fault in the file nothing changes: every fault is told with file, line and field, the last good revision stays in
    force, and the exit code is 1. A running bot takes the new revision over at once.

    Example: oncall-bot apply oncall.yaml --plan
    """
    from oncall_bot.files.oncall_yaml import read_config

    found = read_config(file)
    if not found.ok:
        _tell_faults(found, json=json)
        raise typer.Exit(FAULT)
    settings = settings_now()
    if plan and not _there_is(settings):
        note("There is no database yet: everything is new.")
        _tell(
            _lines(None, found, None),
            "Nothing was changed: this is the plan.",
            json=json,
            applied=False,
        )
        return
    check_schema(address(settings))
    with opened(address(settings)) as store:
        revision, document, owned = store.look(_in_force)
        lines = _lines(document, found, owned)
        if plan:
            _tell(lines, "Nothing was changed: this is the plan.", json=json, applied=False)
            return
        _apply(store, settings, file, found, lines, revision, json=json)


def export(
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write to this file, not to stdout."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Print the configuration in force as oncall.yaml.

    It reads back to the same document. Comments of your own file are not in it, and tokens never are.

    Example: oncall-bot export --out oncall.yaml
    """
    settings = settings_now()
    check_schema(address(settings))
    with opened(address(settings)) as store:
        _, document, _ = store.look(_in_force)
    if document is None:
        raise OncallError(
            "No configuration is in force yet; `oncall-bot apply oncall.yaml` puts one."
        )
    if json:
        as_json(document)
        return
    from oncall_bot.files.export import export_yaml

    write_out(export_yaml(document), out)


def token_hashes(settings: Settings) -> dict[str, str] | None:
    """The token of the settings, which belongs to the source `default`, as it is stored; None: it is not known here."""
    token = settings.webhook_token
    if token is None:
        return None
    return {"default": hashlib.sha256(token.get_secret_value().encode()).hexdigest()}


def verified_kinds(reader: Reader) -> dict[str, set[str]]:
    """Person -> the kinds of contact that person has verified; first values of the file are not counted."""
    return {
        key: {contact.kind for contact in reach.contacts if not contact.ref.startswith("file:")}
        for key, reach in reader.snapshot.reach.items()
    }


def _there_is(settings: Settings) -> bool:
    from oncall_bot.store import migrations

    return migrations.current(address(settings)) is not None


def _in_force(reader: Reader) -> InForce:
    from oncall_bot.store import rules

    row = rules.latest(reader)
    owned = (verified_kinds(reader), reader.snapshot.overrides)
    if row is None:
        return None, None, owned
    return row.id, row.document, owned


def _lines(
    document: Mapping[str, Any] | None, found: ConfigFile, owned: Owned | None
) -> list[PlanLine]:
    from datetime import UTC, datetime

    from oncall_bot.core.plan import plan

    verified, covers = owned if owned is not None else (None, None)
    return plan(document, found.document, datetime.now(UTC), verified, covers)


def _apply(
    store: Store,
    settings: Settings,
    file: Path,
    found: ConfigFile,
    lines: list[PlanLine],
    before: int | None,
    *,
    json: bool,
) -> None:
    from oncall_bot.flows.apply_config import apply_config

    new = store.write(
        apply_config,
        found.document,
        found.sha256,
        str(file),
        token_sha256=token_hashes(settings),
    ).result()
    revision, _, _ = store.look(_in_force)
    end = (
        f"Applied: revision {revision} is in force."
        if new
        else f"No change: revision {before} stays."
    )
    _tell(lines, end, json=json, applied=new, revision=revision)


def _tell(
    lines: list[PlanLine], end: str, *, json: bool, applied: bool, revision: int | None = None
) -> None:
    if json:
        shown = [{"sign": line.sign, "path": line.path, "text": line.text} for line in lines]
        as_json({"applied": applied, "revision": revision, "plan": shown, "faults": []})
        return
    for line in lines:
        say(str(line))
    say(end)


def _tell_faults(found: ConfigFile, *, json: bool) -> None:
    if json:
        as_json({"applied": False, "revision": None, "plan": [], "faults": list(found.faults)})
        return
    for one in found.faults:
        fault(str(one))
    count = len(found.faults)
    note(f"{count} fault{'' if count == 1 else 's'}; nothing was changed.")
