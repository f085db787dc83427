"""init writes files that the bot accepts, and says what comes next."""

from __future__ import annotations

import json
import stat
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
    answers = "Ana Ruiz <ana@example.com>, bo@example.com\nEurope/Berlin\nincidents\n"
    assert run("init", stdin=answers).code == 0
    document = read_config(home / "oncall.yaml").document
    assert list(document["people"]) == ["ana", "bo"]
    assert document["defaults"]["channel"] == "#incidents"
    assert document["schedules"]["oncall-primary"]["layers"][0]["users"] == ["ana", "bo"]


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


@pytest.mark.parametrize(
    ("flag", "value"),
    [("--person", "nobody at all"), ("--zone", "Mars/Base"), ("--zone", "../etc/passwd")],
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
