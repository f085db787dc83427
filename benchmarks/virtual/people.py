"""Who is rung, and what they do about it: fakes for telephones and Slack, with a ledger that knows nothing of the bot.

Knows what reached whom, when, and about which troubles (by the names in the text, as a person would read them). Answers
some time after a ring by the link or the button, or not at all. Serves `benchmarks.virtual.run`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from oncall_bot.ports import ChatMessage, LoudPage, Sent

_NAMES = re.compile(r"Trouble ?(\d{5})")
_STORM = "Many alerts at once"


@dataclass(frozen=True, slots=True)
class Ring:
    at: datetime
    person: str
    road: str
    troubles: frozenset[int]
    storm: bool
    urgent: bool
    link: str | None


def troubles_in(text: str) -> frozenset[int]:
    return frozenset(int(number) for number in _NAMES.findall(text))


@dataclass
class People:
    """All telephones and all of Slack. `answers(ring)` is called for every ring that somebody hears."""

    clock: Callable[[], datetime]
    rings: list[Ring] = field(default_factory=list)
    of_trouble: dict[int, list[Ring]] = field(default_factory=lambda: defaultdict(list))
    of_person: dict[tuple[str, str], list[Ring]] = field(default_factory=lambda: defaultdict(list))
    fresh: list[Ring] = field(default_factory=list)
    posts: int = 0
    edits: int = 0
    bundles: int = 0

    async def page(self, page: LoudPage) -> Sent:
        person, _, road = page.address.partition("-")
        text = f"{page.title}\n{page.text}"
        self.bundles += " incidents, first " in page.title
        self._ring(person, road, text, urgent=page.urgent, link=page.ack_url)
        return Sent(f"{len(self.rings)}", channel=page.channel)

    async def put(self, message: ChatMessage, *, first_tried_at: datetime | None) -> Sent:
        if message.ts is not None:
            self.edits += 1
            return Sent(message.ts, channel=message.channel)
        self.posts += 1
        if message.channel.startswith("U0") and message.key.startswith("page:"):
            person = message.channel[2:-4].lower()
            self._ring(person, "slack", f"{message.text} {message.blocks}", urgent=True, link=None)
        return Sent(f"{self.posts}.0", channel=message.channel)

    def _ring(self, person: str, road: str, text: str, *, urgent: bool, link: str | None) -> None:
        storm = _STORM in text
        ring = Ring(self.clock(), person, road, troubles_in(text), storm, urgent, link)
        self.rings.append(ring)
        self.fresh.append(ring)
        for number in ring.troubles:
            self.of_trouble[number].append(ring)
        self.of_person[person, road].append(ring)


@dataclass
class Habits:
    """When somebody who was rung answers, if they do; whole nights pass in which nobody does."""

    random: Random
    deaf: tuple[tuple[datetime, datetime], ...]

    def answer_after(self, ring: Ring) -> timedelta | None:
        if any(begin <= ring.at < end for begin, end in self.deaf) or self.random.random() < 0.35:
            return None
        return timedelta(seconds=max(3.0, self.random.expovariate(1 / 150)))
