"""The command line: typer words, lazily wired to the rooms.

Knows words, flags, exit codes (0 done, 1 found a fault, 2 usage). Refuses to decide anything. `--help` imports no service.
"""

from __future__ import annotations

import os

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def root() -> None:
    """The on-call engineer's first responder in Slack."""


@app.command()
def serve() -> None:
    """Run the bot: migrate under a lock, apply the file if its content is new, then serve until stopped."""
    import asyncio  # noqa: PLC0415

    from oncall_bot import app as wiring  # noqa: PLC0415
    from oncall_bot.settings import load_settings  # noqa: PLC0415
    from oncall_bot.telemetry import logs  # noqa: PLC0415

    settings = load_settings(os.environ)
    logs.configure(settings.log_level, settings.log_format)
    point = os.environ.get("ONCALL_TEST_KILL_AT")
    at_fault_point = wiring.kill_at(point) if point else wiring.ignore
    asyncio.run(wiring.run(settings, at_fault_point=at_fault_point))


def main() -> None:
    """Run a command; an error that people can mend is one line, not a stack."""
    import sys  # noqa: PLC0415

    from oncall_bot.core.errors import OncallError  # noqa: PLC0415

    try:
        app()
    except OncallError as error:
        sys.stderr.write(f"oncall-bot: {error}\n")
        sys.exit(1)
