"""Everybody's telephone: a server that takes messages as ntfy does, keeps what rang, and presses its buttons.

Knows ntfy's publishing as JSON (https://docs.ntfy.sh/publish/#publish-as-json): topic, title, message, priority, click
and actions. Refuses to know who sends and what a page is. Serves the practice page's phone panel, stories and the
transcript. Nothing but loopback addresses is ever called.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from oncall_bot.practice.feed import Feed

BODY_MAX = 64 * 1024
RINGS_MAX = 500
ACTIONS_MAX = 3
PRESS_WITHIN = aiohttp.ClientTimeout(total=10)
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class NotPressed(Exception):  # noqa: N818 - an answer in words, for the one who pressed
    """The button did nothing; the message says why."""


@dataclass(frozen=True, slots=True)
class Action:
    """A button of a notification: `http` sends a request without leaving the lock screen, `view` opens a page;
    on a text message or a call `reply` and `key` are what is sent back.
    """

    label: str
    kind: str
    url: str
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    clear: bool = False


@dataclass(frozen=True, slots=True)
class Ring:
    """One notification. `state`: ringing, then acknowledged (an http button worked), opened (its page was), answered (a
    reply or a key), or missed. `said` is what came back on the same line.
    """

    id: str
    key: str
    topic: str
    at: datetime
    title: str
    message: str
    priority: int
    click: str | None
    actions: tuple[Action, ...]
    state: str = "ringing"
    times: int = 1
    said: str = ""


async def _nobody(ring_id: str, action: Action) -> str:
    raise NotPressed("There is no telephone network here.")


class Phones:
    """All phones of the practice: a topic is a phone, and `owner` says whose."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        feed: Feed,
        owner: Callable[[str], str | None] = lambda topic: None,
    ) -> None:
        self._now = now
        self._feed = feed
        self.owner = owner
        self.down = False
        self.answer: Callable[[str, Action], Awaitable[str]] = _nobody
        self._rings: dict[str, Ring] = {}
        self._count = 0

    @property
    def rings(self) -> list[Ring]:
        """What rang, oldest first."""
        return list(self._rings.values())

    def reset(self) -> None:
        self._rings.clear()
        self.down = False

    def of(self, owner: str) -> list[Ring]:
        """What rang on one person's phone."""
        return [one for one in self.rings if self.owner(one.topic) == owner]

    def shown(self, viewer: str | None = None) -> list[dict[str, Any]]:
        """The rings as the page draws them; without a viewer, everybody's."""
        return [
            self._plain(one)
            for one in self.rings
            if viewer is None or (self.owner(one.topic) or one.topic) == viewer
        ]

    def _plain(self, ring: Ring) -> dict[str, Any]:
        return {
            "id": ring.id,
            "owner": self.owner(ring.topic) or ring.topic,
            "topic": ring.topic,
            "at": ring.at.timestamp(),
            "title": ring.title,
            "message": ring.message,
            "priority": ring.priority,
            "actions": [
                {"label": one.label, "kind": one.kind, "url": one.url} for one in ring.actions
            ],
            "state": ring.state,
            "said": ring.said,
            "key": ring.key,
        }

    # --- ntfy ---------------------------------------------------------------------------------------------------

    def app(self) -> web.Application:
        """The server: `POST /` as ntfy's clients publish, `POST /page/{road}` for the other roads."""
        app = web.Application(client_max_size=BODY_MAX)
        app.router.add_post("/", self._publish)
        app.router.add_post("/page/{road}", self._page)
        app.router.add_get("/v1/health", _healthy)
        return app

    async def _publish(self, request: web.Request) -> web.Response:
        given = await self._given(request, _problem)
        if isinstance(given, web.Response):
            return given
        ring = self.take(given, request.headers.get("Idempotency-Key", ""))
        return web.json_response(
            {
                "id": ring.id,
                "time": int(ring.at.timestamp()),
                "event": "message",
                "topic": ring.topic,
                "title": ring.title,
                "message": ring.message,
                "priority": ring.priority,
            }
        )

    async def _page(self, request: web.Request) -> web.Response:
        """A page in the bot's own JSON (docs/reference/page-webhook.md): mail and other roads of a rehearsal."""
        given = await self._given(request, _problem_of_page)
        if isinstance(given, web.Response):
            return given
        url = given.get("ack_url")
        actions = [
            {"action": "http", "label": "Acknowledge", "url": url, "clear": True},
            {"action": "view", "label": "Look first", "url": url},
        ]
        ring = self.take(
            {
                "topic": given["to"],
                "title": given["title"],
                "message": f"By {request.match_info['road']}: {given.get('text') or ''}",
                "priority": 3,
                "click": url,
                "actions": actions if url else (),
            },
            request.headers.get("Idempotency-Key", ""),
        )
        return web.json_response({"id": ring.id})

    async def _given(
        self, request: web.Request, problem_of: Callable[[Any], str | None]
    ) -> dict[str, Any] | web.Response:
        """The JSON of a message, or the refusal that its sender gets."""
        if self.down:
            return _refused(503, 50301, "the phone network is down (practice)")
        try:
            given: dict[str, Any] = await request.json()
        except ValueError:
            return _refused(400, 40001, "invalid request: not JSON")
        problem = problem_of(given)
        return _refused(400, 40001, f"invalid request: {problem}") if problem else given

    def take(self, given: Mapping[str, Any], key: str = "") -> Ring:
        """Let it ring. The same key again replaces its message and rings no second time."""
        topic = str(given["topic"])
        known = key or str(given.get("sequence_id") or "")
        ring_id = hashlib.sha256(f"{topic}\n{known or self._count}".encode()).hexdigest()[:12]
        self._count += 1
        before = self._rings.get(ring_id)
        ring = Ring(
            id=ring_id,
            key=known,
            topic=topic,
            at=before.at if before else self._now(),
            title=str(given.get("title") or "")[:250],
            message=str(given.get("message") or "triggered")[:4096],
            priority=int(given.get("priority") or 3),
            click=given.get("click"),
            actions=tuple(_action(one) for one in given.get("actions") or ()),
            state=before.state if before else "ringing",
            times=before.times + 1 if before else 1,
        )
        self._keep(ring)
        return ring

    def _keep(self, ring: Ring) -> None:
        self._rings[ring.id] = ring
        while len(self._rings) > RINGS_MAX:
            del self._rings[next(iter(self._rings))]
        self._feed.publish("ring", self._plain(ring))

    # --- what a hand does ---------------------------------------------------------------------------------------

    async def press(self, ring_id: str, action: int | str) -> dict[str, Any]:
        """Press a button by its number, or `open` the notification. Answers what the page should do then.

        Raises NotPressed when there is no such button, or its request was refused.
        """
        ring = self._rings.get(ring_id)
        if ring is None:
            raise NotPressed("That notification is gone.")
        if action == "open":
            url = ring.click or next((one.url for one in ring.actions if one.kind == "view"), None)
            if url is None:
                raise NotPressed("That notification leads nowhere.")
            self._opened(ring)
            return {"ok": True, "open": url}
        if not isinstance(action, int) or not 0 <= action < len(ring.actions):
            raise NotPressed("That notification has no such button.")
        button = ring.actions[action]
        if button.kind == "view":
            self._opened(ring)
            return {"ok": True, "open": button.url}
        if button.kind in ("reply", "key"):
            said = await self.answer(ring_id, button)
            self._keep(replace(self._rings[ring_id], state="answered", said=said[:500]))
            return {"ok": True, "said": said}
        status = await _send(button)
        if not 200 <= status < 300:
            raise NotPressed(f"{button.label}: the server answered {status}.")
        self._keep(replace(self._rings[ring_id], state="acknowledged"))
        return {"ok": True, "status": status}

    def over(self, key: str, topic: str, state: str) -> None:
        """What rang under that key rings no more."""
        for ring in self._rings.values():
            if (ring.key, ring.topic, ring.state) == (key, topic, "ringing"):
                self._keep(replace(ring, state=state))
                return

    def _opened(self, ring: Ring) -> None:
        if ring.state == "ringing":
            self._keep(replace(ring, state="opened"))


async def _send(button: Action) -> int:
    """The button's request, as ntfy's app sends it; only to loopback, whatever the message says."""
    if urlsplit(button.url).hostname not in LOOPBACK:
        raise NotPressed("A practice phone calls nobody outside this machine.")
    try:
        async with (
            aiohttp.ClientSession(timeout=PRESS_WITHIN, trust_env=False) as session,
            session.request(
                button.method,
                button.url,
                data=button.body,
                headers=dict(button.headers),
                allow_redirects=False,
            ) as answer,
        ):
            await answer.read()
            return answer.status
    except (aiohttp.ClientError, TimeoutError) as error:
        raise NotPressed(f"{button.label}: nobody answered ({type(error).__name__}).") from None


def _action(given: Mapping[str, Any]) -> Action:
    headers = given.get("headers")
    pairs = headers.items() if isinstance(headers, dict) else ()
    return Action(
        label=str(given.get("label", "")),
        kind=str(given.get("action", "")),
        url=str(given.get("url", "")),
        method=str(given.get("method") or "POST"),
        headers=tuple((str(name), str(value)) for name, value in pairs),
        body=str(given["body"]) if given.get("body") is not None else None,
        clear=given.get("clear") is True,
    )


def _problem_of_page(given: object) -> str | None:
    """Why a page in the bot's own JSON cannot be taken."""
    if not isinstance(given, dict) or not given.get("to") or not given.get("title"):
        return "to and title are needed"
    return None


def _problem(given: object) -> str | None:
    """Why ntfy would refuse the message."""
    if not isinstance(given, dict):
        return "not an object"
    topic = given.get("topic")
    if not isinstance(topic, str) or not 0 < len(topic) <= 64:
        return "topic invalid"
    if not all(mark.isalnum() or mark in "-_" for mark in topic) or not topic.isascii():
        return "topic invalid"
    priority = given.get("priority")
    if priority is not None and priority not in (1, 2, 3, 4, 5):
        return "priority invalid"
    actions = given.get("actions") or ()
    if not isinstance(actions, list | tuple) or len(actions) > ACTIONS_MAX:
        return f"too many actions, only {ACTIONS_MAX} allowed"
    for one in actions:
        if not isinstance(one, dict) or one.get("action") not in ("view", "http", "broadcast"):
            return "action is not one of view, http, broadcast"
        if not one.get("label") or not one.get("url"):
            return "an action needs a label and a url"
    return None


def _refused(status: int, code: int, error: str) -> web.Response:
    return web.json_response({"code": code, "http": status, "error": error}, status=status)


async def _healthy(request: web.Request) -> web.Response:
    return web.json_response({"healthy": True})
