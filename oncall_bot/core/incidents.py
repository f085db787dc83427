"""The incident's life: statuses, severities, what may follow what, its title, and when a storm is one.

Knows the words and the rules of the life cycle. Refuses to know paging and SQL. Serves flows and views.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from oncall_bot.core.config import Urgency

STORM_GROUPS = 20
STORM_WITHIN = timedelta(seconds=60)
BRAKE = timedelta(seconds=2)
"""A second group of a team within a minute waits so long: enough to see a storm, short enough to page."""

CALM_AFTER_FLAP = timedelta(minutes=5)
SILENCE_MIN, SILENCE_MAX = timedelta(minutes=5), timedelta(days=7)
SEVERITIES = ("SEV1", "SEV2", "SEV3", "SEV4", "SEV5")
TITLE_MAX = 90


class Status(StrEnum):
    OPEN = "open"
    ACKED = "acked"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    MERGED = "merged"


OPEN = (Status.OPEN, Status.ACKED, Status.MITIGATED)


class Origin(StrEnum):
    ALERT = "alert"
    DECLARED = "declared"
    STORM = "storm"
    CANARY = "canary"  # the daily test of the paging road


def is_worse(severity: str, than: str) -> bool:
    """SEV1 is worse than SEV2; an unknown word is never worse."""
    if severity not in SEVERITIES:
        return False
    return than not in SEVERITIES or SEVERITIES.index(severity) < SEVERITIES.index(than)


def urgency_for(severity: str) -> Urgency:
    """How loud a severity set by a person is: SEV1 to SEV3 wake, SEV4 waits in Slack, SEV5 is quiet."""
    if severity in SEVERITIES[:3]:
        return Urgency.HIGH
    return Urgency.LOW if severity == "SEV4" else Urgency.NONE


_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\-\s]+")


def words_of(name: str) -> str:
    """`KubePodCrashLooping` as `Kube pod crash looping`; acronyms stay. Outside text, at most TITLE_MAX characters."""
    parts = [part for part in _HUMPS.split(name[:TITLE_MAX]) if part]
    lowered = [part if part.isupper() and len(part) > 1 else part.lower() for part in parts]
    text = " ".join(lowered)
    return text[:1].upper() + text[1:]


def title_of(labels: Mapping[str, str], service: str | None) -> str:
    """What is broken, and where: `High error rate on checkout`."""
    what = words_of(labels.get("alertname", "")) or "An alert without a name"
    where = service or next(
        (labels[name] for name in ("service", "app", "job", "instance") if labels.get(name)), ""
    )
    title = f"{what} on {where}" if where else what
    return title if len(title) <= TITLE_MAX else title[: TITLE_MAX - 1] + "…"


def storm_title(team: str | None) -> str:
    return f"Many alerts at once on {team}" if team else "Many alerts at once"
