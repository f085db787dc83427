"""The page of an incident: state, numbers, timeline, draft; a chip leads to the entry a sentence rests on."""

from __future__ import annotations

import re

import pytest

from oncall_bot.flows.acknowledge import acknowledge
from oncall_bot.flows.declare import declare, note
from oncall_bot.flows.drafting import request_draft
from oncall_bot.flows.resolve import resolve
from oncall_bot.store.db import Store
from oncall_bot.web.draft_text import blocks_of
from tests.component.web.site import ANA, BEN, Site, plain
from tests.databases import HandClock

HOSTILE = 'Carts <img src=x onerror="alert(1)"> are empty'


@pytest.fixture
async def site(store: Store, clock: HandClock) -> Site:
    found = Site(store, clock)
    found.applies()
    await found.signs_in()
    return found


async def incident(site: Site, title: str = "Checkout is down") -> int:
    opened = await site.store.write(declare, title, "SEV2", BEN, press_id=title[:40])
    assert opened.incident_id is not None
    return opened.incident_id


async def worked_on(site: Site, title: str = "Checkout is down") -> int:
    number = await incident(site, title)
    site.clock.advance(180)
    await site.store.write(acknowledge, number, ANA)
    site.clock.advance(60)
    await site.store.write(note, number, "looks like the pool is empty?", BEN)
    site.clock.advance(1800)
    await site.store.write(resolve, number, ANA, reason="rolled back")
    await site.store.write(request_draft, number, "summary", ANA)
    return number


async def test_it_shows_state_numbers_timeline_and_draft(site: Site) -> None:
    number = await worked_on(site)
    said = plain(await site.page(f"/incidents/{number}"))
    assert said.count("Checkout is down") >= 2
    assert f"Incident {number} · SEV2" in said
    assert "3 min to acknowledge" in said
    assert "34 min to resolve" in said
    assert "Ben Okafor looks like the pool is empty?" in said
    assert "Summary a draft, not published" in said
    assert "Who was paged" in said


async def test_every_chip_leads_to_an_entry_of_the_page(site: Site) -> None:
    number = await worked_on(site)
    html = await site.page(f"/incidents/{number}")
    chips = set(re.findall(r'<sup><a href="#e(\d+)"', html))
    entries = set(re.findall(r'<li id="e(\d+)"', html))
    assert chips
    assert chips <= entries


async def test_a_long_timeline_is_read_a_page_at_a_time_and_chips_find_its_beginning(
    site: Site,
) -> None:
    number = await incident(site)
    for n in range(230):
        await site.store.write(note, number, f"step {n} of many", BEN)
    await site.store.write(request_draft, number, "summary", ANA)
    seen: list[int] = []
    path: str | None = f"/incidents/{number}"
    html = await site.page(path)
    assert "100 of " in plain(html)
    far = re.search(r'<sup><a href="(\?to=\d+)#e1"', html)
    assert far
    assert '<li id="e1"' in await site.page(f"/incidents/{number}{far[1]}")
    while path:
        html = await site.page(path)
        seen = [int(one) for one in re.findall(r'<li id="e(\d+)"', html)] + seen
        older = re.search(r'href="(\?to=\d+)">Earlier', html)
        path = f"/incidents/{number}{older[1]}" if older else None
    assert seen == sorted(set(seen))
    assert len(seen) >= 231


async def test_what_people_wrote_is_text(site: Site) -> None:
    number = await worked_on(site, HOSTILE)
    for path in ("/incidents", f"/incidents/{number}"):
        html = await site.page(path)
        assert "<img" not in html
        assert "&lt;img src=x" in html


@pytest.mark.parametrize("number", ["0", "999", "-1", "x", "1e3", "9" * 40, "٣"])
async def test_what_is_no_incident_is_said(site: Site, number: str) -> None:
    said = await site.page(f"/incidents/{number}", 404)
    assert "There is no such incident." in said


@pytest.mark.parametrize("last", ["0", "-5", "x", "9" * 30])
async def test_a_wrong_page_of_the_timeline_is_the_nearest_one(site: Site, last: str) -> None:
    number = await incident(site)
    assert '<li id="e1"' in await site.page(f"/incidents/{number}?to={last}")


async def test_an_open_incident_says_how_long_and_that_no_draft_is_there_yet(site: Site) -> None:
    number = await incident(site)
    site.clock.advance(600)
    said = plain(await site.page(f"/incidents/{number}"))
    assert "10 min open so far" in said
    assert "No draft yet" in said


async def test_the_list_names_the_latest_and_says_when_there_are_none(site: Site) -> None:
    assert "There are no incidents yet." in plain(await site.page("/incidents"))
    number = await incident(site)
    said = plain(await site.page("/incidents"))
    assert f"{number} Checkout is down SEV2" in said
    assert "Firing" in said


def test_a_draft_is_read_as_headings_lists_tables_and_chips() -> None:
    markdown = (
        "# INC-1: title\nSeverity SEV1\n\n## Summary\nIt **broke** [e014, calc]. <b>x</b> [link](http://x)\n\n"
        "## Key times\n| What | Took |\n|---|---|\n| Start | 4 s [e001, a02] |\n\n## Action items\n"
        "- [ ] Test restores [e047]\n- [x] Rotate\n\n## Appendix: evidence\nnever shown [calc]\n"
    )
    blocks = blocks_of(markdown)
    assert [one.kind for one in blocks] == [
        *("heading", "paragraph", "heading", "table", "heading", "list")
    ]
    assert [span.entry for span in blocks[1].spans] == [None, 14, None]
    assert blocks[1].spans[0].text == "It **broke**"
    assert "<b>x</b> [link](http://x)" in blocks[1].spans[2].text
    assert [len(line) for line in blocks[3].lines] == [2, 2]
    assert blocks[5].lines[0][0][0].text == "to do: Test restores"
    assert blocks[5].lines[1][0][0].text == "done: Rotate"
