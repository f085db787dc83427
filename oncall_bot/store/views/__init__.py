"""What the surfaces read; every query is by an index and bounded. Nothing here writes or decides.

incident   the card's Situation, the work log, the record    paging     who was and will be paged
pages      a page as the paged person sees it                on_call    who is on call, hand-offs, contacts
covers     requests for cover as each reader sees them
boards     schedules as they are drawn              signing_in who looks at a web page
reasons    why each person was paged, or not                 foresight  what would happen to an alert
sight      what the metrics say of an incident, and what is to be asked of them
firings    how often an alert fired, what fires now          shifts     shifts in a span
offers     what a wish comes to                            conversations  what is talked about
disclosure what of an incident a model may be sent
drafts     suggested texts and what became of them           catching_up  what somebody who joins late reads
audit      who did what, and who was refused
coverage   faults of schedules ahead, calendars read in       personal   all that is stored about one person
reach      how a page would reach a person now
"""

from oncall_bot.store.views.audit import AuditLine, audit_trail
from oncall_bot.store.views.boards import ScheduleLine, board_of, schedule_lines
from oncall_bot.store.views.catching_up import catch_up
from oncall_bot.store.views.conversations import about, key_of
from oncall_bot.store.views.coverage import CalendarState, calendar_states, coverage
from oncall_bot.store.views.covers import asked_for, cover_notice, waits_for
from oncall_bot.store.views.disclosure import disclosure, model_allowance
from oncall_bot.store.views.drafts import (
    draft,
    draft_by_id,
    drafts_decided,
    suggestion,
    update_notice,
)
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
    incident_address,
    incident_of_thread,
    last_resolved,
    latest_incidents,
    open_incidents,
    pins_on,
    record,
    situation,
    thread_of,
    with_links,
    work_log,
)
from oncall_bot.store.views.incident_page import incident_page
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
    LINK_USED,
    asked_in_bundle,
    bundle_now,
    bundle_of_message,
    bundle_of_row,
    late_by,
    link_used,
    page_notice,
)
from oncall_bot.store.views.personal import person_export
from oncall_bot.store.views.reach import ReachShown, RulesShown, reach
from oncall_bot.store.views.reasons import why
from oncall_bot.store.views.rota import next_shifts, reminders, rota_week, shifts_of_others
from oncall_bot.store.views.shifts import Shift, on_call_between, shifts_of
from oncall_bot.store.views.sight import Subject, checks, subject
from oncall_bot.store.views.signing_in import signed_in, waiting_link

__all__ = [
    "LINK_USED",
    "AlertHistory",
    "Asker",
    "AuditLine",
    "CalendarState",
    "ContactShown",
    "Ending",
    "Firing",
    "ReachShown",
    "RulesShown",
    "ScheduleLine",
    "Shift",
    "Subject",
    "about",
    "alert_history",
    "asked_for",
    "asked_in_bundle",
    "audit_trail",
    "board_of",
    "bundle_now",
    "bundle_of_message",
    "bundle_of_row",
    "calendar_states",
    "catch_up",
    "checks",
    "contacts",
    "cover_notice",
    "coverage",
    "disclosure",
    "draft",
    "draft_by_id",
    "drafts_decided",
    "ending",
    "explain",
    "firing_now",
    "hand_off",
    "incident_address",
    "incident_of_thread",
    "incident_page",
    "key_of",
    "known",
    "last_resolved",
    "late_by",
    "latest_incidents",
    "link_used",
    "model_allowance",
    "model_paused",
    "next_shifts",
    "offer",
    "on_call_between",
    "open_incidents",
    "page_notice",
    "people",
    "person_export",
    "pins_on",
    "reach",
    "record",
    "reminders",
    "rota_week",
    "runbooks_matching",
    "schedule_lines",
    "schedules_of",
    "shifts_of",
    "shifts_of_others",
    "signed_in",
    "situation",
    "spoken_length",
    "subject",
    "suggestion",
    "thread_of",
    "update_notice",
    "waiting_link",
    "waits_for",
    "who",
    "why",
    "with_links",
    "work_log",
]
