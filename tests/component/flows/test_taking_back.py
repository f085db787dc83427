"""What a process had in hand when it ended is sent by the next one; what ends them all is given up, and said."""

from __future__ import annotations

from datetime import timedelta

from oncall_bot.flows.delivered import take_back
from oncall_bot.store import outbox, processes
from tests.component.flows.world import World

LEASE = timedelta(minutes=2)


def crash(world: World, number: int) -> None:
    """A process claims what is due, and is gone before it could write what became of it."""
    name = f"gone-{number}"
    world.store.write(processes.beat, name, "1", world.clock.now).result()
    world.store.write(outbox.claim, name, 100, LEASE).result()
    world.clock.advance(10)
    world.store.write(take_back).result()


def test_a_page_that_was_in_hand_at_a_few_crashes_rings(world: World) -> None:
    world.told(world.alert())
    for number in range(5):
        crash(world, number)
    world.run()
    assert "ana-phone" in world.rang()


def test_a_message_that_ends_every_process_is_given_up_and_the_admins_hear_of_it(
    world: World,
) -> None:
    world.told(world.alert())
    for number in range(outbox.DEAD_AFTER_CRASHES):
        crash(world, number)
    states = world.rows("SELECT state, last_error FROM outbox WHERE kind = 'loud' ORDER BY id")
    assert tuple(states[0]) == ("dead", "The bot ended each time it was sent")
    world.run()
    assert "dee-phone" in world.rang()
