"""The section `calendars` and a team's `fairness`: what is read, and which sentence a mistake gets."""

from __future__ import annotations

from typing import Any

import pytest

from oncall_bot.core.config import Calendar, Fairness
from oncall_bot.core.documents import config_of, faults_of

BASE: dict[str, Any] = {
    "version": 1,
    "defaults": {"zone": "Europe/Berlin", "fallback": ["person:ana"]},
    "people": {"ana": {"email": "ana@example.com"}},
    "teams": {"shop": {"members": ["ana"], "fairness": {"night": 1.5}}},
    "schedules": {
        "shop": {
            "layers": [
                {"start": "2026-01-05T09:00", "rotation": {"unit": "week"}, "users": ["ana"]}
            ]
        }
    },
    "policies": {"shop": {"steps": [{"after": "0s", "page": ["schedule:shop"]}]}},
    "routes": [{"name": "rest", "policy": "shop"}],
}


def with_calendar(**calendar: Any) -> dict[str, Any]:
    return {**BASE, "calendars": {"hosts": ["calendar.example.com"], "away": calendar}}


def test_calendars_and_weights_are_read_with_their_defaults() -> None:
    document = with_calendar(use="leave", url="https://calendar.example.com/a.ics")
    assert faults_of(document) == []
    config = config_of(document)
    assert config.calendars == {
        "away": Calendar("away", "leave", "Europe/Berlin", url="https://calendar.example.com/a.ics")
    }
    assert config.calendar_hosts == ("calendar.example.com",)
    assert config.teams["shop"].fairness == Fairness(night=1.5)


@pytest.mark.parametrize(
    ("calendar", "says"),
    [
        ({"use": "leave"}, "calendars.away: has nothing to read"),
        ({"use": "leave", "file": "a", "url_file": "b"}, "file and url_file are both given"),
        ({"use": "overrides", "file": "a"}, "calendars.away.schedule: is missing"),
        ({"use": "leave", "file": "a", "schedule": "shop"}, "leave is of people"),
        (
            {"use": "leave", "url": "http://calendar.example.com/a"},
            "is not an address for a calendar",
        ),
        ({"use": "leave", "url": "https://other.example.com/a"}, "is not in calendars.hosts"),
        (
            {"use": "leave", "url": "https://a:b@calendar.example.com/"},
            "is not an address for a calendar",
        ),
        ({"use": "leave", "file": "a", "person": "zoe"}, 'there is no person "zoe"'),
        ({"use": "busy", "file": "a"}, "write leave or overrides"),
    ],
)
def test_a_mistake_is_told_with_its_field(calendar: dict[str, Any], says: str) -> None:
    assert any(says in str(fault) for fault in faults_of(with_calendar(**calendar)))


def test_a_weight_below_one_is_refused() -> None:
    document = {**BASE, "teams": {"shop": {"fairness": {"night": 0.5}}}}
    [fault] = faults_of(document)
    assert "teams.shop.fairness.night" in str(fault)
    assert "write a number from 1 to 100" in str(fault)
