"""What is drawn about how one is woken: rules and previews, quiet hours, holidays, the two forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta

from oncall_bot.core.config import Urgency
from oncall_bot.core.hours import Hours
from oncall_bot.slack import reach
from oncall_bot.slack.blocks import Block, Drawn
from oncall_bot.store.views import ReachShown, RulesShown
from tests.unit.slack.situations import NASTY, at

MINUTE = timedelta(minutes=1)
HIGH = RulesShown(
    own=True,
    rules=[("slack", 0 * MINUTE), ("push", 0 * MINUTE), ("voice", MINUTE), ("mail", 7 * MINUTE)],
    typed="slack 0m, push 0m, voice 1m, mail 7m",
    preview="If you were paged now: Slack and push at 0:00, mail at 7:00.",
    notes=["Not working: call, there is no number; add one with: contact add voice."],
)
LOW = RulesShown(
    own=False,
    rules=[("slack", 0 * MINUTE)],
    typed="slack 0m",
    preview="If you were paged now: Slack at 07:00 (Europe/Madrid), when quiet hours end.",
    notes=[],
)
REACH = ReachShown(
    person_key="ana",
    name="Ana Ruiz",
    high=HIGH,
    low=LOW,
    quiet="every day 22:00 to 07:00 (Europe/Madrid)",
    quiet_until=at(240),
    holiday=None,
    away=False,
)
ON_HOLIDAY = replace(REACH, holiday=(at(-60), at(3 * 1440)), away=True)
NASTY_RULES = replace(HIGH, typed=NASTY, preview=NASTY, notes=[NASTY] * 30)
HOSTILE = replace(REACH, quiet=NASTY, high=NASTY_RULES, low=NASTY_RULES)


def messages(now: datetime) -> Mapping[str, Drawn]:
    plain = replace(REACH, high=replace(HIGH, own=False, notes=[]), quiet=None, quiet_until=None)
    return {
        "say-rules": reach.rules(REACH, now, command="/oncall"),
        "say-rules-of-the-file": reach.rules(plain, now, command="/oncall"),
        "say-rules-on-holiday": reach.rules(ON_HOLIDAY, now, command="/oncall"),
        "say-rules-hostile": reach.rules(HOSTILE, now, command="/oncall"),
    }


def views() -> Mapping[str, Block]:
    odd = Hours("Europe/Madrid", (1, 4), time(23, 30), time(6))
    return {
        "modal-rules-high": reach.change(Urgency.HIGH, ["slack", "push", "voice", "mail"], HIGH),
        "modal-rules-low": reach.change(Urgency.LOW, ["slack", NASTY[:60]], LOW),
        "modal-quiet": reach.quiet_form(None, "Europe/Madrid"),
        "modal-quiet-odd-days": reach.quiet_form(odd, NASTY),
    }
