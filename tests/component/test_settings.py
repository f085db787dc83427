"""Settings: from the environment, a TOML file and files of secrets; one clear line when one is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pydantic
import pytest

from oncall_bot.core.errors import BadInput
from oncall_bot.settings import Settings, describe, load_settings, unknown_settings

PAGE = Path(__file__).parents[2] / "docs/reference/settings.md"
SOCKET = {"ONCALL_SLACK_BOT_TOKEN": "xoxb-1", "ONCALL_SLACK_APP_TOKEN": "xapp-1"}


def fault(env: dict[str, str]) -> str:
    with pytest.raises(BadInput) as raised:
        load_settings(env)
    text = str(raised.value)
    assert "\n" not in text
    return text


# What is read.


def test_without_any_variable_everything_has_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is an argument: what the process itself has set is not read behind it."""
    monkeypatch.setenv("ONCALL_PORT", "1")
    settings = load_settings({})
    assert settings.port == 8080
    assert settings.host == "127.0.0.1"
    assert settings.database_url.get_secret_value() == "sqlite:///oncall.db"
    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.slack_command == "/oncall"
    assert settings.config == Path("oncall.yaml")
    assert settings.admins == ()
    assert settings.log_level == "info"
    assert settings.log_format == "json"
    assert settings.slack_mode == "off"
    assert not settings.config_is_named
    assert not settings.llm_is_on


def test_every_promised_setting_exists() -> None:
    """The names outsiders rely on."""
    promised = [
        "DATABASE_URL", "CONFIG", "HOST", "PORT", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN",
        "SLACK_SIGNING_SECRET", "SLACK_API_URL", "SLACK_COMMAND", "PROMETHEUS_URL",
        "ALERTMANAGER_URL", "WEBHOOK_TOKEN", "LLM_BASE_URL", "LLM_API_KEY", "LLM_MODEL",
        "HEARTBEAT_URL", "RUNBOOKS_DIR", "PUBLIC_URL", "CHANNEL", "ADMINS", "LOG_LEVEL",
        "LOG_FORMAT", "SECRET_KEY",
    ]  # fmt: skip
    assert {d.name for d in describe()} >= {f"ONCALL_{name}" for name in promised}


def test_variables_are_read_and_trimmed() -> None:
    settings = load_settings(
        {
            "ONCALL_PORT": " 9000 ",
            "ONCALL_ADMINS": "U0123ABCD, ana@example.com,",
            "ONCALL_CHANNEL": "#alerts",
            "ONCALL_PUBLIC_URL": "https://oncall.example.com/",
            "ONCALL_LOG_LEVEL": "DEBUG",
            "ONCALL_CONFIG": "/etc/oncall.yaml",
            "ONCALL_LLM_MODEL": "",
            "PATH": "/bin",
        }
    )
    assert settings.port == 9000
    assert settings.admins == ("U0123ABCD", "ana@example.com")
    assert settings.public_url == "https://oncall.example.com"
    assert settings.log_level == "debug"
    assert settings.config_is_named
    assert not settings.llm_is_on


@pytest.mark.parametrize(
    ("env", "mode"),
    [
        ({}, "off"),
        (SOCKET, "socket"),
        (SOCKET | {"ONCALL_SLACK_SIGNING_SECRET": "s"}, "socket"),
        ({"ONCALL_SLACK_BOT_TOKEN": "xoxb-1", "ONCALL_SLACK_SIGNING_SECRET": "s"}, "http"),
    ],
)
def test_the_tokens_say_how_slack_is_reached(env: dict[str, str], mode: str) -> None:
    assert load_settings(env).slack_mode == mode


def test_a_double_underscore_nests() -> None:
    env = {"ONCALL_SLACK__BOT_TOKEN": "xoxb-1", "ONCALL_SLACK__APP_TOKEN": "xapp-1"}
    assert load_settings(env).slack_mode == "socket"


def test_secrets_are_read_from_files(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("  webhook-token\n")
    settings = load_settings({"ONCALL_WEBHOOK_TOKEN_FILE": str(tmp_path / "token")})
    assert settings.webhook_token is not None
    assert settings.webhook_token.get_secret_value() == "webhook-token"


def test_every_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    values = {
        "ONCALL_DATABASE_URL": "postgresql://u:p@db/oncall",
        "ONCALL_SLACK_BOT_TOKEN": "xoxb-1",
        "ONCALL_SLACK_APP_TOKEN": "xapp-1",
        "ONCALL_SLACK_SIGNING_SECRET": "signing",
        "ONCALL_WEBHOOK_TOKEN": "hook",
        "ONCALL_PROMETHEUS_URL": "http://u:p@prom:9090",
        "ONCALL_ALERTMANAGER_URL": "http://u:p@am:9093",
        "ONCALL_HEARTBEAT_URL": "https://hc.example.com/uuid",
        "ONCALL_LLM_API_KEY": "key",
        "ONCALL_SECRET_KEY": "0123456789abcdef",
    }
    assert {d.name for d in describe() if d.from_file} == set(values)
    env = {}
    for name, value in values.items():
        (tmp_path / name).write_text(value + "\n")
        env[f"{name}_FILE"] = str(tmp_path / name)
    assert load_settings(env) == load_settings(values)


def test_no_secret_is_printed() -> None:
    env = SOCKET | {
        "ONCALL_DATABASE_URL": "postgresql://u:hunter2@db/oncall",
        "ONCALL_PROMETHEUS_URL": "http://u:hunter2@prom",
        "ONCALL_HEARTBEAT_URL": "https://hc.example.com/hunter2",
        "ONCALL_WEBHOOK_TOKEN": "hunter2",
        "ONCALL_SECRET_KEY": "hunter2hunter2hunter2",
    }
    settings = load_settings(env)
    assert "hunter2" not in repr(settings) + str(settings)
    assert "xoxb" not in repr(settings)


def test_settings_do_not_change_after_they_are_read() -> None:
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        load_settings({}).port = 1  # type: ignore[misc]


# The TOML file.


def toml(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "oncall.toml"
    path.write_text(text)
    return {"ONCALL_SETTINGS_FILE": str(path)}


def test_a_toml_file_is_read_in_tables_or_flat(tmp_path: Path) -> None:
    (tmp_path / "app").write_text("xapp-1")
    env = toml(
        tmp_path,
        'port = 9000\nadmins = ["U0123ABCD"]\nllm_model = "m"\n'
        '[slack]\nbot_token = "xoxb-1"\napp_token_file = "app"\n',
    )
    settings = load_settings(env)
    assert settings.port == 9000
    assert settings.admins == ("U0123ABCD",)
    assert settings.slack_mode == "socket"
    assert settings.llm_is_on


def test_the_environment_beats_the_file(tmp_path: Path) -> None:
    (tmp_path / "hook").write_text("from-file")
    env = toml(tmp_path, 'port = 9000\nwebhook_token = "from-toml"\n')
    env |= {"ONCALL_PORT": "9001", "ONCALL_WEBHOOK_TOKEN_FILE": str(tmp_path / "hook")}
    settings = load_settings(env)
    assert settings.port == 9001
    assert settings.webhook_token is not None
    assert settings.webhook_token.get_secret_value() == "from-file"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("prot = 1\n", "prot is no setting; did you mean port?"),
        ("[slack]\ntoken = 'x'\n", "slack_token is no setting; did you mean slack_bot_token?"),
        ("port = \n", "is not TOML"),
        ("port = true\n", "port: True is not a port"),
        ("port = 1.5\n", "port: 1.5 is not a port"),
        ("admins = [1]\n", "admins: [1] will not do"),
        ("", "is empty"),
        ("webhook_token_file = 'nowhere'\n", "webhook_token_file: "),
    ],
)
def test_a_fault_in_the_file_names_the_file_and_the_key(
    tmp_path: Path, text: str, part: str
) -> None:
    said = fault(toml(tmp_path, text))
    assert "oncall.toml" in said
    assert part in said


def test_a_settings_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    said = fault({"ONCALL_SETTINGS_FILE": str(tmp_path / "none.toml")})
    assert said.startswith("ONCALL_SETTINGS_FILE: ")
    assert "No such file" in said


# What is wrong.


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("PORT", "http", "'http' is not a port; write a number from 1 to 65535"),
        ("PORT", "0", "'0' is not a port"),
        ("PORT", "70000", "'70000' is not a port"),
        ("PORT", "tcp://10.0.0.1:80", "enableServiceLinks: false"),
        ("SLACK_API_URL", "https://slack.com/", "must be a base URL that ends in /api/"),
        ("SLACK_API_URL", "slack.com/api/", "is not an address"),
        ("SLACK_COMMAND", "oncall", "write /oncall"),
        ("PUBLIC_URL", "oncall.example.com", "is not an address; write http://host:port"),
        ("PROMETHEUS_URL", "http://", "is not an address"),
        ("LLM_BASE_URL", "http://[::1", "is not an address"),
        ("CHANNEL", "alerts", 'is not a Slack channel; write "#name" or its id'),
        ("ADMINS", "ana", "'ana' is neither a Slack member id (U…) nor an e-mail address"),
        ("LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("LOG_FORMAT", "xml", "'json' or 'console'"),
        ("DATABASE_URL", "mysql://u:hunter2@h/d", "is not a database; write sqlite:///oncall.db"),
        ("DATABASE_URL", "oncall.db", "is not a database"),
        ("SLACK_BOT_TOKEN", "xapp-hunter2", "give a bot token (xoxb-…)"),
        ("SLACK_APP_TOKEN", "xoxb-hunter2", "give an app-level token (xapp-…)"),
        ("SLACK_SIGNING_SECRET", "hunter2 hunter2", "holds blanks"),
        ("SECRET_KEY", "hunter2", "at least 16 characters"),
        ("HEARTBEAT_URL", "hunter2", "is not an address"),
        ("WEBHOOK_TOKEN_FILE", "/nowhere/hunter3", "/nowhere/hunter3 cannot be read"),
    ],
)
def test_a_bad_value_is_told_in_one_line_that_names_the_setting(
    name: str, value: str, part: str
) -> None:
    said = fault({f"ONCALL_{name}": value})
    assert said.startswith(f"ONCALL_{name}: ")
    assert part in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("env", "missing"),
    [
        ({"ONCALL_SLACK_BOT_TOKEN": "xoxb-1"}, "ONCALL_SLACK_APP_TOKEN: is missing"),
        ({"ONCALL_SLACK_APP_TOKEN": "xapp-1"}, "ONCALL_SLACK_BOT_TOKEN: is missing"),
        ({"ONCALL_SLACK_SIGNING_SECRET": "s"}, "ONCALL_SLACK_BOT_TOKEN: is missing"),
    ],
)
def test_half_a_set_of_slack_tokens_stops_the_start(env: dict[str, str], missing: str) -> None:
    assert fault(env).startswith(missing)


def test_slack_without_anybody_to_page_is_no_installation() -> None:
    """Slack tokens, no file, no channel and no admins: `serve` stops with this line."""
    said = load_settings(SOCKET).nobody_to_page(has_file=False)
    assert said is not None
    assert "ONCALL_CHANNEL and ONCALL_ADMINS" in said
    assert load_settings(SOCKET).nobody_to_page(has_file=True) is None
    assert load_settings({}).nobody_to_page(has_file=False) is None
    admins = SOCKET | {"ONCALL_ADMINS": "U0123ABCD"}
    assert load_settings(admins).nobody_to_page(has_file=False) is None


def test_a_setting_given_twice_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("a")
    env = {"ONCALL_WEBHOOK_TOKEN": "b", "ONCALL_WEBHOOK_TOKEN_FILE": str(tmp_path / "t")}
    said = fault(env)
    assert said == "ONCALL_WEBHOOK_TOKEN_FILE: ONCALL_WEBHOOK_TOKEN is set too; keep one of them"


@pytest.mark.parametrize(
    ("content", "part"),
    [(b"", "is empty"), (b"\xff\xfe", "is not text"), (b"x" * 70_000, "larger")],
)
def test_a_file_without_a_secret_stops_the_start(tmp_path: Path, content: bytes, part: str) -> None:
    (tmp_path / "t").write_bytes(content)
    assert part in fault({"ONCALL_WEBHOOK_TOKEN_FILE": str(tmp_path / "t")})


def test_a_misspelled_variable_is_told_and_not_refused() -> None:
    env = {"ONCALL_PROT": "1", "ONCALL_BOT_SERVICE_HOST": "10.0.0.1", "ONCALL_PORT": "8081"}
    assert load_settings(env).port == 8081
    assert unknown_settings(env) == [
        "ONCALL_BOT_SERVICE_HOST is no setting",
        "ONCALL_PROT is no setting; did you mean ONCALL_PORT?",
    ]
    known = {f"{d.name}": "" for d in describe()} | {"ONCALL_SETTINGS_FILE": ""}
    assert unknown_settings(known | {"ONCALL_SLACK__BOT_TOKEN": "", "HOME": "/"}) == []


# The page.


def test_the_page_of_settings_is_the_list_of_settings() -> None:
    """Name, default, file and meaning of every setting, in one order, and nothing else."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text().splitlines()
        if re.match(r"\| `ONCALL_", line)
    ]
    assert rows == [
        [
            f"`{d.name}`",
            f"`{d.default}`" if d.default else "",
            "file" if d.from_file else "",
            d.meaning,
        ]
        for d in describe()
    ]


def test_every_setting_says_what_it_is() -> None:
    assert all(len(d.meaning) > 20 and d.meaning.endswith(".") for d in describe())
    assert len(describe()) == len(Settings.model_fields)
