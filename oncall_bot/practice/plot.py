"""What a story is made of: a world, steps, what people do when nobody is at the keyboard, and what must come true.

Knows the shape of a story, eyes (`Look`: what people and phones saw, nothing else) and hands (`Hands`: what people do).
Refuses to know any single story, and the bot. Serves stories, which are written with it, and the director.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from oncall_bot.practice import reading
from oncall_bot.practice.alertmanager import Routing
from oncall_bot.practice.phone import Phones, Ring
from oncall_bot.practice.prometheus import Rule
from oncall_bot.practice.reading import Message
from oncall_bot.practice.series import Scraped
from oncall_bot.practice.slack import Person, PracticeSlack, Refused

if TYPE_CHECKING:
    from oncall_bot.practice.stage import Stage

STATES = ("firing", "acknowledged", "mitigated", "resolved")
_MARKS = {"🔴": "firing", "🟠": "acknowledged", "🟡": "mitigated", "🟢": "resolved", "🔕": "quiet"}
_NUMBER = re.compile(r"\bIncident (\d+)\b")


@dataclass(frozen=True, slots=True)
class ExampleAlert:
    """Labels that lead to one route of the configuration under rehearsal."""

    route: str
    labels: Mapping[str, str]
    urgent: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """Where stories take place: who is there, which configuration is in force, and which labels reach people.

    `own`: somebody's own configuration; then nobody knows beforehand who is on call. `config` is asked when a story
    begins, with its first instant.
    """

    people: Sequence[Person]
    channels: Sequence[tuple[str, tuple[str, ...]]]
    config: Callable[[datetime], str]
    labels: Mapping[str, str]
    topics: Mapping[str, str]  # topic -> handle
    examples: Sequence[ExampleAlert] = ()
    own: bool = False

    @property
    def service(self) -> str:
        """The service as a story names it."""
        return self.labels.get("service") or self.labels.get("app") or "your service"


@dataclass(frozen=True, slots=True)
class Card:
    """An incident's card in a channel, as it stands now."""

    channel: str
    ts: str
    message: Message

    @property
    def state(self) -> str:
        head = next(iter(reading.lines(self.message)), "")
        return next((state for mark, state in _MARKS.items() if head.startswith(mark)), "firing")

    @property
    def number(self) -> int:
        found = _NUMBER.search(str(self.message.get("text") or ""))
        return int(found[1]) if found else 0

    @property
    def text(self) -> str:
        return reading.whole(self.message)

    def is_at_least(self, state: str) -> bool:
        """Whether it came so far; a later state counts."""
        return self.state in STATES and STATES.index(self.state) >= STATES.index(state)


class Look:
    """Eyes: what lies in channels, direct messages and on phones. Never the bot's tables."""

    def __init__(self, slack: PracticeSlack, phones: Phones, people: Sequence[Person]) -> None:
        self._slack = slack
        self._phones = phones
        self._people = people

    def said_by_bot(self) -> list[tuple[str, Message]]:
        """Every message of the bot that stands in a channel, as (channel id, message)."""
        return [
            (one["id"], message)
            for one in self._slack.channels()
            if one["kind"] != "dm"
            for message in self._slack.messages(one["id"])
            if message.get("user") == self._slack.bot_user
        ]

    def cards(self) -> list[Card]:
        """The incidents' cards, oldest first."""
        found = [
            Card(channel, message["ts"], message)
            for channel, message in self.said_by_bot()
            if message.get("thread_ts", message["ts"]) == message["ts"]
            and "to" not in message
            and _NUMBER.match(str(message.get("text") or ""))
        ]
        return sorted(found, key=lambda card: card.ts)

    def card(self) -> Card | None:
        """The story's first incident."""
        return next(iter(self.cards()), None)

    def came_so_far(self, state: str) -> bool:
        """Whether the first incident is in this state or a later one."""
        card = self.card()
        return card is not None and card.is_at_least(state)

    def thread(self, card: Card | None, contains: str = "") -> list[Message]:
        """What stands in an incident's thread."""
        if card is None:
            return []
        return [
            message
            for message in self._slack.messages(card.channel)
            if message.get("thread_ts") == card.ts
            and message["ts"] != card.ts
            and contains in reading.whole(message)
        ]

    def dms(self, handle: str, contains: str = "") -> list[Message]:
        """What the bot wrote to a person directly."""
        return [
            message
            for message in self._slack.messages(self._slack.direct(handle))
            if message.get("user") == self._slack.bot_user and contains in reading.whole(message)
        ]

    def pages(self, handle: str) -> list[Message]:
        """The pages a person got in Slack: direct messages about an incident that could be acknowledged."""
        return [
            message
            for message in self.dms(handle)
            if re.match(r"Page: |You have incident |Incident \d+", str(message.get("text") or ""))
            or any(one.label == "Acknowledge" for one in reading.buttons(message))
        ]

    def rings(self, handle: str) -> list[Ring]:
        """What rang on a person's phone."""
        return self._phones.of(self._slack.find_person(handle))

    def all_rings(self) -> list[Ring]:
        return self._phones.rings

    def paged(self) -> list[str]:
        """Who was paged so far, in Slack or by phone, the first first."""
        firsts = []
        for person in self._people:
            at = [float(one["ts"]) for one in self.pages(person.name)]
            at += [ring.at.timestamp() for ring in self.rings(person.name)]
            if at:
                firsts.append((min(at), person.name))
        return [name for _, name in sorted(firsts)]

    def name(self, handle: str) -> str:
        """A person's first name, for sentences."""
        real = next((one.real_name for one in self._people if one.name == handle), handle)
        return real.split()[0]

    def whispers(self, handle: str) -> list[Message]:
        """What only this person sees."""
        person = self._slack.find_person(handle)
        return [
            message
            for one in self._slack.channels()
            for message in self._slack.messages(one["id"])
            if message.get("to") == person
        ]


class Hands:
    """What people do, through the same gestures as on the page."""

    def __init__(self, slack: PracticeSlack, phones: Phones, look: Look) -> None:
        self._slack = slack
        self._phones = phones
        self._look = look

    async def press(self, handle: str, channel: str, message: Message, label: str) -> None:
        """Press the button of this label. Refused when the message has none."""
        button = next((one for one in reading.buttons(message) if one.label == label), None)
        if button is None:
            raise Refused(f"There is no button “{label}” in that message.")
        await self._slack.act(
            {
                "as": self._slack.find_person(handle),
                "do": "click",
                "channel": channel,
                "ts": message["ts"],
                "block_id": button.block_id,
                "action_id": button.action_id,
                **({"selected": button.value} if button.value is not None else {}),
            }
        )

    async def press_page(self, handle: str, label: str) -> None:
        """Press a button on the newest page in the person's direct messages."""
        pages = self._look.pages(handle)
        if not pages:
            raise Refused(f"{handle} was not paged in Slack.")
        await self.press(handle, self._slack.direct(handle), pages[-1], label)

    async def press_card(self, handle: str, label: str) -> None:
        """Press a button on the first incident's card."""
        card = self._look.card()
        if card is None:
            raise Refused("There is no incident.")
        await self._join(handle, card.channel)
        await self.press(handle, card.channel, card.message, label)

    async def press_phone(self, handle: str, label: str) -> None:
        """Press a button of the newest notification on the person's phone."""
        rings = self._look.rings(handle)
        if not rings:
            raise Refused(f"{handle}'s phone did not ring.")
        index = next((n for n, one in enumerate(rings[-1].actions) if one.label == label), -1)
        await self._phones.press(rings[-1].id, index)

    async def say(self, handle: str, text: str, *, in_thread: bool = True) -> None:
        """Write into the first incident's thread, or beside it."""
        card = self._look.card()
        if card is None:
            return
        await self._join(handle, card.channel)
        gesture = {
            "as": self._slack.find_person(handle),
            "do": "post",
            "channel": card.channel,
            "text": text,
        }
        await self._slack.act({**gesture, "thread_ts": card.ts} if in_thread else gesture)

    async def slash(self, handle: str, channel: str, text: str) -> None:
        await self._slack.act(
            {
                "as": self._slack.find_person(handle),
                "do": "slash",
                "channel": self._slack.find_channel(channel),
                "text": text,
            }
        )

    async def _join(self, handle: str, channel: str) -> None:
        await self._slack.act(
            {"as": self._slack.find_person(handle), "do": "join", "channel": channel}
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a story. It is over once `done` is true; `within` is how long that may take in practice time.

    `says` is the expectation as a sentence. `begins` changes the world; `hands` is what people do when scripted, after
    a `pause` in which they read; a `skip` moves the clock when the step begins, with everybody looking on.
    """

    text: str
    says: str
    done: Callable[[Look], bool]
    within: timedelta
    hint: str | None = None
    begins: Callable[[Stage], None] | None = None
    hands: Callable[[Hands, Look], Awaitable[None]] | None = None
    pause: timedelta = timedelta(seconds=20)
    skip: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """Something that must be true when the story is over."""

    says: str
    holds: Callable[[Look], bool]
    seen: Callable[[Look], str] = lambda look: ""


@dataclass(frozen=True, slots=True)
class Deed:
    """A button of the story strip: something done to the world, not to the bot."""

    id: str
    label: str
    do: Callable[[Stage], None]


@dataclass(frozen=True)
class Script:
    """A story as it is played once: begun at an instant, with its world and its steps."""

    scraped: Scraped
    rules: Sequence[Rule]
    steps: Sequence[Step]
    expectations: Sequence[Expectation]
    over: str
    deeds: Sequence[Deed] = ()
    routing: Routing = field(default_factory=Routing)


@dataclass(frozen=True, slots=True)
class Story:
    """`begins_at(now)`: the instant at which it begins, at or after `now`; `write(setting, at)` writes its script.

    `config` replaces the setting's configuration for this story.
    """

    name: str
    title: str
    about: str
    minutes: int
    write: Callable[[Setting, datetime], Script]
    begins_at: Callable[[datetime], datetime] = lambda now: now
    config: Callable[[datetime], str] | None = None
    for_own: bool = True
    zone: str = "Europe/Berlin"

    def plain(self) -> dict[str, Any]:
        """As the page's chooser shows it."""
        return {
            "name": self.name,
            "title": self.title,
            "about": self.about,
            "minutes": self.minutes,
        }
