"""`/oncall metric <promql> [range]`: one question to Prometheus; the asker alone gets a picture and a sentence.

Knows how the words are read and said. Refuses to change anything and to ask for more than the port allows.
Serves commands. Outside words (the query, labels, Prometheus's refusal) pass through the escape.
"""

from __future__ import annotations

import asyncio
import html
from dataclasses import dataclass
from datetime import timedelta

from oncall_bot.core.graphs import RANGE_MAX, Graph, alt_text, extremes, graph_of, window_of
from oncall_bot.core.promql import EXPRESSION_LIMIT, measure_of
from oncall_bot.core.units import figure
from oncall_bot.ports import DeliveryError, Instruments
from oncall_bot.slack import answers, reading
from oncall_bot.slack.blocks import Block, Drawn, context, image, section
from oncall_bot.slack.edge import Edge
from oncall_bot.slack.escape import code, escape, push
from oncall_bot.slack.phrases import count, duration

DEFAULT_RANGE, RANGE_MIN = timedelta(hours=1), timedelta(minutes=1)
FORM, MEANS = "metric up 6h", "see a graph of a query over the last six hours"
_TYPED = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "\u00a0": " "})


@dataclass(frozen=True, slots=True)
class Question:
    """`source` is empty where none was named."""

    promql: str
    over: timedelta
    source: str = ""


def question(text: str) -> Question | None:
    """`@prod-eu rate(x[5m]) 6h`, source and range as one likes; None without a query.

    Slack escapes what is typed, phones turn quotes, people quote code: all three are undone.
    """
    typed = html.unescape(text).translate(_TYPED).strip().strip("`")
    source, rest = "", typed
    if typed.startswith("@"):
        source, _, rest = typed[1:].partition(" ")
    promql, _, last = rest.strip().rpartition(" ")
    over = reading.span(last) if promql else None
    if over is None:
        promql, over = rest.strip(), DEFAULT_RANGE
    promql = promql.strip().strip("`").strip()
    return Question(promql, over, source) if promql else None


async def answer(edge: Edge, text: str) -> Drawn:
    """The picture with its sentence, or one sentence about what is missing."""
    asked = question(text)
    if asked is None:
        return answers.usage(FORM, MEANS, command=edge.command)
    if len(asked.promql) > EXPRESSION_LIMIT:
        return answers.sentence(f"The query is longer than {EXPRESSION_LIMIT:,} characters.")
    if not RANGE_MIN <= asked.over <= RANGE_MAX:
        return answers.sentence("A range is 1m to 7d, such as 30m, 6h or 2d.")
    looks = edge.look_with
    address = _address(looks, asked.source)
    if looks is None or address is None:
        return _nobody_to_ask(looks, asked.source)
    try:
        return await _drawn(edge, looks, address, asked)
    except DeliveryError as error:
        why = escape(str(error), 300).rstrip(".")
        hint = "Try another query." if error.permanent else "Ask again in a minute."
        return answers.said(f"No graph: {why}. Paging is not affected.", context(hint))


def _address(looks: Instruments | None, source: str) -> str | None:
    """Of the source that was named, else of the first that has a Prometheus."""
    if looks is None:
        return None
    if source:
        return looks.address_of(source)
    return next((looks.address_of(one) for one in looks.sources()), None)


def _nobody_to_ask(looks: Instruments | None, source: str) -> Drawn:
    known = looks.sources() if looks else ()
    if source and known:
        return answers.sentence(
            f"No source with a Prometheus is called {source}. There are: {', '.join(known)}."
        )
    return answers.said(
        "No Prometheus is set up, so there is nothing to ask.",
        context("Set ONCALL_PROMETHEUS_URL, or `prometheus` of a source in oncall.yaml."),
    )


async def _drawn(edge: Edge, looks: Instruments, address: str, asked: Question) -> Drawn:
    measure = measure_of(asked.promql)
    window = window_of(None, None, edge.clock(), asked.over)
    found = await looks.metrics.over(address, measure.expr, window)
    graph, _ = graph_of(asked.promql, measure, found, window)
    if graph.now is None:
        return answers.said(
            f"{code(asked.promql, 300)} selects nothing in the last {duration(asked.over)}."
        )
    return Drawn(
        push("Metric, seen by you alone: ", f"{graph.sentence} ({asked.promql})"),
        [
            section(_sentence(graph, asked)),
            *await _picture(looks, graph),
            context(f"{code(asked.promql, 1000)}"),
        ],
    )


async def _picture(looks: Instruments, graph: Graph) -> list[Block]:
    """The picture; where it cannot be uploaded, the sentence alone is told."""
    if looks.album is None:
        return []
    alt = alt_text(graph)
    png = await asyncio.to_thread(looks.picture.draw, graph)
    try:
        return [image(await looks.album.keep(png, "metric.png", alt), alt)]
    except DeliveryError as error:
        return [context(f"No picture: {escape(str(error), 200)}")]


def _sentence(graph: Graph, asked: Question) -> str:
    """`*8.4 %* now, 0.4 % to 8.6 % in the last 1 h.` and the first of several series."""
    low, high = extremes([graph.lines[0].points])
    said = (
        f"*{escape(graph.headline, 60)}* now, {escape(figure(low, graph.unit), 60)} to"
        f" {escape(figure(high, graph.unit), 60)} in the last {duration(asked.over)}"
    )
    if graph.limit is not None:
        said += f", limit {escape(figure(graph.limit, graph.unit), 60)}"
    series = len(graph.lines) + len(graph.others) + graph.left_out
    if series == 1:
        return f"{said}."
    return f"{said}: {escape(graph.lines[0].name, 100)}, the first of {count(series, 'series', 'series')}."
