"""Example labels for a route: an alert that this route, and no earlier one, would take.

Knows matchers, services and severities of a configuration. Refuses to guess silently: a route that no simple alert
reaches has no example. Serves rehearsals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice, product

from oncall_bot.core.config import Config, Route, Urgency
from oncall_bot.core.matchers import Matcher
from oncall_bot.core.routes import Routed, routed

ALERT = "PracticeAlert"
TRIES = 400
_WORDS = ("practice", "example", "x", "1", "web-1:8080")


def example_labels(config: Config, route: Route) -> dict[str, str] | None:
    """Labels that `route` takes, urgent where that is possible; None when none were found.

    Equalities are taken as they stand; for a pattern a few simple values are tried.
    """
    best: dict[str, str] | None = None
    for labels in islice(_candidates(config, route), TRIES):
        way = way_of(config, route, labels)
        if way is None:
            continue
        if way.severity.urgency is Urgency.HIGH and way.policy is not None:
            return labels
        best = best or labels
    return best


def way_of(config: Config, route: Route, labels: Mapping[str, str]) -> Routed | None:
    """How this route takes the alert, or None when another takes it first."""
    return next((way for way in routed(config, labels) if way.route is route), None)


def _candidates(config: Config, route: Route) -> Iterator[dict[str, str]]:
    names = dict.fromkeys(["alertname", "severity", *(one.name for one in route.match)])
    services = list(_services(config))
    offered = {name: list(_values(config, route, name, services)) for name in names}
    from_service = route.service_from[0] if route.service_from else ""
    if from_service and from_service not in offered:
        offered[from_service] = services or ["practice"]
    for values in product(*offered.values()):
        yield {name: value for name, value in zip(offered, values, strict=True) if value}


def _services(config: Config) -> Iterator[str]:
    for key, service in config.services.items():
        yield from service.label_values or (key,)


def _values(config: Config, route: Route, name: str, services: list[str]) -> Iterator[str]:
    mine = [one for one in route.match if one.name == name]
    known = {
        "alertname": [ALERT],
        "severity": [*_urgent(config), *config.severities, "critical"],
    }.get(name, services if name in route.service_from else [])
    given = [value for one in mine for value in _meant(one)]
    tried = dict.fromkeys([*given, *known, *_WORDS, ""])
    yield from islice((v for v in tried if all(one.matches({name: v}) for one in mine)), 6)


def _urgent(config: Config) -> Iterator[str]:
    for label, severity in config.severities.items():
        if severity.urgency is Urgency.HIGH:
            yield label


def _meant(matcher: Matcher) -> Iterator[str]:
    """Values a matcher seems to have in mind: its own, or the branches of a pattern without its signs."""
    if matcher.op == "=":
        yield matcher.value
    elif matcher.op == "=~":
        for branch in matcher.value.strip("^$()").split("|"):
            bare = branch.strip("()^$")
            for many in (".*", ".+"):
                bare = bare.replace(many, "x" if many == ".+" else "")
            yield bare.replace("\\", "").replace("?", "")
