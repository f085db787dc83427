"""init: the first files of an installation, and the link that creates the Slack app.

Knows what a first configuration needs and asks no more. Refuses to overwrite. What it writes has been read back and
judged like any file of yours.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from oncall_bot.cli.terminal import note, say
from oncall_bot.core.errors import BadInput, OncallError

TEAM, SCHEDULE, POLICY = "oncall", "oncall-primary", "oncall-primary"
FIRST_MONDAY = "2026-01-05T09:00"

_PERSON = re.compile(r"\s*(?P<name>[^<>,]*?)\s*<?(?P<mail>[^\s<>,@]+@[^\s<>,@]+)>?\s*")
_NOT_IN_KEYS = re.compile(r"[^a-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the two files are made of."""

    people: Sequence[tuple[str, str]]  # name, e-mail
    zone: str
    channel: str
    push: str | None
    public_url: str | None
    command: str


def add_to(app: typer.Typer) -> None:
    app.command()(init)


def init(
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Where the files go.")
    ] = Path(),
    person: Annotated[
        list[str] | None,
        typer.Option(
            "--person", metavar="NAME <MAIL>", help="Somebody who is on call; may be given again."
        ),
    ] = None,
    zone: Annotated[
        str | None, typer.Option("--zone", metavar="ZONE", help="IANA zone, such as Europe/Berlin.")
    ] = None,
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="#NAME", help="Slack channel of incidents.")
    ] = None,
    push: Annotated[
        str | None,
        typer.Option("--push", metavar="URL", help="A loud road with {to}: ntfys://ntfy.sh/{to}"),
    ] = None,
    public_url: Annotated[
        str | None,
        typer.Option("--public-url", metavar="URL", help="Where phones reach this server."),
    ] = None,
    command: Annotated[
        str, typer.Option("--command", help="The slash command in Slack.")
    ] = "/oncall",
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
) -> None:
    """Write oncall.yaml and .env, and print the Slack app's link.

    Asks for what no flag gives: who is on call, the time zone, the channel. The rota changes weekly; edit the file
    as you like and look at it with `apply --plan`. The .env holds a fresh webhook token and empty places for Slack's
    tokens; it is readable by you alone.

    Example: oncall-bot init --person "Ana Ruiz <ana@example.com>" --zone Europe/Madrid --channel "#alerts"
    """
    files = (folder / "oncall.yaml", folder / ".env")
    _refuse_overwriting(files, force=force)
    asked = Asked(
        people=_people(person or [_ask("Who is on call? Name <mail>, with commas between")]),
        zone=_zone(zone or _ask("Time zone", _zone_here())),
        channel=_channel(channel or _ask("Slack channel for incidents", "#alerts")),
        push=push,
        public_url=public_url,
        command=command,
    )
    text, env = config_text(asked), env_text(asked, files[0])
    _judge(text, env)
    _write(files[0], text, 0o644)
    _write(files[1], env, 0o600)
    _tell(asked, files)


def config_text(asked: Asked) -> str:
    """oncall.yaml for these people: a weekly rota, one policy, one last route."""
    from oncall_bot.files.export import export_yaml

    head = (
        "# Who is paged, for what, in which order. Try a change before it counts:\n"
        "#     oncall-bot apply oncall.yaml --plan\n"
        "# Everything that can stand here: docs/reference/oncall-yaml.md\n\n"
    )
    return head + export_yaml(_document(asked))


def env_text(asked: Asked, config: Path) -> str:
    """.env with a fresh token and empty places for what only you can copy."""
    given = {
        "ONCALL_CONFIG": config.name,
        "ONCALL_DATABASE_URL": "sqlite:///oncall.db",
        "ONCALL_PUBLIC_URL": asked.public_url or "",
        "ONCALL_SLACK_COMMAND": asked.command if asked.command != "/oncall" else "",
        "ONCALL_WEBHOOK_TOKEN": secrets.token_urlsafe(32),
        "ONCALL_SLACK_BOT_TOKEN": "",
        "ONCALL_SLACK_APP_TOKEN": "",
        "ONCALL_PROMETHEUS_URL": "",
        "ONCALL_ALERTMANAGER_URL": "",
        "ONCALL_HEARTBEAT_URL": "",
    }
    told = {
        "ONCALL_WEBHOOK_TOKEN": "Alertmanager posts with this token to /webhook/alertmanager.",
        "ONCALL_SLACK_BOT_TOKEN": "OAuth & Permissions, Bot User OAuth Token (xoxb-...).",
        "ONCALL_SLACK_APP_TOKEN": "Basic Information, App-Level Tokens, scope connections:write (xapp-...).",
        "ONCALL_HEARTBEAT_URL": "A monitor elsewhere that alarms when the calls stop.",
        "ONCALL_PUBLIC_URL": "Where phones reach this server, for links to acknowledge.",
    }
    lines = ["# Settings of oncall-bot; an empty one is not set. docs/reference/settings.md"]
    for name, value in given.items():
        if name == "ONCALL_SLACK_COMMAND" and not value:
            continue
        if name in told:
            lines += ["", f"# {told[name]}"]
        lines.append(f"{name}={value}")
    return "\n".join(lines) + "\n"


def _document(asked: Asked) -> dict[str, Any]:
    people = _keyed(asked.people)
    keys = list(people)
    push = {"push": {"url": asked.push}} if asked.push else {}
    if asked.push and asked.push.startswith(("ntfy://", "ntfys://")):
        for key, one in people.items():  # a topic nobody can guess: whoever knows it reads along
            one["contacts"] = {"push": f"oncall-{key}-{secrets.token_hex(6)}"}
    document: dict[str, Any] = {
        "version": 1,
        "defaults": {
            "zone": asked.zone,
            "channel": asked.channel,
            "fallback": [f"person:{keys[0]}"],
            "last_resort": keys[:1],
        },
        "people": people,
        **({"channels": push} if push else {}),
        "teams": {TEAM: {"members": keys, "channel": asked.channel}},
        "schedules": {
            SCHEDULE: {
                "team": TEAM,
                "zone": asked.zone,
                "layers": [
                    {
                        "name": "week",
                        "start": FIRST_MONDAY,
                        "rotation": {"unit": "week", "every": 1},
                        "users": keys,
                    }
                ],
            }
        },
        "policies": {
            POLICY: {
                "ack_timeout": "30m",
                "repeat": {"times": 3, "every": "15m"},
                "steps": [
                    {"after": "0m", "page": [f"schedule:{SCHEDULE}"]},
                    {"after": "10m", "page": [f"team:{TEAM}"], "when": {"urgency": "high"}},
                ],
            }
        },
        "routes": [
            {"name": "all", "group_by": ["alertname", "service"], "wait": "30s", "policy": POLICY}
        ],
    }
    return document


def _keyed(people: Sequence[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    """Each person under the first word of the name, made a key that nobody else has."""
    found: dict[str, dict[str, Any]] = {}
    for name, mail in people:
        first = (name.split() or [mail.partition("@")[0]])[0].casefold()
        key = plain = _NOT_IN_KEYS.sub("", first).strip("._-")[:40] or "person"
        number = 1
        while key in found:
            number += 1
            key = f"{plain}{number}"
        role = {} if found else {"role": "admin"}
        found[key] = {"name": name or mail.partition("@")[0], "email": mail, **role}
    return found


def _people(given: Sequence[str]) -> list[tuple[str, str]]:
    found = []
    for one in (part for text in given for part in text.split(",")):
        match = _PERSON.fullmatch(one)
        if match is None:
            raise typer.BadParameter(
                f"{one.strip()!r} is no person; write Ana Ruiz <ana@example.com>",
                param_hint="--person",
            )
        found.append((match["name"].strip().strip('"'), match["mail"]))
    return found


def _zone(name: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise typer.BadParameter(
            f"{name!r} is no zone; write one such as Europe/Berlin", param_hint="--zone"
        ) from None
    return name


def _zone_here() -> str:
    """The machine's zone, as far as it says; else UTC."""
    named = os.environ.get("TZ", "").lstrip(":")
    if "/" in named:
        return named
    parts = str(Path("/etc/localtime").resolve()).partition("zoneinfo/")
    return parts[2] or "UTC"


def _channel(name: str) -> str:
    name = name.strip()
    return name if name.startswith(("#", "C", "G")) else f"#{name}"


def _ask(question: str, default: str | None = None) -> str:
    answer: str = typer.prompt(question, default=default, err=True)
    return answer


def _judge(text: str, env: str) -> None:
    """Both files as the bot will read them; a fault of an answer is told before anything is written."""
    from oncall_bot.files.oncall_yaml import read_config
    from oncall_bot.settings import load_settings

    found = read_config(text)
    if not found.ok:
        raise BadInput("\n".join(f"{one.field}: {one.message}" for one in found.faults))
    load_settings(_variables(env))


def _variables(env: str) -> Mapping[str, str]:
    pairs = (line.partition("=") for line in env.splitlines() if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def _refuse_overwriting(files: Sequence[Path], *, force: bool) -> None:
    there = [str(file) for file in files if file.exists()]
    if there and not force:
        raise OncallError(
            f"{' and '.join(there)} there already; --force overwrites, --dir goes elsewhere."
        )


def _write(file: Path, text: str, mode: int) -> None:
    try:
        descriptor = os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            os.fchmod(opened.fileno(), mode)
            opened.write(text)
    except OSError as error:
        raise OncallError(f"{file} cannot be written: {error.strerror}.") from None


def _tell(asked: Asked, files: Sequence[Path]) -> None:
    from oncall_bot.slack.manifest import create_link

    note(f"Wrote {files[0]} and {files[1]}.")
    if asked.push is None:
        note(
            "There is no loud road yet: add one under channels, so that somebody is woken at night."
        )
    elif asked.push.startswith(("ntfy://", "ntfys://")):
        note("Each person subscribes in the ntfy app to the topic under contacts in oncall.yaml.")
    note("")
    note("1. Create the Slack app with this link, install it, and copy its two tokens into .env:")
    say(create_link(asked.command))
    note("2. Load the settings:   set -a; . ./.env; set +a")
    note("3. Look:                oncall-bot doctor")
    note("4. Run:                 oncall-bot serve")
