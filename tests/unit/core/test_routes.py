"""Which route, which group, whose service, and what holds an alert back."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from oncall_bot.core.config import (
    Config,
    Maintenance,
    Policy,
    Route,
    Service,
    Step,
    Target,
    Urgency,
)
from oncall_bot.core.matchers import parse_matchers
from oncall_bot.core.routes import ActiveSilence, group_key, hold, maintenance_until, routed

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
STEP = Step(timedelta(0), (Target("team", "shop"),))
CONFIG = Config(
    services={"checkout": Service("checkout", "shop", "own", ("checkout-api",))},
    policies={"own": Policy("own", (STEP,)), "main": Policy("main", (STEP,))},
    routes=(
        Route("audit", parse_matchers('team="security"'), policy="main", continues=True),
        Route("checkout", parse_matchers('service=~"checkout.*"'), ("alertname", "region")),
        Route("rest", policy="main"),
    ),
)


def keys(**labels: str) -> list[str]:
    return [way.route.key for way in routed(CONFIG, labels)]


def test_the_first_match_wins() -> None:
    assert keys(service="checkout-api") == ["checkout"]
    assert keys(service="search") == ["rest"]


def test_continue_goes_on_to_the_next_match() -> None:
    assert keys(team="security", service="checkout") == ["audit", "checkout"]
    assert keys(team="security") == ["audit", "rest"]


def test_a_route_without_a_policy_takes_that_of_the_service() -> None:
    way = routed(CONFIG, {"service": "checkout-api"})[0]
    assert (way.policy, way.team, way.service) == ("own", "shop", "checkout")


def test_a_label_value_that_names_no_service_still_has_a_policy_on_the_last_route() -> None:
    way = routed(CONFIG, {"service": "unheard-of"})[0]
    assert (way.policy, way.service) == ("main", None)


def test_the_group_is_named_by_its_own_labels() -> None:
    labels = {"alertname": "Slow", "region": "eu", "pod": "a"}
    assert group_key(CONFIG.routes[1], labels) == "alertname=Slow, region=eu"
    assert group_key(Route("all", group_by=("...",)), labels) == "alertname=Slow, pod=a, region=eu"
    assert group_key(Route("one", group_by=()), labels) == ""


def test_huge_groups_differ_although_their_names_are_cut() -> None:
    route = Route("all", group_by=("...",))
    one, other = group_key(route, {"a": "x" * 900}), group_key(route, {"a": "x" * 901})
    assert one != other
    assert len(one) <= 512


@pytest.mark.parametrize(
    ("value", "incident", "urgency"),
    [
        ("critical", "SEV2", Urgency.HIGH),
        ("CRITICAL", "SEV2", Urgency.HIGH),
        ("warning", "SEV4", Urgency.LOW),
        ("info", "SEV5", Urgency.NONE),
        ("unheard-of", "SEV2", Urgency.HIGH),
        ("", "SEV2", Urgency.HIGH),
    ],
)
def test_a_severity_is_never_refused(value: str, incident: str, urgency: Urgency) -> None:
    severity = CONFIG.severity_of({"severity": value})
    assert (severity.incident, severity.urgency) == (incident, urgency)


def silence(ends_at: datetime, match: str = 'service="checkout"', id_: int = 1) -> ActiveSilence:
    return ActiveSilence(id_, parse_matchers(match), NOON - timedelta(1), ends_at, "Bo", "move")


def test_a_silence_holds_what_it_matches_until_it_ends() -> None:
    held = hold(CONFIG, [silence(NOON + timedelta(1))], {"service": "checkout"}, NOON)
    assert held is not None
    assert (held.key, held.until) == ("silence:1", NOON + timedelta(1))
    assert hold(CONFIG, [silence(NOON + timedelta(1))], {"service": "search"}, NOON) is None
    assert hold(CONFIG, [silence(NOON)], {"service": "checkout"}, NOON) is None


def test_of_several_holds_the_longest_counts() -> None:
    both = [silence(NOON + timedelta(1)), silence(NOON + timedelta(2), id_=2)]
    held = hold(CONFIG, both, {"service": "checkout"}, NOON)
    assert held is not None
    assert held.key == "silence:2"


NIGHT = Maintenance("night", (), "Europe/Berlin", (1,), time(22), time(4))


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-03-02T20:59:59", None),
        ("2026-03-02T21:00:00", "2026-03-03T03:00:00"),
        ("2026-03-03T02:59:59", "2026-03-03T03:00:00"),
        ("2026-03-03T03:00:00", None),
        ("2026-03-03T21:30:00", None),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_it_begins_on(
    now: str, until: str | None
) -> None:
    found = maintenance_until(NIGHT, datetime.fromisoformat(now).replace(tzinfo=UTC))
    expected = datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None
    assert found == expected


def test_a_window_on_the_night_clocks_change_ends_by_the_wall_clock() -> None:
    sunday = Maintenance("dst", (), "Europe/Berlin", (7,), time(1), time(4))
    now = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # 01:30 in Berlin, before the gap
    assert maintenance_until(sunday, now) == datetime(2026, 3, 29, 2, tzinfo=UTC)
