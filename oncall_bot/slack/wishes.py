"""What a sent form says, and what became of it.

Knows the shapes alone. Serves submissions and the modules that hold forms of one subject.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from oncall_bot.core.outcomes import Outcome
from oncall_bot.slack.blocks import Block
from oncall_bot.slack.callers import Caller
from oncall_bot.slack.edge import Edge


@dataclass(frozen=True, slots=True)
class Form:
    """One sent form: who, its fields, and the incident it says it is about."""

    caller: Caller
    fields: Mapping[str, str]
    about: Mapping[str, object]
    view_id: str
    press_id: str

    @property
    def incident_id(self) -> int:
        """The incident, or 0, which no incident has."""
        found = self.about.get("incident")
        return found if isinstance(found, int) else 0


@dataclass(frozen=True, slots=True)
class Wish:
    """What became of a form, and the field to blame when nothing did."""

    outcome: Outcome | None
    field: str
    tell: bool = False
    then: Block | None = None  # the form that comes next


Submission = Callable[[Edge, Form], Awaitable[Wish]]
