"""What every command shares at the terminal: exit codes, one-line faults, tables, JSON, instants.

Knows that text from outside may hold escape sequences, and that a person reads or a program does.
Refuses to know any command. Serves the modules of cli; imports nothing heavier than typer.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from oncall_bot.core.errors import OncallError

FAULT, USAGE = 1, 2

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for a program.")]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Judge by this file alone, in a scratch database, instead of by what is in force.",
    ),
]


class Commands(typer.core.TyperGroup):
    """A group of commands in the order they were written; what people can mend is one line, exit 1."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except OncallError as error:
            fault(str(error))
            raise typer.Exit(FAULT) from None


def family(help: str) -> typer.Typer:  # noqa: A002 - typer's own word
    """A group with sub-words, such as `schedule`."""
    return typer.Typer(
        cls=Commands,
        help=help,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def say(text: str = "") -> None:
    """A line on stdout, safe to show."""
    typer.echo(safe(text))


def fault(text: str) -> None:
    """What is wrong, on stderr, each line with the program's name."""
    for line in text.splitlines():
        typer.echo(f"oncall-bot: {safe(line)}", err=True)


def note(text: str) -> None:
    """Something worth knowing that is no fault, on stderr: stdout stays for the answer."""
    typer.echo(safe(text), err=True)


def safe(text: str) -> str:
    """The text without control and direction characters, which could move a terminal's cursor."""
    return "".join(mark if mark.isprintable() or mark == "\n" else " " for mark in text)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns as wide as their widest cell; nothing is cut. The last column is not padded."""
    lines = [list(heads), *([safe(cell).replace("\n", " ") for cell in row] for row in rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(heads))]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        say("  ".join(cells).rstrip())


def as_json(value: Any) -> None:
    """The value as JSON on stdout; instants in UTC as 2026-03-02T12:00:00Z, durations in seconds."""
    typer.echo(json.dumps(plain(value), indent=2))


def plain(value: Any) -> Any:
    """The value made of JSON's types. Dataclasses become objects."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.isoformat() if isinstance(value, date) else value


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shown_at(at: datetime, zone: tzinfo = UTC) -> str:
    """An instant for people: Mon 2026-03-02 09:00 CET."""
    return f"{at.astimezone(zone):%a %Y-%m-%d %H:%M %Z}"


def instant_of(text: str | None, flag: str) -> datetime | None:
    """What was given as an instant; without a zone it is UTC. Exit 2 when it is none."""
    if text is None:
        return None
    from oncall_bot.core.records import instant

    at = instant(text.strip())
    if at is None:
        raise typer.BadParameter(
            f"{text!r} is no time; write 2026-03-02T09:00Z or 2026-03-02T10:00+01:00",
            param_hint=flag,
        )
    return at


def unknown(kind: str, name: str, known: Iterable[str]) -> OncallError:
    """There is nothing of this name; the nearest that is there, or what there is."""
    import difflib

    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return OncallError(f"There is no {kind} {name}; did you mean {near[0]}?")
    there = ", ".join(names[:12]) or "none in force"
    return OncallError(f"There is no {kind} {name}; there are: {there}.")


def write_out(text: str, out: Path | None) -> None:
    """The text to a file, or to stdout without control characters when no file is named."""
    if out is None:
        typer.echo(safe(text), nl=not text.endswith("\n"))
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OncallError(f"{out} cannot be written: {error.strerror}.") from None


def read_text(path: Path, limit: int = 64 * 1024 * 1024) -> bytes:
    """The content of a file, or of stdin for `-`; refused above `limit` bytes."""
    try:
        if str(path) == "-":
            content = sys.stdin.buffer.read(limit + 1)
        else:
            with path.open("rb") as opened:
                content = opened.read(limit + 1)
    except OSError as error:
        raise OncallError(f"{path} cannot be read: {error.strerror}.") from None
    if len(content) > limit:
        raise OncallError(f"{path} is larger than {limit // 1024 // 1024} MiB.")
    return content
