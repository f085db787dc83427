"""The assistant: one question, a bounded loop of tools, and only those sentences of the answer that have ground.

Knows steps, time, tokens and the two ways of using tools. Refuses to change anything and to believe the model: what no
tool returned is left out, and a model that hangs, loops, breaks off or answers with a page ends in one honest line.
Serves the Slack edge as `ports.Assistant`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from oncall_bot.core.spending import Ending
from oncall_bot.core.talk import grounds as grounding
from oncall_bot.core.talk.grounds import Dropped, Grounds
from oncall_bot.llm.client import Model
from oncall_bot.llm.desk import Desk
from oncall_bot.llm.drafter import new_marker
from oncall_bot.llm.exchange import (
    CUT,
    LENGTH,
    ModelError,
    Reply,
    Subject,
    ToolCall,
    ToolsRefusedError,
)
from oncall_bot.llm.talking import NOW_ANSWER, envelope, opening, wanted_in
from oncall_bot.llm.tools import Tool, all_tools, tools_for
from oncall_bot.ports import Gauge, TalkAnswer, TalkTurn
from oncall_bot.store import views
from oncall_bot.store.db import Store

STEPS_MAX, WITHIN_S, TOKENS_MAX = 8, 60.0, 20_000
REPLY_TOKENS, CALLS_AT_ONCE, REPEATS_MAX = 700, 4, 2
LEAST_LEFT_S = 2.0


class ModelAssistant:
    """Answers with one model. Safe to ask from several threads."""

    def __init__(
        self,
        model: Model,
        store: Store,
        *,
        gauge: Gauge | None = None,
        within: float = WITHIN_S,
        marker: Callable[[], str] = new_marker,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._store = store
        self._gauge = gauge
        self._within = within
        self._marker = marker
        self._seconds = seconds

    def answer(self, turn: TalkTurn, tell: Callable[[str], None]) -> TalkAnswer:
        """Keeps `ports.Assistant`: expected failures become `problem`."""
        paused = self._store.look(views.model_paused, turn.about.incident)
        if paused is not None:
            return TalkAnswer(problem=f"The model was not asked: {paused}.", model=self._model.name)
        people = [one.name for one in self._store.snapshot.config.people.values()]
        grounds = Grounds(people=[name for name in people if name != turn.actor.name])
        grounds.learn_question(f"{turn.text} {turn.actor.name} {turn.zone}")
        desk = Desk(self._store, turn, self._model.name, self._marker(), grounds, self._gauge)
        loop = _Loop(self._model, desk, tell, self._seconds() + self._within, self._seconds)
        try:
            loop.run()
        except ModelError as error:
            loop.problem = loop.problem or str(error)
        return loop.answer()


@dataclass(slots=True)
class _Loop:
    """One turn. `said` are the sentences that were told already."""

    model: Model
    desk: Desk
    tell: Callable[[str], None]
    ends_at: float
    seconds: Callable[[], float]
    said: list[str] = field(default_factory=list)
    left_out: list[Dropped] = field(default_factory=list)
    problem: str = ""
    tokens: int = 0
    _pending: str = ""

    def run(self) -> None:
        """Ask, use tools, ask again, until there is an answer or a bound."""
        tools = tools_for(may_change=True, has_metrics=self.desk.gauge is not None)
        if self.model.takes_tools:
            try:
                self._converse(tools, native=True)
                return
            except ToolsRefusedError:
                pass  # from now on in the envelope
        self._converse(tools, native=False)

    def _converse(self, tools: Sequence[Tool], *, native: bool) -> None:
        messages = opening(self.desk.turn, self.desk.marker, tools, native=native)
        while True:
            last = self._is_last()
            if last:
                messages.append({"role": "user", "content": NOW_ANSWER})
            reply = self._ask(messages, tools, native=native, last=last)
            calls = _calls_in(reply, native=native)
            if not calls or last:
                self._finish(reply, wanted=bool(calls))
                return
            self._pending = ""  # what was said beside a call is no answer
            messages += self._used(reply, calls, native=native)

    def _is_last(self) -> bool:
        """Whether the next reply must be the answer: a bound is near."""
        return (
            len(self.desk.steps) >= STEPS_MAX
            or self.tokens >= TOKENS_MAX - 4_000
            or self.desk.repeated > REPEATS_MAX
            or self.ends_at - self.seconds() < 8.0
        )

    def _ask(
        self, messages: Sequence[dict[str, Any]], tools: Sequence[Tool], *, native: bool, last: bool
    ) -> Reply:
        left = self.ends_at - self.seconds()
        if left < LEAST_LEFT_S or self.tokens >= TOKENS_MAX:
            what = "time" if left < LEAST_LEFT_S else "tokens"
            raise ModelError(
                f"The model used up its {what} before it answered.", Ending.LATE, permanent=True
            )
        reply = self.model.ask(
            messages,
            schema=envelope(tools) if not native and not last else None,
            tools=[tool.schema() for tool in tools] if native and not last else None,
            max_tokens=REPLY_TOKENS,
            within=left,
            on_text=self._hear if native else None,
            purpose="talk",
            subject=Subject(incident_id=self.desk.turn.about.incident),
        )
        self.tokens += reply.usage.prompt_tokens + reply.usage.completion_tokens
        return reply

    # --- tools ----------------------------------------------------------------------------------------------------

    def _used(
        self, reply: Reply, calls: Sequence[ToolCall], *, native: bool
    ) -> list[dict[str, Any]]:
        """The calls and their results as the next messages."""
        room = max(1, STEPS_MAX - len(self.desk.steps))
        taken = list(calls)[: min(CALLS_AT_ONCE, room)]
        known = all_tools()
        results = [
            (
                call,
                self.desk.use(
                    known[call.name].run if call.name in known else None, call.name, call.arguments
                ),
            )
            for call in taken
        ]
        if not native:
            said = [{"role": "assistant", "content": reply.text[:4_000] or "{}"}]
            return said + [{"role": "user", "content": result} for _, result in results]
        asked = [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
            for c, _ in results
        ]
        first: dict[str, Any] = {
            "role": "assistant",
            "content": reply.text or None,
            "tool_calls": asked,
        }
        return [first] + [
            {"role": "tool", "tool_call_id": call.id, "content": result} for call, result in results
        ]

    # --- the answer -----------------------------------------------------------------------------------------------

    def _hear(self, piece: str) -> None:
        """Text as it streams in: each whole sentence is told once something was looked up, if it may stand."""
        self._pending += piece
        if not self.desk.steps or self._pending.lstrip()[:1] in {"{", "<", "`"}:
            return
        *whole, rest = grounding.cut(self._pending)
        for sentence in whole:
            self._judge(sentence)
        self._pending = rest

    def _finish(self, reply: Reply, *, wanted: bool) -> None:
        """What is left of the reply after the last whole sentence that was told."""
        found = wanted_in(reply.text)
        text = (
            found.answer
            if found is not None
            else self._pending or ("" if self.said else reply.text)
        )
        if wanted or (found is not None and found.tool):
            self.problem = "The model went on looking things up and gave no answer."
            return
        if grounding.looks_like_a_page(reply.text):
            self.problem = "The model's server answered with a web page."
            return
        broken = reply.finish_reason in (CUT, LENGTH)
        parts = grounding.sentences(text)
        for sentence in parts[:-1] if broken else parts:
            self._judge(sentence)
        if broken:
            self.problem = "The model's answer broke off."
        elif not self.said and not self.left_out and not (self.desk.offers or self.desk.questions):
            self.problem = "The model gave no answer."

    def _judge(self, sentence: str) -> None:
        if grounding.is_preamble(sentence):
            return
        why = self.desk.grounds.judge(sentence)
        if why is not None:
            self.left_out.append(Dropped(sentence, why))
        elif sentence not in self.said:
            shown = self.desk.withholder.restored(sentence)
            self.said.append(sentence)
            self.tell(shown)

    def answer(self) -> TalkAnswer:
        desk = self.desk
        problem = self.problem
        if self.left_out and not problem:
            n = len(self.left_out)
            noun = "sentence" if n == 1 else "sentences"
            problem = f"I left out {n} {noun} of the model that nothing I looked up covers."
        return TalkAnswer(
            sentences=[desk.withholder.restored(one) for one in self.said],
            incidents=_named_first(desk.incidents, self.said),
            runbooks=list(dict.fromkeys(desk.runbooks)),
            offers=desk.offers,
            questions=desk.questions,
            refusals=desk.refusals,
            problem=problem,
            model=self.model.name,
            steps=desk.steps,
            left_out=[one.why for one in self.left_out],
        )


def _calls_in(reply: Reply, *, native: bool) -> Sequence[ToolCall]:
    """The tools a reply wants, whichever way it says so."""
    if reply.tool_calls:
        return reply.tool_calls
    found = wanted_in(reply.text)
    if found is None or not found.tool:
        return ()
    return (
        ()
        if native and reply.finish_reason == CUT
        else (ToolCall("envelope", found.tool, found.args),)
    )


def _named_first(incidents: Sequence[int], said: Sequence[str]) -> list[int]:
    """Incidents that the answer names, else the first few that were looked at."""
    text = " ".join(said)
    named = [one for one in incidents if f"INC-{one}" in text or f"incident {one}" in text.lower()]
    return named or list(incidents[:3])
