"""What one telling of an alert means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.alerts import CUT_MARK, Notice, Occurrence, Verdict, cut, fingerprint, judge

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)
ME, PEER = "am-1|oncall|{}", "am-2|oncall|{}"


def firing(starts_at: datetime = NOON) -> Notice:
    return Notice("f", {"alertname": "X"}, {}, starts_at)


def resolved(starts_at: datetime = NOON) -> Notice:
    return Notice("f", {"alertname": "X"}, {}, starts_at, LATER)


OPEN = Occurrence(1, NOON)
ENDED = Occurrence(1, NOON, LATER, ME)
DOUBTED = Occurrence(1, NOON, LATER, ME, doubted=True)


@pytest.mark.parametrize(
    ("known", "notice", "sender", "new_body", "verdict"),
    [
        (None, firing(), ME, True, Verdict.NEW),
        (None, resolved(), ME, True, Verdict.NEW_ENDED),
        (OPEN, firing(), PEER, True, Verdict.REPEAT),
        (OPEN, resolved(), PEER, True, Verdict.RESOLVED),
        (OPEN, firing(LATER), ME, True, Verdict.SUPERSEDED),
        (OPEN, resolved(LATER), ME, True, Verdict.NEW_ENDED),
        (OPEN, firing(NOON - timedelta(1)), ME, True, Verdict.NOTHING),
        (OPEN, resolved(NOON - timedelta(1)), ME, True, Verdict.NOTHING),
        (ENDED, firing(), ME, True, Verdict.REOPENED),
        (ENDED, firing(), ME, False, Verdict.DOUBTED),
        (ENDED, firing(), PEER, True, Verdict.DOUBTED),
        (ENDED, resolved(), PEER, True, Verdict.NOTHING),
        (ENDED, firing(LATER), PEER, True, Verdict.NEW),
        (DOUBTED, firing(), PEER, True, Verdict.NOTHING),
        (DOUBTED, firing(), ME, True, Verdict.REOPENED),
        (DOUBTED, resolved(), PEER, True, Verdict.DOUBT_ENDED),
    ],
)
def test_verdicts(
    known: Occurrence | None, notice: Notice, sender: str, new_body: bool, verdict: Verdict
) -> None:
    assert judge(known, notice, sender=sender, body_is_new=new_body) is verdict


def fnv1a(data: bytes) -> int:
    """64-bit FNV-1a word for word (draft-eastlake-fnv)."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_the_fingerprint_is_fnv1a_over_sorted_names_and_values_that_are_not_empty(
    labels: dict[str, str],
) -> None:
    data = b"".join(
        f"{name}".encode() + b"\xff" + value.encode() + b"\xff"
        for name, value in sorted(labels.items())
        if value
    )
    assert fingerprint(labels) == f"{fnv1a(data):016x}"


def test_the_fingerprint_is_alertmanagers_own() -> None:
    """Recorded from Alertmanager 0.25 for these labels."""
    labels = {
        "alertname": "HighErrorRate",
        "cluster": "eu-1",
        "instance": "web-1:8080",
        "service": "checkout",
        "severity": "critical",
    }
    assert fingerprint(labels) == "b0fcddf1d15e68b0"


@given(
    st.dictionaries(st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8), max_size=6)
)
def test_the_fingerprint_knows_no_order_and_no_empty_values(labels: dict[str, str]) -> None:
    backwards = dict(reversed(labels.items()))
    assert fingerprint(labels) == fingerprint(backwards) == fingerprint({**labels, "empty": ""})


@given(st.text(max_size=60), st.integers(10, 50))
def test_a_long_value_is_cut_with_a_mark(text: str, limit: int) -> None:
    shown = cut(text, limit)
    assert len(shown) <= limit
    assert shown == text or shown.endswith(CUT_MARK)
