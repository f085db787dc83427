"""API tokens: valid until they expire or are revoked, one for a name. On both databases."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from oncall_bot.core.outcomes import SYSTEM, Outcome
from oncall_bot.flows.api_tokens import create_token, revoke_token
from oncall_bot.flows.apply_config import apply_config
from oncall_bot.flows.calendar_links import create_link
from oncall_bot.flows.sign_in import offer_sign_in, use_link
from oncall_bot.flows.warn_tokens import warn_tokens
from oncall_bot.store import tokens
from oncall_bot.store.tables import METADATA
from tests.component.flows.world import DOCUMENT, World


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


def test_the_admins_hear_before_a_sources_token_expires_and_loudly_when_it_has(
    world: World,
) -> None:
    """Its alerts are refused from then on: that must not be found out by silence."""
    assert create(world, "source", "c" * 64, timedelta(days=20)).done
    hashes = {"default": "c" * 64}
    world.store.write(apply_config, DOCUMENT, "x", "test", token_sha256=hashes).result()
    told = []
    for days in (0, 8, 1, 9, 3):
        world.clock.advance(days * 86_400)
        world.store.write(warn_tokens).result()
        world.run()
        told.append((len(world.slack), len(world.phone)))
    assert told == [(0, 0), (1, 0), (1, 0), (2, 0), (3, 1)]
    assert "token of the source default" in world.slack[0].what
    assert {got.to for got in world.slack} == {"U0DEEDEE1"}


def test_a_revoked_token_is_not_valid_and_its_name_is_free_again(world: World) -> None:
    assert create(world, "one", "a" * 64).done
    assert not create(world, "one", "b" * 64).done
    assert world.store.write(revoke_token, "one", SYSTEM).result().done
    assert world.store.look(tokens.valid, "a" * 64) is None
    assert create(world, "one", "b" * 64).done
    assert not world.store.write(revoke_token, "two", SYSTEM).result().done


def test_no_token_that_opens_anything_lies_in_the_database(world: World) -> None:
    live = {
        name: secrets.token_urlsafe(32)
        for name in ("cli", "source", "calendar", "sign-in", "session")
    }
    sha = {name: hashlib.sha256(token.encode()).hexdigest() for name, token in live.items()}
    ana, write = world.person("ana"), world.store.write
    assert create(world, "cli", sha["cli"]).done
    hashes = {"default": sha["source"]}
    write(apply_config, DOCUMENT, "x", "test", token_sha256=hashes).result()
    link = {"sha256": sha["calendar"], "prefix": live["calendar"][:6]}
    assert write(create_link, "ana", "person", "ana", ana, **link).result().done
    write(offer_sign_in, ana, sha["sign-in"]).result()
    assert write(use_link, sha["sign-in"], sha["session"]).result()
    stored = "".join(
        str(world.rows(f'SELECT * FROM "{table}"'))
        for table in METADATA.tables  # every column of every table, as text
    )
    assert sha["cli"] in stored, "the hashes are there, so the look was at the right place"
    assert [name for name, token in live.items() if token in stored] == []


def test_a_name_is_short_and_printable(world: World) -> None:
    for name in ("", " ", "x" * 65, "a\x1b[2Jb"):
        assert not create(world, name, "a" * 64).done
    assert world.store.look(tokens.listed) == []
