"""Who is on holiday is left out where somebody else is asked, and paged where nobody else would be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from oncall_bot.core.away import Holiday, until, without_the_absent
from oncall_bot.core.config import Target
from oncall_bot.core.paging import Found

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
AWAY = {"ana": NOW + DAY}
SHOP = Found(Target("team", "shop"), ("ana", "bo"))


def asked(
    *found: Found, is_list: bool = False, unreachable: tuple[str, ...] = ()
) -> tuple[list[str], list[str]]:
    """(whom it asks, whom it leaves out)."""
    whom = without_the_absent(
        found, AWAY.get, lambda person: person not in unreachable, is_list=is_list
    )
    return [p for one in whom.found for p in one.people], [one.person for one in whom.left_out]


def person(key: str) -> Found:
    return Found(Target("person", key), (key,))


def test_a_team_does_without_whoever_is_on_holiday() -> None:
    assert asked(SHOP) == (["bo"], ["ana"])


def test_a_team_of_which_nobody_else_can_be_reached_asks_them_all_the_same() -> None:
    assert asked(SHOP, unreachable=("bo",)) == (["ana", "bo"], [])
    assert asked(Found(Target("team", "one"), ("ana",))) == (["ana"], [])


def test_who_is_on_call_or_named_is_paged_on_holiday_too() -> None:
    on_call = Found(Target("schedule", "shop"), ("ana",))
    assert asked(on_call, person("ana"), person("bo")) == (["ana", "ana", "bo"], [])


def test_in_a_fallback_list_anybody_stands_for_anybody() -> None:
    assert asked(person("ana"), person("bo"), is_list=True) == (["bo"], ["ana"])
    assert asked(person("ana"), is_list=True) == (["ana"], [])
    assert asked(person("ana"), person("bo"), is_list=True, unreachable=("bo",))[1] == []
    on_call = Found(Target("schedule", "shop"), ("ana",))
    assert asked(on_call, person("bo"), is_list=True) == (["ana", "bo"], [])


def test_a_channel_stays_where_people_are_left_out() -> None:
    channel = Found(Target("channel", "#shop"), channel="#shop")
    whom = without_the_absent([channel, SHOP], AWAY.get, lambda p: True, is_list=False)
    assert [one.channel for one in whom.found] == ["#shop", None]


def test_a_holiday_lasts_from_its_begin_up_to_its_end() -> None:
    holidays = [Holiday(NOW, NOW + DAY), Holiday(NOW + 3 * DAY, NOW + 4 * DAY)]
    assert until(holidays, NOW) == NOW + DAY
    assert until(holidays, NOW + DAY) is None
    assert until(holidays, NOW + 3.5 * DAY) == NOW + 4 * DAY
    assert until([], NOW) is None
