"""A growing answer as its readers see it: streamed where one person reads, one edited message where many do.

Knows streams, throttled edits and how a model's sentences are drawn. Refuses to know where they come from. Serves
replies.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from oncall_bot.ports import TalkAnswer
from oncall_bot.slack import told
from oncall_bot.slack.blocks import Block, Drawn, context, section
from oncall_bot.slack.edge import Edge
from oncall_bot.slack.escape import cut, escape, link, push
from oncall_bot.slack.patience import patiently
from oncall_bot.slack.talk import Heard

EDIT_EVERY_S = 3.0
SENTENCE_MAX, TEXT_MAX = 400, 2800


class Presenter(Protocol):
    async def add(self, sentence: str) -> None:
        """One more sentence."""
        ...

    async def end(self, drawn: Drawn, rest: Sequence[Block]) -> None:
        """The whole answer stands; `rest` is what comes below what was shown already."""
        ...


class Stream:
    """The pane: sentences appear as they come. A stream that was begun is always stopped."""

    def __init__(self, edge: Edge, heard: Heard) -> None:
        self._edge = edge
        self._heard = heard
        self._ts: str | None = None
        self._broken = False

    async def add(self, sentence: str) -> None:
        text = f"{markdown(sentence)} "
        if self._ts is None and not self._broken:
            begun = await patiently(
                lambda: self._edge.client.chat_startStream(
                    channel=self._heard.channel,
                    thread_ts=self._heard.thread or "",
                    markdown_text=text,
                    recipient_user_id=self._heard.caller.slack_id,
                ),
                "stream",
            )
            self._ts = str(begun["ts"]) if begun is not None else None
            self._broken = begun is None
        elif not self._broken:
            ts = self._ts or ""
            more = await patiently(
                lambda: self._edge.client.chat_appendStream(
                    channel=self._heard.channel, ts=ts, markdown_text=text
                ),
                "stream",
            )
            self._broken = more is None

    async def end(self, drawn: Drawn, rest: Sequence[Block]) -> None:
        ts, broken = self._ts, self._broken
        stopped = None
        if ts is not None:
            stopped = await patiently(
                lambda: self._edge.client.chat_stopStream(
                    channel=self._heard.channel, ts=ts, blocks=list(rest) or None
                ),
                "stream",
            )
        if stopped is None and (ts is None or not broken):
            await post(self._edge, self._heard, drawn)


class Edits:
    """A channel: one message, edited at most every three seconds."""

    def __init__(self, edge: Edge, heard: Heard, *, every: float = EDIT_EVERY_S) -> None:
        self._edge = edge
        self._heard = heard
        self._every = every
        self._ts: str | None = None
        self._said: list[str] = []
        self._next = 0.0

    async def add(self, sentence: str) -> None:
        self._said.append(sentence)
        now = asyncio.get_running_loop().time()
        if now < self._next:
            return
        drawn = Drawn(
            push("", self._said[0]), [*paragraph(self._said), context("Looking further…")]
        )
        if self._ts is None:
            self._ts = await post(self._edge, self._heard, drawn)
        else:
            await edit(self._edge, self._heard.channel, self._ts, drawn)
        self._next = asyncio.get_running_loop().time() + self._every

    async def end(self, drawn: Drawn, rest: Sequence[Block]) -> None:
        if self._ts is None:
            await post(self._edge, self._heard, drawn)
            return
        await asyncio.sleep(max(0.0, self._next - asyncio.get_running_loop().time()))
        await edit(self._edge, self._heard.channel, self._ts, drawn)


# --- drawing ------------------------------------------------------------------------------------------------------


def markdown(sentence: str) -> str:
    """A model's sentence for a stream, which reads Markdown: no link, no mention, no emphasis of its own."""
    return re.sub(r"([\[\]_\\])", r"\\\1", unlinked(sentence))


def unlinked(sentence: str) -> str:
    """A model's sentence escaped, and what would be a link in Markdown parted."""
    return escape(sentence.replace("](", "] ("), SENTENCE_MAX)


def paragraph(sentences: Sequence[str]) -> list[Block]:
    """Sentences as one section, escaped and bounded."""
    text = ""
    for one in sentences:
        said = unlinked(one)
        if len(text) + len(said) > TEXT_MAX:
            text += " …"
            break
        text = f"{text} {said}" if text else said
    return [section(text)] if text else []


def answer_of(
    answer: TalkAnswer, links: Mapping[int, str], now: datetime
) -> tuple[Drawn, list[Block]]:
    """The whole answer, and its lower part alone: what was left out, sources, the time, the model's name once."""
    foot = below(answer, links, now)
    first = answer.sentences[0] if answer.sentences else answer.problem
    return Drawn(push("", cut(first, 110)), [*paragraph(answer.sentences), *foot]), foot


def below(answer: TalkAnswer, links: Mapping[int, str], now: datetime) -> list[Block]:
    problem = [context(escape(answer.problem, 300))] if answer.problem else []
    sources = [link(links.get(one), f"INC-{one}") for one in answer.incidents[:5]]
    sources += [f"runbook {escape(slug, 60)}" for slug in answer.runbooks[:3]]
    named = f"From: {', '.join(sources)}" if sources else "From no incident or runbook"
    return [*problem, told.as_of(now, named, escape(answer.model, 60))]


# --- sending ------------------------------------------------------------------------------------------------------


async def post(edge: Edge, heard: Heard, drawn: Drawn) -> str | None:
    """One message; its timestamp once it stands."""
    answer = await patiently(
        lambda: edge.client.chat_postMessage(
            channel=heard.channel,
            text=drawn.text,
            blocks=list(drawn.blocks),
            thread_ts=heard.thread,
            unfurl_links=False,
            unfurl_media=False,
        ),
        "answer",
    )
    return str(answer["ts"]) if answer is not None else None


async def edit(edge: Edge, channel: str, ts: str, drawn: Drawn) -> None:
    await patiently(
        lambda: edge.client.chat_update(
            channel=channel, ts=ts, text=drawn.text, blocks=list(drawn.blocks)
        ),
        "answer",
    )
