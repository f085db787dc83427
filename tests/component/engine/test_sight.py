"""What an incident shows of its metrics: a picture on its card, values under its runbook, and why one is missing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus

import pytest

from oncall_bot.core.graphs import Series, Window
from oncall_bot.core.live_checks import Reading
from oncall_bot.core.outcomes import Outcome
from oncall_bot.engine.sight import Sight
from oncall_bot.files.runbooks import parse_runbook
from oncall_bot.flows.claiming import claim
from oncall_bot.flows.delivered import delivered
from oncall_bot.flows.import_runbooks import import_runbooks
from oncall_bot.flows.looking import run_checks
from oncall_bot.flows.resolve import resolve
from oncall_bot.ports import DeliveryError, Instruments, Sample
from oncall_bot.store import views
from tests.component.flows.world import World
from tests.fakes.metrics import FakeAlbum, FakeMetrics, FakePicture, steady

EXPR = 'sum(rate(e_total{service="checkout"}[5m])) / sum(rate(r_total[5m])) > 0.02'
LINK = f"http://prom:9090/graph?g0.expr={quote_plus(EXPR)}&g0.tab=1"
BOOK = """---
title: Too many errors
match: alertname="HighErrorRate"
---
## Mend it

1. Roll back.

```promql name="queue depth" unit="messages" expect="< 500"
sum(queue_messages{service="$labels.service"})
```

```promql name="idle connections" expect="> 5"
pool_idle{pod="$labels.pod"}
```

```promql name="goroutines"
go_goroutines
```
"""
SILENT = DeliveryError("Prometheus gave no answer in 10 s")
REFUSED = DeliveryError("Prometheus says: parse error", permanent=True)


def past(value: float) -> Any:
    return lambda promql, window: [steady(value, window)]


class Eye:
    """A Sight with fakes, and the outbox worked off as delivery does."""

    def __init__(self, world: World, metrics: FakeMetrics, *, named: bool = True) -> None:
        self.world, self.metrics = world, metrics
        self.picture, self.album = FakePicture(), FakeAlbum()
        given = Instruments(
            metrics, self.picture, lambda source: "http://prom" if named else None, list, self.album
        )
        self.sight = Sight(world.store, given, now=lambda: world.clock.now)
        self.fates: list[str] = []

    async def looks(self) -> None:
        """Everything that is due now."""
        do = {"picture": self.sight.draw, "query": self.sight.read}
        for _ in range(20):
            rows = await self.world.store.write(claim, "me", 50, timedelta(minutes=2))
            for row in rows:
                if row.kind in do:
                    fate = await do[row.kind](row)
                    self.fates.append(f"{row.kind} {fate.outcome}")
                    await self.world.store.write(delivered, row.id, "me", fate)
                else:
                    self.world._send(row)
            if not rows:
                return


@pytest.fixture
def eye(world: World) -> Eye:
    return Eye(world, FakeMetrics(past=past(0.084)))


async def test_the_card_shows_the_picture_and_the_value_with_its_limit(eye: Eye) -> None:
    eye.world.told(eye.world.alert(), generator=LINK)
    assert eye.world.shown().picture is None, "nothing is asked while the page is decided"
    await eye.looks()
    shown = eye.world.shown().picture
    assert shown is not None
    assert (shown.file_id, shown.sentence, shown.fault) == ("F1", "8.4 %, limit 2 %", None)
    (graph,) = eye.picture.drawn
    assert graph.yesterday
    assert graph.last_week
    assert eye.metrics.asked == [EXPR.removesuffix(" > 0.02")] * 3
    assert "High error rate on checkout = 8.4 %, limit 2 %" in eye.world.timeline()
    assert "8.4 %" in shown.alt


async def test_it_is_drawn_again_after_a_while_and_when_people_act(eye: Eye) -> None:
    world = eye.world
    world.told(world.alert(), generator=LINK)
    await eye.looks()
    world.clock.advance(121)
    await eye.looks()
    assert len(eye.picture.drawn) == 2
    world.clock.advance(60)
    world.ack(1)
    await eye.looks()
    assert len(eye.picture.drawn) == 3, "the state changed"
    world.clock.advance(601)
    await eye.looks()
    assert len(eye.picture.drawn) == 4
    world.store.write(resolve, 1, world.person("ana")).result()
    world.clock.advance(60)
    await eye.looks()
    world.clock.advance(3600)
    await eye.looks()
    assert len(eye.picture.drawn) == 5, "once more at its end, then no more"


async def test_a_silent_prometheus_is_said_on_the_card_and_asked_again_in_a_minute(
    eye: Eye,
) -> None:
    answers: list[Any] = [SILENT]

    def ask(promql: str, window: Window) -> list[Series]:
        if answers:
            raise answers.pop()
        return [steady(0.084, window)]

    eye.metrics.past = ask
    eye.world.told(eye.world.alert(), generator=LINK)
    await eye.looks()
    shown = eye.world.shown().picture
    assert shown is not None
    assert shown.fault == "Prometheus gave no answer in 10 s"
    assert eye.world.rang() == ["ana-phone"], "the page went out all the same"
    eye.world.clock.advance(61)
    await eye.looks()
    shown = eye.world.shown().picture
    assert shown is not None
    assert (shown.file_id, shown.fault) == ("F1", None)


async def test_a_query_that_is_refused_is_not_asked_again(eye: Eye) -> None:
    def refuse(promql: str, window: Window) -> list[Series]:
        raise REFUSED

    eye.metrics.past = refuse
    eye.world.told(eye.world.alert(), generator=LINK)
    await eye.looks()
    eye.world.clock.advance(3600)
    await eye.looks()
    assert eye.fates.count("picture skipped") == 1
    shown = eye.world.shown().picture
    assert shown is not None
    assert shown.fault == "Prometheus says: parse error"


async def test_without_a_past_the_picture_has_no_yesterday(eye: Eye) -> None:
    def ask(promql: str, window: Window) -> list[Series]:
        if window.end < eye.world.clock.now - timedelta(hours=1):
            raise SILENT
        return [steady(0.084, window)]

    eye.metrics.past = ask
    eye.world.told(eye.world.alert(), generator=LINK)
    await eye.looks()
    (graph,) = eye.picture.drawn
    assert not graph.yesterday


async def test_the_rule_is_looked_up_where_the_alert_does_not_tell_it(eye: Eye) -> None:
    eye.metrics.rules = {"HighErrorRate": "up == 0"}
    eye.world.told(eye.world.alert())
    await eye.looks()
    assert eye.metrics.asked[0] == "up"


async def test_without_a_prometheus_nothing_is_shown_and_nothing_is_wrong(world: World) -> None:
    world.store.write(import_runbooks, "file", [parse_runbook(BOOK, "book.md")[0]]).result()
    eye = Eye(world, FakeMetrics(), named=False)
    world.told(world.alert(), generator=LINK)
    await eye.looks()
    assert world.shown().picture is None
    count, readings = world.store.look(views.checks, 1)
    assert count == 3
    assert {one.why for one in readings} == {"no Prometheus is named for it"}


# --- live checks ------------------------------------------------------------------------------------------------------


def readings(world: World) -> dict[str, Reading]:
    return {one.name: one for one in world.store.look(views.checks, 1)[1]}


async def test_the_checks_of_the_runbook_run_with_the_alerts_own_labels(eye: Eye) -> None:
    world = eye.world
    world.store.write(import_runbooks, "file", [parse_runbook(BOOK, "book.md")[0]]).result()
    eye.metrics.values = lambda promql: (
        [Sample({}, 12431.0)]
        if "queue" in promql
        else [Sample({"pod": "a"}, 7.0), Sample({"pod": "b"}, 9.0)]
    )
    world.told(world.alert(service='che"ckout'), generator=LINK)
    await eye.looks()
    found = readings(world)
    assert 'sum(queue_messages{service="che\\"ckout"})' in eye.metrics.asked
    assert found["queue depth"].text == (
        "queue depth 12,431 messages, expected below 500: not as expected"
    )
    assert found["idle connections"].text == (
        "idle connections could not be read (the alert has no label pod)"
    )
    assert found["goroutines"].text == "goroutines 9 (pod=b, of 2 series)"
    assert found["queue depth"].text in world.timeline()


async def test_they_run_again_at_a_press_and_the_message_shows_the_newest(eye: Eye) -> None:
    world, value = eye.world, [12431.0]
    world.store.write(import_runbooks, "file", [parse_runbook(BOOK, "book.md")[0]]).result()
    eye.metrics.values = lambda promql: [Sample({}, value[0])]
    world.told(world.alert(), generator=LINK)
    await eye.looks()
    value[0] = 3.0
    world.clock.advance(30)
    for _ in range(2):
        done: Outcome = world.store.write(run_checks, 1, world.person("ana")).result()
        assert done.done
    await eye.looks()
    assert eye.fates.count("query sent") == 2, "two presses within ten seconds are one"
    assert readings(world)["queue depth"].verdict == "as expected"


async def test_a_press_on_an_incident_without_a_runbook_says_so(eye: Eye) -> None:
    eye.world.told(eye.world.alert("Other"))
    done: Outcome = eye.world.store.write(run_checks, 1, eye.world.person("ana")).result()
    assert done.reason == "Incident 1 has no runbook, so there is nothing to check."
    assert not eye.world.store.write(run_checks, 9, eye.world.person("ana")).result().done


async def test_a_prometheus_that_is_down_says_so_in_place(eye: Eye) -> None:
    def silent(promql: str) -> list[Sample]:
        raise SILENT

    eye.metrics.values = silent
    world = eye.world
    world.store.write(import_runbooks, "file", [parse_runbook(BOOK, "book.md")[0]]).result()
    world.told(world.alert(), generator=LINK)
    await eye.looks()
    assert readings(world)["queue depth"].text == (
        "queue depth could not be read (Prometheus gave no answer in 10 s)"
    )


# --- before and beside ------------------------------------------------------------------------------------------------


async def test_the_card_says_how_often_it_was_there_and_how_long_it_lasts(world: World) -> None:
    for minutes in (4, 6, 20):
        start = world.clock.now
        world.told(world.alert())
        world.run()
        world.clock.advance(60 * minutes)
        world.told(world.alert(), starts_at=start, ended=True)
        world.run()
        world.clock.advance(7200)
    world.told(world.alert())
    world.run()
    newest = max(one.incident_id for one in world.open())
    before = world.shown(newest).before
    assert before is not None
    assert (before.times, before.usual) == (4, timedelta(minutes=6))
    first = world.shown(1).before
    assert first is None, "the first time had none before it"


async def test_what_else_began_at_the_time_is_named(world: World) -> None:
    world.told(world.alert())
    world.clock.advance(300)
    world.told(world.alert("SlowSearch", service="search"))
    world.clock.advance(3600)
    world.told(world.alert("Later", service="search"))
    world.run()
    assert [one.title for one in world.shown(1).beside] == [world.shown(2).title]
    assert [one.incident_id for one in world.shown(2).beside] == [1]
    assert world.shown(3).beside == []
    assert world.shown(1).beside[0].place is not None
