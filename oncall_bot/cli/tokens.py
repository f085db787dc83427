"""tokens: secrets given to programs. A token is shown once; what is stored is its SHA-256.

Knows how a token is made and shown. Refuses to store one.
"""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oncall_bot.cli.databases import database
from oncall_bot.cli.terminal import JsonFlag, as_json, family, note, say, shown_at, table
from oncall_bot.core.errors import OncallError

if TYPE_CHECKING:
    from oncall_bot.core.outcomes import Actor

MARK, BYTES = "oncall_", 32
PREFIX_LENGTH = len(MARK) + 6

tokens = family("API tokens: create, revoke, list.")


class Scope(StrEnum):
    READ = "read"
    WRITE = "write"


def add_to(app: typer.Typer) -> None:
    app.add_typer(tokens, name="tokens")


@tokens.command("create")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What will use it, such as grafana.")],
    scope: Annotated[Scope, typer.Option("--scope", help="What it may do.")] = Scope.READ,
    days: Annotated[
        int | None,
        typer.Option("--days", metavar="N", min=1, max=3660, help="It expires after N days."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Write it to a new file of mode 0600; show nothing."
        ),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Make a token of 256 random bits and show it once.

    Only its SHA-256 and its first letters are stored. For a source in oncall.yaml write it to a file with --out,
    name that file as token_file, and give Alertmanager the same file.

    Example: oncall-bot tokens create prod-eu --out /run/secrets/prod-eu
    """
    from oncall_bot.flows.api_tokens import create_token

    token = MARK + secrets.token_urlsafe(BYTES)
    with database() as store:
        if out is not None:
            _write_private(out, token)
        outcome = store.write(
            create_token,
            name,
            actor_here(),
            sha256=sha256(token.encode()).hexdigest(),
            prefix=token[:PREFIX_LENGTH],
            scope=str(scope),
            valid_for=timedelta(days=days) if days else None,
        ).result()
    if not outcome.done:
        if out is not None:
            out.unlink(missing_ok=True)
        raise OncallError(outcome.reason)
    if json:
        shown = {"name": name, "prefix": token[:PREFIX_LENGTH], "scope": scope}
        as_json(shown if out is not None else {**shown, "token": token})
    elif out is not None:
        say(f"The token {name} lies in {out}.")
    else:
        note("This is the only time it is shown:")
        say(token)


@tokens.command("revoke")
def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The token's name or its prefix.")],
) -> None:
    """Make a token worth nothing, at once.

    Example: oncall-bot tokens revoke grafana
    """
    from oncall_bot.flows.api_tokens import revoke_token

    with database() as store:
        outcome = store.write(revoke_token, name, actor_here()).result()
    if not outcome.done:
        raise OncallError(outcome.reason)
    say(outcome.reason)


@tokens.command("list")
def listed(json: JsonFlag = False) -> None:
    """List all tokens, revoked ones too.

    By name and first letters: the tokens themselves are known to nobody here. The last use is kept to the minute.

    Example: oncall-bot tokens list
    """
    from oncall_bot.store import tokens as rows

    with database() as store:
        found = store.look(rows.listed)
    if json:
        as_json([row._asdict() for row in found])
        return
    if not found:
        say("There are no tokens.")
        return
    table(
        ("NAME", "PREFIX", "SCOPE", "CREATED", "EXPIRES", "LAST USED", "REVOKED"),
        [
            (
                row.name,
                row.prefix,
                row.scope,
                shown_at(row.created_at),
                shown_at(row.expires_at) if row.expires_at else "never",
                shown_at(row.used_at) if row.used_at else "never",
                shown_at(row.revoked_at) if row.revoked_at else "-",
            )
            for row in found
        ],
    )


def actor_here() -> Actor:
    """Whoever runs the command, as the audit names them."""
    import getpass

    from oncall_bot.core.outcomes import Actor

    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return Actor("system", f"cli/{user}", user, by="cli")


def _write_private(path: Path, token: str) -> None:
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise OncallError(f"{path} is there already; name a new file.") from None
    except OSError as error:
        raise OncallError(f"{path} cannot be written: {error.strerror}.") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(token + "\n")
