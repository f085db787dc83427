"""API tokens: valid until they expire or are revoked, one for a name. On both databases."""

from __future__ import annotations

from datetime import timedelta

from oncall_bot.core.outcomes import SYSTEM, Outcome
from oncall_bot.flows.api_tokens import create_token, revoke_token
from oncall_bot.store import tokens
from tests.component.flows.world import World


def create(world: World, name: str, sha256: str, valid_for: timedelta | None = None) -> Outcome:
    return world.store.write(
        create_token,
        name,
        SYSTEM,
        sha256=sha256,
        prefix=sha256[:6],
        scope="read",
        valid_for=valid_for,
    ).result()


def test_a_token_expires(world: World) -> None:
    assert create(world, "one", "a" * 64, timedelta(days=1)).done
    assert world.store.look(tokens.valid, "a" * 64) is not None
    world.clock.advance(86_401)
    assert world.store.look(tokens.valid, "a" * 64) is None


def test_a_revoked_token_is_not_valid_and_its_name_is_free_again(world: World) -> None:
    assert create(world, "one", "a" * 64).done
    assert not create(world, "one", "b" * 64).done
    assert world.store.write(revoke_token, "one", SYSTEM).result().done
    assert world.store.look(tokens.valid, "a" * 64) is None
    assert create(world, "one", "b" * 64).done
    assert not world.store.write(revoke_token, "two", SYSTEM).result().done


def test_a_name_is_short_and_printable(world: World) -> None:
    for name in ("", " ", "x" * 65, "a\x1b[2Jb"):
        assert not create(world, name, "a" * 64).done
    assert world.store.look(tokens.listed) == []
