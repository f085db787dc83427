"""The Slack app as a manifest, made from what the code uses, so that no permission is asked for in vain.

Knows the manifest's shape. Refuses to be written by hand. Serves `init`, `doctor` and docs/reference.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from oncall_bot.slack.commands import USAGE_HINT
from oncall_bot.slack.listeners import EVENTS, METHODS, SHORTCUT_DECLARE
from oncall_bot.slack.pins import SHORTCUT_PIN

AGENT = "Ask who is on call, what is open, why you were paged, how often an alert fired, or for a runbook."
CREATE = "https://api.slack.com/apps?new_app=1&manifest_json="


def scopes() -> list[str]:
    """Every bot scope that an event, a method or the command needs, and no other."""
    needed = {"commands"}
    for group in (EVENTS, METHODS):
        needed.update(scope for scopes_of in group.values() for scope in scopes_of)
    return sorted(needed)


def manifest(command: str = "/oncall", request_url: str | None = None) -> dict[str, Any]:
    """The app for Socket Mode, or for HTTP mode when `request_url` (ending in /slack/events) is given."""
    slash: dict[str, Any] = {
        "command": command,
        "description": "On call: who, page, acknowledge, declare, silence, why",
        "usage_hint": USAGE_HINT,
        "should_escape": True,
    }
    interactivity: dict[str, Any] = {"is_enabled": True}
    events: dict[str, Any] = {"bot_events": sorted(EVENTS)}
    if request_url:
        slash["url"] = request_url
        interactivity |= {"request_url": request_url, "message_menu_options_url": request_url}
        events["request_url"] = request_url
    return {
        "display_information": {
            "name": "oncall-bot",
            "description": "The on-call engineer's first responder: pages until somebody answers.",
            "background_color": "#1B1F26",
        },
        "features": {
            "agent_view": {"agent_description": AGENT},
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "oncall-bot", "always_online": True},
            "shortcuts": [
                {
                    "name": "Declare incident",
                    "type": "global",
                    "callback_id": SHORTCUT_DECLARE,
                    "description": "Open an incident and page who is on call",
                },
                {
                    "name": "Pin to the incident",
                    "type": "message",
                    "callback_id": SHORTCUT_PIN,
                    "description": "Say that a message is the cause, the impact or a ruled-out guess",
                },
            ],
            "slash_commands": [slash],
        },
        "oauth_config": {"scopes": {"bot": scopes()}},
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": request_url is None,
            "token_rotation_enabled": False,
        },
    }


def as_json(command: str = "/oncall", request_url: str | None = None) -> str:
    return json.dumps(manifest(command, request_url), indent=2) + "\n"


def create_link(command: str = "/oncall", request_url: str | None = None) -> str:
    """The address that opens Slack's form with this manifest filled in."""
    compact = json.dumps(manifest(command, request_url), separators=(",", ":"))
    return CREATE + quote(compact)
