"""A short run of the chaos benchmark: killed again and again, the bot loses no page and posts no second card."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.chaos.report import Verdict
from benchmarks.chaos.scenarios import Wish, kills


@pytest.mark.timeout(400)
def test_killed_again_and_again_it_loses_no_page_and_posts_no_second_card() -> None:
    wish = Wish(seed=2026, pages=60, kills=4, minutes=1.5, most=12, teams=60, quick_births=True)
    verdict: Verdict = asyncio.run(kills(wish))
    assert not verdict.faults, verdict.text()
    assert "lost 0;" in verdict.text()
    assert "second root messages 0" in verdict.text()
