"""A draft from a record, with a model's prose when there is a model.

Knows the order: facts first, prose if it comes, else facts alone and one line that says so. Never fails for
want of a model.
Serves the CLI (`draft summary|postmortem`), which needs no database.
"""

from __future__ import annotations

from dataclasses import dataclass

from oncall_bot.core.drafts import checks_of, compose, review
from oncall_bot.ports import Assignment, Drafter


@dataclass(frozen=True, slots=True)
class Written:
    """The draft, what a person has to look at before it is published, and the tokens it took."""

    markdown: str
    review: str
    used_tokens: int


def write_draft(assignment: Assignment, drafter: Drafter) -> Written:
    """The draft with what of the model's prose the record bears out."""
    prose = drafter.draft(assignment)
    composed = compose(assignment.record, assignment.kind, prose.claims, prose.missing)
    return Written(composed.markdown, review(checks_of(composed.checked)), prose.used_tokens)
