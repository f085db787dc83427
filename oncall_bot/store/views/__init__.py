"""What the surfaces read; every query is by an index and bounded. Nothing here writes or decides.

incident   the card's Situation, the work log, the record    paging     who was and will be paged
pages      a page as the paged person sees it                on_call    who is on call, hand-offs, contacts
boards     schedules as they are drawn              signing_in who looks at a web page
reasons    why each person was paged, or not                 foresight  what would happen to an alert
"""

from oncall_bot.store.views.boards import ScheduleLine, board_of, schedule_lines
from oncall_bot.store.views.foresight import explain, runbooks_matching
from oncall_bot.store.views.incident import (
    draft,
    incident_address,
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
from oncall_bot.store.views.incident_page import incident_page
from oncall_bot.store.views.on_call import ContactShown, contacts, hand_off, people, who
from oncall_bot.store.views.pages import (
    asked_in_bundle,
    bundle_now,
    bundle_of_message,
    bundle_of_row,
    late_by,
    page_notice,
)
from oncall_bot.store.views.reasons import why
from oncall_bot.store.views.signing_in import signed_in, waiting_link

__all__ = [
    "ContactShown",
    "ScheduleLine",
    "asked_in_bundle",
    "board_of",
    "bundle_now",
    "bundle_of_message",
    "bundle_of_row",
    "contacts",
    "draft",
    "explain",
    "hand_off",
    "incident_address",
    "incident_of_thread",
    "incident_page",
    "last_resolved",
    "late_by",
    "latest_incidents",
    "open_incidents",
    "page_notice",
    "people",
    "record",
    "runbooks_matching",
    "schedule_lines",
    "signed_in",
    "situation",
    "thread_of",
    "waiting_link",
    "who",
    "why",
    "with_links",
    "work_log",
]
