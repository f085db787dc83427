"""Runbook files: our own library is sound, and one broken file never hurts the others."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from oncall_bot.core.certain import RunbookIndex, choose
from oncall_bot.core.errors import BadInput
from oncall_bot.core.live_checks import Expectation
from oncall_bot.core.matchers import parse_matchers
from oncall_bot.core.runbooks import Runbook, first_steps
from oncall_bot.files.runbooks import FILE_LIMIT, parse_runbook, read_runbooks
from tests.shared import missing

LIBRARY = Path(__file__).resolve().parents[3] / "runbooks"
SECTIONS = [
    "What it means",
    "Is it urgent",
    "Mitigate first",
    "Decision points",
    "Live checks",
    "Escalate when",
]

FULL = """---
title: Queue is growing
slug: queue-growing
match:
  - alertname="QueueGrowing"
  - 'severity=~"warning|critical"'
aliases: [QueueTooLong, on]
services: checkout
owner: shop
severity: critical
tags: [queue]
links: [https://example.com/queue]
reviewed_at: 2026-01-31
weight: 20
---
# Queue is growing

Intro.

## Mitigate first

1. Add consumers.

```promql name="queue depth" unit="messages" expect="< 500"
sum(queue_depth)
```

```promql
an_example_without_a_name
```
"""


@pytest.fixture(scope="module")
def library() -> list[Runbook]:
    runbooks, problems = read_runbooks(LIBRARY)
    assert [str(one) for one in problems] == []
    return runbooks


def test_our_library_has_its_sections_live_checks_and_first_steps(library: list[Runbook]) -> None:
    assert len(library) >= 14
    for runbook in library:
        assert [one.heading for one in runbook.sections] == [runbook.title, *SECTIONS], runbook.slug
        assert runbook.path == f"{runbook.slug}.md"
        assert runbook.checks, runbook.slug
        assert {one.section for one in runbook.checks} == {"Live checks"}
        assert any(one.expect for one in runbook.checks), runbook.slug
        assert len(first_steps(runbook)) == 3, runbook.slug
        assert runbook.reviewed_at
        assert runbook.tags


def test_no_two_runbooks_of_our_library_claim_the_same_alert(library: list[Runbook]) -> None:
    claims = Counter(name for one in library for name in _claimed(one))
    assert [name for name, count in claims.items() if count > 1] == []
    names = Counter(name for one in library for name in (one.slug, *one.aliases))
    assert [name for name, count in names.items() if count > 1] == []


def test_every_claimed_alert_finds_its_runbook_by_its_name_alone(library: list[Runbook]) -> None:
    index = RunbookIndex(library)
    for runbook in library:
        for name in _claimed(runbook):
            match = choose({"alertname": name}, {}, index)
            assert match is not None
            assert (match.runbook, match.how) == (runbook, "matchers")


def test_the_queries_of_our_library_are_promql(library: list[Runbook], tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        missing("promtool")
    rules = "".join(
        f"  - record: check:{number}\n    expr: |\n      {check.promql}\n"
        for number, check in enumerate(one for book in library for one in book.checks)
    )
    file = tmp_path / "rules.yml"
    file.write_text(f"groups:\n- name: library\n  rules:\n{rules}")
    done = subprocess.run([str(promtool), "check", "rules", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _claimed(runbook: Runbook) -> list[str]:
    assert len(runbook.matchers) == 1, runbook.slug
    assert runbook.matchers[0].name == "alertname"
    return runbook.matchers[0].value.split("|")


def test_a_file_with_front_matter_is_read_whole() -> None:
    runbook, problems = parse_runbook(FULL, "shop/queue.md")
    assert problems == []
    assert runbook.source == "file:shop"
    assert runbook.slug == "queue-growing"
    assert runbook.title == "Queue is growing"
    assert runbook.matchers == parse_matchers(
        'alertname="QueueGrowing",severity=~"warning|critical"'
    )
    assert runbook.aliases == ("QueueTooLong", "on")
    assert runbook.services == ("checkout",)
    assert runbook.reviewed_at == date(2026, 1, 31)
    assert runbook.links == ("https://example.com/queue",)
    assert [(one.heading, one.level, one.line) for one in runbook.sections] == [
        ("Queue is growing", 1, 16),
        ("Mitigate first", 2, 20),
    ]
    assert runbook.sections[0].text == "Intro."
    (check,) = runbook.checks
    assert (check.name, check.unit, check.promql) == ("queue depth", "messages", "sum(queue_depth)")
    assert check.expect == Expectation("<", 500.0)
    assert check.section == "Mitigate first"
    assert len(runbook.sha256) == 64


def test_plain_markdown_is_a_runbook_too() -> None:
    with_heading, _ = parse_runbook("Intro\n\nKubePodDown\n===\n\ntext\n", "Kube Pod.md")
    assert (with_heading.slug, with_heading.title) == ("Kube-Pod", "KubePodDown")
    assert with_heading.sections[0].heading == ""
    bare, _ = parse_runbook("do this\n", "disk_full.md")
    assert (bare.source, bare.slug, bare.title) == ("file", "disk_full", "disk_full")
    empty, problems = parse_runbook("", "nothing.md")
    assert (empty.title, empty.sections, problems) == ("nothing", (), [])


def test_headings_inside_code_are_no_sections() -> None:
    runbook, _ = parse_runbook("# A\n\n```sh\n# comment\n```\n\n> # quoted\n", "a.md")
    assert [one.heading for one in runbook.sections] == ["A"]


BROKEN = {
    "unclosed.md": ("---\ntitle: x\n", 1, "not closed"),
    "yaml.md": ("---\ntitle: x\ntags: [a\n---\n", 3, "not YAML"),
    "matcher.md": ("---\ntitle: x\nmatch:\n  - a=b\n  - nonsense\n---\n", 5, "`nonsense`"),
    "pattern.md": ("---\nmatch: 'a=~\"(\"'\n---\n", 2, "regular expression"),
    "twice.md": ("---\ntitle: x\ntitle: y\n---\n", 3, "stands twice"),
    "shape.md": ("---\ntitle: {a: b}\n---\n", 2, "a text or a list"),
    "list.md": ("---\n- a\n---\n", 2, "not a list of fields"),
    "day.md": ("---\ntitle: x\nreviewed_at: yesterday\n---\n", 3, "2026-01-31"),
    "slug.md": ("---\nslug: a/b\n---\n", 2, "no slug"),
    "link.md": ("---\nlinks: ['javascript:x']\n---\n", 2, "https://"),
    "deep.md": ("---\na: " + "[" * 2000 + "\n---\n", None, "not YAML"),
    "long.md": ("---\na: " + "x" * 20_000 + "\n---\n", 1, "longer than 16 kB"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_told_with_its_line_and_the_others_are_read(
    name: str, tmp_path: Path
) -> None:
    text, line, says = BROKEN[name]
    (tmp_path / name).write_text(text)
    (tmp_path / "good.md").write_text(FULL)
    runbooks, (problem,) = read_runbooks(tmp_path)
    assert [one.slug for one in runbooks] == ["queue-growing"]
    assert problem.file == name
    assert says in problem.message
    if line is not None:
        assert problem.line == line


@pytest.mark.parametrize(
    ("fence", "says"),
    [
        ("promql unit=x", "I can't read `unit=x`"),
        ('promql unit="x"', "needs a name"),
        ('promql name="a" color="red"', "I can't read `color`"),
        ('promql name="a" expect="low"', "I can't read `low`"),
    ],
)
def test_a_broken_live_check_is_told_and_the_runbook_kept_without_it(fence: str, says: str) -> None:
    runbook, (problem,) = parse_runbook(f"---\ntitle: T\n---\n# A\n```{fence}\nup\n```\n", "a.md")
    assert runbook.title == "T"
    assert runbook.checks == ()
    assert problem.line == 5
    assert says in problem.message


def test_an_empty_query_and_a_second_check_of_the_same_name_are_told() -> None:
    text = '```promql name="a"\n```\n```promql name="b"\nup\n```\n```promql name="b"\nup\n```\n'
    runbook, problems = parse_runbook(text, "a.md")
    assert [one.name for one in runbook.checks] == ["b"]
    assert [one.line for one in problems] == [1, 6]


def test_a_misspelt_field_is_told_and_fields_of_other_tools_are_not() -> None:
    text = "---\ntitle: x\nmacth: a=b\nweight: 3\nmenu: {a: b}\n---\n"
    _, (problem,) = parse_runbook(text, "a.md")
    assert (problem.line, problem.message) == (
        3,
        "the field macth is unknown; did you mean match?",
    )


def test_hidden_files_readmes_and_other_kinds_are_passed_over(tmp_path: Path) -> None:
    for name in ("README.md", "_index.md", ".draft.md", "notes.txt", ".git/x.md", "sub/ok.MD"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("# x\n")
    runbooks, problems = read_runbooks(tmp_path)
    assert [one.path for one in runbooks] == ["sub/ok.MD"]
    assert problems == []


def test_links_out_of_the_folder_are_refused_and_links_inside_are_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    folder = tmp_path / "runbooks"
    data = folder / "..data"
    data.mkdir(parents=True)
    outside.mkdir()
    (outside / "secret.md").write_text("# secret\n")
    (data / "mounted.md").write_text("# Mounted\n")
    (folder / "mounted.md").symlink_to(data / "mounted.md")
    (folder / "out.md").symlink_to(outside / "secret.md")
    (folder / "dir").symlink_to(outside)
    (folder / "gone.md").symlink_to(outside / "none.md")
    (folder / "odd.md").mkdir()
    runbooks, problems = read_runbooks(folder)
    assert [one.title for one in runbooks] == ["Mounted"]
    assert sorted(one.file for one in problems) == ["dir", "gone.md", "out.md"]


def test_files_too_large_or_not_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "large.md").write_bytes(b"#" * (FILE_LIMIT + 1))
    (tmp_path / "latin.md").write_bytes(b"# ok\n\ncaf\xe9\n")
    (tmp_path / "windows.md").write_bytes(b"\xef\xbb\xbf---\r\ntitle: W\r\n---\r\n# H\r\n")
    runbooks, problems = read_runbooks(tmp_path)
    assert [(one.title, one.sections[0].heading) for one in runbooks] == [("W", "H")]
    assert [(one.file, one.line) for one in problems] == [("large.md", 1), ("latin.md", 3)]
    assert "1024 kB" in problems[0].message


def test_a_slug_is_given_once_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\nslug: x\n---\n")
    (tmp_path / "b.md").write_text("---\nslug: x\n---\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.md").write_text("# x\n")
    runbooks, (problem,) = read_runbooks(tmp_path)
    assert [(one.source, one.slug) for one in runbooks] == [("file", "x"), ("file:sub", "x")]
    assert str(problem) == "b.md:1: the slug x is taken by a.md; give it another slug"


def test_a_folder_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="can't find the runbook folder"):
        read_runbooks(tmp_path / "none")
