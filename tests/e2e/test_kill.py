"""Killed as by kill -9 at every fault point, the bot comes back and the page is delivered: never lost, never in doubt.

Slack gets each message once, because a retry looks first whether its key is there. A loud road has no look-up: what
was sent and not written down is sent again, under the same key.
"""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from oncall_bot.core.fault_points import FaultPoint
from tests.e2e.world import CONFIG, World, alert, body, ended

SENT_UNWRITTEN = {FaultPoint.AFTER_SEND, FaultPoint.BEFORE_FINISH}


@pytest.mark.parametrize("point", list(FaultPoint))
def test_killed_at_a_fault_point_it_pages_once_all_the_same(
    build: Callable[..., World], database: str, point: FaultPoint
) -> None:
    world = build(database=database, start=False)
    world.start(ONCALL_TEST_KILL_AT=point.value)
    fires = alert()
    try:
        status = world.post(body(fires)).status
    except OSError:
        status = 0  # it died before it could answer: Alertmanager sends it again
    assert world.serve.died() == -signal.SIGKILL
    if point is FaultPoint.AFTER_STORE:
        assert status == 0
    world.start()
    if status != 200:
        assert world.post(body(fires)).status == 200

    world.until(lambda: world.rings("alice-phone"), "the telephone rings")
    world.until(lambda: world.dms("alice", "High error rate"), "the direct message")
    world.until(lambda: world.channel(contains="High error rate"), "the card")
    world.until(lambda: _all_written(world), "all is sent and written down", within=20)

    rings = world.rings("alice-phone")
    assert len(rings) <= (2 if point in SENT_UNWRITTEN else 1)
    assert len({ring["key"] for ring in rings}) == 1, "one page, one key"
    assert all(f"Ref {ring['key']}" in ring["message"] for ring in rings)
    assert len(world.dms("alice")) == 1
    assert len(world.channel()) == 1
    assert len(world.rows("SELECT id FROM page")) == 1
    assert len(world.rows("SELECT id FROM incident")) == 1

    world.human("alice").click("incidents", text="Acknowledge")
    world.until(lambda: world.channel(contains="acknowledged by Alice Adams"), "she has it")
    assert world.post(body(ended(fires))).status == 200
    world.until(lambda: world.channel(contains="esolved"), "it is over")
    assert len(world.channel()) == 1


def test_killed_between_the_rounds_of_an_escalation_it_goes_on_where_it_was(
    build: Callable[..., World],
) -> None:
    """A kill -9 at any moment: the next step's timer is a row, not a memory."""
    world = build(config=CONFIG.replace("after: 5m", "after: 3s"))
    assert world.post(body(alert())).status == 200
    world.until(lambda: world.rings("alice-phone"), "the first step")
    world.serve.kill()
    world.start()
    world.until(lambda: world.rings("bob-phone"), "the second step, by the restarted bot")
    # killed between the sending and the writing down, the same page may ring twice, with the same key
    assert len({ring["message"].rpartition("Ref ")[2] for ring in world.rings("alice-phone")}) == 1


def _all_written(world: World) -> bool:
    return not world.rows(
        "SELECT id FROM outbox WHERE state NOT IN ('sent', 'outdated', 'skipped')"
    )
