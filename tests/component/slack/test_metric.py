"""`/oncall metric`: a graph for the asker alone, and one sentence for everything that stands in its way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from types import ModuleType

import pytest

from oncall_bot.pictures.png import PngPictures
from oncall_bot.ports import DeliveryError, Instruments
from oncall_bot.slack.metric import Question, question
from oncall_bot.store.db import Store
from tests.component.slack.bot import Bot, running
from tests.fakes.metrics import FakeMetrics, steady


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("up", Question("up", timedelta(hours=1))),
        ("up 6h", Question("up", timedelta(hours=6))),
        ("rate(x[5m]) &gt; 3 2d", Question("rate(x[5m]) > 3", timedelta(days=2))),
        ("@prod-eu `up{job=“a b”}`", Question('up{job="a b"}', timedelta(hours=1), "prod-eu")),
        ("6h", Question("6h", timedelta(hours=1))),
        ("", None),
        ("@prod-eu", None),
    ],
)
def test_the_words_behind_metric_are_read_as_they_are_typed(
    typed: str, meant: Question | None
) -> None:
    assert question(typed) == meant


@pytest.fixture
def metrics() -> FakeMetrics:
    return FakeMetrics(past=lambda promql, window: [steady(8.4, window, pod="a<b>")])


@pytest.fixture
async def bot(slackcheck: ModuleType, store: Store, metrics: FakeMetrics) -> AsyncIterator[Bot]:
    pictures = PngPictures()
    given = Instruments(
        metrics,
        pictures,
        lambda source: "http://prom" if source == "prod-eu" else None,
        lambda: ["prod-eu"],
    )
    async with running(slackcheck, store, "socket", look_with=given) as found:
        yield found
    pictures.close()


async def asks(bot: Bot, text: str, user: str = "alice") -> None:
    await bot.slack.act_slash(user, "incidents", "/oncall", f"metric {text}".strip())


async def test_the_asker_alone_sees_the_picture_and_the_sentence(bot: Bot) -> None:
    await asks(bot, "rate(errors_total[5m]) > 2 6h")
    said = await bot.told("alice", "now")
    kinds = [block["type"] for block in said["blocks"]]
    assert kinds == ["section", "image", "context"]
    assert (
        said["blocks"][0]["text"]["text"]
        == "*8.4/s* now, 8.4/s to 8.4/s in the last 6 h, limit 2/s."
    )
    assert said["blocks"][1]["slack_file"]["id"].startswith("F")
    assert "8.4/s at" in said["blocks"][1]["alt_text"]
    assert await bot.slack.act_messages("incidents") == []


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "to see a graph of a query"),
        ("up 9d", "A range is 1m to 7d"),
        ("@nowhere up", "No source with a Prometheus is called nowhere. There are: prod-eu."),
    ],
)
async def test_what_cannot_be_asked_is_told(bot: Bot, typed: str, said: str) -> None:
    await asks(bot, typed)
    await bot.told("alice", said)


async def test_a_prometheus_that_is_down_says_what_still_works(
    bot: Bot, metrics: FakeMetrics
) -> None:
    def silent(promql: str, window: object) -> list[object]:
        raise DeliveryError("Prometheus gave no answer in 10 s")

    metrics.past = silent  # type: ignore[assignment]
    await asks(bot, "up")
    await bot.told("alice", "No graph: Prometheus gave no answer in 10 s. Paging is not affected.")


async def test_nothing_selected_is_said(bot: Bot, metrics: FakeMetrics) -> None:
    metrics.past = lambda promql, window: []
    await asks(bot, "nothing_here")
    await bot.told("alice", "selects nothing in the last 1 h")


async def test_who_may_only_look_may_not_ask_prometheus(bot: Bot, metrics: FakeMetrics) -> None:
    bot.slack.ws.user("dave").update(is_restricted=True)
    bot.slack.ws.channel("incidents")["members"].append(bot.slack.ws.user("dave")["id"])
    await asks(bot, "up", user="dave")
    await bot.told("dave", "You are a guest here")
    assert metrics.asked == []
