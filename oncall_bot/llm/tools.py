"""The assistant's tools as a table: name, what it is for, what it takes, and whether it only looks.

Knows the JSON schema that servers want. Refuses to run anything. Serves the assistant's loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from oncall_bot.llm import lookups, wishing
from oncall_bot.llm.desk import Args, Desk

Run = Callable[[Desk, Args], Mapping[str, Any]]
_TEXT, _NUMBER = {"type": "string"}, {"type": "integer"}


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    does: str
    run: Run
    takes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    changes: bool = False

    def schema(self) -> dict[str, Any]:
        """As Chat Completions wants it."""
        parameters = {
            "type": "object",
            "properties": {name: dict(kind) for name, kind in self.takes.items()},
            "required": list(self.needs),
            "additionalProperties": False,
        }
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.does, "parameters": parameters},
        }


@lru_cache(maxsize=1)
def all_tools() -> Mapping[str, Tool]:
    """Every tool by its name."""
    return {tool.name: tool for tool in (*_reads(), *_writes())}


def tools_for(*, may_change: bool, has_metrics: bool) -> list[Tool]:
    """Those that this asker may use here."""
    return [
        tool
        for tool in all_tools().values()
        if (may_change or not tool.changes)
        and (has_metrics or not tool.name.startswith("query_prometheus"))
    ]


def _reads() -> list[Tool]:
    whom = {"type": "string", "description": "internal or customers; internal if missing"}
    at = {
        "type": "string",
        "description": "ISO 8601 with offset, or the asker's words; now if missing",
    }
    incident = {"type": "string", "description": "the incident's number, as in 42 or INC-42"}
    return [
        Tool(
            "who_is_on_call",
            "Who is on call for a rotation, service or team, at a time.",
            lookups.who_is_on_call,
            {"rotation": _TEXT, "at": at},
        ),
        Tool(
            "my_shifts",
            "The asker's shifts, or another person's.",
            lookups.my_shifts,
            {"person": _TEXT, "days": _NUMBER},
        ),
        Tool(
            "list_incidents",
            "Incidents: status open, resolved or all.",
            lookups.list_incidents,
            {"status": _TEXT, "severity": _TEXT, "service": _TEXT, "limit": _NUMBER},
        ),
        Tool(
            "find_incident",
            "Incidents about some words.",
            lookups.find_incident,
            {"query": _TEXT, "limit": _NUMBER},
            ("query",),
        ),
        Tool(
            "incident_facts",
            "State, people, computed times and pinned cause of one incident.",
            lookups.incident_facts,
            {"id": incident},
            ("id",),
        ),
        Tool(
            "draft_update",
            "Words of a status update about one incident, from its record; posts nothing.",
            lookups.draft_update,
            {"id": incident, "audience": whom},
            ("id",),
        ),
        Tool(
            "incident_timeline",
            "What happened in one incident, entry by entry.",
            lookups.incident_timeline,
            {"id": incident, "limit": _NUMBER},
            ("id",),
        ),
        Tool(
            "why_paged",
            "Why each person was paged, or not.",
            lookups.why_paged,
            {"id": incident},
            ("id",),
        ),
        Tool(
            "list_alerts",
            "Alerts that fire now.",
            lookups.list_alerts,
            {"service": _TEXT, "name": _TEXT, "limit": _NUMBER},
        ),
        Tool(
            "alert_history",
            "When an alert fired, and how its incidents ended.",
            lookups.alert_history,
            {"name": _TEXT, "days": _NUMBER},
            ("name",),
        ),
        Tool(
            "search_runbooks",
            "Runbooks for an alert or some words.",
            lookups.search_runbooks,
            {"query": _TEXT, "limit": _NUMBER},
            ("query",),
        ),
        Tool(
            "get_runbook",
            "The text of one runbook, or one section.",
            lookups.get_runbook,
            {"id": _TEXT, "section": _TEXT},
            ("id",),
        ),
        Tool(
            "recent_deploys",
            "Deploys written on incidents.",
            lookups.recent_deploys,
            {"service": _TEXT, "hours": _NUMBER},
        ),
        Tool(
            "query_prometheus_instant",
            "The value of a PromQL expression.",
            lookups.query_prometheus_instant,
            {"expr": _TEXT, "at": at},
            ("expr",),
        ),
        Tool(
            "query_prometheus_range",
            "Smallest, largest and last value of a PromQL expression over the last hours, a week at most.",
            lookups.query_prometheus_range,
            {"expr": _TEXT, "hours": _NUMBER},
            ("expr",),
        ),
    ]


def _writes() -> list[Tool]:
    incident = {
        "type": "string",
        "description": "the incident's number; the one talked about if missing",
    }
    card = "Shows the asker a card with a button; nothing happens before the press."
    return [
        Tool(
            "page_someone",
            f"Page a person, team or whoever is on call. {card}",
            wishing.page_someone,
            {"target": _TEXT, "incident": incident, "message": _TEXT},
            ("target",),
            True,
        ),
        Tool(
            "ack",
            f"The asker takes an incident. {card}",
            wishing.acknowledge,
            {"incident": incident},
            (),
            True,
        ),
        Tool(
            "resolve",
            f"Resolve an incident. {card}",
            wishing.resolve,
            {"incident": incident},
            (),
            True,
        ),
        Tool(
            "escalate",
            f"Page the next step. {card}",
            wishing.escalate,
            {"incident": incident},
            (),
            True,
        ),
        Tool(
            "silence",
            f"Silence an incident's alerts for 5 to 1440 minutes. {card}",
            wishing.silence,
            {"incident": incident, "alert": _TEXT, "minutes": _NUMBER, "comment": _TEXT},
            ("minutes",),
            True,
        ),
        Tool(
            "override_create",
            f"Put somebody on call for a while. {card}",
            wishing.override_create,
            {"rotation": _TEXT, "user": _TEXT, "from": _TEXT, "to": _TEXT},
            ("rotation", "user", "from", "to"),
            True,
        ),
        Tool(
            "declare_incident",
            f"Open an incident. {card}",
            wishing.declare_incident,
            {"title": _TEXT, "severity": _TEXT, "service": _TEXT},
            ("title",),
            True,
        ),
        Tool(
            "set_severity",
            f"Change an incident's severity. {card}",
            wishing.set_severity,
            {"incident": incident, "severity": _TEXT},
            ("severity",),
            True,
        ),
        Tool(
            "add_note",
            f"Write on an incident's work log. {card}",
            wishing.add_note,
            {"incident": incident, "text": _TEXT},
            ("text",),
            True,
        ),
    ]
