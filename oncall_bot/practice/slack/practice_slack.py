"""A whole practice Slack in one object: seed, doors, people's gestures, and what each of them sees.

Knows how the parts of this folder belong together. Refuses to know the bot beyond its manifest, and the rest of the
practice workspace. Serves the practice server and the stories.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from aiohttp import web

from oncall_bot.practice.feed import Feed
from oncall_bot.practice.slack import showing
from oncall_bot.practice.slack.answers import Json
from oncall_bot.practice.slack.api import Api
from oncall_bot.practice.slack.app import BOT_USER, app_of
from oncall_bot.practice.slack.door import Door, Poster
from oncall_bot.practice.slack.events import Events, Wait
from oncall_bot.practice.slack.files import Files
from oncall_bot.practice.slack.gestures import Gestures
from oncall_bot.practice.slack.people import ChannelSeed, Person
from oncall_bot.practice.slack.rates import Rates
from oncall_bot.practice.slack.scene import Scene
from oncall_bot.practice.slack.tickets import Tickets
from oncall_bot.practice.slack.views import Views
from oncall_bot.practice.slack.wire import ACK_WITHIN, Wire
from oncall_bot.practice.slack.workspace import Workspace

# Nothing to keep from anybody: they open this Slack on loopback, and no other.
BOT_TOKEN, APP_TOKEN, SIGNING_SECRET = "xoxb-practice", "xapp-practice", "practice"


class PracticeSlack:
    """`now` is practice time, `steady` real seconds for what measures the bot, `wait` sleeps practice seconds.

    `request_url` chooses HTTP mode. `usergroups` maps handles to people's handles. `on_connection` hears whenever a
    socket comes or goes.
    """

    def __init__(
        self,
        people: Sequence[Person],
        channels: Sequence[ChannelSeed],
        manifest: Mapping[str, Any],
        *,
        now: Callable[[], datetime],
        feed: Feed,
        bot_token: str = BOT_TOKEN,
        app_token: str = APP_TOKEN,
        signing_secret: str = SIGNING_SECRET,
        request_url: str | None = None,
        rate_limits: bool = True,
        usergroups: Mapping[str, Sequence[str]] | None = None,
        ack_within: float = ACK_WITHIN,
        steady: Callable[[], float] = time.monotonic,
        wait: Wait = asyncio.sleep,
        on_connection: Callable[[], None] = lambda: None,
    ) -> None:
        self.app = app_of(manifest)
        self.bot_token, self.app_token = bot_token, app_token
        self.signing_secret = signing_secret
        self.bot_user = BOT_USER
        self._people, self._channels = tuple(people), tuple(channels)
        self._usergroups = dict(usergroups or {})
        self._now, self._steady, self._feed = now, steady, feed
        self._rate_limits = rate_limits
        self._poster = Poster()
        self.wire = Wire(
            signing_secret=signing_secret,
            request_url=request_url,
            post=self._poster.post,
            ack_within=ack_within,
            on_change=on_connection,
        )
        self._events = Events(self.app, self.wire, wait)
        self._base_url: Callable[[], str] = lambda: ""
        self._scene = self._seeded()
        self._gestures = Gestures(self._scene, self.wire)
        self._door = Door(self._scene, self._api(), self.wire)

    def _seeded(self) -> Scene:
        workspace = Workspace(self.app, self._people, self._channels, self._now)
        for handle, members in self._usergroups.items():
            workspace.add_usergroup(handle, [workspace.named(one).id for one in members])
        return Scene(
            app=self.app,
            workspace=workspace,
            views=Views(workspace),
            tickets=Tickets(self._now, self._steady),
            files=Files(),
            feed=self._feed,
            events=self._events,
            base_url=lambda: self._base_url(),
        )

    def _api(self) -> Api:
        rates = Rates() if self._rate_limits else None
        return Api(self._scene, bot_token=self.bot_token, app_token=self.app_token, rates=rates)

    # --- life ---------------------------------------------------------------------------------------------------

    def add_routes(self, app: web.Application, base_url: Callable[[], str]) -> None:
        """/api/{method}, /socket, /response, /upload and /files; `base_url` is asked late, when the port is known."""
        self._base_url = base_url
        self._door.add_routes(app)

    @property
    def request_url(self) -> str | None:
        return self.wire.request_url

    @request_url.setter
    def request_url(self, url: str | None) -> None:
        self.wire.request_url = url

    async def connected(self, within: float) -> bool:
        """Whether the bot can be reached within so many seconds."""
        return await self.wire.connected(within)

    async def settled(self) -> None:
        """Wait until no event is on its way to the bot; redeliveries count."""
        await self._events.settled()

    def reset(self) -> None:
        """Back to the seed. Sockets stay, ids of the seed are the same, no timestamp comes twice."""
        self._events.forget()
        before = self._scene.workspace
        self._scene = self._seeded()
        self._scene.workspace.go_on_from(before)
        self._gestures = Gestures(self._scene, self.wire)
        self._door.scene, self._door.api = self._scene, self._api()
        self._feed.publish("reset", {})

    async def close(self) -> None:
        """Hang up and stop whatever is under way."""
        await self._events.close()
        await self.wire.close()
        await self._door.close()
        await self._poster.close()

    # --- people -------------------------------------------------------------------------------------------------

    async def act(self, gesture: Mapping[str, Any]) -> Json:
        """A person's gesture, as the page sends it. Raises Refused for what a person cannot do."""
        return await self._gestures.act(gesture)

    def state(self, viewer_id: str) -> Json:
        """What this person sees of Slack, for the page. KeyError when there is no such person."""
        self._scene.workspace.people[viewer_id]
        return showing.state_of(self._scene.workspace, self._scene.views, viewer_id)

    # --- looking, for transcripts and expectations --------------------------------------------------------------

    def messages(self, channel_id: str) -> list[Json]:
        """Everything said there, oldest first; what one person alone sees has `to`."""
        return list(self._scene.workspace.channels[channel_id].messages)

    def channels(self) -> list[Json]:
        """Every conversation: {"id", "name", "kind", "members"}."""
        found = self._scene.workspace.channels.values()
        return [
            {"id": c.id, "name": c.name, "kind": showing.KINDS[c.kind], "members": list(c.members)}
            for c in found
        ]

    def find_person(self, handle: str) -> str:
        """The id behind a handle; KeyError when nobody has it."""
        return self._scene.workspace.named(handle).id

    def find_channel(self, name: str) -> str:
        """The id of a channel by name; KeyError when there is none."""
        found = self._scene.workspace.channel_named(name)
        if found is None:
            raise KeyError(name)
        return found.id

    def direct(self, handle: str) -> str:
        """The id of a person's direct message with the bot."""
        return self._scene.workspace.direct(self.find_person(handle), BOT_USER).id

    def view(self, person_id: str) -> Json | None:
        """The modal this person has open, if any."""
        return showing.view_of(self._scene.views.top(person_id))

    def home(self, person_id: str) -> Json | None:
        """What this person's App Home shows, if it was published."""
        return showing.home_of(self._scene.views.homes.get(person_id))
