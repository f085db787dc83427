"""What every listener works with: the store, Slack's client, who is asking, and how they are told.

Knows the rule of presses: committed first, acknowledged to Slack second, a late one undone and said so. Refuses to
know what is pressed. Serves commands, actions, submissions, suggestions and events.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

import structlog
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from oncall_bot.core.config import Config, Person
from oncall_bot.core.errors import OncallError
from oncall_bot.core.rights import Right
from oncall_bot.core.silence_rights import longest
from oncall_bot.core.situation import Situation
from oncall_bot.core.talk.lexicon import vocabulary
from oncall_bot.core.talk.names import NamesInForce
from oncall_bot.flows.inbound import seen
from oncall_bot.flows.refuse import refuse
from oncall_bot.ports import Instruments
from oncall_bot.slack import answers, modals
from oncall_bot.slack.blocks import Block, Drawn, context, section, without_images
from oncall_bot.slack.callers import Caller, Callers
from oncall_bot.slack.refusals import NETWORK
from oncall_bot.slack.sender import SlackChat
from oncall_bot.slack.turns import Turns
from oncall_bot.store import views
from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Reader, Tx

P = ParamSpec("P")
T = TypeVar("T")
log = structlog.get_logger(__name__)

PRESS_WITHIN = 1.5
"""Seconds after which a press that has not begun to be written is undone: Slack waits 3 s and never repeats it."""

ANSWER_WITHIN = 2.2
"""Seconds after which a command is acknowledged without its answer, which then follows."""


def now_utc() -> datetime:
    return datetime.now(UTC)


def message_link(workspace_url: str, channel: str, ts: str) -> str | None:
    """`https://example.slack.com/archives/C1/p1795316820000100`; None before Slack told its own address."""
    if not workspace_url:
        return None
    return f"{workspace_url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"


Place = tuple[str, str]


def _placed(reader: Reader, incident_id: int) -> tuple[Situation, Place | None] | None:
    found = views.situation(reader, incident_id)
    return (found, views.thread_of(reader, incident_id)) if found else None


def _all_placed(reader: Reader) -> list[tuple[Situation, Place | None]]:
    return [(s, views.thread_of(reader, s.incident_id)) for s in views.open_incidents(reader)]


class FilePeople:
    """The people of the file in force, by Slack id."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def config(self) -> Config:
        return self._store.snapshot.config

    def by_slack(self, slack_id: str) -> Person | None:
        snapshot = self._store.snapshot
        key = snapshot.by_slack.get(slack_id)
        return snapshot.config.people.get(key) if key else None


def once(
    tx: Tx,
    press_id: str,
    flow: Callable[Concatenate[Tx, P], T],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> T | None:
    """Run the flow unless this very press was taken before; None when it was."""
    if press_id and seen(tx, "slack", press_id):
        return None
    return flow(tx, *args, **kwargs)


@dataclass(frozen=True, slots=True)
class Edge:
    store: Store
    client: AsyncWebClient
    callers: Callers
    chat: SlackChat
    command: str = "/oncall"
    guide: str | None = None
    public_url: str | None = None
    clock: Callable[[], datetime] = now_utc
    bot_user: str = ""
    workspace_url: str = ""
    on_failure: Callable[[str], None] = lambda guard: None
    look_with: Instruments | None = None
    turns: Turns | None = None
    names: NamesInForce = field(default_factory=lambda: NamesInForce(vocabulary()))
    working: set[asyncio.Task[Any]] = field(default_factory=set)
    following: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def config(self) -> Config:
        return self.store.snapshot.config

    async def press(
        self,
        press_id: str,
        flow: Callable[Concatenate[Tx, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T | None:
        """The flow's outcome once it is committed; None when this press was taken before. Raises Busy when late."""
        return await self.store.press(PRESS_WITHIN, once, press_id, flow, *args, **kwargs)

    async def turn_away(
        self, caller: Caller, verb: str, incident_id: int | None = None
    ) -> Drawn | None:
        """What somebody without the right is told; that they tried goes into the audit."""
        about = f"incident:{incident_id}" if incident_id is not None else "slack"
        why = caller.refusal.text if caller.refusal is not None else ""
        await self.store.write(refuse, caller.actor, verb, about, why)
        return caller.refusal

    async def may_not(
        self, caller: Caller, right: Right, s: Situation | None = None
    ) -> Drawn | None:
        """What to say before a form opens in vain; None for who may. That they tried goes into the audit."""
        incident_id = s.incident_id if s is not None else None
        if caller.refusal is not None:
            return await self.turn_away(caller, str(right), incident_id)
        rights, team = self.store.snapshot.rights, s.team if s is not None else None
        paged = s is not None and any(one.person_key == caller.actor.key for one in s.paged)
        if rights.may(caller.actor, right, team, paged=paged):
            return None
        why = rights.refusal(caller.actor, right, team)
        about = f"incident:{incident_id}" if incident_id is not None else "slack"
        await self.store.write(refuse, caller.actor, str(right), about, why)
        return answers.sentence(why)

    def longest_silence(self, caller: Caller, s: Situation) -> timedelta:
        """The longest silence of the incident that the caller may set."""
        return longest(self.store.snapshot.rights.role_in(caller.actor, s.team))

    async def situation(self, incident_id: int) -> Situation | None:
        """The incident with its addresses."""
        placed = await self.store.view(_placed, incident_id)
        return self._linked(*placed) if placed else None

    async def open_incidents(self) -> list[Situation]:
        """What is open, newest first; `channel` is the conversation in which the card lies."""
        return [self._linked(*placed) for placed in await self.store.view(_all_placed)]

    def _linked(self, s: Situation, place: tuple[str, str] | None) -> Situation:
        linked = views.with_links(s, self.chat_link(place), self.public_url)
        return replace(linked, channel=place[0]) if place else linked

    def chat_link(self, place: tuple[str, str] | None) -> str | None:
        """The address of one of our messages, as Slack builds it."""
        return message_link(self.workspace_url, *place) if place else None

    async def caller(self, body: Mapping[str, Any]) -> Caller:
        """Who pressed, typed or wrote, from any of Slack's payload shapes."""
        user = body.get("user")
        if isinstance(user, Mapping):
            name = str(user.get("name") or user.get("username") or "")
            return await self.callers.who(str(user["id"]), team_id=user.get("team_id"), name=name)
        name = str(body.get("user_name") or "")
        return await self.callers.who(str(body["user_id"]), team_id=body.get("team_id"), name=name)

    def name_of(self, slack_id: str) -> str:
        """The name of a person of the file; the id of anybody else."""
        snapshot = self.store.snapshot
        person = snapshot.config.people.get(snapshot.by_slack.get(slack_id, ""))
        return person.name if person else slack_id

    # --- telling ------------------------------------------------------------------------------------------------

    async def tell(self, body: Mapping[str, Any], what: Drawn | None) -> None:
        """Say it to the one who pressed, and to nobody else. Never raises: the press itself is already stored."""
        if what is None:
            return
        try:
            await self._tell(body, what)
        except NETWORK as error:
            log.warning("slack_answer_not_sent", error=str(error)[:200])

    async def _tell(self, body: Mapping[str, Any], what: Drawn) -> None:
        url = body.get("response_url")
        if url:
            hook = AsyncWebhookClient(str(url), timeout=10, session=self.client.session)
            answer = await hook.send(**ephemeral(what), replace_original=False)
            bare = without_images(what.blocks)
            if answer.status_code != 200 and bare != list(what.blocks):
                plainer = Drawn(what.text, [dict(block) for block in bare])
                await hook.send(**ephemeral(plainer), replace_original=False)
            return
        view = body.get("view") or {}
        if view.get("type") == "home" and body.get("trigger_id"):
            form = modals.page_of("oncall-bot", what.blocks)
            await self.client.views_open(trigger_id=body["trigger_id"], view=form)
            return
        user = (body.get("user") or {}).get("id") or body.get("user_id")
        if user:
            await self.client.chat_postMessage(
                channel=user, text=what.text, blocks=list(what.blocks)
            )

    async def open_form(self, body: Mapping[str, Any], view: Block) -> Drawn | None:
        """Open a modal; what to say instead when Slack no longer takes the trigger."""
        try:
            await asyncio.wait_for(
                self.client.views_open(trigger_id=str(body["trigger_id"]), view=view), 2.5
            )
        except NETWORK as error:
            log.info("slack_form_not_opened", error=str(error)[:200])
            return answers.said("The form could not be opened in time. Press again.")
        return None

    def later(self, work: Any) -> None:
        """Work after the acknowledgement; awaited at stop."""
        task = asyncio.ensure_future(work)
        self.working.add(task)
        task.add_done_callback(self.working.discard)

    def follow(self, work: Coroutine[Any, Any, None]) -> None:
        """Tell somebody how a thing goes on; cut short at stop, since nothing hangs on it."""
        task = asyncio.create_task(work)
        self.following.add(task)
        task.add_done_callback(self.following.discard)


def ephemeral(what: Drawn) -> dict[str, Any]:
    """The arguments of an answer that one person sees."""
    return {"response_type": "ephemeral", "text": what.text, "blocks": list(what.blocks)}


def excuse(error: OncallError) -> Drawn:
    """An expected failure in its own words."""
    return answers.sentence(str(error))


def waiting() -> Drawn:
    return Drawn(
        "Still being stored; the answer follows here.",
        [
            section("Still being stored; the answer follows here."),
            context("Paging goes on meanwhile."),
        ],
    )
