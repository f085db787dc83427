"""What the surfaces read; every query is by an index and bounded. Nothing here writes or decides.

incident   the card's Situation, the work log, the record    paging     who was and will be paged
pages      a page as the paged person sees it                on_call    who is on call, hand-offs, contacts
reasons    why each person was paged, or not                 foresight  what would happen to an alert
firings    how often an alert fired, what fires now          shifts     shifts in a span
offers     what a wish comes to                            conversations  what is talked about
disclosure what of an incident a model may be sent
"""

from oncall_bot.store.views.conversations import about, key_of
from oncall_bot.store.views.disclosure import disclosure
from oncall_bot.store.views.firings import (
    AlertHistory,
    Ending,
    Firing,
    alert_history,
    ending,
    firing_now,
    known,
)
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
from oncall_bot.store.views.model_use import model_paused
from oncall_bot.store.views.offers import Asker, offer, spoken_length
from oncall_bot.store.views.on_call import (
    ContactShown,
    contacts,
    hand_off,
    people,
    schedules_of,
    who,
)
from oncall_bot.store.views.pages import (
    asked_in_bundle,
    bundle_now,
    bundle_of_message,
    bundle_of_row,
    late_by,
    page_notice,
)
from oncall_bot.store.views.reasons import why
from oncall_bot.store.views.shifts import Shift, on_call_between, shifts_of

__all__ = [
    "AlertHistory",
    "Asker",
    "ContactShown",
    "Ending",
    "Firing",
    "Shift",
    "about",
    "alert_history",
    "asked_in_bundle",
    "bundle_now",
    "bundle_of_message",
    "bundle_of_row",
    "contacts",
    "disclosure",
    "draft",
    "ending",
    "explain",
    "firing_now",
    "hand_off",
    "incident_of_thread",
    "key_of",
    "known",
    "last_resolved",
    "late_by",
    "latest_incidents",
    "model_paused",
    "offer",
    "on_call_between",
    "open_incidents",
    "page_notice",
    "people",
    "record",
    "runbooks_matching",
    "schedules_of",
    "shifts_of",
    "situation",
    "spoken_length",
    "thread_of",
    "who",
    "why",
    "with_links",
    "work_log",
]
