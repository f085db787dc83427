"""Plays a story on the stage: for somebody at the keyboard, who sets the pace, or scripted, as fast as it goes.

Knows that a step is over when what people and phones saw says so. Refuses to know any story, and to look into the bot.
Serves the page's story strip and `demo --scripted`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from oncall_bot.core.errors import OncallError
from oncall_bot.practice.clock import LEAP
from oncall_bot.practice.phone import NotPressed
from oncall_bot.practice.plot import Expectation, Script, Step, Story
from oncall_bot.practice.slack import Refused
from oncall_bot.practice.stage import Stage

LOOK_EVERY_S = 0.25
FIRST_LEAPS = 30
SHORT_LEAP = timedelta(seconds=1)
GRACE_S = 0.03
"""Real seconds after a short leap in which an answer that Slack waits for may still come."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One expectation and whether it held; `why` says what was seen instead, or how long it took."""

    says: str
    held: bool
    why: str = ""


class Director:
    """One story at a time. `running` is what the page's strip shows."""

    def __init__(self, stage: Stage, stories: Sequence[Story]) -> None:
        self.stage = stage
        self.stories = {story.name: story for story in stories}
        self._story: Story | None = None
        self._script: Script | None = None
        self._shown: dict[str, Any] | None = None
        self._playing: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()

    @property
    def running(self) -> dict[str, Any] | None:
        return self._shown

    # --- for somebody at the keyboard -----------------------------------------------------------------------------

    async def free(self) -> None:
        """No story: the bot is up, and people may try whatever they like."""
        async with self._changing:
            await self._end_playing()
            self._story = self._script = None
            self._show(None)
            await self.stage.begin(self.stage.setting.config, self.stage.clock.now())

    async def start(self, name: str) -> None:
        """Begin a story anew; KeyError when there is none of this name."""
        story = self.stories[name]
        async with self._changing:
            await self._end_playing()
            try:
                script = await self._begin(story)
            except BaseException:
                self._show(None)
                raise
            self._playing = asyncio.create_task(self._play(script), name=f"story-{name}")

    async def stop(self) -> None:
        await self.free()

    async def close(self) -> None:
        await self._end_playing()

    async def _end_playing(self) -> None:
        if self._playing is not None:
            self._playing.cancel()
            with suppress(asyncio.CancelledError):
                await self._playing
            self._playing = None

    async def _begin(self, story: Story) -> Script:
        stage = self.stage
        at = story.begins_at(stage.clock.now())
        script = story.write(stage.setting, at)
        self._story, self._script = story, script
        self._show(
            {
                "name": story.name,
                "title": story.title,
                "step": "The bot starts on a fresh database.",
                "hint": None,
                "done": False,
                "speedable": True,
                "marks": [],
                "actions": [],
            }
        )
        own = story.config if story.config and not stage.setting.own else stage.setting.config
        await stage.begin(own, at, script)
        self.mark("The story begins.")
        return script

    async def _play(self, script: Script) -> None:
        """Step by step, as fast as the one at the keyboard goes."""
        for step in script.steps:
            self._step(step, script)
            if step.begins is not None:
                step.begins(self.stage)
            if step.skip is not None:
                await self.stage.clock.skip(step.skip, until=partial(step.done, self.stage.look))
            while not step.done(self.stage.look):  # noqa: ASYNC110 - it waits for a person
                await asyncio.sleep(LOOK_EVERY_S)
            self.mark(step.says)
        assert self._shown is not None
        self._show({**self._shown, "step": script.over, "hint": None, "done": True, "actions": []})

    def _step(self, step: Step, script: Script) -> None:
        assert self._shown is not None
        deeds = [{"id": deed.id, "label": deed.label} for deed in script.deeds]
        self._show({**self._shown, "step": step.text, "hint": step.hint, "actions": deeds})

    def mark(self, text: str) -> None:
        """A moment worth a mark on the story's line."""
        if self._shown is not None:
            at = self.stage.clock.now().timestamp()
            marks = [*self._shown["marks"], {"at": at, "text": text}]
            self._show({**self._shown, "marks": marks})

    def do(self, deed_id: str) -> None:
        """Press a button of the story strip; KeyError when the story has none such."""
        deeds = {deed.id: deed for deed in self._script.deeds} if self._script else {}
        deed = deeds[deed_id]
        deed.do(self.stage)
        self.mark(deed.label)

    def _show(self, shown: dict[str, Any] | None) -> None:
        self._shown = shown
        self.stage.feed.publish("story", shown)

    # --- scripted -------------------------------------------------------------------------------------------------

    async def perform(
        self, name: str, also: Sequence[Expectation] = (), told: Callable[[], None] = lambda: None
    ) -> list[Verdict]:
        """Play a story to its end without anybody; answers what held. `told` is called when the stage is set.

        After a step that did not come true the rest is not played: what follows would only repeat it.
        """
        story = self.stories[name]
        script = await self._begin(story)
        told()
        verdicts: list[Verdict] = []
        for step in script.steps:
            self._step(step, script)
            verdict = await self._perform(step)
            verdicts.append(verdict)
            if not verdict.held:
                break
        await self.stage.catch_up()
        for one in (*script.expectations, *also):
            held = one.holds(self.stage.look)
            verdicts.append(Verdict(one.says, held, "" if held else one.seen(self.stage.look)))
        return verdicts

    async def _perform(self, step: Step) -> Verdict:
        stage, clock = self.stage, self.stage.clock
        began = clock.now()
        if step.begins is not None:
            step.begins(stage)
        if step.hands is not None:
            await clock.skip(step.pause)
            try:
                await stage.catch_up()
                await step.hands(stage.hands, stage.look)
            except (Refused, NotPressed, OncallError) as error:
                return Verdict(step.says, held=False, why=str(error))
        leaps = 0
        while not await self._seen(step, GRACE_S if leaps < FIRST_LEAPS else 0.0):
            if clock.now() - began >= step.within + step.pause:
                return Verdict(step.says, held=False, why=f"not within {_long(step.within)}")
            await clock.leap(SHORT_LEAP if leaps < FIRST_LEAPS else LEAP)
            leaps += 1
        return Verdict(step.says, held=True, why=_long(clock.now() - began))

    async def _seen(self, step: Step, grace: float) -> bool:
        """Whether it came true, once everything on its way has arrived."""
        look = self.stage.look
        if step.done(look):
            return True
        if grace:
            await self.stage.catch_up()
            end = time.monotonic() + grace
            while not step.done(look) and time.monotonic() < end:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.005)
        return step.done(look)


def _long(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" + (f" {seconds % 60} s" if seconds % 60 else "")
