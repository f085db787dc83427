"""Keys are kept as hashes, forms prove their session, and a sign-in leads only to our own pages."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.config import Config
from oncall_bot.core.outcomes import Actor
from oncall_bot.core.sign_in import (
    KEY_BYTES,
    digest,
    form_proof,
    inside,
    is_key,
    is_proof,
    may_look,
)

SECRET = b"0123456789abcdef"


def test_a_key_is_known_by_its_shape_and_kept_as_its_hash() -> None:
    key = secrets.token_urlsafe(KEY_BYTES)
    assert is_key(key)
    assert len(digest(key)) == 64
    assert key not in digest(key)
    assert not any(map(is_key, ("", key[:-1], key + "a", key[:-1] + "\n", "ä" * 43)))


def test_the_proof_of_a_form_fits_one_session_and_one_secret() -> None:
    proof = form_proof(SECRET, digest("a"))
    assert is_proof(SECRET, digest("a"), proof)
    assert not is_proof(SECRET, digest("b"), proof)
    assert not is_proof(b"another secret!!", digest("a"), proof)
    assert not is_proof(SECRET, digest("a"), "")


@given(st.text(max_size=100))
def test_no_other_text_is_a_proof(text: str) -> None:
    genuine = form_proof(SECRET, digest("a"))
    assert is_proof(SECRET, digest("a"), text) == (text == genuine)


@pytest.mark.parametrize("path", ["/schedules", "/schedules/shop-primary", "/incidents/42"])
def test_a_sign_in_may_lead_to_our_pages(path: str) -> None:
    assert inside(path) == path


@pytest.mark.parametrize(
    "path",
    [
        *(None, "", "/", "//evil.example", "https://evil.example", "/\\evil.example"),
        *("/schedules//evil.example", "/schedules/../ack/x", "/incidents/42\r\nX: y", "/metrics"),
        "/schedules/" + "x" * 101,
    ],
)
def test_a_sign_in_leads_nowhere_else(path: str | None) -> None:
    assert inside(path) is None


def test_who_is_not_in_the_file_any_more_may_not_look() -> None:
    assert not may_look(Config(), Actor("person", "ana", "Ana"))
    assert not may_look(Config(), Actor("system", "oncall-bot", "oncall-bot"))
    assert may_look(Config(), Actor("slack", "U1", "Zoe"))
