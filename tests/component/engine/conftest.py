"""A team, its rota and a hand clock that begins at noon."""

from __future__ import annotations

import pytest

from oncall_bot.store.db import Store
from tests.component.flows.world import World
from tests.databases import HandClock


@pytest.fixture
def world(store: Store, clock: HandClock) -> World:
    return World(store, clock)
