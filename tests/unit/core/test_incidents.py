"""Severities, titles and the words of an incident's life."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.config import Urgency
from oncall_bot.core.incidents import (
    TITLE_MAX,
    is_worse,
    storm_title,
    title_of,
    urgency_for,
    words_of,
)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("HighErrorRate", "High error rate"),
        ("KubePodCrashLooping", "Kube pod crash looping"),
        ("node_disk_full", "Node disk full"),
        ("HTTPErrorRate", "HTTP error rate"),
        ("TLS", "TLS"),
        ("", ""),
    ],
)
def test_an_alert_name_becomes_words(name: str, words: str) -> None:
    assert words_of(name) == words


def test_a_title_says_what_and_where() -> None:
    labels = {"alertname": "HighErrorRate", "instance": "web-1", "job": "api"}
    assert title_of(labels, "checkout") == "High error rate on checkout"
    assert title_of(labels, None) == "High error rate on api"
    assert title_of({}, None) == "An alert without a name"


@given(st.text(max_size=300), st.text(max_size=300))
def test_a_title_is_never_too_long(name: str, service: str) -> None:
    assert 0 < len(title_of({"alertname": name}, service)) <= TITLE_MAX


def test_worse_is_a_smaller_number() -> None:
    assert is_worse("SEV1", "SEV2")
    assert not is_worse("SEV3", "SEV2")
    assert not is_worse("SEV2", "SEV2")
    assert not is_worse("bad", "SEV5")


def test_urgency_of_a_severity_set_by_hand() -> None:
    assert [urgency_for(f"SEV{n}") for n in range(1, 6)] == [
        Urgency.HIGH,
        Urgency.HIGH,
        Urgency.HIGH,
        Urgency.LOW,
        Urgency.NONE,
    ]


def test_a_storm_names_its_team() -> None:
    assert storm_title("shop") == "Many alerts at once on shop"
    assert storm_title(None) == "Many alerts at once"
