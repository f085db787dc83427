"""Everything that is wrong in a document: each field alone first, then the rules between fields.

Knows which references, orders and combinations cannot page anybody as meant. Refuses to know files
and lines, and rotations (they check their own definition). Serves the reader of the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from oncall_bot.core.config import DEFAULT_SEVERITIES
from oncall_bot.core.documents.fault import Fault, Path, shown
from oncall_bot.core.documents.format import FORMAT
from oncall_bot.core.documents.names import Names, instead
from oncall_bot.core.documents.reading import definition_of
from oncall_bot.core.documents.shapes import shape_faults
from oncall_bot.core.documents.values import duration_of
from oncall_bot.core.matchers import Matcher, MatcherError, parse_matchers
from oncall_bot.core.rotations import DefinitionError, parse_definition

FAULTS_MAX = 200
"""Faults in one answer: a file with more is not read better by a longer list."""

Entry = Mapping[str, Any]
_STEP_IN_PATH = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def faults_of(document: Mapping[str, Any]) -> list[Fault]:
    """Every fault of a document, once each, section by section; none: `config_of` reads it."""
    alone = list(shape_faults(FORMAT, dict(document), Names.of(document)))
    sound = _without(dict(document), [fault.path for fault in alone])
    together = [fault for rule in _RULES for fault in rule(sound)]
    for key in _sound_schedules(sound, alone):
        together += _schedule_faults(sound, key)
    order = {section: n for n, section in enumerate(document)}
    found = {(fault.path, fault.message): fault for fault in [*alone, *together]}
    in_order = sorted(found.values(), key=lambda fault: order.get(str(fault.path[0]), -1))
    return in_order[:FAULTS_MAX]


def _without(value: Any, faulty: Iterable[Path]) -> Any:
    """The value with None at these paths, so that rules between fields judge sound fields only.

    The key stays: what is given and wrong is told once, and nowhere as missing.
    """
    paths = set(faulty)

    def copy(part: Any, path: Path) -> Any:
        if path in paths:
            return None
        if isinstance(part, dict):
            return {key: copy(inner, (*path, key)) for key, inner in part.items()}
        if isinstance(part, list):
            return [copy(inner, (*path, n)) for n, inner in enumerate(part)]
        return part

    return copy(value, ())


def _entries(document: Entry, section: str) -> Iterator[tuple[str, Entry]]:
    found = document.get(section)
    if isinstance(found, dict):
        yield from ((key, entry) for key, entry in found.items() if isinstance(entry, dict))


def _listed(document: Entry, section: str) -> Iterator[tuple[int, Entry]]:
    found = document.get(section)
    if isinstance(found, list):
        yield from ((n, entry) for n, entry in enumerate(found) if isinstance(entry, dict))


def _texts(entry: Entry, key: str) -> list[str]:
    return [text for text in entry.get(key) or [] if isinstance(text, str)]


# Names that must differ.


def _twice(seen: dict[str, str], name: str, place: str) -> str | None:
    """Where the name stood before, or None at its first place."""
    before = seen.setdefault(name, place)
    return None if before == place else before


def _people_twice(document: Entry) -> Iterator[Fault]:
    emails: dict[str, str] = {}
    slack_ids: dict[str, str] = {}
    for key, person in _entries(document, "people"):
        for field, seen in (("email", emails), ("slack", slack_ids)):
            value = person.get(field)
            before = _twice(seen, value.casefold(), key) if isinstance(value, str) else None
            if before:
                yield Fault(
                    ("people", key, field),
                    f"{shown(value)} is that of {before} already; give each person an own one",
                )


def _names_twice(document: Entry) -> Iterator[Fault]:
    for section in ("routes", "maintenance"):
        seen: dict[str, str] = {}
        for n, entry in _listed(document, section):
            name = entry.get("name")
            if isinstance(name, str) and _twice(seen, name, str(n)):
                place = f"{section}[{seen[name]}]"
                yield Fault(
                    (section, n, "name"),
                    f"{shown(name)} is the name of {place} already; give it another",
                )


def _label_values_twice(document: Entry) -> Iterator[Fault]:
    seen = {key: key for key, _ in _entries(document, "services")}
    for key, service in _entries(document, "services"):
        for n, value in enumerate(service.get("label_values") or []):
            before = _twice(seen, value, key) if isinstance(value, str) else None
            if before:
                yield Fault(
                    ("services", key, "label_values", n),
                    f"{shown(value)} means the service {before} already; a value names one service",
                )


def _tokens_twice(document: Entry) -> Iterator[Fault]:
    for field in ("token_sha256", "token_file"):
        seen: dict[str, str] = {}
        for key, source in _entries(document, "sources"):
            value = source.get(field)
            before = _twice(seen, value, key) if isinstance(value, str) else None
            if before and (field == "token_sha256" or "token_sha256" not in source):
                yield Fault(
                    ("sources", key, "token_file" if "token_file" in source else field),
                    f"{key} has the token of {before}; the token names the source, so give each an"
                    " own one (oncall-bot tokens create)",
                )


def _tokens_missing(document: Entry) -> Iterator[Fault]:
    for key, source in _entries(document, "sources"):
        if "token_file" not in source and "token_sha256" not in source:
            yield Fault(
                ("sources", key, "token_file"),
                "is missing; nobody could post as this source. Name the file that holds its token",
            )


def _roads_without_address(document: Entry) -> Iterator[Fault]:
    for key, road in _entries(document, "channels"):
        given = [name for name in ("url", "url_file", "url_env") if name in road]
        if len(given) > 1:
            message = f"{' and '.join(given)} are given; keep one"
            yield Fault(("channels", key, given[-1]), message)
        elif not given:
            message = "has no address; give url, or url_file or url_env when it holds a secret"
            yield Fault(("channels", key), message)


# Calendars.


def _calendar_faults(document: Entry) -> Iterator[Fault]:
    section = document.get("calendars")
    hosts = section.get("hosts") or [] if isinstance(section, dict) else []
    for key, calendar in _entries(document, "calendars"):
        yield from _one_address(("calendars", key), calendar)
        yield from _whose_calendar(("calendars", key), calendar)
        url = calendar.get("url")
        host = urlsplit(url).hostname if isinstance(url, str) else None
        if host is not None and host not in hosts:
            yield Fault(
                ("calendars", key, "url"),
                f"{shown(host)} is not in calendars.hosts; add it there if it may be asked",
            )


def _one_address(path: Path, calendar: Entry) -> Iterator[Fault]:
    given = [field for field in ("file", "url", "url_file") if field in calendar]
    if not given:
        yield Fault(path, "has nothing to read; give file, url, or url_file for a secret address")
    for field in given[1:]:
        yield Fault((*path, field), f"{given[0]} and {field} are both given; keep one")


def _whose_calendar(path: Path, calendar: Entry) -> Iterator[Fault]:
    use = calendar.get("use")
    if use == "overrides" and "schedule" not in calendar:
        yield Fault((*path, "schedule"), "is missing; name the schedule that is covered")
    elif use == "leave" and "schedule" in calendar:
        yield Fault((*path, "schedule"), "leave is of people; take the schedule out")


# Severities.


def _severity_faults(document: Entry) -> Iterator[Fault]:
    severities = document.get("severities")
    if not isinstance(severities, dict):
        return
    seen: dict[str, str] = {}
    for label in severities:
        before = _twice(seen, label.casefold(), label) if label != "default" else None
        if before:
            yield Fault(
                ("severities", label), f"{label} is {before} again: letter case makes no difference"
            )
    default = severities.get("default", "critical")
    if isinstance(default, str) and default.casefold() not in seen:
        given = f"{shown(default)} is none of the severities"
        if "default" not in severities:
            given = "is missing, and there is no severity critical"
        known = instead(default, tuple(seen)) or f"; known: {', '.join(DEFAULT_SEVERITIES)}"
        yield Fault(("severities", "default"), f"{given}{known}")


# Paging: policies, personal rules, routes.


def _order_faults(document: Entry) -> Iterator[Fault]:
    for key, policy in _entries(document, "policies"):
        yield from _out_of_order(policy.get("steps"), ("policies", key, "steps"), "step")
    rules = document.get("personal_rules")
    for urgency, listed in rules.items() if isinstance(rules, dict) else ():
        yield from _out_of_order(listed, ("personal_rules", urgency), "rule")


def _out_of_order(entries: Any, path: Path, word: str) -> Iterator[Fault]:
    latest, written = timedelta(0), ""
    for n, entry in enumerate(entries if isinstance(entries, list) else ()):
        text = entry.get("after") if isinstance(entry, dict) else None
        after = duration_of(text) if isinstance(text, str) else None
        if after is None:
            continue
        if after < latest:
            yield Fault(
                (*path, n, "after"),
                f"{shown(text)} comes before the {word} above it ({written}); `after` counts from"
                " the beginning, so put the earlier one first",
            )
        else:
            latest, written = after, str(text)


def _when_faults(document: Entry) -> Iterator[Fault]:
    for key, policy in _entries(document, "policies"):
        for n, step in _listed(policy, "steps"):
            when = step.get("when")
            if isinstance(when, dict):
                yield from _condition_faults(when, ("policies", key, "steps", n, "when"))


def _condition_faults(when: Entry, path: Path) -> Iterator[Fault]:
    """Hours need both ends, and a zone alone says nothing."""
    if not when:
        yield Fault(path, "says nothing; give urgency, days, or from and to, or leave it out")
        return
    for given, other in (("from", "to"), ("to", "from")):
        if given in when and other not in when:
            yield Fault((*path, other), f'is missing beside {given}; write {other}: "09:00"')
    if "zone" in when and not when.keys() & {"days", "from", "to"}:
        yield Fault((*path, "zone"), "stands alone, so it means nothing; give days, or from and to")
    if when.get("from") and when["from"] == when.get("to"):
        yield Fault(
            (*path, "to"),
            f"{shown(when['to'])} is the same as from, so the step would never apply; for whole days"
            " leave both out",
        )


def _route_faults(document: Entry) -> Iterator[Fault]:
    routes = dict(_listed(document, "routes"))
    last = len(document.get("routes") or ()) - 1
    for n, route in routes.items():
        yield from _last_route_faults(route, n) if n == last else _early_route_faults(route, n)
        if n != last and "match" in route and not _may_find_policy(document, route):
            yield Fault(
                ("routes", n),
                f"the route {route.get('name', n)} yields no policy: it has none, and no service"
                f" that {_from(route)} can name has one; give it `policy`",
            )
    if last in routes and not _somebody_in_the_end(document, routes[last]):
        yield Fault(
            ("routes", last),
            "nobody would be paged for an unknown service: give the last route a policy, or name"
            " people in defaults.fallback or defaults.last_resort",
        )


def _from(route: Entry) -> str:
    return "service_from " + ", ".join(_texts(route, "service_from") or ["service"])


def _too_many_matchers(document: Entry) -> Iterator[Fault]:
    """Each text was read alone; together they may be more than a list holds."""
    for section in ("routes", "maintenance"):
        for n, entry in _listed(document, section):
            try:
                parse_matchers(_texts(entry, "match"))
            except MatcherError as fault:
                yield Fault((section, n, "match"), str(fault))


def _last_route_faults(route: Entry, n: int) -> Iterator[Fault]:
    if route.get("match"):
        yield Fault(
            ("routes", n, "match"),
            "the last route takes whatever is left, so it must have no match; add a route without"
            " match after it",
        )
    if route.get("continue") is True:
        yield Fault(("routes", n, "continue"), "nothing follows the last route; take it out")
    if "heartbeat" in route:
        yield Fault(
            ("routes", n, "heartbeat"),
            "the last route takes whatever is left, which is no heartbeat; put a route with match"
            " before it",
        )


def _early_route_faults(route: Entry, n: int) -> Iterator[Fault]:
    if route.get("match"):
        return
    if "heartbeat" in route:
        yield Fault(("routes", n), "a heartbeat needs match, so that only its alert counts")
    elif route.get("continue") is not True:
        yield Fault(
            ("routes", n),
            f"the route {route.get('name', n)} takes everything, so the routes after it are never"
            " asked; give it match, or continue: true",
        )


def _may_find_policy(document: Entry, route: Entry) -> bool:
    heartbeat = route.get("heartbeat")
    if "policy" in route or (isinstance(heartbeat, dict) and "policy" in heartbeat):
        return True
    try:
        matchers = parse_matchers(_texts(route, "match"))
    except MatcherError:
        return True  # too many in all, which is told already
    labels = _texts(route, "service_from") or ["service"]
    values = [
        value
        for key, service in _entries(document, "services")
        if "policy" in service
        for value in (key, *_texts(service, "label_values"))
    ]
    return any(_lets_through(matchers, label, value) for label in labels for value in values)


def _lets_through(matchers: tuple[Matcher, ...], label: str, value: str) -> bool:
    return all(m.matches({label: value}) for m in matchers if m.name == label)


def _somebody_in_the_end(document: Entry, route: Entry) -> bool:
    defaults = document.get("defaults")
    named = isinstance(defaults, dict) and (defaults.get("fallback") or defaults.get("last_resort"))
    admins = any(person.get("role") == "admin" for _, person in _entries(document, "people"))
    return "policy" in route or bool(named) or admins


# Time: schedules and maintenance.


def _maintenance_faults(document: Entry) -> Iterator[Fault]:
    for n, window in _listed(document, "maintenance"):
        if window.get("match") == []:
            yield Fault(
                ("maintenance", n, "match"),
                "names no alerts, so everything would be held back; write what it is about",
            )
        if window.get("from") and window["from"] == window.get("to"):
            yield Fault(
                ("maintenance", n, "to"),
                f"{shown(window['to'])} is the same as from, so the window has no length; for the"
                ' whole day write from "00:00" to "24:00"',
            )


def _sound_schedules(sound: Entry, alone: Iterable[Fault]) -> Iterator[str]:
    """The schedules without a fault of their own; only those are read on: nothing is told twice."""
    faulty = {fault.path[1:2] for fault in alone if fault.path[0] == "schedules"}
    yield from (key for key, _ in _entries(sound, "schedules") if (key,) not in faulty)


def _schedule_faults(document: Entry, key: str) -> Iterator[Fault]:
    path: Path = ("schedules", key)
    names: dict[str, str] = {}
    for n, layer in _listed(document["schedules"][key], "layers"):
        if "name" in layer and _twice(names, layer["name"], str(n)):
            place = f"layers[{names[layer['name']]}]"
            yield Fault(
                (*path, "layers", n, "name"),
                f"{shown(layer['name'])} is the name of {place} already; give it another",
            )
    try:
        parse_definition(definition_of(document, key))
    except DefinitionError as fault:
        parts = [(name, int(n) if n else 0) for name, n in _STEP_IN_PATH.findall(fault.path)]
        yield Fault((*path, *(name or n for name, n in parts)), fault.problem)


_RULES: tuple[Callable[[Entry], Iterator[Fault]], ...] = (
    _people_twice,
    _order_faults,
    _when_faults,
    _roads_without_address,
    _calendar_faults,
    _label_values_twice,
    _severity_faults,
    _names_twice,
    _too_many_matchers,
    _route_faults,
    _maintenance_faults,
    _tokens_missing,
    _tokens_twice,
)
