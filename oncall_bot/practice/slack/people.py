"""Who is in the practice workspace, as it was seeded, and how Slack describes a user.

Knows names, addresses and zones. Refuses to know channels. Serves the workspace and `users.*`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from oncall_bot.practice.slack.answers import Json
from oncall_bot.practice.slack.app import APP_ID, BOT_ID, BOT_USER, TEAM_ID

UPDATED = 1_700_000_000


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who uses the practice Slack; `name` is the handle people type after @."""

    id: str
    name: str
    real_name: str
    email: str
    title: str = ""
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class ChannelSeed:
    """A channel of the workspace's first day; `members` are handles. The bot is in none until it joins."""

    name: str
    members: tuple[str, ...]
    private: bool = False
    topic: str = ""


def user_of(person: Person, now: datetime, *, with_email: bool) -> Json:
    """The user object; e-mail addresses are shown to apps with users:read.email only."""
    user = _user(person.id, person.name, person.real_name, person.title)
    user |= {"tz": person.zone, "tz_label": person.zone, "tz_offset": _offset(person.zone, now)}
    if with_email:
        user["profile"]["email"] = person.email
    return user


def bot_user(name: str) -> Json:
    user = _user(BOT_USER, name, name, "")
    user |= {"tz": "UTC", "tz_label": "UTC", "tz_offset": 0, "is_bot": True}
    user["profile"] |= {"bot_id": BOT_ID, "api_app_id": APP_ID}
    return user


def _user(user_id: str, name: str, real_name: str, title: str) -> Json:
    return {
        "id": user_id,
        "team_id": TEAM_ID,
        "name": name,
        "deleted": False,
        "real_name": real_name,
        "profile": {
            "real_name": real_name,
            "real_name_normalized": real_name,
            "display_name": name,
            "display_name_normalized": name,
            "title": title,
            "team": TEAM_ID,
            "phone": "",
            "status_text": "",
            "status_emoji": "",
        },
        "is_admin": False,
        "is_owner": False,
        "is_bot": False,
        "is_app_user": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "updated": UPDATED,
    }


def _offset(zone: str, now: datetime) -> int:
    try:
        there = now.astimezone(ZoneInfo(zone)).utcoffset()
    except (ZoneInfoNotFoundError, ValueError):
        return 0
    return int(there.total_seconds()) if there else 0
