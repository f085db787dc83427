"""init: the first files of an installation, and the link that creates the Slack app.

Knows what a first configuration needs and asks no more; with `--person` it asks nothing. Refuses to overwrite unasked.
What it writes has been read back and judged like any file of yours.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from oncall_bot.cli.terminal import note, say
from oncall_bot.core.errors import BadInput, OncallError

TEAM, SCHEDULE, POLICY = "oncall", "oncall-primary", "oncall-primary"
FIRST_MONDAY = "2026-01-05T09:00"
FORMER = ".before-init"
ASK_PUSH = "What wakes you: your ntfy server, or a topic at ntfy.sh; none for later"

_PERSON = re.compile(r"\s*(?P<name>[^<>,]*?)\s*<?(?P<mail>[^\s<>,@]+@[^\s<>,@]+)>?\s*")
_NOT_IN_KEYS = re.compile(r"[^a-z0-9_.-]+")
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:\d{1,5})?|localhost(:\d{1,5})?")


class Mode(StrEnum):
    """How Slack's events come in: by a socket the bot opens, or by requests to its public address."""

    SOCKET = "socket"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class Push:
    """The loud road: its address with {to}, and the topic of the first person, when one was named."""

    url: str
    topic: str | None = None

    @property
    def is_ntfy(self) -> bool:
        return self.url.startswith(("ntfy://", "ntfys://"))


@dataclass(frozen=True, slots=True)
class Asked:
    """What the two files are made of."""

    people: Sequence[tuple[str, str]]  # name, e-mail
    zone: str
    channel: str
    push: Push | None = None
    mail: str | None = None
    mail_file: Path | None = None  # where the address goes when it holds a password
    mode: Mode = Mode.SOCKET
    public_url: str | None = None
    alertmanager_url: str | None = None
    prometheus_url: str | None = None
    command: str = "/oncall"

    @property
    def request_url(self) -> str | None:
        """Where Slack posts in HTTP mode."""
        if self.mode is Mode.SOCKET:
            return None
        return f"{(self.public_url or '').rstrip('/')}/slack/events"


def add_to(app: typer.Typer) -> None:
    app.command()(init)


def init(
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Where the files go.")
    ] = Path(),
    person: Annotated[
        list[str] | None,
        typer.Option(
            "--person",
            metavar="NAME <MAIL>",
            help="Somebody who is on call; may be given again. With it nothing is asked.",
        ),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option("--zone", metavar="ZONE", help="IANA zone; else this machine's."),
    ] = None,
    channel: Annotated[
        str | None,
        typer.Option(
            "--channel", metavar="#NAME", help="Slack channel of incidents; else #alerts."
        ),
    ] = None,
    push: Annotated[
        str | None,
        typer.Option(
            "--push",
            metavar="NTFY",
            help="What wakes: an ntfy topic, an ntfy server, or an address with {to}: ntfys://ntfy.sh/{to}",
        ),
    ] = None,
    mail: Annotated[
        str | None,
        typer.Option(
            "--mail", metavar="URL", help="Mail too: mailtos://user:pass@smtp.example.com"
        ),
    ] = None,
    slack: Annotated[
        Mode | None,
        typer.Option("--slack", help="Socket Mode needs no public address; HTTP mode does."),
    ] = None,
    public_url: Annotated[
        str | None,
        typer.Option("--public-url", metavar="URL", help="Where phones reach this server."),
    ] = None,
    alertmanager: Annotated[
        str | None,
        typer.Option("--alertmanager", metavar="URL", help="Asked what still fires."),
    ] = None,
    prometheus: Annotated[
        str | None,
        typer.Option("--prometheus", metavar="URL", help="Looked at by `doctor` for now."),
    ] = None,
    command: Annotated[
        str, typer.Option("--command", help="The slash command in Slack.")
    ] = "/oncall",
    force: Annotated[
        bool, typer.Option("--force", help=f"Write anew; the former file stays as NAME{FORMER}.")
    ] = False,
) -> None:
    """Write oncall.yaml and .env, and print the Slack app's link.

    Asks who is on call, the zone, the channel, what wakes people, Slack's mode and the addresses of Alertmanager and
    Prometheus; each has a flag, and with --person nothing is asked. The rota changes weekly; edit the file as you like
    and look at it with `apply --plan`. The .env holds a fresh webhook token and empty places for Slack's tokens; it is
    readable by you alone.

    Example: oncall-bot init --person "Ana Ruiz <ana@example.com>" --zone Europe/Madrid --channel "#alerts"
    """
    files = (folder / "oncall.yaml", folder / ".env")
    ask = person is None
    mail_file = _mail_file(mail, folder)
    _may_overwrite(files, force=force, ask=ask)
    people = _people(person or [_ask("Who is on call? Name <mail>, with commas between")])
    default = _zone_here()
    asked = Asked(
        people=people,
        zone=_zone(zone or (_ask("Time zone", default) if ask else default)),
        channel=_channel(
            channel or (_ask("Slack channel for incidents", "#alerts") if ask else "#alerts")
        ),
        push=_push(push if push or not ask else _ask(ASK_PUSH, "none")),
        mail=_mail(mail),
        mail_file=mail_file,
        mode=slack or _mode(_ask("Slack mode, socket or http", "socket") if ask else "socket"),
        alertmanager_url=alertmanager or (_optional("Alertmanager's address") if ask else None),
        prometheus_url=prometheus or (_optional("Prometheus' address") if ask else None),
        public_url=public_url,
        command=command,
    )
    if asked.mode is Mode.HTTP and not asked.public_url:
        asked = replace(asked, public_url=_public_url(ask=ask))
    text, env = config_text(asked), env_text(asked, files[0])
    _judge(text, env)
    _keep_former(files)
    _write(files[0], text, 0o644)
    _write(files[1], env, 0o600)
    if asked.mail and mail_file:
        _write(mail_file, asked.mail + "\n", 0o600)
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
        _second_token(asked.mode): "",
        "ONCALL_PROMETHEUS_URL": asked.prometheus_url or "",
        "ONCALL_ALERTMANAGER_URL": asked.alertmanager_url or "",
        "ONCALL_HEARTBEAT_URL": "",
    }
    told = {
        "ONCALL_WEBHOOK_TOKEN": "Alertmanager posts with this token to /webhook/alertmanager.",
        "ONCALL_SLACK_BOT_TOKEN": "OAuth & Permissions, Bot User OAuth Token (xoxb-...).",
        "ONCALL_SLACK_APP_TOKEN": "Basic Information, App-Level Tokens, scope connections:write (xapp-...).",
        "ONCALL_SLACK_SIGNING_SECRET": "Basic Information, App Credentials, Signing Secret.",
        "ONCALL_HEARTBEAT_URL": "A monitor elsewhere that alarms when the calls stop.",
        "ONCALL_PUBLIC_URL": "Where phones reach this server, for links to acknowledge.",
    }
    lines = ["# Settings of oncall-bot; an empty one is not set. docs/reference/settings.md"]
    for name, value in given.items():
        if name == "ONCALL_SLACK_COMMAND" and not value:
            continue
        if name in told:
            lines += ["", f"# {told[name]}"]
        lines.append(f"{name}={shlex.quote(value) if value else ''}")
    return "\n".join(lines) + "\n"


def _document(asked: Asked) -> dict[str, Any]:
    people = _keyed(asked.people)
    keys = list(people)
    roads: dict[str, Any] = {"push": {"url": asked.push.url}} if asked.push else {}
    if asked.mail:
        secret = asked.mail_file
        roads["mail"] = {"url_file": str(secret)} if secret else {"url": asked.mail}
    if asked.push and asked.push.is_ntfy:
        for number, (key, one) in enumerate(people.items()):
            own = asked.push.topic if number == 0 else None
            # a topic nobody can guess: whoever knows it reads along
            one["contacts"] = {"push": own or f"oncall-{key}-{secrets.token_hex(6)}"}
    document: dict[str, Any] = {
        "version": 1,
        "defaults": {
            "zone": asked.zone,
            "channel": asked.channel,
            "fallback": [f"person:{keys[0]}"],
            "last_resort": keys[:1],
        },
        "people": people,
        **({"channels": roads} if roads else {}),
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


def _push(text: str | None) -> Push | None:
    """A loud road from what people write: a whole address, an ntfy server, or a topic at ntfy.sh."""
    text = (text or "").strip()
    if text.casefold() in ("", "none", "no", "-"):
        return None
    if "{to}" in text:
        return Push(text)
    parts = urlsplit(text if "://" in text else f"https://{text}")
    scheme = {"http": "ntfy", "https": "ntfys", "ntfy": "ntfy", "ntfys": "ntfys"}.get(parts.scheme)
    topic = parts.path.strip("/")
    if "://" not in text and "/" not in text and not _HOST.fullmatch(text):
        host, topic, scheme = "ntfy.sh", text, "ntfys"
    else:
        host = parts.netloc
    if scheme is None or not _HOST.fullmatch(host) or (topic and not _TOPIC.fullmatch(topic)):
        raise typer.BadParameter(
            f"{text!r} is no ntfy topic or server; write my-topic, ntfy.example.com or"
            " ntfys://ntfy.example.com/{to}",
            param_hint="--push",
        )
    return Push(f"{scheme}://{host}/{{to}}?priority=max", topic or None)


def _mail(url: str | None) -> str | None:
    """An SMTP server as apprise writes it; each person's mail is filled in."""
    if url is None:
        return None
    if not url.startswith(("mailto://", "mailtos://")) or not urlsplit(url).netloc:
        raise typer.BadParameter(
            "write mailtos://user:password@smtp.example.com", param_hint="--mail"
        )
    return url if "{to}" in url else f"{url}{'&' if '?' in url else '?'}to={{to}}"


def _mail_file(url: str | None, folder: Path) -> Path | None:
    return (folder / "mail.url").resolve() if url and urlsplit(url).password else None


def _mode(text: str) -> Mode:
    try:
        return Mode(text.strip().casefold())
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no mode; write socket or http", param_hint="--slack"
        ) from None


def _public_url(*, ask: bool) -> str:
    if not ask:
        raise typer.BadParameter(
            "HTTP mode needs the address under which Slack reaches this server",
            param_hint="--public-url",
        )
    return _ask("The https address under which Slack and phones reach this server")


def _second_token(mode: Mode) -> str:
    return "ONCALL_SLACK_APP_TOKEN" if mode is Mode.SOCKET else "ONCALL_SLACK_SIGNING_SECRET"


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


def _optional(question: str) -> str | None:
    """An address, or None for the answer none."""
    answer = _ask(f"{question}, such as http://localhost:9090, or none", "none").strip()
    return None if answer.casefold() in ("", "none", "no", "-") else answer


def _judge(text: str, env: str) -> None:
    """Both files as the bot will read them; a fault of an answer is told before anything is written."""
    from oncall_bot.files.oncall_yaml import read_config
    from oncall_bot.settings import load_settings

    found = read_config(text, read_secrets=False)
    if not found.ok:
        raise BadInput("\n".join(f"{one.field}: {one.message}" for one in found.faults))
    load_settings(_variables(env))


def _variables(env: str) -> Mapping[str, str]:
    """The assignments of the text, as a shell reads them."""
    pairs = (word.partition("=") for word in shlex.split(env, comments=True))
    return {name: value for name, _, value in pairs}


def _may_overwrite(files: Sequence[Path], *, force: bool, ask: bool) -> None:
    there = [str(file) for file in files if file.exists()]
    if not there or force:
        return
    named = " and ".join(there)
    if not ask:
        raise OncallError(f"{named} there already; --force overwrites, --dir goes elsewhere.")
    question = f"There is {named} already. Write anew (the former stays as NAME{FORMER})?"
    if not typer.confirm(question, default=False, err=True):
        raise OncallError("Nothing was written.")


def _keep_former(files: Sequence[Path]) -> None:
    for file in files:
        if file.exists():
            try:
                file.replace(file.with_name(file.name + FORMER))
            except OSError as error:
                raise OncallError(f"{file} cannot be put aside: {error.strerror}.") from None


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

    note(f"Wrote {files[0]} and {files[1]} (readable by you alone).")
    if asked.push is None:
        note("There is no road yet that wakes: add one under channels before the first night.")
    elif asked.push.is_ntfy:
        note("Each person subscribes in the ntfy app to the topic under contacts in oncall.yaml.")
    token = "app-level token" if asked.mode is Mode.SOCKET else "signing secret"
    note("")
    note(f"1. Create the Slack app with this link, install it, and copy its bot token and {token}")
    note(f"   into {files[1]}:")
    note("")
    say(create_link(asked.command, asked.request_url))
    note("")
    note("2. Load the settings and look; it says what is missing, and what Alertmanager needs:")
    note(f"       set -a; . {_sourced(files[1])}; set +a; oncall-bot doctor")
    note("3. Serve, and have it page you:")
    note(f"       oncall-bot serve        then in Slack: {asked.command} test")


def _sourced(path: Path) -> str:
    """As a shell's dot takes it: a plain name would be looked for in PATH."""
    return str(path) if path.is_absolute() else f"./{path}"
