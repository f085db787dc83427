"""Throws a number of bodies at one door, in batches, and looks after each batch whether anything was hurt.

Knows what counts as a finding: an answer that was not designed, a fault in the log, markup of an outsider in what would
be sent, an ordinary alert that pages nobody, and what the door itself forbids. Refuses to know the doors.
Serves the fuzz command and its test.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sqlalchemy import text

from benchmarks.fuzz.doors import Door
from benchmarks.fuzz.mutations import Mutator
from benchmarks.fuzz.stage import STAYS, Answer, Request, Stage, stage
from oncall_bot.core import page_words
from oncall_bot.slack.rendering import render
from oncall_bot.store import views
from oncall_bot.store.transactions import Reader

BATCH, TOGETHER, FRESH_AFTER = 500, 16, 20_000
SHOWN_A_BATCH = 40
_NEWEST_PAGES = text(f"SELECT id FROM page ORDER BY id DESC LIMIT {SHOWN_A_BATCH}")
_OURS = re.compile(r"<(?:!date\^\d+\^[^<>]*|@[UW][A-Z0-9]+|https?://[^<>|\s]+(?:\|[^<>]*)?)>")


@dataclass(frozen=True, slots=True)
class Finding:
    """What went wrong, and the requests among which the culprit is."""

    what: str
    culprits: Sequence[Request]

    def written(self) -> str:
        """As JSON, a body in base64 a line."""
        lines = [{"what": self.what}, *(_plain(one) for one in self.culprits)]
        return "\n".join(json.dumps(line) for line in lines) + "\n"


@dataclass
class Figures:
    door: str
    seed: int
    bodies: int = 0
    seconds: float = 0.0
    ordinary: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def line(self) -> str:
        answers = ", ".join(f"{status}: {n:,}" for status, n in sorted(self.statuses.items()))
        return (
            f"{self.door}: {self.bodies:,} bodies in {self.seconds:.0f} s"
            f" ({self.bodies / max(self.seconds, 0.001):.0f}/s), seed {self.seed}; answers {answers};"
            f" {self.ordinary:,} ordinary alerts paged; {len(self.findings)} findings"
        )


async def throw(
    door: Door,
    bodies: int,
    seed: int,
    *,
    batch: int = BATCH,
    progress: Callable[[Figures], None] = lambda figures: None,
) -> Figures:
    """Until so many were thrown, or the first batch with a finding is over."""
    if (here := asyncio.current_task()) is not None:
        here.set_name(STAYS)
    figures, mutator = Figures(door.name, seed), Mutator(Random(seed))
    began = time.perf_counter()
    while figures.bodies < bodies and not figures.findings:
        async with stage() as installation:
            until = min(bodies, figures.bodies + FRESH_AFTER)
            while figures.bodies < until and not figures.findings:
                size = min(batch, until - figures.bodies)
                await _batch(door, installation, mutator, size, figures)
                figures.seconds = time.perf_counter() - began
                progress(figures)
    return figures


async def _batch(door: Door, on: Stage, mutator: Mutator, size: int, figures: Figures) -> None:
    await door.open(on)
    thrown = [door.knock(mutator) for _ in range(size)]
    for n in range(0, size, TOGETHER):
        some = thrown[n : n + TOGETHER]
        answers = await asyncio.gather(*(_asked(on, one) for one in some))
        for request, answer in zip(some, answers, strict=True):
            _judge(door, request, answer, figures)
    figures.bodies += size
    await on.settled()
    hurt = [*on.faults.lines, *_markup(on), await door.hurt(on), await on.still_pages()]
    figures.findings += [Finding(what, thrown) for what in hurt if what]
    figures.ordinary += not figures.findings


async def _asked(on: Stage, request: Request) -> Answer | str:
    """The answer; what is told to come again does, as every sender of ours would. Twice in a row is a finding."""
    try:
        answer = await on.ask(request)
        return await on.ask(request) if "retry-after" in answer.headers else answer
    except Exception as error:  # whatever leaves the app is a finding
        return f"{type(error).__name__}: {error}"[:500]


def _judge(door: Door, request: Request, answer: Answer | str, figures: Figures) -> None:
    if isinstance(answer, str):
        figures.findings.append(Finding(answer, [request]))
        return
    figures.statuses[answer.status] += 1
    if what := door.fault(request, answer):
        figures.findings.append(Finding(what, [request]))


# --- what would be sent -------------------------------------------------------------------------------------------


def _markup(on: Stage) -> Iterator[str]:
    """Every `<` that is none of ours in the newest cards, work logs and pages, and in what Slack was sent."""
    for drawn in on.store.look(_drawn, on.clock.now):
        yield from _in(drawn)
    for sent in on.said:
        yield from _in(json.loads(sent) if sent.startswith("{") else sent)
    on.said.clear()


def _drawn(reader: Reader, now: Any) -> list[Any]:
    newest = views.latest_incidents(reader, SHOWN_A_BATCH)
    found: list[Any] = []
    for one in newest:
        found += [render(one, now), render(views.work_log(reader, one.incident_id), now)]
    for row in reader.connection.execute(_NEWEST_PAGES):
        notice = views.page_notice(reader, row.id)
        if notice is not None:
            title = page_words.title_of(notice)
            page_words.text_of(notice)
            found += [render(notice, now), {"title": title}]
    return found


def _in(value: Any) -> Iterator[str]:
    """Markup that is not ours, in texts that Slack reads as markup; line ends in a phone's title."""
    if isinstance(value, dict):
        for key in ("text", "title"):
            said = value.get(key)
            marked = isinstance(said, str) and value.get("type", "mrkdwn") == "mrkdwn"
            if marked and key == "text" and "<" in _OURS.sub("", said):
                yield f"markup of an outsider would be sent: {said[:300]!r}"
            if key == "title" and isinstance(said, str) and ("\n" in said or "\r" in said):
                yield f"a title of two lines would be sent: {said[:300]!r}"
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            yield from _in(one)


def _plain(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": dict(request.headers),
        "genuine": request.genuine,
        "body_base64": base64.b64encode(request.body).decode(),
    }
