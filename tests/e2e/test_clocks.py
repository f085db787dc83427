"""Wall clocks ten minutes off, set forward and set back while the bot runs: nothing is lost and nothing is early.

The clock of a process is faked by Debian's libfaketime; its monotonic clock runs on, as on a
machine whose clock is set.
"""

from __future__ import annotations

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
            fleet.until(load.more(6), "load", within=60)
            for n in range(3):
                assert fleet.each[n % 2].post(body(alert(f"Before{n}"))).status == 200
            second_steps_come_in_time(fleet, "Before", 3)
            steps[0]("-600s")
            steps[1]("+600s")
            for n in range(3):
                assert fleet.each[n % 2].post(body(alert(f"Stepped{n}"))).status == 200
            second_steps_come_in_time(fleet, "Stepped", 3)
            fleet.each[1].serve.stop()  # the one that was set back is alone now
            load.targets = fleet.each[:1]
            assert fleet.each[0].post(body(alert("Alone0"))).status == 200
            second_steps_come_in_time(fleet, "Alone", 1)
        figures = load.judged(fleet.world)
        assert "wall_clock_set_back" in fleet.each[0].serve.log(2000)
    finally:
        fleet.stop()
    tell(f"clocks, PostgreSQL: {figures}")


def second_steps_come_in_time(fleet: Fleet, name: str, count: int) -> None:
    world = fleet.world
    fleet.until(
        lambda: len(world.rings("bob-phone", name)) >= count, f"second step of {name}", within=30
    )
    for n in range(count):
        first, *again = [ring["at"] for ring in world.rings("alice-phone", f"{name}{n}")]
        (second,) = [ring["at"] for ring in world.rings("bob-phone", f"{name}{n}")]
        assert not again
        assert second - first > STEP - 1, "early"
        assert second - first < STEP + 10, "late"


@pytest.mark.parametrize("steps", [("+0s", "-600s"), ("-600s", "+600s")], ids=str)
def test_on_sqlite_a_clock_that_is_set_while_it_runs_moves_no_step(
    build: Callable[..., World], steps: tuple[str, str]
) -> None:
    world = build(start=False, config=CONFIG.replace("after: 5m", f"after: {STEP:.0f}s"))
    env, step = skewed(world.serve.folder, steps[0])
    fleet = Fleet(world, [world])
    world.serve.env.update(env)
    world.start()
    assert world.post(body(alert("Before0"))).status == 200
    world.until(lambda: world.rings("alice-phone", "Before0"), "the first step")
    step(steps[1])
    assert world.post(body(alert("Stepped0"))).status == 200
    second_steps_come_in_time(fleet, "Before", 1)
    second_steps_come_in_time(fleet, "Stepped", 1)
