"""What the surfaces read; every query is by an index and bounded. Nothing here writes or decides.

incident   the card's Situation, the work log, the record    paging     who was and will be paged
pages      a page as the paged person sees it                on_call    who is on call, hand-offs, contacts
covers     requests for cover as each reader sees them
reasons    why each person was paged, or not                 foresight  what would happen to an alert
"""

from oncall_bot.store.views.covers import asked_for, cover_notice, waits_for
from oncall_bot.store.views.foresight import explain, runbooks_matching
from oncall_bot.store.views.incident import (
    draft,
    incident_of_thread,
    last_resolved,
    latest_incidents,
    open_incidents,
    record,
    situation,
    thread_of,
    with_links,
    work_log,
)
from oncall_bot.store.views.on_call import ContactShown, contacts, hand_off, people, rules, who
from oncall_bot.store.views.pages import (
    asked_in_bundle,
    bundle_now,
    bundle_of_message,
    bundle_of_row,
    late_by,
    page_notice,
)
from oncall_bot.store.views.reasons import why
from oncall_bot.store.views.rota import next_shifts, reminders, rota_week, shifts_of_others

__all__ = [
    "ContactShown",
    "asked_for",
    "asked_in_bundle",
    "bundle_now",
    "bundle_of_message",
    "bundle_of_row",
    "contacts",
    "cover_notice",
    "draft",
    "explain",
    "hand_off",
    "incident_of_thread",
    "last_resolved",
    "late_by",
    "latest_incidents",
    "next_shifts",
    "open_incidents",
    "page_notice",
    "people",
    "record",
    "reminders",
    "rota_week",
    "rules",
    "runbooks_matching",
    "shifts_of_others",
    "situation",
    "thread_of",
    "waits_for",
    "who",
    "why",
    "with_links",
    "work_log",
]
