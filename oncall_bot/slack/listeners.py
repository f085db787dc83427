"""Every listener of the Bolt app, registered in one place, and the guards in front of them.

Knows which of Slack's payloads goes where, and that nothing is subscribed to without a listener. Refuses to act
itself. Serves connection; the manifest is built from the constants here.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp

from oncall_bot.core.rights import Right
from oncall_bot.slack import events, modals, pane, pins
from oncall_bot.slack.actions import ACTIONS, on_action
from oncall_bot.slack.blocks import Block
from oncall_bot.slack.commands import on_command
from oncall_bot.slack.edge import Edge
from oncall_bot.slack.submissions import FORMS, LISTS, on_submission, on_suggestion

log = structlog.get_logger(__name__)

_ANYTHING = re.compile(".*")
SHORTCUT_DECLARE = "declare_incident"
EVENTS: Mapping[str, tuple[str, ...]] = {
    "app_mention": ("app_mentions:read",),
    "app_home_opened": (),
    "assistant_thread_context_changed": ("assistant:write",),
    "assistant_thread_started": ("assistant:write",),
    "message.channels": ("channels:history",),
    "message.groups": ("groups:history",),
    "message.im": ("im:history",),
    "reaction_added": ("reactions:read",),
    "reaction_removed": ("reactions:read",),
}
"""Subscribed events and the scopes that let them arrive."""

METHODS: Mapping[str, tuple[str, ...]] = {
    "assistant.threads.setStatus": ("chat:write",),
    "assistant.threads.setSuggestedPrompts": ("assistant:write",),
    "assistant.threads.setTitle": ("assistant:write",),
    "auth.test": (),
    "chat.appendStream": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.startStream": ("chat:write",),
    "chat.stopStream": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.list": ("channels:read", "groups:read"),
    "conversations.join": ("channels:join",),
    "conversations.open": ("im:write",),
    "conversations.history": ("channels:history", "groups:history", "im:history"),
    "conversations.replies": ("channels:history", "groups:history", "im:history"),
    "files.getUploadURLExternal": ("files:write",),
    "files.completeUploadExternal": ("files:write",),
    "usergroups.list": ("usergroups:read",),
    "usergroups.users.list": ("usergroups:read",),
    "usergroups.users.update": ("usergroups:write",),
    "users.info": ("users:read",),
    "users.lookupByEmail": ("users:read.email",),
    "views.open": (),
    "views.publish": (),
}
"""Web API methods this room calls and the scopes they need."""

Next = Callable[[], Awaitable[None]]


def register(app: AsyncApp, edge: Edge, *, app_id: str | None = None) -> None:
    """Attach every listener to the app."""
    app.middleware(_only_ours(app_id))
    _register_words(app, edge)
    _register_events(app, edge)
    app.error(_guard(edge))


def _register_words(app: AsyncApp, edge: Edge) -> None:
    async def command(ack: Any, body: Mapping[str, Any]) -> None:
        await on_command(edge, ack, body)

    async def action(ack: Any, body: Mapping[str, Any]) -> None:
        await on_action(edge, ack, body)

    async def stale_action(ack: Any) -> None:
        await ack()  # a button of an older version: its message is edited soon

    async def submission(ack: Any, body: Mapping[str, Any]) -> None:
        await on_submission(edge, ack, body)

    async def suggestion(ack: Any, body: Mapping[str, Any]) -> None:
        await on_suggestion(edge, ack, body)

    async def shortcut(ack: Any, body: Mapping[str, Any]) -> None:
        await ack()
        refusal = await edge.may_not(await edge.caller(body), Right.DECLARE)
        if refusal is None:
            await edge.open_form(body, modals.declare())
        else:
            await edge.open_form(body, _refusal(refusal.blocks))

    async def pin_shortcut(ack: Any, body: Mapping[str, Any]) -> None:
        await ack()
        await pins.on_shortcut(edge, body)

    app.command(edge.command)(command)
    for action_id in ACTIONS:
        app.action(action_id)(action)
    for action_id in LISTS:
        app.options(action_id)(suggestion)
        app.action(action_id)(stale_action)
    for callback_id in FORMS:
        app.view(callback_id)(submission)
    app.view("told")(stale_action)
    app.shortcut(SHORTCUT_DECLARE)(shortcut)
    app.shortcut(pins.SHORTCUT_PIN)(pin_shortcut)
    app.action(_ANYTHING)(stale_action)


def _refusal(blocks: Any) -> Block:
    return modals.page_of("Not done", blocks)


def _register_events(app: AsyncApp, edge: Edge) -> None:
    async def keep(body: Mapping[str, Any], event: Mapping[str, Any], next: Next) -> Any:  # noqa: A002
        """Bolt acknowledges an event before its listener runs, so what must be kept is kept here."""
        event_id = str(body.get("event_id") or "")
        if not await events.keep(edge, event, event_id):
            return BoltResponse(status=200, body="")
        await next()
        return None

    async def mention(event: Mapping[str, Any]) -> None:
        await events.on_mention(edge, event)

    async def message(event: Mapping[str, Any]) -> None:
        await events.on_message(edge, event)

    async def reaction(event: Mapping[str, Any]) -> None:
        """Kept in `keep`; a listener stands here so that the event is acknowledged."""

    async def home(event: Mapping[str, Any]) -> None:
        if event.get("tab") == "messages":
            await pane.on_messages_tab(edge, event)
        else:
            await events.on_home(edge, event)

    async def opened(event: Mapping[str, Any]) -> None:
        await pane.on_thread(edge, event)

    middleware = [keep]
    app.event("app_mention", middleware=middleware)(mention)
    app.event("message", middleware=middleware)(message)
    app.event("reaction_added", middleware=middleware)(reaction)
    app.event("reaction_removed", middleware=middleware)(reaction)
    app.event("app_home_opened", middleware=middleware)(home)
    app.event("assistant_thread_started", middleware=middleware)(opened)
    app.event("assistant_thread_context_changed", middleware=middleware)(opened)


def _only_ours(app_id: str | None) -> Callable[..., Awaitable[Any]]:
    """Requests for another app are refused: one signing secret must not open two doors."""

    async def only_ours(body: Mapping[str, Any], next: Next) -> Any:  # noqa: A002
        said = body.get("api_app_id")
        if app_id and said and said != app_id:
            log.warning("slack_other_app", said=str(said)[:40])
            return BoltResponse(status=403, body="")
        await next()
        return None

    return only_ours


def _guard(edge: Edge) -> Callable[..., Awaitable[None]]:
    """The guard of one edge request: counted and written down with its id; Slack shows its own sign to the person."""

    async def guard(error: Exception, body: Mapping[str, Any]) -> None:
        edge.on_failure("request")
        log.error(
            "slack_request_failed",
            kind=str(body.get("type") or body.get("command") or "")[:40],
            event_id=str(body.get("event_id") or ""),
            error=f"{type(error).__name__}: {error}"[:500],
            exc_info=error,
        )

    return guard
