"""init writes files that the bot accepts, and says what comes next."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from oncall_bot.files.oncall_yaml import read_config
from oncall_bot.settings import load_settings
from oncall_bot.slack.manifest import manifest
from tests.component.cli.conftest import Run

FLAGS = (
    "--person",
    "Ana Ruiz <ana@example.com>",
    "--zone",
    "Europe/Madrid",
    "--channel",
    "#alerts",
)


def env_of(path: Path) -> dict[str, str]:
    lines = path.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_flags_alone_write_a_file_that_is_accepted_and_settings_that_load(
    run: Run, home: Path
) -> None:
    assert run("init", *FLAGS).code == 0
    found = read_config(home / "oncall.yaml")
    assert found.ok, found.faults
    assert found.document["people"]["ana"]["email"] == "ana@example.com"
    env = env_of(home / ".env")
    settings = load_settings(env)
    assert settings.slack_mode == "off"
    assert len(env["ONCALL_WEBHOOK_TOKEN"]) == 43
    assert stat.S_IMODE((home / ".env").stat().st_mode) == 0o600


def test_the_link_creates_the_app_of_the_manifest(run: Run) -> None:
    said = run("init", *FLAGS, "--command", "/pager")
    link = urlsplit(said.out.strip())
    assert link.netloc == "api.slack.com"
    assert json.loads(parse_qs(link.query)["manifest_json"][0]) == manifest("/pager")


def test_what_no_flag_gives_is_asked_for(run: Run, home: Path) -> None:
    answers = (
        "Ana Ruiz <ana@example.com>, bo@example.com",
        "Europe/Berlin",
        "incidents",
        "ntfy.example.com",
        "socket",
        "http://localhost:9093",
        "none",
    )
    said = run("init", stdin="\n".join(answers) + "\n")
    assert said.code == 0, said.err
    document = read_config(home / "oncall.yaml").document
    assert list(document["people"]) == ["ana", "bo"]
    assert document["defaults"]["channel"] == "#incidents"
    assert document["schedules"]["oncall-primary"]["layers"][0]["users"] == ["ana", "bo"]
    assert document["channels"]["push"]["url"] == "ntfys://ntfy.example.com/{to}?priority=max"
    env = env_of(home / ".env")
    assert env["ONCALL_ALERTMANAGER_URL"] == "http://localhost:9093"
    assert env["ONCALL_PROMETHEUS_URL"] == ""


def test_with_a_person_given_nothing_is_asked(run: Run, home: Path) -> None:
    said = run("init", "--person", "ana@example.com", stdin="")
    assert said.code == 0, said.err
    assert read_config(home / "oncall.yaml").document["defaults"]["channel"] == "#alerts"


@pytest.mark.parametrize(
    ("given", "url", "topic"),
    [
        ("my-topic", "ntfys://ntfy.sh/{to}?priority=max", "my-topic"),
        ("ntfy.example.com", "ntfys://ntfy.example.com/{to}?priority=max", None),
        ("http://localhost:8090", "ntfy://localhost:8090/{to}?priority=max", None),
        ("https://ntfy.example.com/mine", "ntfys://ntfy.example.com/{to}?priority=max", "mine"),
        ("ntfys://ntfy.example.com/{to}", "ntfys://ntfy.example.com/{to}", None),
    ],
)
def test_what_wakes_is_read_from_what_people_write(
    given: str, url: str, topic: str | None, run: Run, home: Path
) -> None:
    assert run("init", *FLAGS, "--push", given).code == 0
    document = read_config(home / "oncall.yaml").document
    assert document["channels"]["push"]["url"] == url
    contact = document["people"]["ana"]["contacts"]["push"]
    assert contact == topic if topic else re.fullmatch(r"oncall-ana-[0-9a-f]{12}", contact)


def test_mail_goes_to_each_persons_own_address_and_its_password_to_no_other_eyes(
    run: Run, home: Path
) -> None:
    assert run("init", *FLAGS, "--mail", "mailtos://bot:secret@smtp.example.com").code == 0
    assert "secret" not in (home / "oncall.yaml").read_text()
    secret = home / "mail.url"
    assert secret.read_text().strip() == "mailtos://bot:secret@smtp.example.com?to={to}"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    found = read_config(home / "oncall.yaml")
    assert found.ok, found.faults


def test_mail_without_a_password_stands_in_the_file(run: Run, home: Path) -> None:
    assert run("init", *FLAGS, "--mail", "mailto://smtp.example.com:25").code == 0
    document = read_config(home / "oncall.yaml").document
    assert document["channels"]["mail"] == {"url": "mailto://smtp.example.com:25?to={to}"}


def test_http_mode_puts_the_public_address_into_the_manifest_and_asks_for_the_signing_secret(
    run: Run, home: Path
) -> None:
    public = "https://oncall.example.com"
    said = run("init", *FLAGS, "--slack", "http", "--public-url", public)
    link = parse_qs(urlsplit(said.out.strip()).query)["manifest_json"][0]
    assert json.loads(link) == manifest("/oncall", f"{public}/slack/events")
    env = env_of(home / ".env")
    assert "ONCALL_SLACK_SIGNING_SECRET" in env
    assert "ONCALL_SLACK_APP_TOKEN" not in env


def test_http_mode_without_an_address_is_refused(run: Run, home: Path) -> None:
    said = run("init", *FLAGS, "--slack", "http")
    assert said.code == 2
    assert list(home.iterdir()) == []


def test_the_next_steps_are_three_and_the_commands_among_them_work(run: Run, home: Path) -> None:
    said = run("init", *FLAGS, "--alertmanager", "http://am:9093/?a=1&b=2")
    assert re.findall(r"^(\d)\. ", said.err, re.MULTILINE) == ["1", "2", "3"]
    load = re.search(r"^ +(set -a; .*; set \+a);", said.err, re.MULTILINE)
    assert load is not None
    shown = subprocess.run(
        ["sh", "-c", f'{load[1]}; printf "%s" "$ONCALL_ALERTMANAGER_URL"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "http://am:9093/?a=1&b=2"


def test_people_of_one_first_name_get_different_keys(run: Run, home: Path) -> None:
    people = "Ana Ruiz <ana@example.com>, Ana Lind <lind@example.com>, 李 <li@example.com>"
    assert run("init", "--person", people, *FLAGS[2:]).code == 0
    assert list(read_config(home / "oncall.yaml").document["people"]) == ["ana", "ana2", "person"]


def test_with_an_ntfy_server_everybody_has_a_loud_road_from_the_start(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("init", *FLAGS, "--push", "ntfys://ntfy.example.com/{to}").code == 0
    said = run("schedule", "verify", "--config", "oncall.yaml")
    assert said.code == 0, said.out


def test_files_that_are_there_are_not_overwritten_without_force(run: Run, home: Path) -> None:
    (home / "oncall.yaml").write_text("mine")
    said = run("init", *FLAGS)
    assert said.code == 1
    assert "--force overwrites" in said.err
    assert (home / "oncall.yaml").read_text() == "mine"
    assert not (home / ".env").exists()
    assert run("init", *FLAGS, "--force").code == 0
    assert (home / "oncall.yaml.before-init").read_text() == "mine"


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("y", 0)])
def test_who_is_asked_the_rest_is_asked_before_a_file_is_replaced(
    answer: str, code: int, run: Run, home: Path
) -> None:
    (home / ".env").write_text("mine")
    said = run("init", stdin=f"{answer}\nana@example.com\nUTC\n\n\n\n\n\n")
    assert said.code == code, said.err
    former = home / ".env.before-init"
    assert (former if code == 0 else home / ".env").read_text() == "mine"


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--person", "nobody at all"),
        ("--zone", "Mars/Base"),
        ("--zone", "../etc/passwd"),
        ("--push", "gopher://x/y"),
        ("--push", "two words"),
        ("--mail", "smtp.example.com"),
        ("--slack", "carrier-pigeon"),
    ],
)
def test_an_answer_that_cannot_be_used_is_told_and_nothing_is_written(
    flag: str, value: str, run: Run, home: Path
) -> None:
    said = run("init", *FLAGS, flag, value)
    assert said.code == 2
    assert list(home.iterdir()) == []


def test_a_channel_that_slack_could_not_have_is_told_with_its_field(run: Run, home: Path) -> None:
    said = run("init", *FLAGS[:4], "--channel", "#two words")
    assert said.code == 1
    assert "defaults.channel" in said.err
    assert list(home.iterdir()) == []
