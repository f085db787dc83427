"""The settings of one process: environment, optional TOML file, secrets from files; read once.

Knows every setting with its default, its bounds and its meaning. Refuses to know oncall.yaml, the
database and what a setting is used for. Serves app and cli, which hand on what others need.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from oncall_bot.core.errors import BadInput

PREFIX = "ONCALL_"
SETTINGS_FILE = "ONCALL_SETTINGS_FILE"
FILE_MAX = 64 * 1024

_ADMIN = re.compile(r"[UW][A-Z0-9]{5,20}|[^@\s<>,;]{1,64}@[^@\s<>,;]{1,190}")
_CHANNEL = re.compile(r"#[^\s#,:/<>&]{1,80}|[CG][A-Z0-9]{5,20}")
_COMMAND = re.compile(r"/[a-z0-9_-]{1,31}")
_DATABASES = ("sqlite:///", "postgresql://", "postgresql+psycopg://", "postgres://")


# What each kind of value must look like. A ValueError here is a sentence after the setting's name.


def _address(value: str) -> str:
    try:
        parts = urlsplit(value)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or not value.isprintable() or " " in value:
        raise ValueError("is not an address; write http://host:port or https://host")
    return value


def _without_slash(value: str) -> str:
    return _address(value).rstrip("/")


def _slack_api(value: str) -> str:
    if not _address(value).endswith("/api/"):
        raise ValueError("must be a base URL that ends in /api/, such as https://slack.com/api/")
    return value


def _secret_address(value: SecretStr) -> SecretStr:
    _address(value.get_secret_value())
    return value


def _database(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text.startswith(_DATABASES) or text == "sqlite:///":
        raise ValueError(
            "is not a database; write sqlite:///oncall.db or postgresql://user:password@host/name"
        )
    return value


def _one_word(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not all("!" <= letter <= "~" for letter in text):
        raise ValueError("holds blanks or letters that no token has; copy it again")
    return value


def _bot_token(value: SecretStr) -> SecretStr:
    return _not_starting(value, ("xapp-", "xoxp-"), "a bot token (xoxb-…)")


def _app_token(value: SecretStr) -> SecretStr:
    return _not_starting(value, ("xoxb-", "xoxp-"), "an app-level token (xapp-…)")


def _not_starting(value: SecretStr, wrong: tuple[str, ...], wanted: str) -> SecretStr:
    text = _one_word(value).get_secret_value()
    found = next((start for start in wrong if text.startswith(start)), None)
    if found:
        raise ValueError(f"starts with {found}, which is another kind of token; give {wanted}")
    return value


def _port(value: object) -> object:
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 65535:
        raise ValueError("is not a port; write a number from 1 to 65535")
    return number


def _seconds(value: object) -> object:
    if value is None:
        return None
    try:
        number = float(value) if isinstance(value, str) else value
    except ValueError:
        number = None
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 60:
        raise ValueError("is not a number of seconds from 0 to 60")
    return number


def _key(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < 16:
        raise ValueError("is too short to sign with; give at least 16 characters")
    return value


def _like(pattern: re.Pattern[str], what: str) -> Any:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(f"is not {what}")
        return value

    return AfterValidator(check)


def _admins(value: object) -> object:
    """A list with commas, or in the TOML file an array."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _checked_admins(value: tuple[str, ...]) -> tuple[str, ...]:
    for admin in value:
        if not _ADMIN.fullmatch(admin):
            raise ValueError(f"{admin!r} is neither a Slack member id (U…) nor an e-mail address")
    return value


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


Address = Annotated[str, AfterValidator(_address)]
BaseAddress = Annotated[str, AfterValidator(_without_slash)]
Token = Annotated[SecretStr, AfterValidator(_one_word)]
Word = Literal["debug", "info", "warning", "error"]


_QUOTES = ("'", '"')  # a problem that says itself what was read


def _setting(default: Any, meaning: str, **options: Any) -> Any:
    return Field(default, description=meaning, **options)


class Settings(BaseSettings):
    """All settings, frozen. Built by `load_settings`, which names the setting that is wrong."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, hide_input_in_errors=True
    )

    database_url: Annotated[SecretStr, AfterValidator(_database)] = _setting(
        SecretStr("sqlite:///oncall.db"),
        "Where everything is kept: a SQLite file or a PostgreSQL database. In the image the"
        " default is sqlite:////data/oncall.db.",
    )
    config: Path = _setting(
        Path("oncall.yaml"), "The configuration file, applied at start when its content is new."
    )
    host: str = _setting(
        "127.0.0.1", "The address the web server listens on. In the image the default is 0.0.0.0."
    )
    port: Annotated[int, BeforeValidator(_port)] = _setting(
        8080, "The port the web server listens on."
    )
    public_url: BaseAddress | None = _setting(
        None, "The address under which people reach this server; links in messages begin with it."
    )
    slack_bot_token: Annotated[SecretStr, AfterValidator(_bot_token)] | None = _setting(
        None, "The bot token of the Slack app (xoxb-…). Without it there is no Slack."
    )
    slack_app_token: Annotated[SecretStr, AfterValidator(_app_token)] | None = _setting(
        None, "The app-level token (xapp-…): Socket Mode, which needs no public address."
    )
    slack_signing_secret: Token | None = _setting(
        None, "The signing secret of the Slack app: HTTP mode, at /slack/events."
    )
    slack_api_url: Annotated[str, AfterValidator(_slack_api)] = _setting(
        "https://slack.com/api/", "The base URL of the Slack API; it ends in /api/."
    )
    slack_command: Annotated[str, _like(_COMMAND, "a command; write /oncall")] = _setting(
        "/oncall", "The slash command of the app."
    )
    channel: Annotated[str, _like(_CHANNEL, 'a Slack channel; write "#name" or its id')] | None = (
        _setting(None, "Where incidents go while there is no configuration file.")
    )
    admins: Annotated[
        tuple[str, ...], BeforeValidator(_admins), AfterValidator(_checked_admins)
    ] = _setting(
        (),
        "Who is paged while there is no configuration file: Slack member ids or e-mail addresses,"
        " with commas between them.",
    )
    webhook_token: Token | None = _setting(
        None, "The token with which Alertmanager posts as the source `default`."
    )
    prometheus_url: Address | None = _setting(
        None,
        "Prometheus of the source `default`. Today `doctor` alone asks it; graphs and live checks are to come.",
        repr=False,
    )
    alertmanager_url: Address | None = _setting(
        None, "Alertmanager of the source `default`, asked what still fires.", repr=False
    )
    runbooks_dir: Path | None = _setting(
        None,
        "A folder of runbooks in Markdown, read at start and when a file changes. Without it, and"
        " without runbooks.dir in the file, the starter library that comes with the bot.",
    )
    heartbeat_url: Annotated[SecretStr, AfterValidator(_secret_address)] | None = _setting(
        None, "An outside monitor, called every minute while the bot's own checks pass."
    )
    llm_base_url: BaseAddress | None = _setting(
        None, "The base URL of an OpenAI-compatible model server."
    )
    llm_api_key: Token | None = _setting(None, "The key for the model server.")
    llm_model: str | None = _setting(
        None, "The model's name. Without it no model is asked and drafts hold the facts alone."
    )
    secret_key: Annotated[SecretStr, AfterValidator(_key)] | None = _setting(
        None,
        "Signs acknowledgement and sign-in links. Without it a key is made once and kept in the"
        " database.",
    )
    drain_for: Annotated[float | None, BeforeValidator(_seconds)] = _setting(
        None,
        "Seconds between the wish to stop, from which /-/ready says no, and the end of taking requests, so that a load"
        " balancer can look elsewhere. Without it 2 with PostgreSQL and 0 with SQLite.",
    )
    log_level: Annotated[Word, BeforeValidator(_lower)] = _setting(
        "info", "The least important lines that are logged: debug, info, warning or error."
    )
    log_format: Annotated[Literal["json", "console"], BeforeValidator(_lower)] = _setting(
        "json", "Lines for machines (json) or for a terminal (console)."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load_settings` hands over: the environment is an argument, not a global."""
        return (init_settings,)

    @property
    def slack_mode(self) -> Literal["socket", "http", "off"]:
        """How Slack is reached; with both an app token and a signing secret it is Socket Mode."""
        if self.slack_bot_token is None:
            return "off"
        return "socket" if self.slack_app_token else "http"

    @property
    def config_is_named(self) -> bool:
        """Whether somebody named the file; the default one may be missing."""
        return "config" in self.model_fields_set

    def nobody_to_page(self, *, has_file: bool) -> str | None:
        """Why `serve` must not start: Slack, but no file and neither a channel nor admins."""
        if self.slack_mode == "off" or has_file or self.channel or self.admins:
            return None
        return (
            f"{PREFIX}CONFIG: there is no {self.config}, so nobody could be paged; write one"
            f" (oncall-bot init), or set {PREFIX}CHANNEL and {PREFIX}ADMINS"
        )

    @property
    def llm_is_on(self) -> bool:
        return self.llm_model is not None


@dataclass(frozen=True, slots=True)
class Described:
    """One setting for people: its variable, its default as written there, and what it means."""

    name: str
    default: str
    meaning: str
    from_file: bool  # whether NAME_FILE may name a file that holds the value


def describe() -> list[Described]:
    """Every setting, in the order of the reference page."""
    return [
        Described(
            PREFIX + name.upper(),
            _default(field),
            field.description or "",
            name in _FROM_FILE,
        )
        for name, field in Settings.model_fields.items()
    ]


def load_settings(env: Mapping[str, str]) -> Settings:
    """The settings of an environment; a variable beats the TOML file (ONCALL_SETTINGS_FILE).

    An empty variable is one that is not set. Raises BadInput with one line that names the setting
    and what would do, never with a secret.
    """
    given: dict[str, tuple[str, Any]] = {}
    if toml := env.get(SETTINGS_FILE, "").strip():
        given |= _from_toml(Path(toml))
    given |= _from_env(env)
    try:
        settings = Settings(**{name: value for name, (_, value) in given.items()})
    except ValidationError as fault:
        raise BadInput(_sentence(fault, given)) from None
    _check_together(settings)
    return settings


def unknown_settings(env: Mapping[str, str]) -> list[str]:
    """Variables that look like settings and are none, each with the nearest that is one.

    They are told and not refused: others may use the prefix, as Kubernetes does for a service.
    """
    known = {d.name for d in describe()} | {f"{d.name}_FILE" for d in describe() if d.from_file}
    known.add(SETTINGS_FILE)
    found = []
    for name in sorted(env):
        plain = PREFIX + name.removeprefix(PREFIX).replace("__", "_")
        if name.startswith(PREFIX) and plain not in known:
            near = difflib.get_close_matches(plain, sorted(known), n=1, cutoff=0.8)
            found.append(f"{name} is no setting" + (f"; did you mean {near[0]}?" if near else ""))
    return found


_SECRET = frozenset(
    name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)
)
_FROM_FILE = _SECRET | {"prometheus_url", "alertmanager_url"}


def _from_env(env: Mapping[str, str]) -> dict[str, tuple[str, Any]]:
    """Setting -> (its variable, its value). `__` nests, which here is the same as `_`."""
    found: dict[str, tuple[str, Any]] = {}
    for variable in sorted(env):
        name = variable.removeprefix(PREFIX).lower().replace("__", "_")
        from_file = name.removesuffix("_file") if name.endswith("_file") else ""
        if not variable.startswith(PREFIX) or not env[variable].strip():
            continue
        if from_file in _FROM_FILE:
            name, value = from_file, _content(variable, Path(env[variable].strip()))
        elif name in Settings.model_fields:
            value = env[variable].strip()
        else:
            continue
        if name in found:
            raise BadInput(f"{variable}: {found[name][0]} is set too; keep one of them")
        found[name] = (variable, value)
    return found


def _from_toml(path: Path) -> dict[str, tuple[str, Any]]:
    """The settings of the TOML file: `port = 8080`, or in tables, `[slack]` with `bot_token`."""
    text = _content(SETTINGS_FILE, path)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise BadInput(f"{SETTINGS_FILE}: {path} is not TOML: {fault}") from None
    flat: dict[str, Any] = {}
    for key, value in tables.items():
        inner = value.items() if isinstance(value, dict) else [("", value)]
        flat |= {f"{key}_{name}".strip("_").lower(): one for name, one in inner}
    found: dict[str, tuple[str, Any]] = {}
    for name, value in flat.items():
        shown = f"{path}: {name}"
        plain = name.removesuffix("_file")
        if name in Settings.model_fields:
            found[name] = (shown, value)
        elif name.endswith("_file") and plain in _FROM_FILE and isinstance(value, str):
            found[plain] = (shown, _content(shown, path.parent / value))
        else:
            near = difflib.get_close_matches(name, list(Settings.model_fields), n=1)
            raise BadInput(
                f"{shown} is no setting" + (f"; did you mean {near[0]}?" if near else "")
            )
    return found


def _content(setting: str, path: Path) -> str:
    """The text of a file that a setting names, without the line end."""
    try:
        with path.open("rb") as opened:
            data = opened.read(FILE_MAX + 1)
        text = data.decode().strip()
    except OSError as fault:
        raise BadInput(f"{setting}: {path} cannot be read: {fault.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{setting}: {path} is not text; write the value into it") from None
    if len(data) > FILE_MAX:
        raise BadInput(f"{setting}: {path} is larger than {FILE_MAX // 1024} KiB")
    if not text:
        raise BadInput(f"{setting}: {path} is empty; write the value into it")
    return text


def _sentence(fault: ValidationError, given: Mapping[str, tuple[str, Any]]) -> str:
    """The first fault as one line: the setting, what was read unless secret, what would do."""
    first = fault.errors(include_url=False, include_context=False)[0]
    name = str(first["loc"][0])
    setting, value = given.get(name, (PREFIX + name.upper(), None))
    read = "the value" if name in _FROM_FILE else repr(value)[:80]
    if name == "port" and str(value).startswith("tcp://"):
        return (
            f"{setting}: {read} was set by Kubernetes for a service named oncall, not by you; set"
            " enableServiceLinks: false in the pod"
        )
    problem = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error":
        return f"{setting}: {problem}" if problem[:1] in _QUOTES else f"{setting}: {read} {problem}"
    return f"{setting}: {read} will not do; {problem[:1].lower()}{problem[1:]}"


def _check_together(settings: Settings) -> None:
    """Slack tokens come in pairs: the bot token and the way events come in."""
    ways = settings.slack_app_token or settings.slack_signing_secret
    if settings.slack_bot_token and not ways:
        raise BadInput(
            f"{PREFIX}SLACK_APP_TOKEN: is missing beside the bot token; give it for Socket Mode, or"
            f" {PREFIX}SLACK_SIGNING_SECRET for HTTP mode"
        )
    if ways and not settings.slack_bot_token:
        raise BadInput(
            f"{PREFIX}SLACK_BOT_TOKEN: is missing beside the other Slack settings; copy it from the"
            " app's page OAuth & Permissions"
        )


def _default(field: FieldInfo) -> str:
    default = field.default
    if default is None or default is PydanticUndefined or default == ():
        return ""
    return default.get_secret_value() if isinstance(default, SecretStr) else str(default)
