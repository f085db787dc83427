"""Answers to plain questions and cards of wishes, for the tests that judge every payload."""

from __future__ import annotations

from collections.abc import Mapping

from oncall_bot.core.talk.orders import Act
from oncall_bot.core.talk.proposals import Offer
from oncall_bot.slack import proposals, told
from oncall_bot.slack.blocks import Drawn
from oncall_bot.store.views import AlertHistory, Ending, Firing, Shift
from tests.unit.slack.situations import (
    ACKNOWLEDGED,
    CHAT,
    FIRING,
    HOSTILE,
    LOG,
    NASTY,
    RESOLVED,
    SHIFTS,
    at,
)

NOW = at(15)
LINKS = {17: CHAT, 42: CHAT}
SHIFT = Shift("shop-primary", "ana", "Ana Ruiz", "U0ANA00001", at(-600), at(600))
GAP = Shift("platform", None, None, None, at(60), at(120))
FIRED = Firing("HighErrorRate", at(0), None, "checkout", 42, {}, "ff", NASTY)
BEFORE = Firing("HighErrorRate", at(-9000), at(-8990), "checkout", 17, {}, "ff")
TIMES = [FIRED, BEFORE, BEFORE]
ENDED = Ending(
    17, "Errors", at(-8990), "Ana Ruiz", [("e012", "Rolled back to 5.20.3"), ("e013", NASTY)]
)
HISTORY = AlertHistory(
    "HighErrorRate", at(-90000), NOW, TIMES, more=True, last=FIRED, endings=[ENDED]
)


def messages() -> Mapping[str, Drawn]:
    silence = Offer(
        Act.SILENCE,
        42,
        {"seconds": "7200"},
        (f"Silence incident 42, {NASTY}, for 2 h?",),
        ("Holds back 2 alerts that fire now.",),
        "Silence 2 h",
    )
    cover = Offer(
        Act.OVERRIDE, None, {}, ("Bo is on call for shop, from ", at(0), " to ", at(600), "?")
    )
    never = AlertHistory(NASTY, at(-90000), NOW, (), more=False, last=None)
    return {
        "say-shifts": told.shifts([SHIFT, SHIFT], "Ana Ruiz", NOW, at(9000), me=True),
        "say-shifts-of-another": told.shifts([GAP], NASTY, NOW, at(9000), me=False),
        "say-no-shift": told.shifts([], NASTY, NOW, at(9000), me=False),
        "say-who-between": told.on_call_between([SHIFT, GAP], at(0), at(600), NOW, mentions=True),
        "say-who-between-none": told.on_call_between([], at(0), at(600), NOW, mentions=False),
        "say-who-plain": told.plain_who(SHIFTS, NOW, at(3000)),
        "say-status": told.status(FIRING, LOG.entries, NOW),
        "say-status-hostile": told.status(HOSTILE, LOG.entries, NOW),
        "say-status-over": told.status(RESOLVED, [], NOW),
        "say-owner": told.owner(ACKNOWLEDGED, NOW),
        "say-owner-none": told.owner(HOSTILE, NOW),
        "say-owner-over": told.owner(RESOLVED, NOW),
        "say-timeline": told.timeline(HOSTILE, list(LOG.entries) * 20, 7, NOW),
        "say-cause": told.cause(FIRING, [("e012", NASTY)], NOW),
        "say-no-cause": told.cause(HOSTILE, [], NOW),
        "say-history": told.history(HISTORY, LINKS, NOW),
        "say-history-never": told.history(never, {}, NOW),
        "say-firing": told.firing([FIRED] * 14, 40, "checkout", LINKS, NOW),
        "say-firing-none": told.firing([], 0, None, {}, NOW),
        "ask-back-hostile": told.ask_back(
            f"“{NASTY}” may mean a or b. Which one?", ["a" * 90, NASTY, "b"]
        ),
        "ask-back-open": told.ask_back("For how long?", ()),
        "declined": told.declined("/oncall", ["who is on call"]),
        "small-talk": told.small_talk("thanks"),
        "card-proposal": proposals.drawn(silence, "t.t", "Ana Ruiz", NOW),
        "card-proposal-cover": proposals.drawn(cover, "t.t", NASTY, NOW),
        "say-read-as": told.noted(told.small_talk("bye"), [(NASTY, "search-api")]),
    }
