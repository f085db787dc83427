"""The installation that lives through virtual days: teams, people with telephones, schedules over a clock change.

Knows who may be rung how often. Serves `benchmarks.virtual.run`. Whoever is on call is never another step of the same
policy, so two rings of one person for one incident within five minutes can only come from an alert that flaps.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

VOICE_CAP, VOICE_WITHIN = 3, timedelta(minutes=15)
TEAMS = {"shop": ("ana", "bo", "cy"), "data": ("dee", "eli", "fay"), "edge": ("gus", "hal", "ana")}
LEADS = {"shop": "lou", "data": "max", "edge": "nia"}
SERVICES = {team: [f"{team}-{n}" for n in range(40)] for team in TEAMS}
PEOPLE = sorted({*(p for members in TEAMS.values() for p in members), *LEADS.values(), "zoe"})


def document() -> dict[str, Any]:
    """Its oncall.yaml, as it is read."""
    return {
        "version": 1,
        "defaults": {
            "zone": "Europe/Berlin",
            "channel": "#alerts",
            "fallback": ["person:zoe"],
            "last_resort": ["zoe"],
        },
        "people": {key: _person(n, key) for n, key in enumerate(PEOPLE)},
        "personal_rules": {
            "high": [
                {"after": "0m", "by": "slack"},
                {"after": "0m", "by": "push"},
                {"after": "1m", "by": "voice"},
            ],
            "low": [{"after": "0m", "by": "slack"}],
        },
        "channels": {
            "push": {"url": "ntfy://127.0.0.1/{to}"},
            "voice": {
                "url": "json://127.0.0.1/{to}",
                "per_person": f"{VOICE_CAP}/{int(VOICE_WITHIN.total_seconds() // 60)}m",
            },
        },
        "teams": {
            team: {
                "members": list(members),
                "channel": f"#{team}",
                "fallback": [f"person:{LEADS[team]}"],
            }
            for team, members in TEAMS.items()
        },
        "services": {
            service: {"team": team, "policy": team}
            for team, services in SERVICES.items()
            for service in services
        },
        "schedules": {team: _schedule(team, members) for team, members in TEAMS.items()},
        "policies": {team: _policy(team) for team in TEAMS},
        "maintenance": [
            {
                "name": "sunday",
                "match": ['service="data-7"'],
                "zone": "Europe/Berlin",
                "days": [7],
                "from": "01:00",
                "to": "04:00",
            }
        ],
        "routes": [
            {
                "name": "rest",
                "group_by": ["alertname", "service"],
                "service_from": ["service"],
                "policy": "shop",
            }
        ],
    }


def _person(n: int, key: str) -> dict[str, Any]:
    person: dict[str, Any] = {
        "name": key.title(),
        "slack": f"U0{key.upper()}{n:04d}",
        "contacts": {"push": f"{key}-push", "voice": f"{key}-voice"},
    }
    return person | {"role": "admin"} if key == "zoe" else person


def _schedule(team: str, members: tuple[str, ...]) -> dict[str, Any]:
    layer = {
        "name": "always",
        "start": "2026-01-05T02:30",  # a time that the night of the clock change does not have
        "rotation": {"unit": "day", "every": 1},
        "users": list(members),
    }
    return {"team": team, "zone": "Europe/Berlin", "layers": [layer]}


def _policy(team: str) -> dict[str, Any]:
    return {
        "ack_timeout": "30m",
        "repeat": {"times": 2, "every": "15m"},
        "steps": [
            {"after": "0m", "page": [f"schedule:{team}"]},
            {"after": "10m", "page": [f"person:{LEADS[team]}"], "when": {"urgency": "high"}},
        ],
    }
