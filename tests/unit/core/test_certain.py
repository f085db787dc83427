"""The right runbook for certain, in the order of the evidence, or none."""

from __future__ import annotations

import pytest

from oncall_bot.core.certain import RunbookIndex, certain, choose, normal_name
from oncall_bot.core.matchers import parse_matchers
from oncall_bot.core.runbooks import Match, Runbook


def runbook(slug: str, *match: str, **fields: object) -> Runbook:
    made = {"source": "file", "title": slug, "matchers": parse_matchers(match), **fields}
    return Runbook(slug=slug, **made)  # type: ignore[arg-type]


def asked(
    runbooks: list[Runbook],
    labels: dict[str, str],
    annotations: dict[str, str] | None = None,
    link_base: str = "",
) -> Match | None:
    return choose(labels, annotations or {}, RunbookIndex(runbooks), link_base)


def slug(match: Match | None) -> str | None:
    return match and match.runbook.slug


def test_an_explicit_matcher_beats_the_link_and_the_link_beats_the_name() -> None:
    by_matcher = runbook("one", 'alertname="DiskFull"')
    by_link, by_name = runbook("two"), runbook("disk-full")
    link = {"runbook_url": "https://wiki.example.com/two"}
    labels = {"alertname": "DiskFull"}
    everything = asked([by_name, by_link, by_matcher], labels, link)
    assert everything == Match(by_matcher, "matchers", 1.0, "its matchers name alertname=DiskFull")
    assert asked([by_name, by_link], labels, link) == Match(
        by_link, "link", 1.0, "the rule links to it"
    )
    assert asked([by_name], labels, link) == Match(
        by_name, "name", 1.0, "its name disk-full is the alert's name"
    )
    assert asked([], labels, link) is None


def test_every_certain_runbook_is_told_once_surest_first() -> None:
    index = RunbookIndex(
        [runbook("disk-full"), runbook("other", "alertname=DiskFull"), runbook("two")]
    )
    found = certain({"alertname": "DiskFull"}, {"runbook": "two#disk_full"}, index)
    assert [(one.runbook.slug, one.how) for one in found] == [
        ("other", "matchers"),
        ("disk-full", "link"),
        ("two", "link"),
    ]


@pytest.mark.parametrize(
    "match",
    ['alertname="DiskFull"', 'alertname=~"HostDown|DiskFull"', 'alertname=~"Disk.*"', 'job="node"'],
)
def test_a_runbook_is_found_however_its_matchers_name_the_alert(match: str) -> None:
    labels = {"alertname": "DiskFull", "job": "node"}
    books = [runbook("it", match), runbook("not", 'alertname="DiskFul"', 'job="node"')]
    assert slug(asked(books, labels)) == "it"


def test_an_alert_asks_only_the_runbooks_that_could_be_its_own() -> None:
    named = [runbook(f"r{n}", f'alertname="Alert{n}"') for n in range(500)]
    listed = runbook("listed", 'alertname=~"A:b|Alert7|C-d"')
    general = runbook("general", 'team="core"')
    index = RunbookIndex([*named, listed, general])
    assert {one.slug for one in index.asked("Alert7")} == {"r7", "listed", "general"}
    assert {one.slug for one in index.asked("Unknown")} == {"general"}


def test_of_several_the_most_specific_wins_then_the_service_then_the_slug() -> None:
    labels = {"alertname": "X", "zone": "eu", "service": "shop"}
    wide, narrow = runbook("a", "alertname=X"), runbook("b", "alertname=X", "zone=eu")
    ours = runbook("c", "alertname=X", services=("shop",))
    assert slug(asked([wide, narrow, ours], labels)) == "b"
    assert slug(asked([wide, ours], labels)) == "c"
    assert slug(asked([runbook("z", "alertname=X"), wide], labels)) == "a"


def test_a_runbook_without_matchers_does_not_match_everything() -> None:
    assert asked([runbook("any")], {"alertname": "X"}) is None


@pytest.mark.parametrize(
    "link",
    [
        "https://wiki.example.com/ops/disk-full",
        "https://wiki.example.com/ops/disk-full.md",
        "https://wiki.example.com/ops/DiskFull/?plain=1",
        "https://wiki.example.com/ops/all.html#disk-full",
        "https://wiki.example.com/ops/disk%2Dfull",
        "runbooks/disk-full.md",
        "disk-full",
        " https://wiki.example.com/no-space ",
    ],
)
def test_a_link_names_a_runbook_by_its_last_part_or_its_fragment(link: str) -> None:
    match = asked([runbook("disk-full", aliases=("no-space",))], {}, {"runbook_url": link})
    assert slug(match) == "disk-full"


@pytest.mark.parametrize(
    ("link", "known"),
    [
        ("https://runbooks.example.com/ops/disk-full", True),
        ("HTTPS://Runbooks.Example.com/ops/a/disk-full", True),
        ("disk-full", True),
        ("https://runbooks.example.com/opsy/disk-full", False),
        ("http://runbooks.example.com/ops/disk-full", False),
        ("https://runbooks.example.com.evil.example/ops/disk-full", False),
        ("https://evil.example/ops/disk-full", False),
        ("//evil.example/ops/disk-full", False),
    ],
)
def test_with_a_link_base_only_links_below_it_count(link: str, known: bool) -> None:
    base = "https://runbooks.example.com/ops/"
    match = asked([runbook("disk-full")], {"alertname": "X"}, {"runbook": link}, base)
    assert (match is not None) is known


@pytest.mark.parametrize(
    "link",
    ["", "https://[", "https://example.com/", "x" * 5000, "https://example.com/%", "#", "///"],
)
def test_a_link_that_names_nothing_is_passed_over(link: str) -> None:
    assert asked([runbook("disk-full")], {"alertname": "X"}, {"runbook_url": link}) is None


@pytest.mark.parametrize(
    "name", ["KubePodCrashLooping", "kube-pod-crash-looping", "Kube pod crash_looping"]
)
def test_names_are_the_same_whatever_their_case_and_dashes(name: str) -> None:
    assert normal_name(name) == "kubepodcrashlooping"
    assert slug(asked([runbook("kube_pod_crash_looping")], {"alertname": name}))


def test_the_title_and_every_alias_are_names_and_the_reason_says_which() -> None:
    book = runbook("pg-down", title="Postgres is down", aliases=("PGDown2",))
    by_alias = asked([book], {"alertname": "pg_down_2"})
    assert by_alias is not None
    assert by_alias.why == "its alias PGDown2 is the alert's name"
    by_title = asked([book], {"alertname": "PostgresIsDown"})
    assert by_title is not None
    assert by_title.why == "its name Postgres is down is the alert's name"
    exact = asked([book], {"alertname": "pg-down"})
    assert exact is not None
    assert exact.why == "its name is the alert's name"


def test_an_alert_without_a_name_matches_no_name() -> None:
    assert asked([runbook("---")], {}) is None
    assert asked([runbook("---")], {"alertname": "__"}) is None
