"""Wall clocks ten minutes off, set forward and set back while the bot runs: nothing is lost and nothing is early.

The clock of a process is faked by Debian's libfaketime; its monotonic clock runs on, as on a
machine whose clock is set.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.e2e.fleet import FAKETIME, Fleet, Load, config_of_many, skewed
from tests.e2e.world import CONFIG, World, alert, body
from tests.shared import missing

pytestmark = pytest.mark.timeout(400)
STEP = 4.0


@pytest.fixture(autouse=True)
def faketime() -> None:
    if not FAKETIME:
        missing("libfaketime (Debian package faketime)")


@pytest.mark.long
def test_replicas_with_wrong_clocks_lose_nothing_and_page_nothing_early(
    build: Callable[..., World], postgres_database: str, tell: Callable[[str], None]
) -> None:
    """One is ten minutes ahead, one is ten behind, and each is set to the other's time while alerts come in."""
    fleet = Fleet(
        build(database=postgres_database, start=False, config=config_of_many(f"{STEP:.0f}s"))
    )
    try:
        steps = []
        for offset in ("+600s", "-600s"):
            one = fleet.add()
            env, step = skewed(one.serve.folder, offset)
            one.serve.env.update(env)
            steps.append(step)
        for one in fleet.each:
            one.serve.start({})
        with Load(fleet.each, every=0.5) as load:
            fleet.until(load.more(6), "load")
            steps_come_in_time(fleet, "Before")
            steps[0]("-600s")
            steps[1]("+600s")
            steps_come_in_time(fleet, "Stepped")
            fleet.each[1].serve.stop()  # the one that was set back is alone now
            load.targets = fleet.each[:1]
            steps_come_in_time(Fleet(fleet.world, fleet.each[:1]), "Alone")
        logs = [one.serve.log(5000) for one in fleet.each]
        taken_over = sum(log.count("lease_recovered") for log in logs)
        figures = load.judged(fleet.world, takeovers=taken_over)
        assert "wall_clock_set_back" in fleet.each[0].serve.log(2000)
    finally:
        fleet.stop()
    tell(f"clocks, PostgreSQL: {figures}")


def fires(fleet: Fleet, name: str) -> dict[str, float]:
    """An alert to each replica; by name, an instant before anything could be decided about it."""
    began = {}
    for n, one in enumerate(fleet.each):
        content = body(alert(f"{name}{n}"))
        began[f"{name}{n}"] = time.monotonic()
        fleet.until(lambda one=one, content=content: one.post(content).status == 200, "it is taken")
    return began


def second_steps(fleet: Fleet, began: dict[str, float]) -> None:
    """Each came, once, not before its time, and not by as much later as the clocks are off."""
    world = fleet.world
    for name, at in began.items():
        for phone in ("alice-phone", "bob-phone"):
            fleet.until(lambda p=phone, n=name: world.rings(p, n), f"{name} rings {phone}")
        (first,) = world.rings("alice-phone", name)
        (second,) = world.rings("bob-phone", name)
        assert second["at"] >= at + STEP, "early"
        assert second["at"] >= first["at"]


def steps_come_in_time(fleet: Fleet, name: str) -> None:
    second_steps(fleet, fires(fleet, name))


@pytest.mark.parametrize("steps", [("-600s", "+600s")], ids=str)
@pytest.mark.long
def test_on_sqlite_a_clock_that_is_set_while_it_runs_moves_no_step(
    build: Callable[..., World], steps: tuple[str, str]
) -> None:
    world = build(start=False, config=CONFIG.replace("after: 5m", f"after: {STEP:.0f}s"))
    env, step = skewed(world.serve.folder, steps[0])
    fleet = Fleet(world, [world])
    world.serve.env.update(env)
    world.start()
    began = fires(fleet, "Before")
    world.until(lambda: world.rings("alice-phone", "Before"), "the first step", within=60)
    step(steps[1])
    second_steps(fleet, {**began, **fires(fleet, "Stepped")})
