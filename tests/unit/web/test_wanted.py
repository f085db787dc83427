"""What stands behind `?` of a schedule's address is read, or said to be unreadable; nothing breaks the page."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.web.schedules import read_wanted

NAMES = st.sampled_from(["weeks", "from", "zone", "other"])


def test_without_anything_it_is_this_week_in_the_rotas_zone() -> None:
    wanted = read_wanted({})
    assert (wanted.weeks, wanted.first, wanted.zone, wanted.faults) == (1, None, None, [])


def test_weeks_date_and_zone_are_read() -> None:
    wanted = read_wanted({"weeks": "4", "from": "2026-10-19", "zone": " Asia/Kathmandu "})
    assert wanted.weeks == 4
    assert str(wanted.first) == "2026-10-19"
    assert str(wanted.zone) == "Asia/Kathmandu"
    assert not wanted.faults


@given(st.dictionaries(NAMES, st.text(max_size=200)))
def test_nonsense_is_said_shortly_and_the_usual_stays(given_: dict[str, str]) -> None:
    wanted = read_wanted(given_)
    assert wanted.weeks in {1, 2, 4}
    assert all(len(one) < 160 for one in wanted.faults)


def test_a_zone_is_no_way_to_a_file() -> None:
    for name in ("../../etc/passwd", "/etc/localtime", "\0", "Europe", "posix/../Europe/Berlin"):
        assert read_wanted({"zone": name}).faults
