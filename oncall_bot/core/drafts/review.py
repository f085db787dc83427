"""What a person has to look at before a draft is published: sentences the record does not prove, and why.

Knows the verdicts. Refuses to put any of it into the draft: a marked sentence stands apart until somebody accepts it, a
dropped one never comes back by itself. Serves the flow that stores a draft, the CLI and whoever shows suggestions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from oncall_bot.core.drafts.prose import HEADINGS, escaped
from oncall_bot.core.redaction import redact
from oncall_bot.core.verification import TWICE, Checked, Claim, Outcome

MOST_EACH = 40


def checks_of(checked: Checked) -> list[dict[str, Any]]:
    """The marked and the dropped sentences as JSON: id, text, section, cites, outcome, reason."""
    dropped = [(claim, why) for claim, why in checked.dropped if why != TWICE]
    found = [
        *((claim, why, Outcome.MARK) for claim, why in checked.marked[:MOST_EACH]),
        *((claim, why, Outcome.DROP) for claim, why in dropped[:MOST_EACH]),
    ]
    return [_check(f"s{n}", *one) for n, one in enumerate(found, start=1)]


def review(checks: Sequence[dict[str, Any]]) -> str:
    """The same for a reader, in Markdown: what to check, then what was left out; empty when there is nothing."""
    blocks = []
    for title, outcome in (("Check", Outcome.MARK), ("Left out", Outcome.DROP)):
        lines = [_line(check) for check in checks if check["outcome"] == outcome]
        if lines:
            blocks.append("\n".join([f"## {title}", "", *lines]))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _check(id_: str, claim: Claim, why: str, outcome: Outcome) -> dict[str, Any]:
    return {
        "id": id_,
        "text": redact(claim.text)[:1_000],
        "section": claim.section,
        "cites": list(claim.cites),
        "outcome": outcome.value,
        "reason": redact(why),
    }


def _line(check: dict[str, Any]) -> str:
    heading = HEADINGS.get(str(check["section"]), "Elsewhere")
    cites = ", ".join(check["cites"])
    return f"- {heading}: “{escaped(check['text'])}” [{cites}]: {escaped(check['reason'])}"
