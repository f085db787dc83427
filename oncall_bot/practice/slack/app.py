"""The app under rehearsal as Slack knows it: what its manifest asked for, and nothing besides.

Knows scopes, subscribed events, slash commands, shortcuts and the ids Slack gave it. Refuses to know who calls.
Serves scope checks, event delivery and the page's command hints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oncall_bot.practice.slack.answers import Json

TEAM_ID = "T0PRACTICE"
BOT_USER = "U0ONCALLBOT"
BOT_ID = "B0ONCALLBOT"
APP_ID = "A0ONCALLBOT"
TEAM_NAME, DOMAIN = "Practice", "practice"


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    hint: str
    description: str
    should_escape: bool


@dataclass(frozen=True, slots=True)
class Shortcut:
    callback_id: str
    name: str
    description: str
    on_message: bool


@dataclass(frozen=True, slots=True)
class SlackApp:
    """`name` is what people see beside the bot's messages."""

    name: str
    scopes: frozenset[str]
    events: frozenset[str]
    commands: tuple[Command, ...]
    shortcuts: tuple[Shortcut, ...]
    interactive: bool
    home_tab: bool
    is_agent: bool

    def command(self, name: str) -> Command | None:
        return next((one for one in self.commands if one.name == name), None)

    def shortcut(self, callback_id: str) -> Shortcut | None:
        return next((one for one in self.shortcuts if one.callback_id == callback_id), None)


def app_of(manifest: Mapping[str, Any]) -> SlackApp:
    """The app that a Slack app manifest describes."""
    features = manifest.get("features") or {}
    settings = manifest.get("settings") or {}
    name = (features.get("bot_user") or {}).get("display_name") or (
        manifest.get("display_information") or {}
    ).get("name", "bot")
    return SlackApp(
        name=str(name),
        scopes=frozenset(((manifest.get("oauth_config") or {}).get("scopes") or {}).get("bot", ())),
        events=frozenset((settings.get("event_subscriptions") or {}).get("bot_events", ())),
        commands=tuple(_command(one) for one in features.get("slash_commands") or ()),
        shortcuts=tuple(_shortcut(one) for one in features.get("shortcuts") or ()),
        interactive=bool((settings.get("interactivity") or {}).get("is_enabled")),
        home_tab=bool((features.get("app_home") or {}).get("home_tab_enabled")),
        is_agent=bool(features.get("agent_view") or features.get("assistant_view")),
    )


def _command(one: Json) -> Command:
    hint, about = str(one.get("usage_hint") or ""), str(one.get("description") or "")
    return Command(str(one["command"]), hint, about, bool(one.get("should_escape")))


def _shortcut(one: Json) -> Shortcut:
    on_message = one.get("type") == "message"
    about = str(one.get("description") or "")
    return Shortcut(str(one["callback_id"]), str(one["name"]), about, on_message)
