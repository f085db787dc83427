"""The command line: typer words, lazily wired to the rooms, one module a family.

Knows words, flags, exit codes (0 done, 1 found a fault, 2 usage). Refuses to decide anything. `--help` imports
no service: whatever is heavy is imported inside the functions.
"""

from __future__ import annotations

import typer

from oncall_bot.cli import (
    applying,
    auditing,
    calendars,
    demo,
    doctor,
    drafting,
    explaining,
    incidents,
    init,
    people,
    reckoning,
    rota,
    runbooks,
    serving,
    tokens,
    verifying,
)
from oncall_bot.cli.terminal import family

__all__ = ["app", "main"]

app = family(
    "The on-call engineer's first responder in Slack: it pages until somebody answers.\n\n"
    "Settings are environment variables (ONCALL_DATABASE_URL, ONCALL_CONFIG, ...); who is paged for\n"
    "what stands in oncall.yaml. `oncall-bot demo` shows it all; begin with `oncall-bot init`,\n"
    "go on with `oncall-bot doctor`.\n\n"
    "Exit code: 0 done, 1 found a fault, 2 not understood."
)


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        from oncall_bot import __version__

        typer.echo(f"oncall-bot {__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        raise typer.Exit(2)


for _module in (
    demo,
    init,
    doctor,
    serving,
    applying,
    people,
    rota,
    verifying,
    reckoning,
    calendars,
    explaining,
    runbooks,
    drafting,
    incidents,
    auditing,
    tokens,
):
    _module.add_to(app)


def main() -> None:
    """Run a command; an error that people can mend is one line, not a stack."""
    app(prog_name="oncall-bot")
