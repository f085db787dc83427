"""What a person typed, as Slack sends it on: mentions, channels and links as references, the rest escaped.

Knows names only through the workspace. Serves posts, edits and slash commands.
"""

from __future__ import annotations

import re

from oncall_bot.practice.slack.app import BOT_USER
from oncall_bot.practice.slack.workspace import Workspace

_PIECE = re.compile(
    r"<@(?P<user>[UW][A-Z0-9]{2,})(?:\|[^>]*)?>"
    r"|<#(?P<channel>C[A-Z0-9]{2,})(?:\|[^>]*)?>"
    r"|(?P<url>https?://[^\s<>|]+)"
    r"|(?<![\w<&])@(?P<at>[a-z0-9][a-z0-9._-]*)"
    r"|(?<![\w<&])#(?P<hash>[^\W_][\w-]*)"
)
_EVERYBODY = {"here", "channel", "everyone"}


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def wire_form(workspace: Workspace, text: str, *, named: bool = False) -> str:
    """`@ana` as `<@U1>` (with `named` as `<@U1|ana>`, the way commands carry it), `#ops` as `<#C1|ops>`."""
    said, end = [], 0
    for found in _PIECE.finditer(text):
        said.append(escaped(text[end : found.start()]))
        said.append(_reference(workspace, found, named=named))
        end = found.end()
    said.append(escaped(text[end:]))
    return "".join(said)


def _reference(workspace: Workspace, found: re.Match[str], *, named: bool) -> str:
    if found["url"]:
        return f"<{escaped(found['url'])}>"
    if found["user"] or found["at"]:
        return _person(workspace, found, named=named)
    by_id, by_name = found["channel"], found["hash"]
    channel = workspace.channels.get(by_id) if by_id else workspace.channel_named(by_name)
    if channel is None or channel.hidden:
        return escaped(found[0])
    return f"<#{channel.id}|{channel.name}>"


def _person(workspace: Workspace, found: re.Match[str], *, named: bool) -> str:
    if found["user"]:
        if not workspace.known(found["user"]):
            return escaped(found[0])
        return _at(workspace, found["user"], named=named)
    handle, dots = found["at"], ""
    while handle and handle not in _EVERYBODY:
        user_id = _handles(workspace).get(handle)
        if user_id is not None:
            return _at(workspace, user_id, named=named) + dots
        if handle[-1] not in "._-":
            return escaped(found[0])
        handle, dots = handle[:-1], handle[-1] + dots
    return f"<!{handle}>{dots}" if handle else escaped(found[0])


def _handles(workspace: Workspace) -> dict[str, str]:
    handles = {person.name: person.id for person in workspace.people.values()}
    return {**handles, workspace.app.name: BOT_USER}


def _at(workspace: Workspace, user_id: str, *, named: bool) -> str:
    return f"<@{user_id}|{workspace.name_of(user_id)}>" if named else f"<@{user_id}>"
