"""Which route takes an alert, which group it falls into, whose it is.

Knows ordered routes with `continue`, group keys, services, maintenance windows and the reason for each answer.
Refuses to know whether somebody is on call. Serves `flows.receive_alerts` and `explain`: both ask the same function.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from oncall_bot.core.config import Config, Maintenance, Route, Severity
from oncall_bot.core.matchers import Matcher, format_matchers, matches

GROUP_KEY_MAX = 512
ROUTER_REMEMBERS = 4096


@dataclass(frozen=True, slots=True)
class Routed:
    """One alert under one route: where it groups, whom it belongs to, how loud it is, and why."""

    route: Route
    group_key: str
    severity: Severity
    policy: str | None
    team: str | None
    service: str | None

    @property
    def why(self) -> str:
        return _why(self.route)


def routed(config: Config, labels: Mapping[str, str]) -> tuple[Routed, ...]:
    """Every route that takes the alert: the first match, and those after it while they say `continue`."""
    found: list[Routed] = []
    for route in config.routes:
        if not matches(route.match, labels):
            continue
        found.append(_under(config, route, labels))
        if not route.continues:
            break
    return tuple(found)


class Router:
    """`routed` for one revision, remembered: alerts that agree in every label the routes look at go the same way."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._looked_at = _labels_looked_at(config)
        self._known: dict[tuple[str | None, ...], tuple[Routed, ...]] = {}

    def routed(self, labels: Mapping[str, str]) -> tuple[Routed, ...]:
        if self._looked_at is None:
            return routed(self._config, labels)
        key = tuple([labels.get(name) for name in self._looked_at])
        ways = self._known.get(key)
        if ways is None:
            if len(self._known) >= ROUTER_REMEMBERS:
                self._known.clear()
            ways = self._known[key] = routed(self._config, labels)
        return ways


def _labels_looked_at(config: Config) -> tuple[str, ...] | None:
    """The labels that decide a way; None when a route groups by every label there is."""
    names = {"severity"}
    for route in config.routes:
        if route.group_by == ("...",):
            return None
        names |= {matcher.name for matcher in route.match}
        names.update(route.group_by, route.service_from)
    return tuple(sorted(names))


def _under(config: Config, route: Route, labels: Mapping[str, str]) -> Routed:
    service = service_of(config, route, labels)
    heartbeat_policy = route.heartbeat.policy if route.heartbeat else None
    policy = (
        route.policy or heartbeat_policy or (config.services[service].policy if service else None)
    )
    team = config.services[service].team if service else None
    return Routed(
        route=route,
        group_key=group_key(route, labels),
        severity=config.severity_of(labels),
        policy=policy,
        team=team or (config.team_of_policy(policy) if policy else None),
        service=service,
    )


def _why(route: Route) -> str:
    if not route.match:
        return f"route {route.key}: it takes everything"
    return f"route {route.key}: first match, {format_matchers(route.match)}"


def service_of(config: Config, route: Route, labels: Mapping[str, str]) -> str | None:
    """The service named by the first label of `service_from` that names one, by key or by label value."""
    for label in route.service_from:
        value = labels.get(label)
        if not value:
            continue
        if value in config.services:
            return value
        for service in config.services.values():
            if value in service.label_values:
                return service.key
    return None


def group_key(route: Route, labels: Mapping[str, str]) -> str:
    """The group's own values, as `alertname=X, region=eu`; `group_by: ["..."]` takes every label."""
    names: Sequence[str] = sorted(labels) if route.group_by == ("...",) else route.group_by
    key = ", ".join([f"{name}={labels[name]}" for name in names if labels.get(name)])
    if len(key) <= GROUP_KEY_MAX:
        return key
    return f"{key[: GROUP_KEY_MAX - 20]}#{_digest(key)}"


def _digest(text: str) -> str:
    value = 14695981039346656037
    for byte in text.encode():
        value = ((value ^ byte) * 1099511628211) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


@dataclass(frozen=True, slots=True)
class Hold:
    """Why an alert pages nobody for now, and when that ends."""

    key: str  # "silence:12" or "maintenance:reindex"
    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class ActiveSilence:
    id: int
    match: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class HoldInForce:
    """A hold that is open now, and which alerts it holds."""

    match: tuple[Matcher, ...]
    hold: Hold


def holds_in_force(
    config: Config,
    silences: Sequence[ActiveSilence],
    now: datetime,
    *,
    source: str | None = None,
) -> tuple[HoldInForce, ...]:
    """Every silence and maintenance window that is open now; the one that ends last comes first."""
    found = [
        HoldInForce(
            s.match, Hold(f"silence:{s.id}", s.ends_at, f"silence {s.id} by {s.created_by}")
        )
        for s in silences
        if s.starts_at <= now < s.ends_at and (s.source is None or s.source == source)
    ]
    for window in config.maintenance:
        until = maintenance_until(window, now)
        if until is not None:
            why = f"maintenance {window.key}"
            found.append(HoldInForce(window.match, Hold(f"maintenance:{window.key}", until, why)))
    return tuple(sorted(found, key=lambda one: one.hold.until, reverse=True))


def held_by(holds: Iterable[HoldInForce], labels: Mapping[str, str]) -> Hold | None:
    """The hold that keeps this alert back longest, or None."""
    return next((one.hold for one in holds if matches(one.match, labels)), None)


def hold(
    config: Config,
    silences: Sequence[ActiveSilence],
    labels: Mapping[str, str],
    now: datetime,
    *,
    source: str | None = None,
) -> Hold | None:
    """The silence or maintenance window that holds this alert back now; the one that ends last, when several do."""
    return held_by(holds_in_force(config, silences, now, source=source), labels)


def maintenance_until(window: Maintenance, now: datetime) -> datetime | None:
    """When the window that is open now ends, or None. Windows over midnight belong to the day they begin on."""
    zone = ZoneInfo(window.zone)
    local_day = now.astimezone(zone).date()
    for day in (local_day, local_day - timedelta(days=1)):
        if day.isoweekday() not in window.days or (window.until and day > window.until):
            continue
        begin = datetime.combine(day, window.start, zone)
        end_day = day if window.end > window.start else day + timedelta(days=1)
        end = datetime.combine(end_day, window.end, zone)
        if begin.timestamp() <= now.timestamp() < end.timestamp():
            return end.astimezone(now.tzinfo)
    return None
