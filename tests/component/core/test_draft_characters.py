"""Drafts, catch-ups and updates of eleven incidents of different character: true, in order, harmless, and readable."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from oncall_bot.core.drafts import draft
from oncall_bot.core.drafts.catchup import catch_up
from oncall_bot.core.drafts.status_update import next_word_at, status_update
from oncall_bot.core.evidence import blames
from oncall_bot.core.records import Record, parse_record
from oncall_bot.core.redaction import holds_secret
from tests.fakes.characters import CASES, Case

CITED = re.compile(r"\s*\[(?:[ea]\d+|calc)(?:, (?:[ea]\d+|calc))*\]")
CLOCK = re.compile(r"\b(\d{2}:\d{2})(?::\d{2})?(?: UTC)?\b")
DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
SPAN = re.compile(r"\b(?:\d+ days?(?: \d+ h)?|\d+ h(?: \d+ min)?|\d+ min(?: \d+ s)?|\d+ s)\b")
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
CLUMSY = re.compile(
    r"\b(\w{3,}) \1\b|\b[01] \w+s\b(?<!\bs)|\bNone\b| ,|(?<!\.)\.\.(?!\.)|  |\b0 (?:alerts?|steps?|times?)\b"
    r"|: :|\(\)|\b(Ana Ruiz|Bo Lindt|Cy Okafor)\b.{0,3}\2"
)
LONGEST_SENTENCE = 420
MADE: dict[int, tuple[tuple[str, str], ...]] = {}


def texts(case: Case) -> tuple[tuple[str, str], ...]:
    """Every text we can make of it, at its end and half-way; made once."""
    if case.told.number not in MADE:
        MADE[case.told.number] = tuple(_texts(case.told.record()))
    return MADE[case.told.number]


def _texts(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, record in (("end", parse_record(data)), ("half-way", parse_record(half(data)))):
        for kind in ("summary", "postmortem"):
            yield f"{kind}, {name}", draft(record, kind)
        since = record.events[len(record.events) // 2].at
        yield f"catch-up, {name}", catch_up(record, since=since)
        yield f"catch-up of a stranger, {name}", catch_up(record)
        for audience in ("internal", "customers"):
            yield f"{audience}, {name}", status_update(record, audience)


def half(data: dict[str, Any]) -> dict[str, Any]:
    cut = max(3, len(data["events"]) // 2)
    events = data["events"][:cut]
    alerts = [a for a in data["alerts"] if a["starts_at"] <= events[-1]["at"]]
    return {
        **data,
        "incident": data["incident"] | {"status": "open"},
        "events": events,
        "alerts": [a | {"ends_at": None} for a in alerts],
    }


@pytest.fixture(params=CASES)
def case(request: Any) -> Case:
    return CASES[request.param]()


def test_there_are_incidents_of_every_size(case: Case) -> None:
    assert 10 <= len(case.told.events) <= 117


def test_the_postmortem_says_what_matters(case: Case) -> None:
    told = draft(parse_record(case.told.record()), "postmortem")
    for fact in case.says:
        assert fact in told, f"{fact!r} is missing in:\n{told}"


def test_no_text_says_what_is_not_so_or_nobodys_business(case: Case) -> None:
    for name, text in texts(case):
        for never in case.never if case.half_way or name.endswith("end") else ():
            pattern = never if never.startswith((r"\b", "(")) or "\\" in never else re.escape(never)
            assert not re.search(pattern, text), f"{name}: {never!r} in:\n{text}"
        assert not blames(text), f"{name}:\n{text}"
        assert not holds_secret(text), f"{name}:\n{text}"
        assert "Cause, confirmed" not in text, "nobody pinned one"
        assert "The cause is known" not in text


def test_every_number_is_in_the_record_or_follows_from_its_times(case: Case) -> None:
    record = parse_record(case.told.record())
    for name, text in texts(case):
        left = unsupported(record, text)
        assert not left, f"{name}: {left} in:\n{text}"


def unsupported(record: Record, text: str) -> list[str]:
    """Numbers of the text that no line, no time and no difference of two times accounts for."""
    source = json.dumps([e.text for e in record.events]) + record.title + " ".join(record.services)
    source += " ".join(str(v) for e in record.events for v in e.data.values())
    plain = CITED.sub("", text)
    times = [e.at for e in record.events] + [a.starts_at for a in record.alerts]
    times += [a.ends_at for a in record.alerts if a.ends_at]
    times += [datetime.fromisoformat(e.data["at"]) for e in record.events if "at" in e.data]
    promised = {f"{next_word_at(record.severity, at):%H:%M}" for at in times}
    clocks = {f"{at:%H:%M}" for at in times} | promised
    clocks |= {f"{at - timedelta(minutes=15):%H:%M}" for at in times}
    wrong = [m[0] for m in CLOCK.finditer(plain) if m[1] not in clocks and m[1] not in source]
    plain = DATE.sub("", CLOCK.sub("", plain))
    spans = {a - b for a in times for b in times if a > b} | {timedelta(minutes=15)}
    known = {spelt for span in spans for spelt in spellings(span)}
    wrong += [m[0] for m in SPAN.finditer(plain) if m[0] not in known and m[0] not in source]
    numbers = {n.replace(",", "") for n in NUMBER.findall(source)}
    numbers |= set(NUMBER.findall(record.id + record.severity))
    numbers |= {str(n) for n in range(len(record.events) + 1)}  # counts
    rest = SPAN.sub("", plain)
    return wrong + [n for n in NUMBER.findall(rest) if n.replace(",", "") not in numbers]


def spellings(span: timedelta) -> Iterator[str]:
    for seconds in (int(span.total_seconds()), round(span.total_seconds() / 60) * 60):
        hours, minutes, left = seconds // 3600, seconds // 60 % 60, seconds % 60
        yield f"{hours} h {minutes} min" if minutes else f"{hours} h"
        yield f"{seconds // 60} min {left} s" if left else f"{seconds // 60} min"
        yield f"{seconds} s"


def test_the_timeline_ascends(case: Case) -> None:
    told = draft(parse_record(case.told.record()), "postmortem")
    section = told.split("## Timeline (UTC)")[1].split("\n## ")[0]
    stamps = re.findall(r"^- ((?:\d{4}-\d{2}-\d{2} )?\d{2}:\d{2})", section, re.MULTILINE)
    assert stamps
    assert all(a <= b for a, b in pairwise(stamps)), section


def test_it_reads_like_sentences(case: Case) -> None:
    for name, text in texts(case):
        for line in text.splitlines():
            if line.startswith(("|", "#", "---")):
                continue
            found = CLUMSY.search(CITED.sub("", line))
            assert not found, f"{name}: {found[0] if found else ''!r} in {line!r}"
            for sentence in re.split(r"(?<=\]\.)\s", line):
                assert len(CITED.sub("", sentence)) <= LONGEST_SENTENCE, f"{name}: {sentence}"


def test_customers_read_nothing_of_the_inside(case: Case) -> None:
    record = parse_record(case.told.record())
    told = status_update(record, "customers")
    inner = [*record.services, *(a.name for a in record.alerts)]
    inner += [part for p in record.people for part in p.name.split()]
    for name in inner:
        assert not re.search(rf"\b{re.escape(name)}\b", told), f"{name} in:\n{told}"
    assert "[e" not in told
    assert "SEV" not in told


def test_an_update_ends_with_when_the_next_word_comes_while_it_is_open(case: Case) -> None:
    data = case.told.record()
    assert "Next word by" in status_update(parse_record(half(data)), "customers")
    assert "Next word by" not in status_update(parse_record(data), "customers")
