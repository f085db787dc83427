"""What the practice page hears while it looks: one stream of events for each open page.

Knows who may hear what, and that a page too slow to listen is told to fetch everything anew. Refuses to know what an
event means. Serves the practice servers, which publish, and the page's event stream, which listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

WAITING_MAX = 1000
"""Events kept for one listener; a page so far behind fetches the whole state instead."""

Event = dict[str, Any]


class Subscription(AsyncIterator[Event]):
    """The events one viewer may hear, from the moment it was made until `close()`."""

    def __init__(self, feed: Feed, viewer: str) -> None:
        self.viewer = viewer
        self._feed = feed
        self._waiting: asyncio.Queue[Event | None] = asyncio.Queue()
        self._open = True

    async def __anext__(self) -> Event:
        if not self._open and self._waiting.empty():
            raise StopAsyncIteration
        event = await self._waiting.get()
        if event is None:
            raise StopAsyncIteration
        return event

    def hear(self, event: Event) -> None:
        """Put it in line; the line itself never grows beyond WAITING_MAX."""
        if self._waiting.qsize() >= WAITING_MAX:
            while not self._waiting.empty():
                self._waiting.get_nowait()
            event = {"kind": "reset", "data": {}}
        self._waiting.put_nowait(event)

    def close(self) -> None:
        """Hear no more; whoever waits for the next event is let go."""
        if self._open:
            self._open = False
            self._feed.forget(self)
            self._waiting.put_nowait(None)


class Feed:
    """Events to every listener that may hear them; nothing is kept for those who come later."""

    def __init__(self) -> None:
        self._listening: set[Subscription] = set()

    def publish(self, kind: str, data: Any, to: frozenset[str] | None = None) -> None:
        """Tell these viewers, or everybody when `to` is None."""
        event = {"kind": kind, "data": data}
        for one in list(self._listening):
            if to is None or one.viewer in to:
                one.hear(event)

    def subscribe(self, viewer: str) -> Subscription:
        """Listens from this call on, not only from the first event that is asked for."""
        one = Subscription(self, viewer)
        self._listening.add(one)
        return one

    def forget(self, one: Subscription) -> None:
        self._listening.discard(one)

    def close(self) -> None:
        """End every stream."""
        for one in list(self._listening):
            one.close()
