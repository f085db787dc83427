"""Schedules answer who is on call by rules R1 to R16, on every night of the year."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.errors import BadInput
from oncall_bot.core.rotations import (
    Definition,
    DefinitionError,
    Override,
    Shift,
    answer,
    next_handoff,
    on_call_at,
    parse_definition,
    people_named,
    shifts,
)
from oncall_bot.core.rotations.turns import WallTurns

HALF_DAY = timedelta(hours=12)
OFFICE = {"days": [1, 2, 3, 4, 5], "from": "09:00", "to": "17:00"}


def layer(
    start: str, unit: str, users: list[str | None], every: int = 1, **more: Any
) -> dict[str, Any]:
    return {"start": start, "rotation": {"unit": unit, "every": every}, "users": users, **more}


def rota(zone: str, *layers: dict[str, Any], **more: Any) -> Definition:
    return parse_definition({"zone": zone, "layers": list(layers), **more})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def who(definition: Definition, at: str, overrides: Sequence[Override] = ()) -> str | None:
    return on_call_at(definition, utc(at), overrides)


def told(
    definition: Definition, start: str, end: str, overrides: Sequence[Override] = ()
) -> list[tuple[str, str | None]]:
    """The shifts as (when it begins, who), which says all: each ends where the next begins."""
    found = shifts(definition, utc(start), utc(end), overrides)
    assert found[0].start == utc(start)
    assert found[-1].end == utc(end)
    return [(shift.start.strftime("%m-%d %H:%M"), shift.user) for shift in found]


class TestHandoffs:
    def test_at_the_handoff_instant_the_incoming_person_is_on_call(self) -> None:
        """R1"""
        daily = rota("America/New_York", layer("2026-01-05T09:00", "day", ["ana", "bo"]))
        assert who(daily, "2026-01-06T13:59:59.999999") == "ana"
        assert who(daily, "2026-01-06T14:00") == "bo"

    def test_a_handoff_in_the_missing_hour_is_read_with_the_offset_before_it(self) -> None:
        """R2, 02:30 on 8 March is 03:30 EDT"""
        daily = rota("America/New_York", layer("2026-03-06T02:30", "day", ["ana", "bo", "cy"]))
        assert told(daily, "2026-03-07T08:00", "2026-03-09T08:00") == [
            ("03-07 08:00", "bo"),
            ("03-08 07:30", "cy"),
            ("03-09 06:30", "ana"),
        ]

    def test_a_handoff_in_the_repeated_hour_happens_once_and_first(self) -> None:
        """R2"""
        daily = rota("America/New_York", layer("2026-10-31T01:30", "day", ["ana", "bo", "cy"]))
        assert told(daily, "2026-11-01T05:00", "2026-11-02T07:00") == [
            ("11-01 05:00", "ana"),
            ("11-01 05:30", "bo"),
            ("11-02 06:30", "cy"),
        ]
        assert who(daily, "2026-11-01T06:15") == "bo"  # 01:15 again, and bo has had it since 01:30

    @pytest.mark.parametrize(
        ("zone", "start", "first_handoff", "hours"),
        [
            ("Europe/Berlin", "2026-03-28T09:00", "2026-03-28T08:00", 23),
            ("Europe/Berlin", "2026-10-24T09:00", "2026-10-24T07:00", 25),
            ("America/New_York", "2026-03-07T09:00", "2026-03-07T14:00", 23),
            ("America/New_York", "2026-10-31T09:00", "2026-10-31T13:00", 25),
            ("Australia/Lord_Howe", "2026-10-03T09:00", "2026-10-02T22:30", 23.5),
            ("Australia/Lord_Howe", "2026-04-04T09:00", "2026-04-03T22:00", 24.5),
            ("Asia/Kathmandu", "2026-03-28T09:00", "2026-03-28T03:15", 24),
        ],
    )
    def test_a_daily_handoff_keeps_its_wall_time_and_the_night_has_the_length_it_has(
        self, zone: str, start: str, first_handoff: str, hours: float
    ) -> None:
        """R3"""
        daily = rota(zone, layer(start, "day", ["ana", "bo"]))
        begun = utc(first_handoff)
        assert next_handoff(daily, begun) == (begun + timedelta(hours=hours), "ana", "bo")

    def test_a_layer_is_reckoned_in_its_own_zone(self) -> None:
        """R4: the schedule's zone is only a default"""
        both = rota(
            "UTC",
            layer("2026-07-01T09:00", "day", ["ana"], end="2026-07-01T12:00"),
            layer("2026-07-01T09:00", "day", ["bo"], zone="Europe/Berlin", end="2026-07-01T10:00"),
        )
        assert told(both, "2026-07-01T06:00", "2026-07-01T13:00") == [
            ("07-01 06:00", None),
            ("07-01 07:00", "bo"),
            ("07-01 08:00", None),
            ("07-01 09:00", "ana"),
            ("07-01 12:00", None),
        ]


class TestUnits:
    def test_a_monthly_handoff_on_the_31st_clamps_and_finds_its_day_again(self) -> None:
        """R5: always from the anchor, so February does not pull March to the 28th"""
        monthly = rota("UTC", layer("2026-01-31T09:00", "month", ["ana", "bo", "cy", "dee"]))
        assert told(monthly, "2026-02-01T00:00", "2026-05-01T00:00") == [
            ("02-01 00:00", "ana"),
            ("02-28 09:00", "bo"),
            ("03-31 09:00", "cy"),
            ("04-30 09:00", "dee"),
        ]

    def test_twelve_hours_follow_the_clock_on_the_wall(self) -> None:
        """R5: 12 divides the day, so the Berlin night of 28 March has 11 hours"""
        half_days = rota("Europe/Berlin", layer("2026-03-27T08:00", "hour", ["ana", "bo"], 12))
        assert told(half_days, "2026-03-28T07:00", "2026-03-29T18:30") == [
            ("03-28 07:00", "ana"),
            ("03-28 19:00", "bo"),
            ("03-29 06:00", "ana"),
            ("03-29 18:00", "bo"),
        ]

    def test_seven_hours_are_elapsed_time(self) -> None:
        """R5: 7 does not divide the day"""
        sevens = rota("America/New_York", layer("2026-03-08T00:00", "hour", ["ana", "bo"], 7))
        assert told(sevens, "2026-03-08T05:00", "2026-03-09T03:00") == [
            ("03-08 05:00", "ana"),
            ("03-08 12:00", "bo"),
            ("03-08 19:00", "ana"),
            ("03-09 02:00", "bo"),
        ]

    def test_48_hours_are_elapsed_time_too(self) -> None:
        """R5"""
        two_days = rota("Europe/Berlin", layer("2026-03-28T08:00", "hour", ["ana", "bo"], 48))
        assert next_handoff(two_days, utc("2026-03-28T08:00")) == (
            utc("2026-03-30T07:00"),
            "ana",
            "bo",
        )

    def test_a_turn_for_each_second_window_counts_windows_and_not_days(self) -> None:
        """R5, unit window"""
        weekends = {"days": [6, 7], "from": "10:00", "to": "12:00"}
        pairs = rota(
            "UTC", layer("2026-06-04T11:00", "window", ["ana", "bo"], 2, restrictions=[weekends])
        )
        on_call = [s for s in shifts(pairs, utc("2026-06-04"), utc("2026-06-22")) if s.user]
        assert [(s.start.day, s.user) for s in on_call] == [
            (6, "ana"), (7, "ana"), (13, "bo"), (14, "bo"), (20, "ana"), (21, "ana"),
        ]  # fmt: skip

    def test_a_window_already_open_at_the_start_is_not_counted(self) -> None:
        """R5: a turn begins at windows that start at or after the layer's start"""
        nights = {"from": "22:00", "to": "06:00"}
        nightly = rota(
            "UTC", layer("2026-06-01T02:00", "window", ["ana", "bo"], restrictions=[nights])
        )
        assert told(nightly, "2026-06-01T02:00", "2026-06-03T00:00") == [
            ("06-01 02:00", "ana"),
            ("06-01 06:00", None),
            ("06-01 22:00", "ana"),
            ("06-02 06:00", None),
            ("06-02 22:00", "bo"),
        ]

    def test_a_window_that_a_spring_night_swallows_costs_no_turn(self) -> None:
        """R5 and R7: 02:30 to 03:00 on 8 March is empty; years later the count is still right"""
        early = {"from": "02:30", "to": "03:00"}
        each = rota(
            "America/New_York",
            layer("2026-03-06T00:00", "window", ["d6", "d7", "d9"], restrictions=[early]),
        )
        on_call = [s for s in shifts(each, utc("2026-03-06"), utc("2026-03-11")) if s.user]
        assert [(s.start.day, s.user) for s in on_call] == [
            (6, "d6"),
            (7, "d7"),
            (9, "d9"),
            (10, "d6"),
        ]
        for year in range(2027, 2047):
            nights_lost = year - 2025  # one each spring, the first in 2026
            nights = (utc(f"{year}-06-01") - utc("2026-03-06")).days - nights_lost
            assert who(each, f"{year}-06-01T06:45") == ["d6", "d7", "d9"][nights % 3]

    def test_windows_with_one_end_in_the_missing_hour_are_one_even_if_begun_days_before(
        self,
    ) -> None:
        """R5 and R7: to 02:30 and to 03:30 are the same instant on 8 March"""
        ends = [{"from": "01:00", "to": to, "plus_days": 4} for to in ("02:30", "03:30")]
        users: list[str | None] = ["w0", "w1", "w2", "w3"]
        each = rota(
            "America/New_York", layer("2026-02-01T00:00", "window", users, restrictions=ends)
        )
        begun = 2 * ((utc("2026-06-01") - utc("2026-02-01")).days + 1) - 1
        assert who(each, "2026-06-01T05:30") == users[(begun - 1) % 4]

    def test_windows_that_a_skipped_day_makes_one_count_once(self) -> None:
        """R5 and R7: in Apia the window of 30 December 2011 would be that of the 31st"""
        morning = {"from": "09:00", "to": "10:00"}
        each = rota(
            "Pacific/Apia",
            layer("2011-12-28T00:00", "window", ["w0", "w1", "w2"], restrictions=[morning]),
        )
        on_call = [
            s.user for s in shifts(each, utc("2011-12-28T12:00"), utc("2012-01-02")) if s.user
        ]
        assert on_call == ["w0", "w1", "w2", "w0", "w1"]
        days = (utc("2012-09-20") - utc("2011-12-28")).days - 1
        assert who(each, "2012-09-19T20:30") == f"w{days % 3}"  # 09:30 on the 20th there


class TestTurnNumbers:
    def test_an_hour_that_is_skipped_costs_its_turn(self) -> None:
        """R6: the turn of 02:00 is empty, and nobody moves up"""
        hourly = rota(
            "America/New_York", layer("2026-03-08T00:00", "hour", ["h0", "h1", "h2", "h3", "h4"])
        )
        assert told(hourly, "2026-03-08T05:00", "2026-03-08T09:00") == [
            ("03-08 05:00", "h0"),
            ("03-08 06:00", "h1"),
            ("03-08 07:00", "h3"),
            ("03-08 08:00", "h4"),
        ]

    def test_an_hour_that_is_lived_twice_belongs_to_one_person(self) -> None:
        """R6: time never runs backwards"""
        hourly = rota("America/New_York", layer("2026-11-01T00:00", "hour", ["h0", "h1", "h2"]))
        assert told(hourly, "2026-11-01T04:00", "2026-11-01T08:00") == [
            ("11-01 04:00", "h0"),
            ("11-01 05:00", "h1"),
            ("11-01 07:00", "h2"),
        ]

    def test_the_day_samoa_skipped_costs_the_turn_of_that_day(self) -> None:
        """R6: there was no 30 December 2011 in Apia"""
        daily = rota("Pacific/Apia", layer("2011-12-28T09:00", "day", ["ana", "bo", "cy", "dee"]))
        assert told(daily, "2011-12-28T19:00", "2012-01-01T00:00") == [
            ("12-28 19:00", "ana"),
            ("12-29 19:00", "bo"),
            ("12-30 19:00", "dee"),
            ("12-31 19:00", "ana"),
        ]

    def test_a_half_day_that_never_was_does_not_come_late(self) -> None:
        """R6: the night turn of 30 December would begin after the day turn that follows it"""
        names = [f"{kind}{n}" for n in range(4) for kind in ("d", "n")]
        halves = rota("Pacific/Apia", layer("2011-12-28T08:00", "hour", [*names], 12))
        assert told(halves, "2011-12-29T18:00", "2011-12-31T18:00") == [
            ("12-29 18:00", "d1"),
            ("12-30 06:00", "n1"),
            ("12-30 18:00", "d3"),
            ("12-31 06:00", "n3"),
        ]

    def test_turns_left_empty_take_over_at_no_instant(self) -> None:
        """R6: turns 4 and 5 of the half days in Apia are not among the handoffs"""
        zone = ZoneInfo("Pacific/Apia")
        turns = WallTurns(
            utc("2011-12-28T18:00"), datetime.fromisoformat("2011-12-28T08:00"), zone, HALF_DAY
        )
        assert turns.between(utc("2011-12-29T18:00"), utc("2011-12-31T18:00")) == [
            (utc("2011-12-30T06:00"), 3),
            (utc("2011-12-30T18:00"), 6),
            (utc("2011-12-31T06:00"), 7),
        ]

    def test_twenty_years_after_the_anchor_the_turn_is_the_one_that_counting_gives(self) -> None:
        """R6"""
        weekly = rota("Europe/Berlin", layer("2006-01-02T09:00", "week", list("abcde")))
        weeks = (utc("2026-06-29") - utc("2006-01-02")).days // 7
        assert who(weekly, "2026-06-29T07:00") == "abcde"[weeks % 5]
        assert who(weekly, "2026-06-29T06:59") == "abcde"[(weeks - 1) % 5]


class TestRestrictions:
    def test_restrictions_hide_a_layer_and_do_not_slow_the_turns(self) -> None:
        """R7"""
        office = rota(
            "UTC", layer("2026-06-01T00:00", "day", list("abcdefg"), restrictions=[OFFICE])
        )
        assert told(office, "2026-06-05T00:00", "2026-06-08T12:00") == [
            ("06-05 00:00", None),
            ("06-05 09:00", "e"),
            ("06-05 17:00", None),
            ("06-08 09:00", "a"),
        ]

    def test_a_window_over_midnight_belongs_to_the_day_it_starts_on(self) -> None:
        """R7"""
        friday_night = {"days": [5], "from": "22:00", "to": "06:00"}
        nights = rota("UTC", layer("2026-06-01T00:00", "day", ["ana"], restrictions=[friday_night]))
        assert told(nights, "2026-06-04T00:00", "2026-06-08T00:00") == [
            ("06-04 00:00", None),
            ("06-05 22:00", "ana"),
            ("06-06 06:00", None),
        ]

    def test_plus_days_makes_a_window_longer(self) -> None:
        """R7: the whole weekend as one window"""
        weekend = {"days": [5], "from": "18:00", "to": "08:00", "plus_days": 2}
        shown = rota("UTC", layer("2026-06-01T00:00", "week", ["ana"], restrictions=[weekend]))
        assert told(shown, "2026-06-05T00:00", "2026-06-09T00:00") == [
            ("06-05 00:00", None),
            ("06-05 18:00", "ana"),
            ("06-08 08:00", None),
        ]

    def test_a_window_of_five_days_is_open_on_its_last(self) -> None:
        """R7"""
        long = {"days": [1], "from": "18:00", "to": "08:00", "plus_days": 4}
        shown = rota("UTC", layer("2026-05-01T00:00", "month", ["ana"], restrictions=[long]))
        assert told(shown, "2026-06-06T07:00", "2026-06-08T19:00") == [
            ("06-06 07:00", "ana"),
            ("06-06 08:00", None),
            ("06-08 18:00", "ana"),
        ]

    def test_from_and_to_alike_is_a_whole_day_and_24_00_is_its_end(self) -> None:
        """R7"""
        for to in ("00:00", "24:00"):
            sunday = {"days": [7], "from": "00:00", "to": to}
            shown = rota("UTC", layer("2026-06-01T00:00", "day", ["ana"], restrictions=[sunday]))
            assert told(shown, "2026-06-06T12:00", "2026-06-09T00:00") == [
                ("06-06 12:00", None),
                ("06-07 00:00", "ana"),
                ("06-08 00:00", None),
            ]

    def test_windows_that_meet_in_the_repeated_hour_leave_no_gap_and_no_overlap(self) -> None:
        """R2 and R7: late ends and early begins at the first 01:30"""
        late = {"from": "20:00", "to": "01:30"}
        early = {"from": "01:30", "to": "08:00"}
        both = rota(
            "America/New_York",
            layer("2026-10-30T00:00", "week", ["late"], restrictions=[late]),
            layer("2026-10-30T00:00", "week", ["early"], restrictions=[early]),
        )
        assert told(both, "2026-11-01T04:00", "2026-11-01T14:00") == [
            ("11-01 04:00", "late"),
            ("11-01 05:30", "early"),
            ("11-01 13:00", None),
        ]


class TestLayers:
    def test_before_its_start_and_from_its_end_on_a_layer_is_silent(self) -> None:
        """R8: the end may cut a turn"""
        short = rota("UTC", layer("2026-06-02T09:00", "week", ["ana"], end="2026-06-04T12:00"))
        assert told(short, "2026-06-01T00:00", "2026-06-10T00:00") == [
            ("06-01 00:00", None),
            ("06-02 09:00", "ana"),
            ("06-04 12:00", None),
        ]

    def test_a_later_layer_wins_and_its_empty_turns_let_the_earlier_one_through(self) -> None:
        """R10"""
        base = layer("2026-06-01T00:00", "week", ["ana"])
        top = layer("2026-06-01T00:00", "day", ["bo", None])
        assert told(rota("UTC", base, top), "2026-06-01T00:00", "2026-06-04T00:00") == [
            ("06-01 00:00", "bo"),
            ("06-02 00:00", "ana"),
            ("06-03 00:00", "bo"),
        ]

    def test_nobody_listed_is_a_gap_and_not_a_fault(self) -> None:
        """R9, R15"""
        empty = rota("UTC", layer("2026-06-01T00:00", "day", []))
        assert told(empty, "2026-06-01T00:00", "2026-06-03T00:00") == [("06-01 00:00", None)]
        assert next_handoff(empty, utc("2026-06-01")) is None


class TestChangesOfMembers:
    def changed(self, users: list[str | None], *changes: dict[str, Any]) -> Definition:
        return rota("UTC", layer("2026-06-01T09:00", "day", users, changes=list(changes)))

    def test_a_new_member_joins_without_moving_the_handoffs(self) -> None:
        """R9: bo has the turn and keeps it; the order goes on from bo in the new list"""
        grown = self.changed(
            ["ana", "bo"], {"at": "2026-06-02T12:00", "users": ["ana", "bo", "cy"]}
        )
        assert told(grown, "2026-06-01T09:00", "2026-06-05T10:00") == [
            ("06-01 09:00", "ana"),
            ("06-02 09:00", "bo"),
            ("06-03 09:00", "cy"),
            ("06-04 09:00", "ana"),
            ("06-05 09:00", "bo"),
        ]

    def test_the_person_on_call_is_removed_and_the_next_in_the_old_order_takes_over(self) -> None:
        """R9"""
        shrunk = self.changed(
            ["ana", "bo", "cy", "dee"], {"at": "2026-06-02T12:00", "users": ["dee", "ana"]}
        )
        assert told(shrunk, "2026-06-02T09:00", "2026-06-04T10:00") == [
            ("06-02 09:00", "bo"),
            ("06-02 12:00", "dee"),
            ("06-03 09:00", "ana"),
            ("06-04 09:00", "dee"),
        ]

    def test_a_wholly_new_team_begins_with_its_first(self) -> None:
        """R9"""
        new = self.changed(["ana", "bo"], {"at": "2026-06-02T12:00", "users": ["cy", "dee"]})
        assert told(new, "2026-06-02T09:00", "2026-06-03T10:00") == [
            ("06-02 09:00", "bo"),
            ("06-02 12:00", "cy"),
            ("06-03 09:00", "dee"),
        ]

    def test_first_names_who_has_the_running_turn(self) -> None:
        """R9"""
        named = self.changed(
            ["ana", "bo"], {"at": "2026-06-02T12:00", "users": ["ana", "bo", "cy"], "first": "cy"}
        )
        assert told(named, "2026-06-02T09:00", "2026-06-03T10:00") == [
            ("06-02 09:00", "bo"),
            ("06-02 12:00", "cy"),
            ("06-03 09:00", "ana"),
        ]

    def test_a_change_at_a_handoff_is_judged_for_the_turn_that_begins_there(self) -> None:
        """R9: at 09:00 bo's turn begins, bo is gone, so cy has it; ana is not asked"""
        cut = self.changed(["ana", "bo", "cy"], {"at": "2026-06-02T09:00", "users": ["ana", "cy"]})
        assert told(cut, "2026-06-01T10:00", "2026-06-03T10:00") == [
            ("06-01 10:00", "ana"),
            ("06-02 09:00", "cy"),
            ("06-03 09:00", "ana"),
        ]

    @pytest.mark.parametrize("hours", [7, 8])
    def test_a_change_written_for_before_the_start_is_in_force_from_the_start(
        self, hours: int
    ) -> None:
        """R8, R9"""
        early = [{"at": "2026-05-21T00:00", "users": ["bo", "cy", "dee"]}]
        made = rota("UTC", layer("2026-06-01T00:00", "hour", ["ana", "bo"], hours, changes=early))
        assert [user for _, user in told(made, "2026-06-01T00:00", "2026-06-01T20:00")] == [
            "bo",
            "cy",
            "dee",
        ]

    def test_of_two_changes_before_the_start_the_later_in_time_is_in_force(self) -> None:
        """R9: whatever the order in which they are written"""
        changes = [
            {"at": "2026-05-30T00:00", "users": ["cy"]},
            {"at": "2026-05-20T00:00", "users": ["dee"]},
        ]
        for written in (changes, changes[::-1]):
            made = rota("UTC", layer("2026-06-01T00:00", "day", ["ana"], changes=written))
            assert who(made, "2026-06-01T00:00") == "cy"

    def test_an_empty_list_is_a_gap_until_somebody_is_listed_again(self) -> None:
        """R9"""
        paused = self.changed(
            ["ana", "bo"],
            {"at": "2026-06-04T00:00", "users": ["bo", "cy"]},
            {"at": "2026-06-02T12:00", "users": []},
        )
        assert told(paused, "2026-06-02T09:00", "2026-06-05T00:00") == [
            ("06-02 09:00", "bo"),
            ("06-02 12:00", None),
            ("06-04 00:00", "bo"),
            ("06-04 09:00", "cy"),
        ]

    def test_a_change_leaves_what_was_true_before_it_alone(self) -> None:
        """R16"""
        before = self.changed(["ana", "bo", "cy"])
        after = self.changed(["ana", "bo", "cy"], {"at": "2026-06-20T12:00", "users": ["dee"]})
        window = utc("2026-06-01"), utc("2026-06-20T12:00")
        assert shifts(before, *window) == shifts(after, *window)

    def test_a_layer_ended_and_followed_by_a_new_one_keeps_the_past(self) -> None:
        """R16: the other way to write an edit"""
        old = layer("2026-06-01T09:00", "day", ["ana", "bo"])
        new = layer("2026-06-10T12:00", "week", ["cy"])
        edited = rota("UTC", {**old, "end": "2026-06-10T12:00"}, new)
        window = utc("2026-06-01"), utc("2026-06-10T12:00")
        assert shifts(edited, *window) == shifts(rota("UTC", old), *window)
        assert who(edited, "2026-06-10T12:00") == "cy"


class TestHolidays:
    def holiday(self, **said: Any) -> Definition:
        base = layer("2026-12-21T00:00", "day", list("abcdefg"), name="base")
        office = layer("2026-12-21T00:00", "week", ["desk"], name="office", restrictions=[OFFICE])
        return rota("Europe/Berlin", base, office, holidays=[{"date": "2026-12-25", **said}])

    def test_nobody_is_on_call_on_a_day_off_and_the_turns_go_on_underneath(self) -> None:
        """R11"""
        assert told(self.holiday(action="nobody"), "2026-12-24T20:00", "2026-12-26T01:00") == [
            ("12-24 20:00", "d"),
            ("12-24 23:00", None),
            ("12-25 23:00", "f"),
        ]

    def test_one_person_covers_the_holiday(self) -> None:
        """R11"""
        covered = self.holiday(action="user", user="dee")
        assert told(covered, "2026-12-24T20:00", "2026-12-26T01:00") == [
            ("12-24 20:00", "d"),
            ("12-24 23:00", "dee"),
            ("12-25 23:00", "f"),
        ]

    def test_a_layer_skipped_for_the_holiday_lets_the_lower_one_through(self) -> None:
        """R11"""
        skipped = self.holiday(action="skip_layers", layers=["office"])
        assert who(skipped, "2026-12-24T09:00") == "desk"
        assert who(skipped, "2026-12-25T09:00") == "e"

    def test_part_of_a_day_in_its_own_zone(self) -> None:
        """R11, R4"""
        part = self.holiday(
            action="nobody", zone="America/New_York", **{"from": "12:00", "to": "24:00"}
        )
        assert told(part, "2026-12-25T16:30", "2026-12-26T06:00") == [
            ("12-25 16:30", "e"),
            ("12-25 17:00", None),
            ("12-26 05:00", "f"),
        ]


class TestOverrides:
    weekly = rota("UTC", layer("2026-06-01T00:00", "day", ["ana", "bo", "cy"]))

    def test_an_override_beats_holidays_and_layers_and_the_later_one_wins(self) -> None:
        """R12"""
        definition = rota(
            "UTC",
            layer("2026-06-01T00:00", "week", ["ana"]),
            holidays=[{"date": "2026-06-02", "action": "nobody"}],
            overrides=[
                {"start": "2026-06-02T08:00Z", "end": "2026-06-02T16:00Z", "user": "bo"},
                {"start": "2026-06-02T10:00Z", "end": "2026-06-02T12:00Z", "user": "cy"},
                {"start": "2026-06-02T14:00Z", "end": "2026-06-02T15:00Z", "user": None},
            ],
        )
        assert told(definition, "2026-06-02T00:00", "2026-06-03T01:00") == [
            ("06-02 00:00", None),
            ("06-02 08:00", "bo"),
            ("06-02 10:00", "cy"),
            ("06-02 12:00", "bo"),
            ("06-02 14:00", None),
            ("06-02 15:00", "bo"),
            ("06-02 16:00", None),
            ("06-03 00:00", "ana"),
        ]

    def test_overrides_given_beside_the_definition_are_painted_after_its_own(self) -> None:
        """R12"""
        own = rota(
            "UTC",
            layer("2026-06-01T00:00", "week", ["ana"]),
            overrides=[{"start": "2026-06-02T08:00Z", "end": "2026-06-02T10:00Z", "user": "bo"}],
        )
        given = Override(utc("2026-06-02T09:00"), utc("2026-06-02T11:00"), "cy")
        assert told(own, "2026-06-02T00:00", "2026-06-03T00:00", [given]) == [
            ("06-02 00:00", "ana"),
            ("06-02 08:00", "bo"),
            ("06-02 09:00", "cy"),
            ("06-02 11:00", "ana"),
        ]

    def test_a_cover_for_one_person_touches_only_that_persons_time(self) -> None:
        """R13"""
        cover = Override(utc("2026-06-01"), utc("2026-06-08"), "dee", replaces="bo")
        assert told(self.weekly, "2026-06-01T00:00", "2026-06-06T00:00", [cover]) == [
            ("06-01 00:00", "ana"),
            ("06-02 00:00", "dee"),
            ("06-03 00:00", "cy"),
            ("06-04 00:00", "ana"),
            ("06-05 00:00", "dee"),
        ]

    def test_a_cover_looks_at_who_is_on_call_after_everything_earlier(self) -> None:
        """R13: bo's cover is covered in turn; in the other order it would find nobody to replace"""
        first = Override(utc("2026-06-02"), utc("2026-06-03"), "dee", replaces="bo")
        then = Override(utc("2026-06-02"), utc("2026-06-03"), "eli", replaces="dee")
        assert who(self.weekly, "2026-06-02T12:00", [first, then]) == "eli"
        assert who(self.weekly, "2026-06-02T12:00", [then, first]) == "dee"

    def test_a_swap_is_two_covers(self) -> None:
        """R14"""
        swap = [
            Override(utc("2026-06-01"), utc("2026-06-02"), "cy", replaces="ana"),
            Override(utc("2026-06-03"), utc("2026-06-04"), "ana", replaces="cy"),
        ]
        assert told(self.weekly, "2026-06-01T00:00", "2026-06-05T00:00", swap) == [
            ("06-01 00:00", "cy"),
            ("06-02 00:00", "bo"),
            ("06-03 00:00", "ana"),
        ]

    def test_an_override_in_wall_time_is_read_in_the_schedules_zone(self) -> None:
        """R2"""
        definition = rota(
            "Europe/Berlin",
            layer("2026-03-01T00:00", "week", ["ana"]),
            overrides=[{"start": "2026-03-29T02:30", "end": "2026-03-29T12:00", "user": "bo"}],
        )
        assert told(definition, "2026-03-29T00:00", "2026-03-29T12:00") == [
            ("03-29 00:00", "ana"),
            ("03-29 01:30", "bo"),
            ("03-29 10:00", "ana"),
        ]

    def test_an_override_without_utc_is_a_mistake_of_the_caller(self) -> None:
        with pytest.raises(ValueError, match="UTC"):
            Override(utc("2026-06-01").replace(tzinfo=None), utc("2026-06-02"), "ana")


class TestAnswers:
    def test_contiguous_shifts_of_one_person_are_one_and_gaps_are_shown(self) -> None:
        """R15"""
        alone = rota("UTC", layer("2026-06-01T00:00", "day", ["ana"], end="2026-06-05T00:00"))
        assert shifts(alone, utc("2026-05-31"), utc("2026-06-06")) == [
            Shift(utc("2026-05-31"), utc("2026-06-01"), None),
            Shift(utc("2026-06-01"), utc("2026-06-05"), "ana"),
            Shift(utc("2026-06-05"), utc("2026-06-06"), None),
        ]

    def test_the_next_handoff_names_who_leaves_and_who_arrives(self) -> None:
        weekly = rota("Europe/Berlin", layer("2026-01-05T09:00", "week", ["ana", "bo"]))
        assert next_handoff(weekly, utc("2026-01-12T07:59:59")) == (
            utc("2026-01-12T08:00"),
            "ana",
            "bo",
        )
        assert next_handoff(weekly, utc("2026-01-12T08:00")) == (
            utc("2026-01-19T08:00"),
            "bo",
            "ana",
        )

    def test_a_handoff_to_nobody_is_a_handoff(self) -> None:
        weekly = rota("UTC", layer("2026-01-05T09:00", "week", ["ana"], end="2026-09-01T00:00"))
        assert next_handoff(weekly, utc("2026-01-12")) == (utc("2026-09-01"), "ana", None)

    def test_a_handoff_beyond_the_horizon_is_not_told(self) -> None:
        weekly = rota("UTC", layer("2026-01-05T09:00", "week", ["ana"], end="2026-09-01T00:00"))
        until_then = utc("2026-09-01") - utc("2026-01-12")
        assert next_handoff(weekly, utc("2026-01-12"), horizon=until_then) is None
        one_more = until_then + timedelta(seconds=1)
        assert next_handoff(weekly, utc("2026-01-12"), horizon=one_more) is not None

    def test_everybody_named_is_told_once(self) -> None:
        definition = rota(
            "UTC",
            layer(
                "2026-06-01T00:00",
                "day",
                ["ana", None],
                changes=[{"at": "2026-07-01T00:00", "users": ["bo"]}],
            ),
            holidays=[{"date": "2026-12-25", "action": "user", "user": "cy"}],
            overrides=[
                {"start": "2026-06-02T08:00Z", "end": "2026-06-02T10:00Z", "user": "dee",
                 "replaces": "eli"}
            ],
        )  # fmt: skip
        assert people_named(definition) == {"ana", "bo", "cy", "dee", "eli"}

    def test_the_command_answers_in_utc_to_the_second(self) -> None:
        definition = {
            "zone": "Asia/Kathmandu",
            "layers": [layer("2026-01-01T09:00", "day", ["ana", "bo"])],
        }
        window = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T12:00+05:45"}
        assert answer({"definition": definition, "window": window}) == {
            "shifts": [
                {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T03:15:00Z", "user": None},
                {"start": "2026-01-01T03:15:00Z", "end": "2026-01-02T03:15:00Z", "user": "ana"},
                {"start": "2026-01-02T03:15:00Z", "end": "2026-01-02T06:15:00Z", "user": "bo"},
            ]
        }

    def test_an_empty_window_has_no_shifts_and_a_naive_instant_is_refused(self) -> None:
        weekly = rota("UTC", layer("2026-01-05T09:00", "week", ["ana"]))
        assert shifts(weekly, utc("2026-02-01"), utc("2026-02-01")) == []
        with pytest.raises(ValueError, match="zone"):
            on_call_at(weekly, utc("2026-02-01").replace(tzinfo=None))
        with pytest.raises(BadInput, match="2300"):
            on_call_at(weekly, utc("2300-01-01"))


GOOD: dict[str, Any] = {
    "zone": "UTC",
    "team": "shop",
    "layers": [
        {
            "name": "week",
            "start": "2026-01-05T09:00",
            "rotation": {"unit": "week"},
            "users": ["ana"],
            "restrictions": [{"days": [1], "from": "09:00", "to": "17:00"}],
            "changes": [{"at": "2026-02-01T00:00", "users": ["bo"]}],
        }
    ],
    "holidays": [{"date": "2026-12-25", "action": "user", "user": "dee"}],
    "overrides": [{"start": "2026-06-01T00:00Z", "end": "2026-06-02T00:00Z", "user": None}],
}


def with_at(place: str, value: object) -> dict[str, Any]:
    """GOOD with another value at a place such as layers.0.rotation.unit; ... takes the key out."""
    changed = copy.deepcopy(GOOD)
    *way, last = [int(part) if part.isdigit() else part for part in place.split(".")]
    here: Any = changed
    for part in way:
        here = here[part]
    if value is ...:
        del here[last]
    else:
        here[last] = value
    return changed


class TestFaultsAreNamed:
    def test_a_good_definition_is_accepted_with_its_team(self) -> None:
        assert parse_definition(GOOD).layers[0].name == "week"

    def test_digits_as_text_are_numbers_as_yaml_without_implicit_types_gives_them(self) -> None:
        assert parse_definition(with_at("layers.0.rotation", {"unit": "day", "every": "2"}))
        assert parse_definition(with_at("layers.0.restrictions.0.days", ["1", "7"]))

    @pytest.mark.parametrize(
        ("place", "value", "path", "says"),
        [
            ("zone", "Europe/Berln", "zone", '"Europe/Berln" is not a time zone'),
            ("zone", "../etc/passwd", "zone", "is not a time zone"),
            ("zone", "Europe", "zone", "is not a time zone"),
            ("zone", "UTC\x00", "zone", "cannot be shown"),
            ("zone", None, "zone", "null is not a name"),
            ("zone", ..., "", "the key zone is missing"),
            ("colour", "red", "colour", "no such key; the keys here are zone, layers"),
            ("layers", [], "layers", "0 entries"),
            ("layers", {}, "layers", "a mapping is not a list"),
            ("layers.0", "week", "layers[0]", "is not a mapping"),
            ("layers.0.zone", "Mars/Olympus", "layers[0].zone", "is not a time zone"),
            ("layers.0.start", "2026-01-05", "layers[0].start", "a wall time like"),
            ("layers.0.start", "2026-02-30T09:00", "layers[0].start", "not in the calendar"),
            ("layers.0.start", "0001-01-01T00:00", "layers[0].start", "in a year from"),
            ("layers.0.start", 20260105, "layers[0].start", "20260105 is not a wall time"),
            ("layers.0.end", "2026-01-05T09:00", "layers[0].end", "later than the layer's start"),
            ("layers.0.users", "ana", "layers[0].users", '"ana" is not a list'),
            ("layers.0.users", ["ana", ""], "layers[0].users[1]", "is not a name"),
            ("layers.0.users", ["a\u202eb"], "layers[0].users[0]", "cannot be shown"),
            ("layers.0.users", ["x" * 9999], "layers[0].users[0]", "is not a name"),
            ("layers.0.rotation", {}, "layers[0].rotation", "the key unit is missing"),
            ("layers.0.rotation.unit", "fortnight", "layers[0].rotation.unit", "one of day, hour"),
            ("layers.0.rotation.every", 0, "layers[0].rotation.every", "whole number from 1"),
            ("layers.0.rotation.every", True, "layers[0].rotation.every", "True is not a whole"),
            ("layers.0.rotation.every", 10**400, "layers[0].rotation.every", "whole number"),
            ("layers.0.restrictions.0.days", [], "layers[0].restrictions[0].days", "0 entries"),
            ("layers.0.restrictions.0.days", [0], "layers[0].restrictions[0].days[0]", "1 to 7"),
            ("layers.0.restrictions.0.from", "9:00", "layers[0].restrictions[0].from", "09:00"),
            ("layers.0.restrictions.0.from", "24:00", "layers[0].restrictions[0].from", "09:00"),
            ("layers.0.restrictions.0.to", "25:00", "layers[0].restrictions[0].to", "24:00"),
            ("layers.0.restrictions.0.to", ..., "layers[0].restrictions[0]", "key to is missing"),
            ("layers.0.changes.0.first", "cy", "layers[0].changes[0].first", "change's users"),
            ("layers.0.changes.0.at", "soon", "layers[0].changes[0].at", "a wall time like"),
            ("holidays.0.date", "25.12.2026", "holidays[0].date", "a date like 2026-12-25"),
            ("holidays.0.action", "party", "holidays[0].action", "one of nobody"),
            ("holidays.0.action", "nobody", "holidays[0].user", "only the action user"),
            ("holidays.0.user", ..., "holidays[0]", "needs the key user"),
            ("holidays.0.to", "00:00", "holidays[0].to", "later than from"),
            (
                "holidays.0",
                {"date": "2026-12-25", "action": "skip_layers", "layers": ["weak"]},
                "holidays[0].layers[0]",
                '"weak" is not one of week',
            ),
            ("overrides.0.user", ..., "overrides[0]", "the key user is missing"),
            ("overrides.0.end", "2026-06-01T00:00Z", "overrides[0].end", "later than the start"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_used_is_named_with_its_place_and_what_would_do(
        self, place: str, value: object, path: str, says: str
    ) -> None:
        with pytest.raises(DefinitionError) as caught:
            parse_definition(with_at(place, value))
        assert caught.value.path == path
        assert says in str(caught.value)
        assert str(caught.value).startswith(path)
        assert len(str(caught.value)) < 300

    def test_a_number_too_long_to_print_is_refused_all_the_same(self) -> None:
        with pytest.raises(DefinitionError, match="this int is not a whole number"):
            parse_definition(with_at("layers.0.rotation.every", 10**5000))

    def test_turns_by_window_need_windows(self) -> None:
        with pytest.raises(DefinitionError, match="restrictions") as caught:
            rota("UTC", layer("2026-06-01T00:00", "window", ["ana"]))
        assert caught.value.path == "layers[0].rotation.unit"

    @pytest.mark.parametrize(
        ("window", "path"),
        [
            ({"from": "2026-06-01T00:00:00Z"}, "window"),
            ({"from": "2026-06-01T00:00", "to": "2026-06-02T00:00Z"}, "window.from"),
            ({"from": "2026-06-02T00:00Z", "to": "2026-06-01T00:00Z"}, "window.to"),
            ({"from": "1980-06-02T00:00Z", "to": "2190-06-01T00:00Z"}, "window.to"),
        ],
    )
    def test_a_window_that_cannot_be_answered_is_named(
        self, window: dict[str, str], path: str
    ) -> None:
        with pytest.raises(DefinitionError) as caught:
            answer({"definition": GOOD, "window": window})
        assert caught.value.path == path


# Any schedule around the nights that go wrong: its shifts tile, and no way of asking changes them.

NIGHTS = {
    "Europe/Berlin": "2026-03-29",
    "America/New_York": "2026-11-01",
    "Australia/Lord_Howe": "2026-10-04",
    "Asia/Kathmandu": "2026-06-01",
    "Pacific/Apia": "2011-12-30",
    "Africa/Casablanca": "2024-03-10",
}
PEOPLE = st.sampled_from(["ana", "bo", "cy", None])
HALF_HOURS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 30]))


@st.composite
def layers_near(draw: st.DrawFn, night: datetime) -> dict[str, Any]:
    def moment(days: st.SearchStrategy[int]) -> str:
        return f"{night + timedelta(days=draw(days)):%Y-%m-%d}T{draw(HALF_HOURS)}"

    window = st.fixed_dictionaries(
        {"from": HALF_HOURS, "to": HALF_HOURS},
        optional={"days": st.lists(st.integers(1, 7), min_size=1), "plus_days": st.integers(0, 2)},
    )
    unit = draw(st.sampled_from(["hour", "day", "week", "month", "window"]))
    made = layer(
        moment(st.integers(-3000, 2)),
        unit,
        draw(st.lists(PEOPLE, max_size=4)),
        draw(st.integers(1, 12)),
    )
    made["restrictions"] = draw(st.lists(window, min_size=unit == "window", max_size=2))
    if draw(st.booleans()):
        users = draw(st.lists(PEOPLE, max_size=4))
        made["changes"] = [{"at": moment(st.integers(-30, 3)), "users": users}]
    return made


@st.composite
def schedules(draw: st.DrawFn) -> tuple[Definition, list[Override], datetime]:
    zone = draw(st.sampled_from(sorted(NIGHTS)))
    night = datetime.fromisoformat(NIGHTS[zone])
    layers = draw(st.lists(layers_near(night), min_size=1, max_size=3))
    begin = night.replace(tzinfo=UTC) - timedelta(days=3)
    overrides = []
    for _ in range(draw(st.integers(0, 3))):
        start = begin + timedelta(minutes=draw(st.integers(0, 9000)))
        end = start + timedelta(minutes=draw(st.integers(1, 4000)))
        overrides.append(Override(start, end, draw(PEOPLE), draw(PEOPLE)))
    return rota(zone, *layers), overrides, begin


MOMENTS = st.lists(st.integers(0, 8 * 24 * 60), min_size=2, max_size=6, unique=True).map(sorted)


@given(schedules(), MOMENTS)
def test_shifts_tile_the_window_and_neighbours_differ(
    made: tuple[Definition, list[Override], datetime], minutes: list[int]
) -> None:
    """R15: no gap, no overlap, nothing left to merge"""
    definition, overrides, begin = made
    start, end = (begin + timedelta(minutes=m) for m in (minutes[0], minutes[-1]))
    found = shifts(definition, start, end, overrides)
    assert (found[0].start, found[-1].end) == (start, end)
    assert all(shift.start < shift.end for shift in found)
    assert all(a.end == b.start and a.user != b.user for a, b in pairwise(found))


@given(schedules(), MOMENTS)
def test_a_window_asked_in_pieces_gives_the_same_answer(
    made: tuple[Definition, list[Override], datetime], minutes: list[int]
) -> None:
    definition, overrides, begin = made
    cuts = [begin + timedelta(minutes=m) for m in minutes]
    whole = shifts(definition, cuts[0], cuts[-1], overrides)
    pieces = [s for a, b in pairwise(cuts) for s in shifts(definition, a, b, overrides)]
    joined: list[Shift] = []
    for piece in pieces:
        if joined and joined[-1].user == piece.user:
            joined[-1] = Shift(joined[-1].start, piece.end, piece.user)
        else:
            joined.append(piece)
    assert joined == whole


@given(schedules())
def test_who_at_an_instant_and_the_next_handoff_agree_with_the_shifts(
    made: tuple[Definition, list[Override], datetime],
) -> None:
    definition, overrides, begin = made
    end = begin + timedelta(days=6)
    found = shifts(definition, begin, end, overrides)
    for shift in found[:12]:
        last = shift.end - timedelta(microseconds=1)
        assert on_call_at(definition, shift.start, overrides) == shift.user
        assert on_call_at(definition, last, overrides) == shift.user
    for shift, then in list(pairwise(found))[:4]:
        middle = shift.start + (shift.end - shift.start) / 2
        expected = (then.start, shift.user, then.user)
        assert next_handoff(definition, middle, overrides) == expected
