"""Only what Slack signed within five minutes is read, and of that only what has one of Slack's shapes."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.slack.shapes import FORM, PAYLOADS, readable
from oncall_bot.slack.signatures import GOOD_FOR_S, SIGNATURE, STAMP, signature, signed_by

SECRET, NOW = "8f742231b10e8888abcd99yyyzzz85a5", 1_795_316_820
headers_like = st.one_of(st.text(max_size=80), st.from_regex(r"v0=[0-9a-f]{64}", fullmatch=True))


def headers(body: bytes, at: int = NOW, secret: str = SECRET) -> dict[str, str]:
    return {STAMP: str(at), SIGNATURE: signature(secret, body, str(at))}


def test_the_example_of_slacks_own_documentation() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    signed = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert signature(SECRET, body, "1531420618") == signed


@given(st.binary(max_size=300), st.integers(-GOOD_FOR_S, GOOD_FOR_S))
def test_what_slack_signed_is_taken_for_five_minutes(body: bytes, age: int) -> None:
    assert signed_by(SECRET, body, headers(body, NOW - age), NOW)


@given(st.binary(max_size=300), st.integers(GOOD_FOR_S + 1, 10**7), st.sampled_from([1, -1]))
def test_what_was_signed_at_another_time_is_refused(body: bytes, age: int, side: int) -> None:
    assert not signed_by(SECRET, body, headers(body, NOW - age * side), NOW)


@given(st.binary(max_size=300), st.binary(max_size=300), headers_like, headers_like)
def test_no_other_signature_opens(body: bytes, other: bytes, stamp: str, given_: str) -> None:
    good = headers(body)
    assert signed_by(SECRET, other, good, NOW) == (other == body)
    assert not signed_by(SECRET, body, {**good, STAMP: stamp}, NOW) or stamp == good[STAMP]
    assert (
        not signed_by(SECRET, body, {**good, SIGNATURE: given_}, NOW) or given_ == good[SIGNATURE]
    )
    assert not signed_by(SECRET, body, headers(body, secret="another"), NOW)


@pytest.mark.parametrize("secret", ["", "   "])
def test_an_empty_secret_opens_to_nobody(secret: str) -> None:
    assert not signed_by(secret, b"x", headers(b"x", secret=secret), NOW)


# --- shapes -------------------------------------------------------------------------------------------------------

any_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(any_json, st.sampled_from(sorted(PAYLOADS)), any_json)
def test_whatever_json_comes_is_read_or_refused_without_a_fault(
    value: Any, kind: str, inner: Any
) -> None:
    event = {"type": kind, "event_id": "E1", "event": inner, "user": inner, "view": inner}
    for one in (value, event):
        for content, body in (
            ("application/json", json.dumps(one).encode()),
            (FORM, b"payload=" + quote(json.dumps(one)).encode()),
        ):
            words = readable(body, content)
            if words is not None:
                assert "\\u0000" not in words
                assert "\\ud800" not in words


@given(st.binary(max_size=200))
def test_whatever_bytes_come_are_read_or_refused_without_a_fault(body: bytes) -> None:
    for content in ("application/json", FORM, ""):
        readable(body, content)


def test_what_no_database_keeps_is_replaced_before_anybody_reads_it() -> None:
    event = {"type": "message", "channel": "C1", "ts": "1.1", "text": "a\0b\ud800c"}
    body = json.dumps({"type": "event_callback", "event_id": "E1", "event": event}).encode()
    words = readable(body, "application/json")
    assert words is not None
    assert json.loads(words)["event"]["text"] == "a\ufffdb\ufffdc"
    form = readable(b"command=%2Foncall&user_id=U1&trigger_id=1.2&text=a%00b&text=second", FORM)
    assert form is not None
    assert parse_qs(form)["text"] == ["a\ufffdb"]


def test_a_deep_body_is_refused() -> None:
    assert readable(b'{"type":' * 50_000, "application/json") is None
    assert readable(b"[" * 50_000 + b"]" * 50_000, "application/json") is None
