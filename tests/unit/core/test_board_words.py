"""The sentences of a schedule's page: spans, zones, gaps, clock changes, hours, and the picture in words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from oncall_bot.core import board_words as words
from oncall_bot.core.board import Board, Gap, Planned, board
from oncall_bot.core.rotations import Override, parse_definition

BERLIN = ZoneInfo("Europe/Berlin")
DAILY = {
    "zone": "Europe/Berlin",
    "layers": [
        {
            "start": "2026-01-01T09:00",
            "rotation": {"unit": "day", "every": 1},
            "users": ["ana", "ben"],
        }
    ],
}
NAMES = {"ana": "Ana Ruiz", "ben": "Ben \u202eOkafor"}


def berlin(month: int, day: int, hour: int) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=BERLIN).astimezone(UTC)


NOON = berlin(10, 21, 12)


def shown(monday: date = date(2026, 10, 19), *overrides: Override, weeks: int = 1) -> Board:
    planned = Planned("shop", parse_definition(DAILY), overrides, (), NAMES)
    return board(planned, monday, weeks, BERLIN, berlin(10, 21, 14))


@pytest.mark.parametrize(
    ("monday", "said"),
    [
        (date(2026, 10, 19), "19 to 25 October"),
        (date(2026, 9, 28), "28 September to 4 October"),
        (date(2026, 12, 28), "28 December 2026 to 3 January 2027"),
        (date(2027, 3, 1), "1 to 7 March 2027"),
    ],
)
def test_a_span_names_what_it_must(monday: date, said: str) -> None:
    assert words.span(shown(monday)) == said


def test_zones_are_named_by_their_city() -> None:
    assert words.zone_name(BERLIN) == "Berlin time"
    assert words.zone_name(ZoneInfo("America/New_York")) == "New York time"
    assert words.zone_name(ZoneInfo("UTC")) == "UTC"


def test_a_gap_is_a_sentence_with_its_cause() -> None:
    gap = Gap(berlin(10, 24, 9), berlin(10, 24, 18), "override")
    said = "is on call Saturday 24, 09:00 to 18:00. An override leaves it empty."
    assert words.gap_sentence(gap, BERLIN, NOON) == said
    over = words.gap_sentence(gap, BERLIN, gap.end)
    assert over == "was on call Saturday 24, 09:00 to 18:00."
    night = Gap(berlin(10, 24, 22), berlin(10, 25, 6), "rota")
    said = "is on call Saturday 24, 22:00 to Sunday 25, 06:00. No layer covers it."
    assert words.gap_sentence(night, BERLIN, NOON) == said
    day = Gap(berlin(10, 24, 0), berlin(10, 25, 0), "holiday")
    assert "Saturday 24, 00:00 to 24:00." in words.gap_sentence(day, BERLIN, NOON)


def test_a_night_with_a_clock_change_says_its_length() -> None:
    october, march = shown().days[-1], shown(date(2026, 3, 23)).days[-1]
    assert words.day_note(october) == "25 hours, clocks go back 03:00 to 02:00"
    assert words.day_note(march) == "23 hours, clocks go forward 02:00 to 03:00"
    assert words.day_note(shown().days[0]) is None
    assert words.hours(timedelta(hours=23.5)) == "23.5 hours"


def test_the_small_line_says_zone_gaps_and_long_days() -> None:
    assert words.subtitle(shown()) == "Berlin time · no gap · Sun 25 has 25 hours"
    hole = Override(berlin(10, 24, 9), berlin(10, 24, 18), None)
    said = "Berlin time · gap Sat 24, 09:00 to 18:00 · Sun 25 has 25 hours"
    assert words.subtitle(shown(date(2026, 10, 19), hole)) == said


def test_hours_are_added_up_for_each_person() -> None:
    assert words.hours_line(shown()) == "Ben \u202eOkafor 87 · Ana Ruiz 82"


def test_the_picture_is_also_words_without_letters_that_turn_the_line() -> None:
    cover = Override(berlin(10, 20, 9), berlin(10, 21, 9), "ben")
    said = words.alt_text(shown(date(2026, 10, 19), cover))
    assert said.startswith("shop, 19 to 25 October, Berlin time. ")
    assert "Ben Okafor by override from Tue 20, 09:00" in said
    assert "Clocks go back 03:00 to 02:00." in said
    assert "\u202e" not in said
    assert len(words.alt_text(shown(weeks=4), limit=200)) <= 200


def test_a_days_pieces_end_at_its_midnights() -> None:
    found = shown()
    pieces = list(words.pieces_of(found.days[1], found.final))
    assert [words.piece_words(one, BERLIN) for one in pieces] == [
        "00:00 to 09:00",
        "09:00 to 24:00",
    ]
    assert words.is_today(found.days[2], found.now)
    assert words.day_title(found.days[2].date) == "Wednesday 21"
