"""The app asks Slack for what the code uses, and for nothing else."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

from oncall_bot.slack import listeners, manifest
from tests.shared import shared

ROOM = Path(manifest.__file__).parent
REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "slack-manifest.json"
BY_UPLOAD = {"files.getUploadURLExternal", "files.completeUploadExternal"}


def called_methods() -> set[str]:
    """Every Web API method that a `...client.method(...)` in this room calls."""
    found = set()
    for path in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            holder = node.func.value
            name = holder.attr if isinstance(holder, ast.Attribute) else getattr(holder, "id", "")
            if name in {"client", "_client"} and "_" in node.func.attr:
                found.add(node.func.attr)
    return found


def test_every_method_we_call_is_listed_and_no_other() -> None:
    listed = {method.replace(".", "_") for method in set(listeners.METHODS) - BY_UPLOAD}
    ours = {
        method
        for method in called_methods()
        if method not in {"issue_new_wss_url", "connect_to_new_endpoint", "is_connected"}
    }
    assert ours - {"files_upload_v2"} == listed
    assert "files_upload_v2" in ours


def test_every_subscribed_event_has_its_listener() -> None:
    source = (ROOM / "listeners.py").read_text()
    registered = set(re.findall(r'app\.event\("(\w+)"', source))
    assert registered == {event.partition(".")[0] for event in listeners.EVENTS}


def test_the_checked_in_manifest_is_the_one_the_code_makes() -> None:
    assert REFERENCE.read_text() == manifest.as_json(), (
        "write it anew from slack.manifest.as_json()"
    )


def test_socket_mode_needs_no_address_and_http_mode_names_it_everywhere() -> None:
    assert "https" not in manifest.as_json()
    made = manifest.manifest("/pager", "https://oncall.example.com/slack/events")
    assert made["settings"]["socket_mode_enabled"] is False
    assert str(made).count("https://oncall.example.com/slack/events") == 4
    assert made["features"]["slash_commands"][0]["command"] == "/pager"


@pytest.mark.parametrize("url", [None, "https://oncall.example.com/slack/events"])
def test_slack_takes_the_manifest(url: str | None) -> None:
    folder = str(shared("tools/slackcheck"))
    sys.path.insert(0, folder)
    try:
        from slackcheck import limits
    finally:
        sys.path.remove(folder)
    problems = limits.manifest_problems(manifest.manifest("/oncall", url))
    # Slack's published types lack assistant:write; its reference pages name it for every method and event of the pane
    assert [one for one in problems if "'assistant:write' is not one of" not in one[1]] == []
    assert len(manifest.create_link()) < 8000
