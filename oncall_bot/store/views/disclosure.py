"""What of an incident a model may be sent and may use now, from its rows and the file in force.

Knows rows. Refuses to decide (core.disclosure does). Serves the engine, the assistant and the CLI.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oncall_bot.core.disclosure import Disclosure, Scope, disclose
from oncall_bot.core.spending import allowance, used_up
from oncall_bot.store import groups, incidents, model_calls
from oncall_bot.store.transactions import Reader

ALERTS_MAX = 20_000


def disclosure(reader: Reader, incident_id: int, model: str) -> Disclosure:
    """What that model may be sent of the incident and use for one draft; an unknown incident is refused."""
    llm = reader.snapshot.config.llm
    incident = incidents.get(reader, incident_id)
    spent = model_calls.spent(reader, incident_id)
    if incident is None:
        return Disclosure(disclose(llm, Scope(""), model, spent).allowance, refused="it is gone")
    services = (incident.service,) if incident.service else ()
    scope = Scope(incident.severity, incident.team, services, incident.private)
    labels: list[Mapping[str, Any]] = []
    texts: list[str] = []
    if llm.never_labels:
        labels = [m.labels for m in groups.all_members(reader, incident_id, limit=ALERTS_MAX)]
        texts = [event.text for event in incidents.events(reader, incident_id)]
    return disclose(llm, scope, model, spent, labels, [incident.title, *texts])


def model_allowance(reader: Reader, model: str) -> Disclosure:
    """What that model may use for a question about no incident."""
    llm = reader.snapshot.config.llm
    spent = model_calls.spent(reader, None)
    return Disclosure(allowance(llm, model, spent), refused=used_up(llm, spent))
