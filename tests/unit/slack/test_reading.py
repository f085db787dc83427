"""What people type at 3 a.m. is read as they mean it, in their own zone, or they are told what would do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from oncall_bot.slack import reading

BERLIN = ZoneInfo("Europe/Berlin")
SUNDAY = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)  # 13:00 in Berlin


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("now", "2026-11-22T12:00"),
        ("in 2h", "2026-11-22T14:00"),
        ("in 1d2h30m", "2026-11-23T14:30"),
        ("14:30", "2026-11-22T13:30"),
        ("09:00", "2026-11-23T08:00"),
        ("today 09:00", "2026-11-22T08:00"),
        ("tomorrow 03:00", "2026-11-23T02:00"),
        ("thu 09:00", "2026-11-26T08:00"),
        ("Thursday 09:00", "2026-11-26T08:00"),
        ("sun 09:00", "2026-11-29T08:00"),
        ("sun 23:00", "2026-11-22T22:00"),
        ("26 nov 09:00", "2026-11-26T08:00"),
        ("3 January 09:00", "2027-01-03T08:00"),
        ("26 nov 2028, 09:00", "2028-11-26T08:00"),
        ("2026-12-01 09:00", "2026-12-01T08:00"),
        ("2026-12-01T09:00", "2026-12-01T08:00"),
        ("2026-12-01T09:00Z", "2026-12-01T09:00"),
        (
            "28 mar 2027 02:30",
            "2027-03-28T01:30",
        ),  # the hour that does not exist: read with the offset before it
    ],
)
def test_times_are_read_in_the_askers_zone(words: str, meant: str) -> None:
    assert reading.instant(words, SUNDAY, BERLIN) == datetime.fromisoformat(meant).replace(
        tzinfo=UTC
    )


@pytest.mark.parametrize(
    "words",
    [
        "",
        "next thursdayish",
        "25:00",
        "in",
        "in soon",
        "31 feb 09:00",
        "x 09:00",
        "1 2 3 4 09:00",
        "nov 26 09:00",
        "2026-13-01T10:00",
        "\u0661:00",
    ],
)
def test_what_is_no_time_is_not_guessed(words: str) -> None:
    assert reading.instant(words, SUNDAY, BERLIN) is None


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("30m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("1H30M", timedelta(minutes=90)),
        ("1d", timedelta(days=1)),
        ("45min", timedelta(minutes=45)),
    ],
)
def test_durations(word: str, meant: timedelta) -> None:
    assert reading.span(word) == meant


@pytest.mark.parametrize("word", ["", "2", "h", "2x", "99999h", "-2h", "2h later"])
def test_what_is_no_duration_is_not_guessed(word: str) -> None:
    assert reading.span(word) is None


@pytest.mark.parametrize(
    ("word", "meant"),
    [("42", 42), ("#42", 42), ("4x", None), ("", None), ("٤٢", None), ("9" * 13, None)],
)
def test_incident_numbers(word: str, meant: int | None) -> None:
    assert reading.number(word) == meant


def test_labels_are_read_with_or_without_quotes_and_braces() -> None:
    assert reading.labels('{service="checkout", severity=critical}') == {
        "service": "checkout",
        "severity": "critical",
    }
    assert reading.labels("service checkout") is None
    assert reading.labels("") is None


@pytest.mark.parametrize(
    ("typed", "near"), [("escelate", "escalate"), ("reslove", "resolve"), ("xyzzy", None)]
)
def test_a_mistyped_word_finds_its_neighbour(typed: str, near: str | None) -> None:
    assert reading.nearest(typed, ["ack", "resolve", "escalate", "who", "test"]) == near


@pytest.mark.parametrize(
    ("wire", "seen"),
    [
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("ask <@U1> or <@U2|bo>", "ask @Ana Ruiz or @bo"),
        ("in <#C1|ops>, <!here>, <!subteam^S1|@oncall>", "in #ops, @here, @oncall"),
        (
            "see <https://x.example.com/a?b=1&amp;c=2|the board>",
            "see the board (https://x.example.com/a?b=1&c=2)",
        ),
        ("see <https://x.example.com|x.example.com>", "see https://x.example.com"),
        ("a <b> c", "a <b> c"),
    ],
)
def test_what_was_said_is_kept_as_its_readers_saw_it(wire: str, seen: str) -> None:
    assert reading.said(wire, {"U1": "Ana Ruiz"}.__getitem__) == seen
