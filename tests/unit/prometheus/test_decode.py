"""A webhook body becomes deliveries, whatever state it is in: what parses is kept, the rest is kept raw."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.alerts import CUT_MARK, LABELS_MAX, VALUE_MAX_CHARACTERS, Delivery, fingerprint
from oncall_bot.prometheus.decode import SLICE, NotJson, decode

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
STARTS = "2026-03-02T11:58:00.123456789Z"
NEVER = "0001-01-01T00:00:00Z"


def alert(**changes: Any) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {"alertname": "Slow", "severity": "critical"},
        "annotations": {"summary": "it is slow"},
        "startsAt": STARTS,
        "endsAt": NEVER,
        "fingerprint": "ignored",
        **changes,
    }


def body(*alerts: Any, **changes: Any) -> bytes:
    document = {
        "version": "4",
        "receiver": "oncall",
        "groupKey": "{}",
        "externalURL": "http://am:9093",
        "alerts": list(alerts),
        **changes,
    }
    return json.dumps(document).encode()


def one(data: bytes) -> Delivery:
    (delivery,) = decode(data, "default", NOW)
    return delivery


def test_an_ordinary_alert() -> None:
    notice = one(body(alert())).notices[0]
    assert notice.starts_at == datetime(
        2026, 3, 2, 11, 58, 0, 123457, tzinfo=UTC
    )  # rounded to microseconds
    assert (notice.name, notice.ended_at) == ("Slow", None)
    assert notice.fingerprint == fingerprint({"alertname": "Slow", "severity": "critical"})


def test_the_sender_is_who_may_open_again_what_it_ended() -> None:
    assert one(body(alert())).sender == "http://am:9093|oncall|{}"


def test_a_resolved_alert_ends_when_it_says_or_now() -> None:
    told = one(body(alert(status="resolved", endsAt="2026-03-02T11:59:00Z"))).notices[0]
    untold = one(body(alert(status="resolved"))).notices[0]
    assert (told.ended_at, untold.ended_at) == (datetime(2026, 3, 2, 11, 59, tzinfo=UTC), NOW)


@pytest.mark.parametrize("data", [b"", b"not json", b'{"alerts": [', b"\xff\xfe"])
def test_what_is_not_json_is_refused(data: bytes) -> None:
    with pytest.raises(NotJson):
        decode(data, "default", NOW)


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b'"text"',
        b"4",
        b'{"alerts": "none"}',
        b'{"version": "4"}',
        b"[" * 10_000 + b"]" * 10_000,
    ],
)
def test_json_of_another_shape_is_kept_raw(data: bytes) -> None:
    delivery = one(data)
    assert delivery.notices == ()
    assert delivery.unreadable[0].body == data


def test_one_bad_alert_hurts_no_other() -> None:
    bad = [{"labels": {}}, {"labels": "none"}, 7, None, {"status": "firing"}]
    delivery = one(body(alert(), *bad, alert(labels={"alertname": "Other"})))
    assert [notice.name for notice in delivery.notices] == ["Slow", "Other"]
    assert len(delivery.unreadable) == len(bad)


def test_numbers_and_booleans_in_labels_become_text() -> None:
    notice = one(
        body(alert(labels={"alertname": "Slow", "shard": 7, "canary": True, "ratio": 0.5}))
    ).notices[0]
    assert notice.labels == {"alertname": "Slow", "shard": "7", "canary": "true", "ratio": "0.5"}


@pytest.mark.parametrize("starts", [None, "yesterday", 5, NEVER])
def test_an_alert_without_a_readable_start_began_now(starts: Any) -> None:
    assert one(body(alert(startsAt=starts))).notices[0].starts_at in (
        NOW,
        datetime(1, 1, 1, tzinfo=UTC),
    )


def test_another_version_is_read_all_the_same() -> None:
    assert len(one(body(alert(), version="5", truncatedAlerts="many")).notices) == 1


@pytest.mark.parametrize("odd", ["\ud800", "\x00"])
def test_a_group_key_that_no_database_keeps_hurts_no_alert(odd: str) -> None:
    delivery = one(body(alert(), groupKey=f'{{}}:{{alertname="a{odd}b"}}', receiver=odd))
    assert delivery.sender.count("\ufffd") == 2
    assert len(delivery.notices) == 1
    assert not delivery.unreadable


def test_null_and_lone_surrogates_become_the_replacement_mark_before_the_fingerprint() -> None:
    data = (
        body(alert())
        .replace(b"it is slow", b"a\\u0000b\\ud800c")
        .replace(b'"Slow"', b'"Sl\\u0000ow"')
    )
    notice = one(data).notices[0]
    assert notice.annotations["summary"] == "a\ufffdb\ufffdc"
    assert notice.fingerprint == fingerprint({"alertname": "Sl\ufffdow", "severity": "critical"})


def test_bad_utf8_is_read_with_the_replacement_mark() -> None:
    notice = one(body(alert()).replace(b"it is slow", b"it is \xff\xfe slow")).notices[0]
    assert "\ufffd" in notice.annotations["summary"]


def test_a_huge_value_is_cut_with_a_mark_and_keeps_its_own_fingerprint() -> None:
    labels = {"alertname": "Slow", "blob": "x" * 400_000}
    notice = one(body(alert(labels=labels))).notices[0]
    assert len(notice.labels["blob"]) == VALUE_MAX_CHARACTERS
    assert notice.labels["blob"].endswith(CUT_MARK)
    assert notice.fingerprint == fingerprint(labels)


def test_of_too_many_labels_the_name_and_severity_stay() -> None:
    labels = {f"a{n:03d}": "x" for n in range(200)} | {"severity": "critical", "alertname": "Slow"}
    kept = one(body(alert(labels=labels))).notices[0].labels
    assert len(kept) == LABELS_MAX
    assert (kept["alertname"], kept["severity"]) == ("Slow", "critical")


def test_many_alerts_come_in_slices_and_the_last_is_marked() -> None:
    many = [alert(labels={"alertname": "Slow", "pod": str(n)}) for n in range(4 * SLICE + 1)]
    deliveries = decode(body(*many), "default", NOW)
    assert sum(len(d.notices) for d in deliveries) == 4 * SLICE + 1
    assert max(len(d.notices) for d in deliveries) <= SLICE
    assert [d.last for d in deliveries] == [False] * (len(deliveries) - 1) + [True]
    assert len({d.body_key for d in deliveries}) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(JSON, max_size=4), JSON)
def test_whatever_stands_among_the_alerts_a_good_one_is_read(junk: list[Any], where: Any) -> None:
    data = json.dumps({"alerts": [*junk, alert()], "receiver": where, "groupKey": where}).encode()
    deliveries = decode(data, "default", NOW)
    assert "Slow" in [notice.name for delivery in deliveries for notice in delivery.notices]


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_as_not_json_or_kept(data: bytes) -> None:
    try:
        deliveries = decode(data, "default", NOW)
    except NotJson:
        return
    assert all(d.notices or d.unreadable or d.last for d in deliveries)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://prom/graph?g0.expr=up", "http://prom/graph?g0.expr=up"),
        (None, ""),
        (7, "7"),
        ("a\u0000b", "a\ufffdb"),
        ("\ud800", "\ufffd"),
    ],
)
def test_the_rules_link_stays_with_its_alert_as_text(given: Any, kept: str) -> None:
    assert one(body(alert(generatorURL=given))).notices[0].generator == kept
