"""oncall.yaml, field by field: which keys there are and what each may hold.

Knows every field alone: its type, its spelling, the name it refers to. Refuses to know rules
between fields (`faults`) and where in a file a field stands. Serves the checks, the reader of the
file and export. For people: docs/reference/oncall-yaml.md.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from oncall_bot.core.config import Role, Urgency
from oncall_bot.core.documents.fault import shown
from oncall_bot.core.documents.names import Names, instead, nearest
from oncall_bot.core.documents.shapes import ListOf, MapOf, Record, Refused, Scalar
from oncall_bot.core.documents.values import (
    TARGET_KINDS,
    cap_of,
    duration_of,
    format_duration,
    target_of,
    time_of,
)
from oncall_bot.core.matchers import MatcherError, parse_matchers

FORMAT_VERSION = 1
FOREVER = "forever"
SEVERITIES = ("SEV1", "SEV2", "SEV3", "SEV4", "SEV5")
TEXT_MAX = 2_000
NAME_MAX = 64

_NAME = re.compile(rf"\w[\w.-]{{0,{NAME_MAX - 1}}}")
_SLACK_USER = re.compile(r"[UW][A-Z0-9]{5,20}")
_SLACK_GROUP = re.compile(r"@?[^\s@,:/<>&]{1,80}")
_SLACK_CHANNEL = re.compile(r"#[^\s#,:/<>&]{1,80}|[CG][A-Z0-9]{5,20}")
_EMAIL = re.compile(r"[^@\s<>,;]{1,64}@[^@\s<>,;]{1,190}")
_LABEL = re.compile(r"[^\s{}!=~,\"]{1,200}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MONEY = re.compile(r"[0-9]{1,7}(\.[0-9]{1,2})? [A-Z]{3}")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,40}://\S+")


# Scalars, each with the sentence about what would do.


def _text_problem(text: str) -> str | None:
    if not text.strip():
        return "is empty; write some text or leave the key out"
    if len(text) > TEXT_MAX:
        return f"has {len(text)} characters; {TEXT_MAX} is the most"
    if not text.isprintable():
        return "has characters that cannot be shown, such as a line end"
    return None


def _like(pattern: re.Pattern[str], what: str) -> Any:
    return lambda text: None if pattern.fullmatch(text) else f"is not {what}"


_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)


def _text(example: str) -> Scalar:
    return Scalar(str, example, _text_problem)


def _spelled(pattern: re.Pattern[str], what: str, example: str) -> Scalar:
    return Scalar(str, example, _like(pattern, f"{what}; write {example}"))


def _choice(*allowed: str) -> Scalar:
    words = ", ".join(allowed[:-1]) + f" or {allowed[-1]}"

    def problem(text: str) -> str | None:
        return None if text in allowed else f"is not one of the words that do; write {words}"

    return Scalar(str, words, problem)


def _whole(least: int, most: int) -> Scalar:
    def problem(number: int) -> str | None:
        return None if least <= number <= most else f"is out of bounds; write {least} to {most}"

    return Scalar(int, f"a number from {least} to {most}", problem)


def _weight(number: float) -> str | None:
    return None if 1 <= number <= 100 else "is out of bounds; write a number from 1 to 100"


def _share(number: float) -> str | None:
    return None if 0 <= number <= 1 else "is out of bounds; write a number from 0 to 1"


def _price(number: float) -> str | None:
    """Of a million tokens."""
    return None if 0 <= number <= 100_000 else "is out of bounds; write an amount, 0 or more"


def _duration_problem(least: timedelta, most: timedelta, text: str) -> str | None:
    found = duration_of(text)
    if found is None:
        if text == FOREVER:
            return "stands only in retention; write 30s, 5m or 1h"
        return "is not a duration; write 30s, 5m or 1h"
    if found < least:
        return f"is too short; {format_duration(least)} is the least"
    return None if found <= most else f"is too long; {format_duration(most)} is the most"


def _duration_normal(text: str) -> str:
    found = duration_of(text)
    return text if found is None else format_duration(found)


def _duration(least: str, most: str) -> Scalar:
    shortest, longest = (duration_of(text) or timedelta(0) for text in (least, most))
    problem = partial(_duration_problem, shortest, longest)
    return Scalar(str, "30s, 5m or 1h", problem, _duration_normal)


def _kept_problem(text: str) -> str | None:
    if text == FOREVER:
        return None
    found = duration_of(text)
    if found is None:
        return "is not how long to keep it; write 90d, 1y or forever"
    return None if found >= timedelta(days=1) else "is too short; 1d is the least"


def _cap_problem(text: str) -> str | None:
    return None if cap_of(text) else "is not a cap; write 3/15m for at most 3 in 15 minutes"


def _cap_normal(text: str) -> str:
    cap = cap_of(text)
    return f"{cap.count}/{format_duration(cap.within)}" if cap else text


def _zone_problem(name: str) -> str | None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = instead(name, sorted(available_timezones()))
        return f"is no time zone; write an IANA name such as Europe/Berlin{near}"
    return None


def _time_problem(end_of_day: bool, text: str) -> str | None:
    if time_of(text) is None or (text == "24:00" and not end_of_day):
        return 'is not a time of day; write "09:00"' + (' or "24:00"' if end_of_day else "")
    return None


def _date_problem(text: str) -> str | None:
    try:
        return None if len(text) == 10 and date.fromisoformat(text) else "is not a date"
    except ValueError:
        return "is not a date; write 2026-12-25"


def _url_problem(text: str) -> str | None:
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or not text.isprintable() or " " in text:
        return 'is not an address; write "http://prometheus.example.com:9090"'
    return None


def _calendar_problem(text: str) -> str | None:
    if not text.startswith("https://") or _url_problem(text) or "@" in urlsplit(text).netloc:
        return 'is not an address for a calendar; write "https://calendar.example.com/shop.ics"'
    return None


def _road_problem(text: str) -> str | None:
    if not _ADDRESS.fullmatch(text):
        return 'is not an apprise address; write "ntfys://ntfy.example.com/{to}"'
    return None


# Scalars whose sentence stands alone, or that name something else.


def _secret_in(text: str, names: Names) -> str | None:
    """Whether the address of a road holds a secret. The sentence must not repeat the address."""
    scheme, _, rest = text.partition("://")
    address, _, query = rest.partition("?")
    user = address.partition("/")[0].rpartition("@")[0]
    words = {pair.partition("=")[0].strip("+-:").casefold() for pair in query.split("&")}
    if user.partition(":")[2] or user.startswith("tk_") or words & _SECRET_WORDS:
        what = "the address holds a password or token"
    elif scheme.casefold() not in _PLAIN_SCHEMES:
        what = f"an address of {scheme.casefold()} holds a secret"
    else:
        return None
    return f"{what}; put it into a file (url_file) or an environment variable (url_env)"


_PLAIN_SCHEMES = frozenset(
    {
        *("http", "https", "webhook+http", "webhook+https", "ntfy", "ntfys", "mailto", "mailtos"),
        *("json", "jsons", "form", "forms", "xml", "xmls", "gotify", "gotifys", "syslog", "mqtt"),
    }
)
"""Schemes whose addresses can be without a secret; those of other brands name an account and its key."""
_SECRET_WORDS = frozenset({"token", "auth_token", "password", "pass", "secret", "key", "apikey"})


def _matcher_problem(text: str, _: Names) -> str | None:
    try:
        found = parse_matchers(text)
    except MatcherError as fault:
        return str(fault)
    return None if found else f"{shown(text)} holds no matcher; write 'severity=\"critical\"'"


def _refers(kind: str, *also: str) -> Any:
    def missing(name: str, names: Names) -> str | None:
        return None if name in also else names.missing(kind, name)

    return missing


def _named(kind: str, *also: str, nullable: bool = False) -> Scalar:
    return Scalar(
        str,
        f"the name of a {kind}",
        _text_problem,
        refers=_refers(kind, *also),
        nullable=nullable,
    )


def _target_missing(text: str, names: Names) -> str | None:
    target = target_of(text)
    if target is None:
        near = _nearest_target(text, names)
        return f"{shown(text)} is no target; write {_TARGET_EXAMPLE}{near}"
    if target.kind == "channel":
        problem = _CHANNEL.problem(target.key)
        return f"{shown(target.key)} {problem}" if problem else None
    return names.missing(target.kind, target.key)


def _nearest_target(text: str, names: Names) -> str:
    """A hint for a name without its kind, or with a kind that is misspelled."""
    kind, colon, key = text.partition(":")
    if colon:
        near = nearest(kind, TARGET_KINDS)
        return f"; did you mean {near}:{key}?" if near and near != kind else ""
    found = [kind for kind in TARGET_KINDS[:3] if text in names.by_kind.get(kind, ())]
    return f"; did you mean {found[0]}:{text}?" if found else ""


def _sends_problem(text: str) -> str | None:
    kind, colon, key = text.partition(":")
    if kind == "severity" and key in SEVERITIES:
        return None
    if (kind in ("team", "service") and colon and key) or text == "private":
        return None
    return "names no incidents; write severity:SEV1, team:NAME, service:NAME or private"


def _sends_missing(text: str, names: Names) -> str | None:
    kind, _, key = text.partition(":")
    return names.missing(kind, key) if kind in ("team", "service") else None


# Keys of mappings.


def _name_problem(key: str) -> str | None:
    if _NAME.fullmatch(key):
        return None
    return (
        f"is no name; write letters, digits, _, - and dots without spaces, at most {NAME_MAX}"
        " characters"
    )


def _key_problem(key: str, _: Names) -> str | None:
    problem = _name_problem(key)
    return f"{shown(key)} {problem}" if problem else None


def _road_name_problem(key: str, names: Names) -> str | None:
    if key.casefold() == "slack":
        return f"{shown(key)} is taken: Slack is always there; give this road another name"
    return _key_problem(key, names)


def _contact_problem(kind: str, names: Names) -> str | None:
    if kind in ("mail", "email"):
        return "mail goes to the person's `email`; take it out of contacts"
    return names.missing("channel", kind)


def _urgency_problem(key: str, _: Names) -> str | None:
    if key in ("high", "low"):
        return None
    return f"{shown(key)} is no urgency with rules; write high or low"


def _severity_problem(key: str, _: Names) -> str | None:
    if key.strip() and len(key) <= NAME_MAX and key.isprintable():
        return None
    return f"{shown(key)} is no value of the label severity"


def _model_problem(key: str, _: Names) -> str | None:
    if key.strip() and len(key) <= TEXT_MAX and key.isprintable():
        return None
    return f"{shown(key)} is no name of a model"


_CHANNEL = _spelled(_SLACK_CHANNEL, "a Slack channel", '"#name", in quotes because of the #')
_ZONE = Scalar(str, "Europe/Berlin", _zone_problem)
_EMAIL_ADDRESS = _spelled(_EMAIL, "an e-mail address", "name@example.com")
_TARGET_EXAMPLE = 'schedule:NAME, person:NAME, team:NAME or "channel:#name"'
_TARGET = Scalar(str, _TARGET_EXAMPLE, refers=_target_missing)
_MATCH = ListOf(
    Scalar(str, "'severity=\"critical\"'", refers=_matcher_problem), at_most=64, lone=True
)
_LABELS = ListOf(_spelled(_LABEL, "a label name", "service"), at_least=1, at_most=64, lone=True)
_URL = Scalar(str, '"http://prometheus.example.com:9090"', _url_problem)
_URGENCY = _choice(*(urgency.value for urgency in Urgency))
_LOUDNESS = _choice("high", "low")
_GROUPS = ListOf(
    _spelled(
        _SLACK_GROUP, "a Slack user group", '"@shop-devs", in quotes because of the @, or S0123ABCD'
    ),
    at_least=1,
    at_most=20,
    lone=True,
)
_PRICE = Scalar(float, "0.60", _price)
_BOOL = Scalar(bool, "true or false")
_PERSON = _named("person")
_USERS = ListOf(_named("person", nullable=True))
_ENTRY_NAME = Scalar(str, "a short name", _name_problem)
_WORD = _text("a word")
_DAYS = ListOf(_whole(1, 7), at_least=1, at_most=7)
_FROM = Scalar(str, '"02:00"', partial(_time_problem, False))
_TO = Scalar(str, '"04:00"', partial(_time_problem, True))

_WEIGHT = Scalar(float, "1.5", _weight)

_SCHEDULE = Record(
    {
        "team": _named("team"),
        "zone": _ZONE,
        "layers": ListOf(
            Record(
                {
                    "name": _WORD,
                    "start": _text('"2026-01-05T09:00"'),
                    "end": _text('"2026-06-01T09:00"'),
                    "zone": _ZONE,
                    "rotation": Record(
                        {
                            "unit": _choice("hour", "day", "week", "month", "window"),
                            "every": _whole(1, 10_000),
                        },
                        required=("unit",),
                    ),
                    "users": _USERS,
                    "restrictions": ListOf(
                        Record(
                            {
                                "days": _DAYS,
                                "from": _text('"09:00"'),
                                "to": _text('"17:00"'),
                                "plus_days": _whole(0, 28),
                            },
                            required=("from", "to"),
                        )
                    ),
                    "changes": ListOf(
                        Record(
                            {
                                "at": _text('"2026-03-02T09:00"'),
                                "users": _USERS,
                                "first": _PERSON,
                            },
                            required=("at", "users"),
                        )
                    ),
                },
                required=("start", "rotation", "users"),
            ),
            at_least=1,
        ),
        "holidays": ListOf(
            Record(
                {
                    "date": _text("2026-12-25"),
                    "zone": _ZONE,
                    "from": _text('"09:00"'),
                    "to": _text('"17:00"'),
                    "action": _choice("nobody", "user", "skip_layers"),
                    "user": _PERSON,
                    "layers": ListOf(_WORD),
                },
                required=("date", "action"),
            )
        ),
        "overrides": Refused(
            "people own those: take them out of the file and make covers and swaps in Slack,"
            " where apply never touches them"
        ),
    },
    required=("layers",),
)

FORMAT = Record(
    {
        "version": Scalar(
            int,
            f"version: {FORMAT_VERSION}",
            lambda n: None if n == FORMAT_VERSION else f"is unknown; write {FORMAT_VERSION}",
        ),
        "defaults": Record(
            {
                "zone": _ZONE,
                "channel": _CHANNEL,
                "fallback": ListOf(_TARGET, lone=True),
                "last_resort": ListOf(_PERSON, lone=True),
            }
        ),
        "people": MapOf(
            Record(
                {
                    "name": _text("the person's name"),
                    "email": _EMAIL_ADDRESS,
                    "zone": _ZONE,
                    "slack": _spelled(_SLACK_USER, "a Slack member id", "U0123ABCD"),
                    "role": _choice(*(role.value for role in Role)),
                    "contacts": MapOf(_text("the address there"), _contact_problem),
                },
            ),
            _key_problem,
        ),
        "personal_rules": MapOf(
            ListOf(
                Record(
                    {"after": _duration("0s", "1d"), "by": _named("channel", "slack")},
                    required=("after", "by"),
                ),
                at_least=1,
            ),
            _urgency_problem,
        ),
        "channels": MapOf(
            Record(
                {
                    "url": Scalar(
                        str,
                        '"ntfys://ntfy.example.com/{to}"',
                        _road_problem,
                        refers=_secret_in,
                    ),
                    "url_file": _text("/run/secrets/NAME"),
                    "url_env": _spelled(
                        _VARIABLE, "the name of an environment variable", "ROAD_SMS"
                    ),
                    "per_person": Scalar(str, "3/15m", _cap_problem, _cap_normal),
                }
            ),
            _road_name_problem,
        ),
        "teams": MapOf(
            Record(
                {
                    "members": ListOf(_PERSON, lone=True),
                    "managers": ListOf(_PERSON, lone=True),
                    "channel": _CHANNEL,
                    "usergroup": _text("the handle of a Slack user group"),
                    "fallback": ListOf(_TARGET, lone=True),
                    "roles": Record(dict.fromkeys(("responder", "manager"), _GROUPS)),
                    "fairness": Record(dict.fromkeys(("night", "weekend", "holiday"), _WEIGHT)),
                }
            ),
            _key_problem,
        ),
        "rights": Record({"default": _choice("viewer", "responder")}),
        "services": MapOf(
            Record(
                {
                    "team": _named("team"),
                    "policy": _named("policy"),
                    "label_values": ListOf(_text("checkout-api"), lone=True),
                    "tier": _whole(0, 9),
                },
                required=("team",),
            ),
            _key_problem,
        ),
        "schedules": MapOf(_SCHEDULE, _key_problem),
        "policies": MapOf(
            Record(
                {
                    "ack_timeout": _duration("1s", "7d"),
                    "repeat": Record(
                        {"times": _whole(0, 1_000), "every": _duration("1s", "7d")},
                        required=("times",),
                    ),
                    "steps": ListOf(
                        Record(
                            {
                                "after": _duration("0s", "7d"),
                                "page": ListOf(_TARGET, at_least=1, lone=True),
                                "when": Record(
                                    {
                                        "urgency": _LOUDNESS,
                                        "days": _DAYS,
                                        "from": _FROM,
                                        "to": _TO,
                                        "zone": _ZONE,
                                    }
                                ),
                            },
                            required=("after", "page"),
                        ),
                        at_least=1,
                        at_most=100,
                    ),
                },
                required=("steps",),
            ),
            _key_problem,
        ),
        "severities": MapOf(
            Record(
                {
                    "incident": _choice(*SEVERITIES),
                    "urgency": _URGENCY,
                    "postmortem": _choice("draft", "on_request"),
                },
                required=("incident", "urgency"),
            ),
            _severity_problem,
            fixed={"default": _text("the name of one of the severities")},
        ),
        "routes": ListOf(
            Record(
                {
                    "name": _ENTRY_NAME,
                    "match": _MATCH,
                    "group_by": _LABELS,
                    "policy": _named("policy"),
                    "service_from": _LABELS,
                    "wait": _duration("0s", "1d"),
                    "reopen_within": _duration("0s", "30d"),
                    "continue": _BOOL,
                    "heartbeat": Record(
                        {
                            "every": _duration("1s", "30d"),
                            "grace": _duration("0s", "30d"),
                            "policy": _named("policy"),
                        },
                        required=("every",),
                    ),
                },
                required=("name",),
            ),
            at_least=1,
        ),
        "maintenance": ListOf(
            Record(
                {
                    "name": _ENTRY_NAME,
                    "match": _MATCH,
                    "zone": _ZONE,
                    "days": _DAYS,
                    "from": _FROM,
                    "to": _TO,
                    "until": Scalar(str, "2026-12-25", _date_problem),
                },
                required=("name", "match", "from", "to"),
            )
        ),
        "sources": MapOf(
            Record(
                {
                    "kind": _choice("alertmanager", "prometheus"),
                    "token_file": _text("/run/secrets/NAME"),
                    "token_sha256": _spelled(
                        _SHA256, "a SHA-256", "the 64 hexadecimal digits of the token's SHA-256"
                    ),
                    "prometheus": _URL,
                    "alertmanager": ListOf(_URL, lone=True),
                    "repeat_interval": _duration("1s", "30d"),
                    "receivers": ListOf(_text("oncall"), lone=True),
                }
            ),
            _key_problem,
        ),
        "calendars": MapOf(
            Record(
                {
                    "use": _choice("leave", "overrides"),
                    "person": _PERSON,
                    "schedule": _named("schedule"),
                    "file": _text("leave/ana.ics"),
                    "url": Scalar(
                        str, '"https://calendar.example.com/shop.ics"', _calendar_problem
                    ),
                    "url_file": _text("/run/secrets/NAME"),
                    "zone": _ZONE,
                },
                required=("use",),
            ),
            _key_problem,
            fixed={
                "hosts": ListOf(
                    _spelled(_HOST, "a host name", "calendar.example.com"), lone=True, at_most=64
                )
            },
        ),
        "runbooks": Record(
            {
                "dir": _text("the folder of the runbook files"),
                "link_base": _URL,
                "attach_above": Scalar(float, "0.62", _share),
            }
        ),
        "retention": Record(
            {
                kind: Scalar(str, "90d or forever", _kept_problem, _duration_normal)
                for kind in ("alerts", "messages", "incidents", "audit")
            }
        ),
        "canary": Record(
            {
                "person": _PERSON,
                "at": Scalar(str, '"10:00"', partial(_time_problem, False)),
                "zone": _ZONE,
                "within": _duration("1m", "10m"),
            },
            required=("person", "at"),
        ),
        "llm": Record(
            {
                "sends": ListOf(
                    Scalar(str, "severity:SEV1", _sends_problem, refers=_sends_missing), lone=True
                ),
                "never_labels": ListOf(_spelled(_LABEL, "a label name", "customer"), lone=True),
                "daily_cap": _spelled(_MONEY, "an amount of money", "5 USD"),
                "prices": MapOf(
                    Record({"input": _PRICE, "output": _PRICE}, required=("input", "output")),
                    _model_problem,
                ),
                "tokens_per_draft": _whole(1_000, 100_000_000),
                "tokens_per_incident": _whole(1_000, 100_000_000),
            }
        ),
    },
    required=("version", "routes"),
)
