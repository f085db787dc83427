"""The page of a schedule: who now, gaps in words, bars as long as their time, any zone, past and future."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Tx
from tests.component.web.site import DOCUMENT, PEOPLE, WEEKLY, Site, berlin, plain
from tests.databases import HandClock

PAGE = "/schedules/checkout-primary"


@pytest.fixture
async def site(store: Store, clock: HandClock) -> Site:
    found = Site(store, clock)
    found.is_lived_in()
    await found.signs_in()
    return found


def bars(html: str) -> list[tuple[str, float]]:
    """(title, width in percent) of every bar."""
    found = re.findall(r'<svg x="[\d.]+%" y="\d+" width="([\d.]+)%"[^>]*><title>([^<]*)<', html)
    return [(title, float(wide)) for wide, title in found]


def read_out(html: str) -> str:
    """What a screen reader says instead of the drawing."""
    found = re.search(r'role="img" aria-label="([^"]*)"', html)
    assert found
    return found[1]


async def test_the_list_says_who_is_on_call_everywhere_and_where_the_next_gap_is(
    site: Site,
) -> None:
    said = plain(await site.page("/schedules"))
    assert "checkout-primary shop Ana Ruiz until Wed 21, 22:00" in said
    assert "gap Saturday 24, 09:00 to 18:00, Berlin time" in said
    assert "office Ana Ruiz until Wed 21, 17:00" in said


async def test_the_page_answers_who_now_who_then_and_where_nobody_is(site: Site) -> None:
    said = plain(await site.page(PAGE))
    assert "Ana Ruiz is on call now until Wed 21, 22:00, then Chen Li." in said
    assert "No answer: Ben Okafor after 5 min." in said
    assert "Nobody is on call Saturday 24, 09:00 to 18:00. An override leaves it empty." in said
    assert "Hours are Berlin time, where this rota is planned" in said
    assert "Hours shown, without gaps: Ana Ruiz 101 · Chen Li 32 · Ben Okafor 24" in said


async def test_every_row_is_drawn_and_read_out(site: Site) -> None:
    html = await site.page(PAGE)
    for name in ("Weekly", "Nights", "Overrides", "On call"):
        assert f">{name}</span>" in html
    titles = [title for title, _ in bars(html)]
    assert titles.count("Ben Okafor, Thursday 22, 09:00 to Friday 23, 09:00") == 2
    assert titles.count("nobody, Saturday 24, 09:00 to 18:00") == 2
    said = read_out(html)
    assert "Ben Okafor by override from Thu 22, 09:00" in said
    assert "Clocks go back 03:00 to 02:00." in said


async def test_the_long_sunday_is_drawn_an_hour_longer_and_says_so(site: Site) -> None:
    html = await site.page(PAGE)
    days = re.findall(r'<svg x="[\d.]+%" y="0" width="([\d.]+)%"', html)
    assert float(days[6]) / float(days[0]) == pytest.approx(25 / 24, rel=0.001)
    assert html.count("25 hours, clocks go back 03:00 to 02:00") >= 1
    assert "clocks go back 03:00 to 02:00</text>" in html


async def test_any_zone_may_be_asked_for_and_the_readers_own_is_one_press_away(
    site: Site,
) -> None:
    assert "zone=Europe%2FMadrid" in await site.page(PAGE)
    said = plain(await site.page(f"{PAGE}?zone=Asia/Kathmandu"))
    assert "Hours are Kathmandu time · show in Berlin time, where this rota is planned" in said
    assert "until Thu 22, 01:45, then Chen Li." in said
    assert "clocks go back" not in said


async def test_the_phones_list_starts_today_and_folds_what_is_over(site: Site) -> None:
    html = await site.page(PAGE)
    folded, rest = html.partition("<details>")[2].split("</details>")[:2]
    assert "<summary>Monday and Tuesday</summary>" in folded
    assert "Monday 19" in folded
    assert plain(rest).startswith("Wednesday 21 · today")
    assert "09:00 to 24:00 Ben Okafor by override" in plain(rest)


async def test_weeks_past_and_to_come_are_links_that_keep_the_zone(site: Site) -> None:
    html = await site.page(f"{PAGE}?weeks=2&zone=UTC&from=2026-10-21")
    links = dict(re.findall(r'href="([^"]*)"[^>]*>(Earlier|Later|Today|4 weeks)<', html))
    assert {words: href for href, words in links.items()} == {
        "Earlier": f"{PAGE}?weeks=2&amp;zone=UTC&amp;from=2026-10-05",
        "Later": f"{PAGE}?weeks=2&amp;zone=UTC&amp;from=2026-11-02",
        "Today": f"{PAGE}?weeks=2&amp;zone=UTC",
        "4 weeks": f"{PAGE}?from=2026-10-21&amp;zone=UTC&amp;weeks=4",
    }
    said = plain(await site.page(f"{PAGE}?from=2027-03-24"))
    assert "22 to 28 March 2027" in said
    assert "23 hours, clocks go forward 02:00 to 03:00" in said


async def test_a_gap_that_is_over_is_told_of_past_weeks_only(site: Site) -> None:
    site.clock.now = berlin(24, 18, 1)
    await site.signs_in()
    assert "Nobody" not in plain(await site.page(PAGE))
    site.clock.now = berlin(26, 9)
    await site.signs_in()
    said = plain(await site.page(f"{PAGE}?from=2026-10-19"))
    assert "Nobody was on call Saturday 24, 09:00 to 18:00." in said


async def test_the_past_is_what_was_logged_whatever_the_rota_says_now(site: Site) -> None:
    def logged(tx: Tx) -> None:
        tx.connection.execute(
            text(
                "INSERT INTO shift_log (schedule_id, starts_at, ends_at, person_id)"
                " SELECT s.id, :since, :until, p.id FROM schedule s, person p"
                " WHERE s.key = 'checkout-primary' AND p.key = 'dara'"
            ),
            {"since": stored(tx, berlin(20)), "until": stored(tx, berlin(20, 18))},
        )

    def stored(tx: Tx, at: datetime) -> Any:
        return at if tx.postgresql else int(at.timestamp() * 1_000_000)

    await site.store.write(logged)
    titles = [title for title, _ in bars(await site.page(PAGE))]
    assert "Dara Marsh, Tuesday 20, 09:00 to 18:00" in titles


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("zone=Mars/Base", "“Mars/Base” is not a time zone."),
        ("zone=../../etc/passwd", "“../../etc/passwd” is not a time zone."),
        ("zone=%00", "is not a time zone."),
        ("weeks=3", "“3” weeks cannot be shown: 1, 2 or 4 can."),
        ("weeks=99999999999", "weeks cannot be shown"),
        ("from=yesterday", "“yesterday” is not a date like 2026-10-19."),
        ("from=2026-02-30", "“2026-02-30” is not a date"),
        ("from=9999-12-31", "Schedules are shown for 1971 to 2198."),
        ("from=0001-01-01", "Schedules are shown for 1971 to 2198."),
        ("zone=" + "x" * 3000, "is not a time zone."),
    ],
)
async def test_what_cannot_be_shown_is_said_and_the_rest_is_shown(
    site: Site, asked: str, said: str
) -> None:
    html = plain(await site.page(f"{PAGE}?{asked}", 400))
    assert said in html
    assert "Ana Ruiz is on call now" in html
    assert "Nobody is on call Saturday" in html


@pytest.mark.parametrize("key", ["nothing", "%2e%2e%2fmetrics", "<b>", "x" * 3000])
async def test_an_unknown_schedule_is_said(site: Site, key: str) -> None:
    answer = await site.browser.get(f"/schedules/{key}")
    assert answer.status_code == 404


async def test_hostile_names_are_text(site: Site) -> None:
    hostile = '"><script>alert(1)</script>&amp;'
    people = {**PEOPLE, "eve": {"name": hostile}}
    layer = {**WEEKLY, "name": "<img src=x>", "users": ["eve"]}
    schedules = {**DOCUMENT["schedules"], "hostile": {"zone": "UTC", "layers": [layer]}}
    site.applies({**DOCUMENT, "people": people, "schedules": schedules})
    for path in ("/schedules", "/schedules/hostile", "/schedules/hostile?weeks=4"):
        html = await site.page(path)
        assert "<script" not in html
        assert "<img" not in html
        assert "&lt;script&gt;alert(1)" in html


async def test_ten_thousand_overrides_do_not_break_the_page(site: Site) -> None:
    def many(tx: Tx) -> None:
        start = int(berlin(22).timestamp())
        rows = [
            {"since": stored(tx, start + n * 30), "until": stored(tx, start + n * 30 + 30), "n": n}
            for n in range(10_000)
        ]
        tx.connection.execute(
            text(
                "INSERT INTO override (schedule_id, starts_at, ends_at, person_id, created_by, created_at)"
                " SELECT s.id, :since, :until, p.id, 'person:ana', :since FROM schedule s, person p"
                " WHERE s.key = 'checkout-primary'"
                " AND p.key = CASE WHEN :n % 2 = 0 THEN 'ana' ELSE 'ben' END"
            ),
            rows,
        )
        tx.connection.execute(text("UPDATE snapshot_revision SET n = n + 1"))

    def stored(tx: Tx, seconds: int) -> Any:
        return datetime.fromtimestamp(seconds, UTC) if tx.postgresql else seconds * 1_000_000

    await site.store.write(many)
    html = await site.page(PAGE)
    assert "There are more changes in this time than can be drawn" in html
    assert len(html) < 1_500_000
    assert len(bars(html)) <= 2200


async def test_a_file_without_schedules_says_where_they_stand(site: Site) -> None:
    policy = {"steps": [{"after": "0m", "page": ["person:ana"]}]}
    site.applies({**DOCUMENT, "schedules": {}, "policies": {"shop": policy}})
    assert "There are no schedules." in plain(await site.page("/schedules"))


async def test_fifty_schedules_are_a_page(site: Site) -> None:
    rota = DOCUMENT["schedules"]["office"]
    more = {f"rota-{n:03}": rota for n in range(120)}
    site.applies({**DOCUMENT, "schedules": {**DOCUMENT["schedules"], **more}})
    seen: list[str] = []
    path: str | None = "/schedules"
    while path:
        html = await site.page(path)
        seen += re.findall(r'<tr><td><a href="/schedules/([^"]+)"', html)
        further = re.search(r'href="(/schedules\?after=[^"]+)"', html)
        path = further[1] if further else None
    assert len(seen) == len(set(seen)) == 122
