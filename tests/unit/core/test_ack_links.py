"""A link acknowledges the page it was made for, and no altered link acknowledges anything."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from oncall_bot.core.ack_links import AckClaim, Refusal, make_token, read_token

SECRET = b"0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 11, 22, 3, 7, tzinfo=UTC)
LATER = NOW + timedelta(hours=24)
URL_SAFE = frozenset(string.ascii_letters + string.digits + "-_.")
refs = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64)


@given(st.integers(0, 2**63), refs)
def test_a_link_says_what_it_was_made_for(page_id: int, ref: str) -> None:
    token = make_token(SECRET, page_id, ref, LATER)
    assert read_token(SECRET, token, NOW) == AckClaim(page_id, ref, LATER)
    assert len(token) <= 200
    assert set(token) <= URL_SAFE


@given(st.data(), st.integers(0, 10**9), refs)
def test_any_altered_link_is_refused(data: st.DataObject, page_id: int, ref: str) -> None:
    token = make_token(SECRET, page_id, ref, LATER)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(sorted(URL_SAFE | {"=", "é", "\0", "%", " "})))
    assume(token[at] != other)
    altered = data.draw(
        st.sampled_from(
            [
                token[:at] + other + token[at + 1 :],
                token[:at] + token[at + 1 :],
                token[:at] + other + token[at:],
                token + other,
                token[:at],
            ]
        )
    )
    assume(altered != token)
    assert read_token(SECRET, altered, NOW) is Refusal.NOT_OURS


@given(st.text(max_size=300))
def test_whatever_stands_in_the_address_bar_is_read_without_a_fault(text: str) -> None:
    assert read_token(SECRET, text, NOW) is Refusal.NOT_OURS


def test_a_link_of_another_installation_is_refused() -> None:
    token = make_token(b"another installation's secret", 7, "c12", LATER)
    assert read_token(SECRET, token, NOW) is Refusal.NOT_OURS


def test_a_link_expires_at_its_instant_and_not_before() -> None:
    token = make_token(SECRET, 7, "file:push", LATER)
    assert isinstance(read_token(SECRET, token, LATER - timedelta(seconds=1)), AckClaim)
    assert read_token(SECRET, token, LATER) is Refusal.EXPIRED


def test_an_expired_and_altered_link_is_not_called_expired() -> None:
    token = make_token(SECRET, 7, "c12", LATER)
    swapped = ("A" if token[-3] != "A" else "B").join([token[:-3], token[-2:]])
    assert read_token(SECRET, swapped, LATER + timedelta(days=1)) is Refusal.NOT_OURS


@pytest.mark.parametrize(
    ("secret", "page_id", "ref"),
    [
        (b"short", 1, "c1"),
        (SECRET, -1, "c1"),
        (SECRET, 1, ""),
        (SECRET, 1, "x" * 65),
        (SECRET, 1, "ä"),
    ],
)
def test_no_weak_or_unreadable_link_is_made(secret: bytes, page_id: int, ref: str) -> None:
    with pytest.raises(ValueError):
        make_token(secret, page_id, ref, LATER)
