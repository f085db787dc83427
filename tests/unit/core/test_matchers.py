"""Matchers read what Alertmanager reads, match as it matches, and refuse with a reason."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.errors import BadInput
from oncall_bot.core.matchers import (
    PATTERN_LIMIT,
    Matcher,
    MatcherError,
    format_matchers,
    matches,
    parse_matcher,
    parse_matchers,
)


@pytest.mark.parametrize(
    ("text", "name", "op", "value"),
    [
        ('alertname="HostDown"', "alertname", "=", "HostDown"),
        ("alertname=HostDown", "alertname", "=", "HostDown"),
        ("  team != core team ", "team", "!=", "core team"),
        ('service=~"checkout.*"', "service", "=~", "checkout.*"),
        ("instance!~[a-z]+:9100", "instance", "!~", "[a-z]+:9100"),
        ('{zone="eu"}', "zone", "=", "eu"),
        ('"föö bar"="1"', "föö bar", "=", "1"),
        ('"a\\"b"="1"', 'a"b', "=", "1"),
        ("föö=bär", "föö", "=", "bär"),
        ('a="x\\ty\\u00e9\\n"', "a", "=", "x\ty\u00e9\n"),
        ('a="\\303\\251\\xc3\\xa9"', "a", "=", "éé"),
        ('a="C:\\dir"', "a", "=", "C:\\dir"),
        ('a=~"\\d+\\.b"', "a", "=~", "\\d+\\.b"),
        ('a=~"\\\\d+"', "a", "=~", "\\d+"),
        ('a=~"\\bword\\b"', "a", "=~", "\\bword\\b"),
        ('a="}{,=~"', "a", "=", "}{,=~"),
        ("a=", "a", "=", ""),
        ('a=""', "a", "=", ""),
    ],
)
def test_one_matcher_is_read_as_alertmanager_reads_it(
    text: str, name: str, op: str, value: str
) -> None:
    found = parse_matcher(text)
    assert (found.name, found.op, found.value) == (name, op, value)


def test_lists_may_have_braces_a_last_comma_and_bare_values() -> None:
    expected = (Matcher("a", "=", "b, c"), Matcher("d", "=~", "e|f"), Matcher("g", "!=", "h"))
    assert parse_matchers('{ a = "b, c", d=~e|f ,g!="h", }') == expected
    assert parse_matchers('a="b, c",d=~"e|f",g!=h') == expected
    assert parse_matchers(['a="b, c"', '{d=~"e|f",g!="h"}']) == expected
    assert parse_matchers("{}") == parse_matchers("") == parse_matchers([]) == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("HostDown", "belongs after the label name `HostDown`"),
        ("=x", "a label name belongs before `=x`"),
        ('a="x" b="y"', 'a comma belongs before `b="y"`'),
        ('{a="x"', "no } at the end"),
        ('a="x', "not closed"),
        ("a=~x{2}", "put the value `x{2}` in double quotes"),
        ('a="x",,b="y"', "a label name belongs before"),
        ('"a\\q"="x"', "escape"),
        ('a=~"("', "missing )"),
        ('a=~"(?=x)y"', "look-around"),
        ('""="x"', "needs a label name"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_was_read_and_what_would_do(
    text: str, says: str
) -> None:
    with pytest.raises(MatcherError) as refused:
        parse_matchers(text)
    assert says in str(refused.value)
    assert isinstance(refused.value, BadInput)
    assert "\n" not in str(refused.value)


def test_exactly_one_matcher_is_asked_for_where_one_belongs() -> None:
    with pytest.raises(MatcherError, match="I read 2 matchers"):
        parse_matcher('a="1",b="2"')
    with pytest.raises(MatcherError, match="I read 0 matchers"):
        parse_matcher("")


def test_an_absent_label_counts_as_empty() -> None:
    labels = {"severity": "critical"}
    assert matches(parse_matchers('team=""'), labels)
    assert matches(parse_matchers('team!="core"'), labels)
    assert matches(parse_matchers('team!~"core|edge"'), labels)
    assert matches(parse_matchers('team=~".*"'), labels)
    assert not matches(parse_matchers('team=~".+"'), labels)
    assert not matches(parse_matchers('team!=""'), labels)


def test_patterns_are_anchored_at_both_ends_and_alternatives_stay_inside() -> None:
    matcher = parse_matcher('service=~"checkout|cart"')
    assert matcher.matches({"service": "cart"})
    assert not matcher.matches({"service": "cart-api"})
    assert not matcher.matches({"service": "my-checkout"})
    assert not matcher.matches({"service": "cart\n"})


def test_every_matcher_must_hold_and_none_at_all_always_holds() -> None:
    both = parse_matchers('a="1",b=~"2|3"')
    assert matches(both, {"a": "1", "b": "3", "c": "x"})
    assert not matches(both, {"a": "1", "b": "4"})
    assert matches((), {"anything": "at all"})


def test_a_pattern_from_outside_runs_in_linear_time() -> None:
    matcher = parse_matcher('a=~"(a+)+$b"')
    started = time.perf_counter()
    assert not matcher.matches({"a": "a" * 50_000})
    assert time.perf_counter() - started < 1


def test_a_pattern_over_one_kilobyte_is_refused() -> None:
    assert Matcher("a", "=~", "x" * PATTERN_LIMIT).matches({"a": "x" * PATTERN_LIMIT})
    with pytest.raises(MatcherError, match="1025 bytes"):
        Matcher("a", "=~", "x" * (PATTERN_LIMIT + 1))
    with pytest.raises(MatcherError, match="16384"):
        parse_matchers("a=" + "x" * 20_000)


def test_too_many_matchers_are_refused() -> None:
    with pytest.raises(MatcherError, match="I read 65 matchers"):
        parse_matchers([f'l{n}="x"' for n in range(65)])


def test_equal_matchers_are_equal_and_may_be_keys() -> None:
    assert {parse_matcher('a=~"b"'), parse_matcher("a=~b")} == {Matcher("a", "=~", "b")}


_names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
_values = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.text(
    '\\"n,{}=~!\n x', max_size=12
)


@given(st.lists(st.tuples(_names, st.sampled_from(["=", "!="]), _values), max_size=4))
def test_a_formatted_list_reads_back_as_it_was(parts: list[tuple[str, str, str]]) -> None:
    matchers = tuple(Matcher(name, op, value) for name, op, value in parts)  # type: ignore[arg-type]
    assert parse_matchers(format_matchers(matchers)) == matchers


@given(st.text('ab\\"n.*+|d[]^,{}= \n', max_size=12))
def test_a_formatted_pattern_reads_back_as_it_was(pattern: str) -> None:
    try:
        matcher = Matcher("a", "=~", pattern)
    except MatcherError:
        return
    assert parse_matcher(str(matcher)) == matcher


@given(st.text('ab"\\={}~!, \nué', max_size=24))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        found = parse_matchers(text)
    except MatcherError:
        return
    assert parse_matchers(format_matchers(found)) == found
