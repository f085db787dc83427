"""Somebody's own oncall.yaml made fit for a rehearsal: the same people, routes and policies, and no way out.

Knows what must be replaced: roads, tokens, addresses, Slack ids. Refuses to touch who is paged for what. Serves demo.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oncall_bot.core.errors import OncallError

if TYPE_CHECKING:
    from oncall_bot.core.config import Config
    from oncall_bot.practice.plot import ExampleAlert, Setting
    from oncall_bot.practice.slack import Person

Document = dict[str, Any]
MAIL = ("mail", "email")
_SLACK_ID = re.compile(r"[CG][A-Z0-9]{5,20}")


@dataclass(frozen=True)
class Rehearsed:
    """The setting for stories, and what was left out or replaced, in sentences."""

    setting: Setting
    notes: list[str]


def rehearsed(file: Path) -> Rehearsed:
    """The file as a setting. OncallError with file, line and field for everything that is wrong in it."""
    from oncall_bot.core.documents import config_of
    from oncall_bot.files.export import export_yaml
    from oncall_bot.files.oncall_yaml import read_config
    from oncall_bot.practice.plot import Setting

    found = read_config(file, read_secrets=False)
    if not found.ok:
        raise OncallError("\n".join(str(fault) for fault in found.faults[:20]))
    document, notes = found.document, []
    if not document.get("people"):
        raise OncallError(f"{file} names nobody under people; a rehearsal needs somebody to page.")
    notes += _without_heartbeats(document)
    notes += _own_runbooks(document, file)
    _without_sources(document)
    _known_channels(document)
    topics = _on_practice_phones(document)
    people = _people(document)
    config = config_of(document)
    examples = _examples(config)
    if not examples:
        raise OncallError(f"{file} has no route that an alert could take; write one under routes.")
    text = export_yaml(document)
    chosen = next((one for one in examples if one.urgent), examples[0])
    labels = {k: v for k, v in chosen.labels.items() if v != _example_name(chosen.route)}
    setting = Setting(
        people=people,
        channels=[(name, tuple(person.name for person in people)) for name in _channels(document)],
        config=lambda at: text,
        labels=labels,
        topics=topics,
        examples=examples,
        own=True,
    )
    return Rehearsed(setting, notes)


def _without_heartbeats(document: Document) -> list[str]:
    routes = document.get("routes", [])
    silent = [str(route["name"]) for route in routes if "heartbeat" in route]
    document["routes"] = [route for route in routes if "heartbeat" not in route]
    if not silent:
        return []
    return [f"Left out, because no heartbeat beats in practice: the route {', '.join(silent)}."]


def _without_sources(document: Document) -> None:
    """Tokens and addresses are the practice's."""
    document.pop("sources", None)
    document.pop("llm", None)


def _known_channels(document: Document) -> None:
    """Channels given by id become named ones: the practice Slack has its own ids."""

    def named(value: Any) -> Any:
        if isinstance(value, str) and _SLACK_ID.fullmatch(value):
            return f"#{value.lower()}"
        return value

    defaults = document.get("defaults", {})
    for holder in (defaults, *document.get("teams", {}).values()):
        if "channel" in holder:
            holder["channel"] = named(holder["channel"])
    for policy in document.get("policies", {}).values():
        for step in policy.get("steps", []):
            step["page"] = [
                f"channel:{named(target.removeprefix('channel:'))}"
                if target.startswith("channel:")
                else target
                for target in step.get("page", [])
            ]
    if not defaults.get("channel"):
        document["defaults"] = {**defaults, "channel": "#incidents"}


def _on_practice_phones(document: Document) -> dict[str, str]:
    """Every road leads to the practice phones; answers whose topic is whose."""
    roads = document.setdefault("channels", {})
    if not any(road not in MAIL for road in roads):
        roads["push"] = {}
    for road, entry in roads.items():
        kept = {"per_person": entry["per_person"]} if "per_person" in entry else {}
        url = "webhook+http://@PHONE@/page/mail" if road in MAIL else "ntfy://@PHONE@/{to}"
        document["channels"][road] = {"url": url, **kept}
    topics: dict[str, str] = {}
    for key, person in document["people"].items():
        person["contacts"] = {road: _topic(key, road) for road in roads if road not in MAIL}
        person.setdefault("email", f"{_word(key)}@practice.example")
        person.pop("slack", None)
        topics |= dict.fromkeys([*person["contacts"].values(), person["email"]], key)
    return topics


def _topic(key: str, road: str) -> str:
    return f"{_word(key)}-{_word(road)}"[:64]


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-") or "somebody"


def _people(document: Document) -> list[Person]:
    from oncall_bot.practice.slack import Person

    return [
        Person(
            id=f"U0PR{n:07d}",
            name=key,
            real_name=person.get("name", key),
            email=person["email"],
            title=person.get("role", ""),
            zone=person.get("zone") or document.get("defaults", {}).get("zone", "UTC"),
        )
        for n, (key, person) in enumerate(document["people"].items(), start=1)
    ]


def _channels(document: Document) -> list[str]:
    def found() -> Iterator[str]:
        yield document["defaults"]["channel"]
        for team in document.get("teams", {}).values():
            if team.get("channel"):
                yield team["channel"]
        for policy in document.get("policies", {}).values():
            for step in policy.get("steps", []):
                yield from (
                    target.removeprefix("channel:")
                    for target in step.get("page", [])
                    if target.startswith("channel:")
                )

    return list(dict.fromkeys([*(name.removeprefix("#") for name in found()), "general"]))


def _examples(config: Config) -> list[ExampleAlert]:
    from oncall_bot.core.config import Urgency
    from oncall_bot.core.examples import ALERT, example_labels, way_of
    from oncall_bot.practice.plot import ExampleAlert

    found = []
    for route in config.routes:
        labels = example_labels(config, route)
        if labels and labels.get("alertname") == ALERT:
            labels = {**labels, "alertname": _example_name(route.key)}
        way = way_of(config, route, labels) if labels else None
        if labels is not None and way is not None:
            urgent = way.severity.urgency is Urgency.HIGH and way.policy is not None
            found.append(ExampleAlert(route.key, labels, urgent))
    return found


def _example_name(route: str) -> str:
    """An alert name of its own for each route, so that their cards can be told apart."""
    return "Example" + "".join(part.capitalize() for part in re.findall(r"[a-zA-Z0-9]+", route))


def _own_runbooks(document: Document, file: Path) -> list[str]:
    """The file's own runbooks, wherever the practice's copy of it lies."""
    named = document.get("runbooks", {}).get("dir")
    if not named:
        return []
    folder = file.parent.resolve() / named
    if folder.is_dir():
        document["runbooks"]["dir"] = str(folder)
        return []
    del document["runbooks"]["dir"]
    return [f"There is no folder {folder}: the starter runbooks are used instead."]
