"""Stories played in a row without anybody, told line by line: what people and phones saw, and what was expected.

Knows the order of things at the terminal. Refuses to print: it is handed a way to tell. Serves `demo --scripted` and
tests.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from oncall_bot.practice.director import Director, Verdict
from oncall_bot.practice.plot import Expectation, Story
from oncall_bot.practice.stage import HOST, Stage
from oncall_bot.practice.transcript import Entry, Overheard, Transcript, told

ALL = ""


@dataclass(frozen=True, slots=True)
class Played:
    """A story as it went."""

    story: Story
    began_at: datetime
    practice_seconds: float
    seconds: float
    entries: tuple[Entry, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def held(self) -> bool:
        return all(one.held for one in self.verdicts)

    def plain(self) -> dict[str, Any]:
        """For a program."""
        return {
            "name": self.story.name,
            "title": self.story.title,
            "ok": self.held,
            "began_at": self.began_at,
            "practice_seconds": round(self.practice_seconds, 1),
            "seconds": round(self.seconds, 2),
            "seen": list(self.entries),
            "expected": list(self.verdicts),
        }


class Playbill:
    """`also` adds expectations by story name (or ALL) to those the stories have themselves."""

    def __init__(
        self,
        stage: Stage,
        stories: Sequence[Story],
        *,
        tell: Callable[[str], None],
        also: dict[str, Sequence[Expectation]] | None = None,
    ) -> None:
        self._stage = stage
        self._director = Director(stage, stories)
        self._tell = tell
        self._also = also or {}

    async def perform(self) -> list[Played]:
        """Open the stage, play everything, and close it again whatever happens."""
        stage = self._stage
        runner = web.AppRunner(app := web.Application(), access_log=None, shutdown_timeout=1)
        try:
            await stage.start(app, lambda: f"http://{HOST}:{runner.addresses[0][1]}")
            await runner.setup()
            await web.TCPSite(runner, HOST, 0).start()
            began = time.monotonic()
            played = [await self._play(name) for name in self._director.stories]
            self._sum_up(played, time.monotonic() - began)
            return played
        finally:
            await self._director.close()
            await stage.stop()
            await runner.cleanup()

    async def _play(self, name: str) -> Played:
        stage, story = self._stage, self._director.stories[name]
        zone = ZoneInfo(story.zone)
        transcript = Transcript(
            {person.id: person for person in stage.setting.people},
            stage.slack.bot_user,
            lambda channel: next((c for c in stage.slack.channels() if c["id"] == channel), None),
            stage.clock.now,
            zone,
            lambda entry: self._tell_all(told(entry, zone)),
        )
        if isinstance(stage.feed, Overheard):
            stage.feed.listener = transcript.hear
        began_at: datetime | None = None
        self._tell_all([f"— {story.title} —", f"  {story.about}"])
        started = time.monotonic()

        def is_set() -> None:
            nonlocal began_at
            began_at = stage.clock.now()
            self._tell(
                f"  It is {began_at.astimezone(zone):%A %d %B %Y, %H:%M %Z} in {story.zone}."
            )
            self._tell("")

        also = [*self._also.get(ALL, ()), *self._also.get(name, ())]
        verdicts = await self._director.perform(name, also, is_set)
        ended = stage.clock.now()
        assert began_at is not None
        self._tell_all(["", *(_line(one) for one in verdicts)])
        seconds = time.monotonic() - started
        lasted = (ended - began_at).total_seconds()
        self._tell(f"  {_span(lasted)} of practice time in {seconds:.1f} s")
        self._tell("")
        return Played(story, began_at, lasted, seconds, tuple(transcript.entries), tuple(verdicts))

    def _tell_all(self, lines: Sequence[str]) -> None:
        for line in lines:
            self._tell(line)

    def _sum_up(self, played: Sequence[Played], seconds: float) -> None:
        failed = [one.story.name for one in played if not one.held]
        count = sum(len(one.verdicts) for one in played)
        many = f"{len(played)} {'story' if len(played) == 1 else 'stories'}"
        if failed:
            self._tell(f"✗ {many} in {seconds:.1f} s; not as expected: {', '.join(failed)}")
        else:
            self._tell(f"✓ {many} in {seconds:.1f} s; all {count} expectations held")


def _line(one: Verdict) -> str:
    mark = "✓" if one.held else "✗"
    return f"{mark} {one.says}" + (f" ({one.why})" if one.why else "")


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
