"""Every payload this room draws, by the name its kind has in the design kit, for the tests that judge them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from oncall_bot.core.explanation import Line
from oncall_bot.core.live_checks import NOT_AS_EXPECTED, UNREAD, Reading
from oncall_bot.core.outcomes import Outcome
from oncall_bot.core.pins import Pin, PinKind
from oncall_bot.core.situation import (
    Before,
    Beside,
    BundleNotice,
    DraftNotice,
    JudgedRunbook,
    PossibleRunbook,
    RoadFate,
    RunbookNotice,
    ShownPicture,
    ToCheck,
    UpdateNotice,
)
from oncall_bot.slack import (
    answers,
    calendars,
    cards,
    catching_up,
    contacts,
    dms,
    drafts,
    hand_offs,
    home,
    modals,
    pins,
    reviews,
    threads,
    verdicts,
)
from oncall_bot.slack.blocks import Block, Drawn
from oncall_bot.store.views.feeds import OwnLink
from oncall_bot.store.views.on_call import ContactShown
from tests.unit.slack import reach_payloads, rota_payloads, talk_payloads
from tests.unit.slack.situations import (
    ACKNOWLEDGED,
    BOOK,
    CALLED_RIGHT,
    CALLED_WRONG,
    FIRING,
    HANDED,
    HANDED_FULL,
    HOSTILE,
    LOG,
    NASTY,
    POSSIBLE,
    RESOLVED,
    SHIFTS,
    STATES,
    STORM,
    at,
    notice,
)

NOW = at(15)
CONTACTS = [
    ContactShown("sms", "+4930123456", True, False, True, worked_at=at(3)),
    ContactShown(
        "voice",
        "+4930123456",
        True,
        False,
        True,
        failed_at=at(4),
        why="unknown (30005)",
        set_aside=True,
    ),
    ContactShown("push", NASTY, True, True, True, worked_at=at(3), failed_at=at(9), why=NASTY),
    ContactShown("push", "new-topic", False, False, True),
    ContactShown("mail", "a@b.example", True, True, False),
]
PINNED = Pin("e9", "e4", PinKind.CAUSE, "@ana", "The pool was empty", own_words=True)
MARKDOWN = """# Summary

From 03:07 to 03:31 UTC about **1 in 28** requests to `checkout` failed. [3] [22]

- A rollback brought it under the limit. [18]
- <!channel> [a link](https://evil.example.com) & more

## Timeline

TODO: who found it?
"""
SAID = "*Checkout fails*\nAbout 1 in 12 payments fails since 03:05 UTC [e003, calc]."
CHECKS = (
    ToCheck("s1", "The deploy had used up the connections.", ("e002", "e009"), "it names a cause"),
    ToCheck("s2", NASTY, ("e002",), NASTY),
    ToCheck("s3", "Nobody was affected.", ("e002",), "it denies", "drop", "Ana Ruiz"),
)
SUGGESTIONS = {
    "summary": DraftNotice(RESOLVED, "summary", MARKDOWN, 7),
    "summary-checks": DraftNotice(HOSTILE, "summary", MARKDOWN, 7, "narrated", checks=CHECKS),
    "summary-accepted": DraftNotice(RESOLVED, "summary", MARKDOWN, 7, "edited", NASTY, at(9)),
    "summary-discarded": DraftNotice(RESOLVED, "summary", MARKDOWN, 7, "discarded", "Bo", at(9)),
    "postmortem": DraftNotice(RESOLVED, "postmortem", MARKDOWN, 8, checks=CHECKS),
    "postmortem-accepted": DraftNotice(
        RESOLVED, "postmortem", MARKDOWN, 8, "accepted", "Bo", at(9)
    ),
    "postmortem-discarded": DraftNotice(
        RESOLVED, "postmortem", MARKDOWN, 8, "discarded", "Bo", at(9)
    ),
}

PICTURE = ShownPicture("F0PICTURE1", "Error rate: 8.4 %.", "8.4 %, limit 2 %", None, at(3))
PICTURED = replace(
    FIRING,
    picture=PICTURE,
    before=Before(4, timedelta(minutes=6)),
    beside=[Beside(43, "Slow payments", at(1), ("C1", "1.2"), "https://example.slack.com/x")],
    beside_more=2,
)
NASTY_SIGHT = replace(
    HOSTILE,
    picture=ShownPicture("F1", NASTY * 20, NASTY, NASTY, at(3)),
    before=Before(101, timedelta(days=3)),
    beside=[Beside(n, NASTY, at(n), None, "javascript:x") for n in range(3)],
)
READINGS = [
    Reading(
        "queue depth", "messages", "below 500", NOT_AS_EXPECTED, at(4), 12431.0, section="Mend"
    ),
    Reading("idle connections", "", "above 5", "as expected", at(4), 12.0),
    Reading("goroutines", "", "", "", at(4), 9.0, whose="pod=a", series=3),
    Reading("errors", "%", "", UNREAD, at(4), why="Prometheus gave no answer in 10 s"),
]
NASTY_READINGS = [
    Reading(NASTY, NASTY, NASTY, NOT_AS_EXPECTED, at(4), 1e300, NASTY, NASTY, 2, NASTY),
    Reading(NASTY, NASTY, NASTY, UNREAD, at(4), None, NASTY),
] * 5

REFUSAL = (
    "Your role is viewer in team shop; to resolve incidents you need responder. Ask Dee Marsh or an admin to give it"
    " to you."
)


@cache
def messages() -> Mapping[str, Drawn]:
    drawn = {f"card-{name}": cards.card(s, s.updated_at) for name, s in STATES.items()}
    for name, s in STATES.items():
        drawn[f"dm-page-{name}"] = dms.page(notice(s), NOW)
    drawn |= {
        "dm-page-of-another": dms.page(
            notice(ACKNOWLEDGED, person_key="bo", slack_id="U0BO", step=2), NOW
        ),
        "dm-page-over": dms.page(notice(FIRING, epoch_over=True), NOW),
        "dm-page-by-hand": dms.page(notice(FIRING, step=0, schedule=None), NOW),
        "dm-channel": dms.channel_page(notice(FIRING), NOW),
        "dm-channel-over": dms.channel_page(notice(ACKNOWLEDGED), NOW),
        "dm-notice": dms.notice_to("Slack has refused <messages> for 6 min."),
        "dm-bundle": dms.bundle(
            BundleNotice(
                [notice(FIRING), notice(HOSTILE), notice(RESOLVED)] * 3, 7, more=12, asked=14
            ),
            NOW,
        ),
        "dm-bundle-late": dms.bundle(
            BundleNotice([notice(HOSTILE)] * 2, 7, asked=2, late=timedelta(minutes=42)), NOW
        ),
        "dm-bundle-over": dms.bundle(BundleNotice([notice(RESOLVED)] * 2, 7), NOW),
        "dm-hand-off": hand_offs.arriving(HANDED, NOW),
        "dm-hand-off-full": hand_offs.arriving(HANDED_FULL, NOW),
        "dm-hand-off-leaving-full": hand_offs.leaving(HANDED_FULL, NOW),
        **rota_payloads.messages(NOW),
        "dm-hand-off-both": hand_offs.leaving(HANDED, NOW),
        "dm-hand-off-gap": hand_offs.leaving(
            replace(HANDED, arriving=None, arriving_key=None), NOW
        ),
        "dm-hand-off-over": hand_offs.leaving(HANDED, NOW),
        "dm-test": dms.test_page("Ana Ruiz", NOW, ("slack", "push", "voice"), NOW),
        "dm-test-received": dms.received(at(0), at(1), NOW),
        "dm-test-report": dms.road_report(
            [
                (RoadFate("slack", "sent", at(0)), ""),
                (RoadFate("push", "failing", None, "ntfy.example.com <answered> 503"), "ana-phone"),
                (RoadFate("voice", "waiting", None), "+4930123456"),
            ],
            NOW,
            wakes=True,
            watching=True,
        ),
        "dm-test-report-over": dms.road_report(
            [(RoadFate("mail", "failed", at(1), NASTY), NASTY)], NOW, wakes=False, watching=False
        ),
        "thread-work-log": threads.work_log(LOG, NOW),
        "thread-runbook": threads.runbook(RunbookNotice(FIRING, BOOK), BOOK, NOW),
        "thread-runbook-right": threads.runbook(
            RunbookNotice(replace(FIRING, judged=[CALLED_RIGHT]), BOOK), BOOK, NOW
        ),
        "thread-possible-runbooks": verdicts.possible(
            replace(FIRING, runbook=None, possible=POSSIBLE, judged=[CALLED_WRONG])
        ),
        "thread-no-runbook": verdicts.possible(
            replace(FIRING, runbook=None, judged=[CALLED_WRONG])
        ),
        "thread-possible-hostile": verdicts.possible(
            replace(
                HOSTILE,
                runbook=None,
                possible=[
                    PossibleRunbook(n, NASTY, 0.5, NASTY * 9, "https://x/a|b>c") for n in (1, 3, 4)
                ],
                judged=[JudgedRunbook(2, NASTY, False, NASTY)],
            )
        ),
        "card-pictured": cards.card(PICTURED, NOW),
        "card-pictured-acknowledged": cards.card(replace(ACKNOWLEDGED, picture=PICTURE), NOW),
        "card-pictured-resolved": cards.card(replace(RESOLVED, picture=PICTURE), NOW),
        "card-not-pictured": cards.card(
            replace(FIRING, picture=ShownPicture(fault="Prometheus cannot be reached")), NOW
        ),
        "card-pictured-hostile": cards.card(NASTY_SIGHT, NOW),
        "thread-runbook-checks": threads.runbook(
            RunbookNotice(FIRING, BOOK, 5, READINGS), BOOK, NOW
        ),
        "thread-runbook-unread": threads.runbook(RunbookNotice(FIRING, BOOK, 2), BOOK, NOW),
        "thread-runbook-hostile": threads.runbook(
            RunbookNotice(HOSTILE, BOOK, 99, NASTY_READINGS), BOOK, NOW
        ),
        **{f"draft-{n}": drafts.suggestion(one, NOW) for n, one in SUGGESTIONS.items()},
        "say-calendar": calendars.given(
            "your own shifts", "https://oncall.example.com/", "cal_0123456789", command="/oncall"
        ),
        "say-calendar-links": calendars.links(
            [
                OwnLink("cal_01234", "person", "ana", at(0)),
                OwnLink("cal_98765", "team", NASTY, at(5)),
            ],
            NOW,
        ),
        "say-catchup": catching_up.drawn(ACKNOWLEDGED, MARKDOWN, NOW),
        "draft-update": drafts.suggested_update(DraftNotice(FIRING, "update-internal", SAID, 7)),
        "draft-update-posted": drafts.update(
            UpdateNotice(FIRING, "customers", f"{SAID} {NASTY}", NASTY, at(9)), NOW
        ),
        "say-who": answers.who(SHIFTS, NOW, None, command="/oncall"),
        "say-who-at": answers.who(SHIFTS, NOW, at(3000), command="/oncall"),
        "say-who-none": answers.who((), NOW, None, command="/oncall"),
        "say-why": answers.why(
            42,
            (
                Line("origin", ("Alert HighErrorRate, service=checkout",)),
                Line("paged", (f"{NASTY} was paged at ", at(3), " by phone."), NASTY),
                Line("origin", (NASTY,)),
            ),
            NOW,
        ),
        "say-explain": answers.explained(
            {"service": "checkout"}, ("Route checkout", "Nobody is paged")
        ),
        "say-help": answers.help_("/oncall"),
        "say-runbooks": answers.runbooks([BOOK], "pool <is> empty"),
        "say-no-runbook": answers.runbooks([], "pool"),
        "say-contacts": contacts.listed(CONTACTS, NOW, command="/oncall"),
        "say-no-contacts": contacts.listed([], NOW, command="/oncall"),
        **reach_payloads.messages(NOW),
        "say-draft": answers.draft_text(RESOLVED, "summary", ["One.", "Two."], NOW),
        "empty-incidents": answers.incidents((), RESOLVED, NOW),
        "empty-ever": answers.incidents((), None, NOW),
        "error-word": answers.unknown_word("escelate", "escalate", command="/oncall"),
        "error-no-word": answers.unknown_word(NASTY, None, command="/oncall"),
        "error-time": answers.unread_time("next thursdayish", "Europe/Berlin"),
        "error-usage": answers.usage("silence 42 2h WHY", "stop paging", command="/oncall"),
        "error-no-incident": answers.no_such_incident("99"),
        "error-late": answers.late_press(),
        "error-outsider": answers.outsider(),
        "error-unknown-person": answers.unknown_person(),
        "error-viewer": answers.sentence(REFUSAL),
        "error-not-yours": answers.not_yours("you have no contacts here"),
    }
    lost = answers.outcome(
        Outcome(
            done=False,
            reason="Bo Lindt acknowledged incident 42 at 03:10 UTC, 4 s before you.",
            winner="bo",
        ),
        by_command=False,
    )
    assert lost is not None
    return drawn | talk_payloads.messages() | {"error-race": lost}


def lists() -> Mapping[str, Drawn]:
    """Answers that show several incidents, and with them several marks."""
    return {
        "home-incidents": answers.incidents([FIRING, ACKNOWLEDGED, STORM, HOSTILE] * 5, None, NOW),
        "home-which": answers.which_incident([FIRING, STORM], "ack", NOW, command="/oncall"),
    }


def views() -> Mapping[str, Block]:
    return {
        "modal-declare": modals.declare(title="Checkout fails", service="checkout", channel="C1"),
        "modal-declare-empty": modals.declare(),
        "modal-silence": modals.silence(FIRING, timedelta(hours=4)),
        "modal-resolve": modals.resolve(HOSTILE),
        "modal-severity": modals.severity(FIRING),
        "modal-hand-over": modals.hand_over(FIRING),
        "modal-page": modals.page_someone(HOSTILE),
        "modal-note": modals.note(FIRING),
        **rota_payloads.views(NOW),
        **reach_payloads.views(),
        "modal-contact": contacts.add_form(["voice", "push", "mail"]),
        "modal-code": contacts.code_form("sms"),
        "modal-edit": reviews.form(DraftNotice(HOSTILE, "summary", MARKDOWN, 7)),
        "modal-pin": pins.form(NASTY, "C1", "1.1"),
        "modal-pin-again": pins.form(
            "the pool is empty",
            "C1",
            "1.1",
            (PINNED,),
            [PINNED],
            {"@ana": NASTY},
        ),
        "home-on-call": home.home(
            me="ana",
            slack_id="U0ANA00001",
            shifts=SHIFTS,
            roads=("push",),
            open_ones=[FIRING, ACKNOWLEDGED],
            last=None,
            now=NOW,
            ahead=[rota_payloads.GIVE, rota_payloads.TAKE],
            waiting=[rota_payloads.ASKED, rota_payloads.HOSTILE],
            reach=reach_payloads.REACH,
        ),
        "home-on-holiday": home.home(
            me="ana",
            slack_id="U0ANA00001",
            shifts=SHIFTS,
            roads=("push",),
            open_ones=(),
            last=RESOLVED,
            now=NOW,
            reach=reach_payloads.ON_HOLIDAY,
        ),
        "home-stranger": home.home(
            me=None, slack_id="U0X", shifts=SHIFTS, roads=(), open_ones=(), last=RESOLVED, now=NOW
        ),
    }


@cache
def cases() -> Mapping[str, dict[str, Any]]:
    """In the design kit's form: name -> {about, method, payload}."""
    out: dict[str, dict[str, Any]] = {}
    for name, drawn in {**messages(), **lists()}.items():
        out[name] = {
            "about": name,
            "method": "chat.postMessage",
            "payload": {"text": drawn.text, "blocks": list(drawn.blocks)},
        }
    for name, view in views().items():
        method = "views.publish" if view["type"] == "home" else "views.open"
        out[name] = {"about": name, "method": method, "payload": {"view": view}}
    return out


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object inside a payload, itself first."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from objects(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from objects(inner)
