"""A story as people and phones saw it, line by line: when, where, what; edits shown as what is new in them.

Knows how to listen to the feed and to tell a message without its blocks. Refuses to judge: the director does. Serves
`demo --scripted` and its readers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from oncall_bot.practice import reading
from oncall_bot.practice.feed import Feed
from oncall_bot.practice.slack import Person

NEW_LINES_MAX = 14
EDIT_LINES_MAX = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was seen: `where` is a channel, `Ana, DM`, `Ana's phone`, `only Ana in #x`; `how`: new, edited."""

    at: datetime
    where: str
    who: str
    how: str
    lines: tuple[str, ...]


class Overheard(Feed):
    """A feed with somebody who hears everything, whoever it is for."""

    def __init__(self) -> None:
        super().__init__()
        self.listener: Callable[[str, Any, frozenset[str] | None], None] | None = None

    def publish(self, kind: str, data: Any, to: frozenset[str] | None = None) -> None:
        super().publish(kind, data, to)
        if self.listener is not None:
            self.listener(kind, data, to)


@dataclass
class Transcript:
    """`hear` takes the feed's events; `entries` is what came of them, and `on_entry` is told of each at once."""

    people: Mapping[str, Person]
    bot: str
    channel: Callable[[str], Mapping[str, Any] | None]
    now: Callable[[], datetime]
    zone: tzinfo = UTC
    on_entry: Callable[[Entry], None] = lambda entry: None
    entries: list[Entry] = field(default_factory=list)
    _shown: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _rang: dict[str, str] = field(default_factory=dict)

    def hear(self, kind: str, data: Any, to: frozenset[str] | None) -> None:
        if kind == "message":
            self._message(data, to)
        elif kind == "ring":
            self._ring(data)
        elif kind == "view" and data.get("view"):
            self._view(data["view"], to)
        elif kind == "reset":
            self._shown.clear()
            self._rang.clear()

    # --- messages -------------------------------------------------------------------------------------------------

    def _message(self, message: Mapping[str, Any], to: frozenset[str] | None) -> None:
        key = (str(message["channel"]), str(message["ts"]))
        if message.get("deleted"):
            self._tell(message, to, "deleted", ["(deleted)"])
            return
        read = reading.lines(message, self.zone, self._names())
        before = self._shown.get(key)
        self._shown[key] = read
        if before is None:
            self._tell(message, to, "new", self._body(message, read))
            return
        fresh = [line for line in read if line not in before]
        if fresh:
            self._tell(message, to, "edited", _at_most(fresh, EDIT_LINES_MAX))

    def _body(self, message: Mapping[str, Any], read: list[str]) -> list[str]:
        """The line a phone would show, then what the message itself says beyond it."""
        labels = [one.label for one in reading.buttons(message) if one.value is None]
        found = _at_most(read, NEW_LINES_MAX)
        return [*found, "[" + "] [".join(labels) + "]"] if labels else found

    def _tell(
        self, message: Mapping[str, Any], to: frozenset[str] | None, how: str, lines: list[str]
    ) -> None:
        user = str(message.get("user", ""))
        who = "oncall-bot" if user == self.bot else self._name(user)
        self._add(Entry(self.now(), self._where(message, to), who, how, tuple(lines)))

    def _where(self, message: Mapping[str, Any], to: frozenset[str] | None) -> str:
        channel = self.channel(str(message["channel"])) or {}
        thread = message.get("thread_ts", message["ts"]) != message["ts"]
        if channel.get("kind") == "dm":
            person = next((one for one in channel["members"] if one in self.people), "")
            where = f"{self._name(person)}, DM"
        else:
            where = f"#{channel.get('name', '?')}"
        if thread:
            where += ", thread"
        if message.get("ephemeral"):
            only = " and ".join(self._name(one) for one in sorted(to or ()))
            where = f"{where}, only {only} sees it"
        return where

    def _view(self, view: Mapping[str, Any], to: frozenset[str] | None) -> None:
        title = reading.plain(str((view.get("title") or {}).get("text", "")))
        who = " and ".join(self._name(one) for one in sorted(to or ()))
        self._add(Entry(self.now(), f"{who}, form", "oncall-bot", "new", (title,)))

    # --- phones ---------------------------------------------------------------------------------------------------

    def _ring(self, ring: Mapping[str, Any]) -> None:
        owner = str(ring["owner"])
        where = f"{self._name(owner)}'s phone"
        before, state = self._rang.get(ring["id"]), str(ring["state"])
        self._rang[ring["id"]] = state
        if before is None:
            message = [line for line in _written(ring) if not line.startswith("Ref ")]
            loud = "rings loudly" if ring["priority"] >= 4 else "buzzes"
            labels = "[" + "] [".join(one["label"] for one in ring["actions"]) + "]"
            shown = [f"{loud}: {ring['title']}", *_at_most(message, 6), labels]
            self._add(Entry(self.now(), where, "", "new", tuple(shown)))
        elif before != state:
            self._add(Entry(self.now(), where, "", "edited", (f"now {state}",)))

    # --- telling --------------------------------------------------------------------------------------------------

    def _add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.on_entry(entry)

    def _names(self) -> dict[str, str]:
        return {**{one.id: one.name for one in self.people.values()}, self.bot: "oncall-bot"}

    def _name(self, user: str) -> str:
        person = self.people.get(user)
        return person.real_name.split()[0] if person else user or "Slack"


def _written(ring: Mapping[str, Any]) -> list[str]:
    return [line for line in str(ring["message"]).splitlines() if line.strip()]


def _at_most(lines: list[str], most: int) -> list[str]:
    if len(lines) <= most:
        return lines
    return [*lines[:most], f"… {len(lines) - most} more lines"]


def told(entry: Entry, zone: tzinfo, width: int = 110) -> list[str]:
    """The entry for a terminal: one line of when and where, what was seen below it."""
    how = {"edited": " (edited)", "deleted": " (deleted)"}.get(entry.how, "")
    who = f"  {entry.who}" if entry.who else ""
    head = f"{entry.at.astimezone(zone):%H:%M:%S}  {entry.where}{who}{how}"
    return [head, *(f"          {_cut(line, width - 10)}" for line in entry.lines)]


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"
