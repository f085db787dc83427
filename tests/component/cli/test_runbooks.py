"""Runbook folders from the command line: checked, imported, matched, measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oncall_bot.cli.folders import SOURCE
from oncall_bot.files.runbooks import starter_library
from oncall_bot.in_force import RUNBOOK_SOURCE
from oncall_bot.store.db import Store
from tests.component.cli.conftest import CONFIG, Run
from tests.shared import shared

GOOD = """---
title: Disk full
match: alertname="DiskFull"
owner: shop
reviewed_at: 2026-11-01
---

## Steps

1. Make room.
"""
KEPT = """---
title: Disk full
match:
  - 'alertname="DiskFull"'
owner: shop
reviewed_at: 2026-11-01
---
## Make room, now!

1. Make room. [Again](#make-room-now), [b](b.md), [web](https://example.com/#x).

```promql name="up" expect="> 0"
up{}
```
"""
OTHER = KEPT.replace("DiskFull", "HostDown").replace("[b](b.md)", "[a](a.md#make-room-now)")
BAD = "---\ntitle: Bad\nmatch: 'alertname=~\"(\"'\n---\n\nText\n"


@pytest.fixture
def folder(home: Path) -> Path:
    path = home / "books"
    path.mkdir()
    (path / "disk-full.md").write_text(GOOD)
    return path


def asked(run: Run, folder: Path, *more: str) -> tuple[int, str]:
    said = run("runbooks", "check", str(folder), *more)
    return said.code, said.err


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("owner: shop\n", ""), "a.md:1: nobody keeps it"),
        (("owner: shop", "owner: shoop"), "a.md:5: its owner shoop is no team"),
        (("owner: shop", "owner: shop\nservices: [chekout]"), "the service chekout is not in"),
        (('"DiskFull"', '"DiskFull"\'\n  - \'alertname="Other"'), "two values of alertname"),
        (('alertname="DiskFull"', 'alertname=~".*"'), "a.md:3: its matchers fit every alert"),
        (("Make room.", "See [b](b.md#nope)."), "a.md:10: there is no heading #nope in b.md"),
        (("Make room.", "See [b](gone.md)."), "a.md:10: the link to gone.md leads nowhere"),
        (("Make room.", "See [b](../../x.md)."), "leads nowhere"),
        (("Make room.", "See [top](#nowhere)."), "there is no heading #nowhere in a.md"),
        (('"DiskFull"', '"HostDown"'), "b.md:3: the alert HostDown is claimed by a.md too"),
        (("owner: shop", "owner: shop\naliases: [b]"), "b.md:1: the name b is claimed by a.md too"),
        (("up{}", "up{job=$labels.job}"), 'a.md:12: the live check "up" cannot be run'),
    ],
)
def test_check_tells_what_would_fail_at_night_with_its_line(
    applied: Run, home: Path, changed: tuple[str, str], said: str
) -> None:
    folder = home / "kept"
    folder.mkdir()
    (folder / "a.md").write_text(KEPT)
    (folder / "b.md").write_text(OTHER)
    assert asked(applied, folder) == (0, "")
    assert changed[0] in KEPT
    (folder / "a.md").write_text(KEPT.replace(*changed))
    code, err = asked(applied, folder)
    assert code == 1
    assert said in err


def test_a_review_long_ago_is_a_note_and_no_fault(run: Run, home: Path) -> None:
    folder = home / "kept"
    folder.mkdir()
    (folder / "a.md").write_text(KEPT.replace("2026-11-01", "2020-11-01"))
    (folder / "b.md").write_text(OTHER)
    code, err = asked(run, folder)
    assert code == 0
    assert "a.md:6: note: it was last reviewed on 2020-11-01" in err


def test_the_library_that_comes_with_us_passes(run: Run) -> None:
    library = starter_library()
    assert library is not None
    assert asked(run, library) == (0, "")


def test_a_prometheus_that_cannot_be_asked_is_a_fault_without_its_password(
    run: Run, folder: Path
) -> None:
    code, err = asked(run, folder, "--prometheus", "http://ana:secret@127.0.0.1:1")
    assert code == 1
    assert "127.0.0.1:1: Prometheus cannot be reached" in err
    assert "secret" not in err


def titles(store: Store) -> list[str]:
    return [book.title for book in store.look(lambda reader: reader.snapshot.shelf.index.runbooks)]


def test_a_folder_is_imported_and_changes_are_counted(
    applied: Run, folder: Path, store: Store
) -> None:
    assert (
        applied("runbooks", "import", str(folder)).out
        == "1 added, 0 changed, 0 unchanged, 0 archived\n"
    )
    (folder / "disk-full.md").write_text(GOOD.replace("Disk full", "Disk is full"))
    (folder / "more.md").write_text("# More\n\nText\n")
    found = applied("runbooks", "import", str(folder), "--json").json
    assert found == {"added": 1, "changed": 1, "unchanged": 0, "archived": 0, "problems": []}
    (folder / "more.md").unlink()
    assert "1 archived" in applied("runbooks", "import", str(folder)).out
    assert titles(store) == ["Disk is full"]


def test_a_broken_file_is_told_and_keeps_its_last_version(
    applied: Run, folder: Path, store: Store
) -> None:
    applied("runbooks", "import", str(folder))
    (folder / "disk-full.md").write_text(BAD)
    said = applied("runbooks", "import", str(folder))
    assert said.code == 1
    assert said.err.startswith("oncall-bot: disk-full.md:3:")
    assert titles(store) == ["Disk full"]


def test_the_folder_is_that_of_the_settings_or_of_the_file(
    run: Run, url: str, folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    come_along = run("runbooks", "import", "--json").json
    assert come_along["added"] >= 20, "without a folder, the library that comes with the bot"
    (home / "oncall.yaml").write_text(CONFIG + "runbooks: {dir: books}\n")
    assert run("apply", "oncall.yaml").code == 0
    assert run("runbooks", "check").out == "1 runbooks, 0 problems\n"
    other = home / "other"
    other.mkdir()
    monkeypatch.setenv("ONCALL_RUNBOOKS_DIR", str(other))
    assert run("runbooks", "check").out == "0 runbooks, 0 problems\n"


def test_check_tells_file_and_line_and_needs_no_database(run: Run, folder: Path) -> None:
    (folder / "bad.md").write_text(BAD)
    said = run("runbooks", "check", str(folder))
    assert (said.code, said.out) == (1, "1 runbooks, 1 problems\n")
    assert said.err.startswith("oncall-bot: bad.md:3:")
    assert run("runbooks", "check", str(folder), "--json").json["problems"][0]["line"] == 3
    assert "can't find the runbook folder" in run("runbooks", "check", "gone").err


def test_match_writes_a_line_for_each_alert(run: Run, folder: Path, home: Path) -> None:
    (home / "alerts.jsonl").write_text(
        json.dumps({"id": "a", "alertname": "DiskFull"})
        + "\n"
        + json.dumps({"id": "b", "alertname": "Zzz"})
        + "\n"
    )
    said = run(
        "runbooks",
        "match",
        "--alerts",
        "alerts.jsonl",
        "--runbooks",
        str(folder),
        "--out",
        "out.jsonl",
    )
    assert said.code == 0
    lines = [json.loads(line) for line in (home / "out.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == ["a", "b"]
    assert lines[0]["attached"] == "runbooks/disk-full.md"
    assert lines[0]["ranked"][0][0] == "runbooks/disk-full.md"
    assert lines[1] == {"id": "b", "ranked": [], "attached": None}


def test_eval_measures_what_the_lines_say_is_right(run: Run, folder: Path, home: Path) -> None:
    lines = [
        {"id": "a", "alertname": "DiskFull", "runbook": "runbooks/disk-full.md", "variant": "own"},
        {"id": "b", "alertname": "DiskFull", "runbook": "runbooks/other.md", "variant": "own"},
        {"id": "c", "alertname": "DiskFull", "runbook": None},
        {"id": "d", "alertname": "Zzz", "runbook": None},
    ]
    (home / "alerts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = run(
        "runbooks", "eval", "--alerts", "alerts.jsonl", "--runbooks", str(folder), "--json"
    ).json
    assert found["kinds"]["own"]["alerts"] == 2
    assert found["kinds"]["own"]["first"] == 0.5
    assert found["kinds"]["own"]["attached_wrong"] == 0.5
    assert (found["without_runbook"], found["false_matches"]) == (2, 0.5)


def test_eval_says_so_when_nobody_has_said_what_is_right(
    run: Run, folder: Path, home: Path
) -> None:
    (home / "alerts.jsonl").write_text(json.dumps({"id": "a", "alertname": "DiskFull"}) + "\n")
    said = run("runbooks", "eval", "--alerts", "alerts.jsonl", "--runbooks", str(folder))
    assert said.code == 1
    assert "says which runbook is right" in said.err


def test_eval_agrees_with_the_scorer_of_the_reference_set(run: Run, tmp_path: Path) -> None:
    """The outside scorer's own arithmetic, on the same answers."""
    import importlib.util

    data = shared("data/runbook-matching")
    lines = (data / "alerts.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    alerts = tmp_path / "alerts.jsonl"
    alerts.write_text("".join(line for line in lines if json.loads(line)["variant"] == "renamed"))
    asked = ("--alerts", str(alerts), "--runbooks", str(data))
    found = run("runbooks", "eval", *asked, "--json").json
    run("runbooks", "match", *asked, "--out", "out.jsonl")
    spec = importlib.util.spec_from_file_location("scorer", data / "score_runbooks.py")
    assert spec
    assert spec.loader
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    truth = {one["id"]: one for one in scorer.load(str(alerts))}
    answers = {one["id"]: one["ranked"] for one in scorer.load("out.jsonl")}
    group = list(truth.values())
    firsts = [one for one in group if answers[one["id"]][:1]]
    right = sum(one["qrels"].get(answers[one["id"]][0][0]) == 2 for one in firsts)
    assert found["kinds"]["renamed"]["first"] == pytest.approx(right / len(group))
    assert found["alerts"] == len(truth)


def test_the_source_of_a_folder_is_named_as_serve_names_it() -> None:
    assert SOURCE == RUNBOOK_SOURCE
