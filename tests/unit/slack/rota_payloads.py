"""What is drawn about rotas: requests in every state for every reader, weeks, answers, forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from oncall_bot.core.rota_days import days_of, midnight
from oncall_bot.core.rotations import Shift
from oncall_bot.core.situation import (
    Asked,
    CoverNotice,
    OnCallNow,
    OverrideShown,
    RotaWeek,
    Stretch,
)
from oncall_bot.slack import covers, schedules, typed_times
from oncall_bot.slack.blocks import Block, Drawn
from tests.unit.slack.situations import NASTY

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
START = datetime(2026, 11, 26, 8, tzinfo=UTC)
GIVE = Stretch("shop-primary", START, START + 24 * HOUR, "Europe/Berlin")
TAKE = Stretch("shop-primary", START + 96 * HOUR, START + 120 * HOUR, "Europe/Berlin")
ASKED = CoverNotice(
    request_id=17,
    state="open",
    give=GIVE,
    asker_key="ana",
    asker="Ana Ruiz",
    asker_slack="U0ANA00001",
    reader_key="bo",
    expires_at=START,
    note="Kid\u2019s surgery on Thursday. Can take your Sunday <3",
    asked=(Asked("bo", "Bo Lindt", "U0BO000001"), Asked("cy", "Cy Okafor", None, "no")),
)
TAKEN = replace(
    ASKED, state="taken", taken_by_key="bo", taken_by="Bo Lindt", taken_by_slack="U0BO000001"
)
HOSTILE = replace(
    ASKED,
    request_id=18,
    note=NASTY * 5,
    asker=NASTY,
    asker_slack=None,
    give=replace(GIVE, schedule=NASTY),
    busy=(NASTY,),
)


def clocks_go_back() -> RotaWeek:
    """The week of 19 October 2026 in Berlin: a gap, a cover, a day of 25 hours, a hostile name."""
    first = date(2026, 10, 19)
    start, end = midnight(first, BERLIN), midnight(first + timedelta(days=7), BERLIN)
    middle, gap = start + 57 * HOUR, start + 129 * HOUR
    planned = [
        Shift(start, gap, "ana"),
        Shift(gap, gap + 9 * HOUR, None),
        Shift(gap + 9 * HOUR, end, "cy"),
    ]
    painted = [Shift(start, middle, "ana"), Shift(middle, gap, "bo"), *planned[1:]]
    return RotaWeek(
        on_call=OnCallNow("shop-primary", "ana", "Ana Ruiz", "U0ANA00001", middle),
        next_name="Bo Lindt",
        next_slack="U0BO000001",
        zone="Europe/Berlin",
        days=days_of(painted, planned, first, 7, BERLIN),
        names={"ana": "Ana Ruiz", "bo": "Bo Lindt", "cy": NASTY},
        gaps=[Stretch("shop-primary", gap, gap + 9 * HOUR, "Europe/Berlin")],
        overrides=[
            OverrideShown(3, "Bo Lindt", middle, gap),
            OverrideShown(4, NASTY, middle, gap, NASTY, by_request=True),
            OverrideShown(5, None, middle, gap),
        ],
    )


def quiet_week() -> RotaWeek:
    first = date(2026, 11, 23)
    start, end = midnight(first, BERLIN), midnight(first + timedelta(days=7), BERLIN)
    whole = [Shift(start, end, None)]
    return RotaWeek(
        on_call=OnCallNow("night", None, None, None, None),
        next_name=None,
        next_slack=None,
        zone="Europe/Berlin",
        days=days_of(whole, whole, first, 7, BERLIN),
        names={},
    )


def messages(now: datetime) -> Mapping[str, Drawn]:
    drawn = {
        "dm-cover-asked": covers.notice(ASKED, now),
        "dm-cover-asked-busy": covers.notice(replace(ASKED, busy=("search-primary",)), now),
        "dm-cover-hostile": covers.notice(HOSTILE, now),
        "dm-cover-waiting": covers.notice(replace(ASKED, reader_key="ana"), now),
        "dm-swap-asked": covers.notice(replace(ASKED, take=TAKE), now),
        "dm-swap-waiting": covers.notice(replace(ASKED, take=TAKE, reader_key="ana"), now),
        "dm-cover-taken": covers.notice(replace(TAKEN, reader_key="ana"), now),
        "dm-cover-mine": covers.notice(TAKEN, now),
        "dm-cover-of-another": covers.notice(replace(TAKEN, reader_key="cy"), now),
        "dm-swap-taken": covers.notice(replace(TAKEN, take=TAKE, reader_key="ana"), now),
        "say-covers": covers.listed([ASKED, TAKEN, HOSTILE], now, command="/oncall"),
        "say-no-covers": covers.listed([], now, command="/oncall"),
        "say-schedule": schedules.week(clocks_go_back(), datetime(2026, 10, 19, 9, tzinfo=UTC)),
        "say-schedule-empty": schedules.week(quiet_week(), now),
        "say-which-schedule": schedules.which(["shop", NASTY], "schedule NAME", command="/oncall"),
        "say-override": schedules.overridden("Ana: Bo is on call for shop.", 12, "shop"),
        "say-out": schedules.away(
            "2 shifts in that time: cover is asked for 1.",
            [(GIVE, ("Bo Lindt",), ""), (TAKE, (), NASTY)],
            now,
            (now, TAKE.ends_at),
        ),
        "say-out-later": schedules.away(
            "You have no shift in that time, so nothing has to be covered.",
            [],
            now,
            (GIVE.starts_at, TAKE.ends_at),
        ),
    }
    for state in ("declined", "withdrawn", "expired", "undone"):
        over = replace(ASKED, state=state, taken_by_key="bo" if state == "undone" else None)
        drawn[f"dm-cover-{state}"] = covers.notice(over, now)
        drawn[f"dm-cover-{state}-asker"] = covers.notice(replace(over, reader_key="ana"), now)
    for words in ("2026-10-25 02:30", "2026-03-29 02:30", NASTY[:200]):
        unclear = typed_times.read(words, now, BERLIN)
        assert isinstance(unclear, typed_times.Unclear)
        drawn[f"error-time-{unclear.why}"] = typed_times.ask_back(unclear)
    return drawn


def views(now: datetime) -> Mapping[str, Block]:
    return {
        "modal-cover": covers.cover_form(
            ["shop-primary", "night"],
            schedule="shop-primary",
            starts_at=GIVE.starts_at,
            ends_at=GIVE.ends_at,
            now_on="Your next shift.",
            named=["U0BO000001"],
        ),
        "modal-swap": covers.swap_form(
            {"1:2::shop": "Mon 9"}, {"1:2:bo:shop": "Bo <Lindt> & co: Tue 10"}
        ),
    }
