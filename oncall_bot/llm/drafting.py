"""A draft from an exported record, with a model's prose when there is a model.

Knows the order: facts first, prose if it comes, else facts alone. Never fails for want of a model.
Serves the CLI (`draft summary|postmortem --record FILE`), which needs no database.
"""

from __future__ import annotations

from oncall_bot.core.drafts import compose, draft
from oncall_bot.core.records import parse_record
from oncall_bot.ports import DeliveryError, Drafter

NO_PROSE = "No prose was added: the model gave no answer that could be used."


def draft_record(data: object, kind: str, drafter: Drafter | None = None) -> str:
    """The Markdown draft of that kind from a decoded record; BadInput when it can't be used.

    `truth` is never read. A failing model costs its prose and leaves one line in the draft.
    """
    record = parse_record(data)
    alone = draft(record, kind)
    if drafter is None:
        return alone
    try:
        claims = drafter.draft(record, kind)
    except DeliveryError as error:
        return f"{alone}\n{NO_PROSE}\n\n<!-- {error} -->\n"
    return compose(record, kind, claims).markdown
