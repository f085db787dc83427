"""A draft from an exported record, with a model's prose when there is a model.

Knows the order: facts first, prose if it comes, facts alone if not. Refuses to fail for want of a model.
Serves the CLI (`draft summary|postmortem --record FILE`), which needs no database.
"""

from __future__ import annotations

from oncall_bot.core.drafts import compose, draft
from oncall_bot.core.records import parse_record
from oncall_bot.ports import DeliveryError, Drafter


def draft_record(data: object, kind: str, drafter: Drafter | None = None) -> str:
    """The Markdown draft of that kind from a decoded record; BadInput for a record or kind that can't be used.

    `truth` and other keys of the file are never read. A failing model costs its prose and leaves one line.
    """
    record = parse_record(data)
    alone = draft(record, kind)
    if drafter is None:
        return alone
    try:
        claims = drafter.draft(record, kind)
    except DeliveryError as error:
        return f"{alone}\nNo prose was added: the model gave no answer that could be used.\n\n<!-- {error} -->\n"
    return compose(record, kind, claims).markdown
