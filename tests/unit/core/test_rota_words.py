"""Shifts in words: the rota's own clock, and no doubt in the hour that comes twice."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from oncall_bot.core.rota_words import clock, span, wall

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_shift_is_told_in_the_rotas_zone() -> None:
    start, end = datetime(2026, 3, 6, 8, tzinfo=UTC), datetime(2026, 3, 7, 8, tzinfo=UTC)
    assert span(start, end, BERLIN) == "Fri 6 Mar 09:00 to Sat 7 Mar 09:00 (Europe/Berlin)"
    noon = datetime(2026, 3, 6, 11, tzinfo=UTC)
    assert span(start, noon, BERLIN) == "Fri 6 Mar 09:00 to 12:00 (Europe/Berlin)"


def test_the_hour_that_comes_twice_says_which() -> None:
    first, second = (datetime(2026, 10, 25, n, 30, tzinfo=UTC) for n in (0, 1))
    assert wall(first, BERLIN) == "Sun 25 Oct 02:30 CEST"
    assert wall(second, BERLIN) == "Sun 25 Oct 02:30 CET"
    assert clock(datetime(2026, 10, 25, 3, 30, tzinfo=UTC), BERLIN) == "04:30"
