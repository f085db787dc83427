"""Modals and App Home: each person's stack of open modals, their typed values, and one Home each.

Knows stacks of three, hashes and which values survive an update. Refuses to know triggers and who is told.
Serves `views.*` and people's gestures.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from oncall_bot.practice.slack.answers import Json, SlackError
from oncall_bot.practice.slack.app import APP_ID, BOT_ID, TEAM_ID
from oncall_bot.practice.slack.blocks import view_problems
from oncall_bot.practice.slack.workspace import Workspace, name_blocks

STACK_MAX, VIEW_MAX = 3, 250_000


@dataclass(slots=True)
class View:
    """A view as Slack shows it to the app (`shown`), whose it is, and the errors its form shows just now."""

    owner: str
    shown: Json
    open: bool = True
    errors: dict[str, str] = field(default_factory=dict)
    offered: dict[tuple[str, str], list[Json]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return str(self.shown["id"])

    @property
    def values(self) -> Json:
        found: Json = self.shown["state"]["values"]
        return found


class Views:
    """All of them; a closed modal is forgotten."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}

    def find(self, view_id: Any) -> View | None:
        """An open modal or a published Home."""
        everything = [*self.homes.values(), *(v for stack in self.stacks.values() for v in stack)]
        return next((view for view in everything if view.id == view_id), None)

    def by_external_id(self, external_id: Any) -> View | None:
        if not external_id:
            return None
        everything = [*self.homes.values(), *(v for stack in self.stacks.values() for v in stack)]
        return next((v for v in everything if v.shown.get("external_id") == external_id), None)

    def top(self, owner: str) -> View | None:
        """The modal this person sees."""
        stack = self.stacks.get(owner)
        return stack[-1] if stack else None

    def open(self, owner: str, given: Json) -> View:
        """A new modal in place of whatever stack was open."""
        self._refuse_same_external_id(given)
        self.clear(owner)
        return self._put(owner, given, None)

    def push(self, owner: str, given: Json, above: View) -> View:
        if len(self.stacks.get(owner, ())) >= STACK_MAX:
            raise SlackError("push_limit_reached")
        self._refuse_same_external_id(given)
        return self._put(owner, given, above)

    def _refuse_same_external_id(self, given: Json) -> None:
        if self.by_external_id(given.get("external_id")):
            raise SlackError("duplicate_external_id")

    def _put(self, owner: str, given: Json, above: View | None) -> View:
        view = View(owner, self._made(given, above))
        self.stacks.setdefault(owner, []).append(view)
        return view

    def publish(self, owner: str, given: Json) -> View:
        """This person's App Home, anew or for the first time."""
        old = self.homes.get(owner)
        if old is None:
            self.homes[owner] = old = View(owner, self._made(given, None))
        else:
            self.replace(old, given)
        return old

    def replace(self, view: View, given: Json) -> None:
        """New content; values of inputs that kept block_id and action_id stay typed."""
        values = view.values
        view.shown.update(given, hash=_hash())
        name_blocks(view.shown["blocks"])
        kept = {block["block_id"]: element_ids(block) for block in view.shown["blocks"]}
        view.shown["state"] = {
            "values": {
                block_id: {a: v for a, v in states.items() if a in kept[block_id]}
                for block_id, states in values.items()
                if block_id in kept
            }
        }
        view.errors = {}

    def close(self, view: View) -> None:
        """Take one modal away, and whatever lay above it."""
        stack = self.stacks.get(view.owner, [])
        while stack and view in stack:
            stack.pop().open = False

    def clear(self, owner: str) -> None:
        """Take all of this person's modals away."""
        for view in self.stacks.pop(owner, []):
            view.open = False

    def _made(self, given: Json, above: View | None) -> Json:
        view_id = self._workspace.new_id("V")
        shown: Json = {
            "id": view_id,
            "team_id": TEAM_ID,
            "app_id": APP_ID,
            "bot_id": BOT_ID,
            "app_installed_team_id": TEAM_ID,
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "clear_on_close": False,
            "notify_on_close": False,
            "title": None,
            "close": None,
            "submit": None,
            **given,
            "state": {"values": {}},
            "hash": _hash(),
            "root_view_id": above.shown["root_view_id"] if above else view_id,
            "previous_view_id": above.id if above else None,
        }
        name_blocks(shown["blocks"])
        return shown


def _hash() -> str:
    return f"{secrets.randbelow(10**10)}.{secrets.token_hex(4)}"


def element_ids(block: Json) -> set[str]:
    elements = [*(block.get("elements") or ()), block.get("accessory"), block.get("element")]
    return {
        str(one["action_id"]) for one in elements if isinstance(one, dict) and "action_id" in one
    }


def checked(view: Any, kind: str) -> Json:
    """The view when Slack would take it as this kind; SlackError otherwise."""
    problems = view_problems(view)
    if not problems and view["type"] != kind:
        problems = [("/view/type", f"only a {kind} can be shown here")]
    if problems:
        raise SlackError.of("invalid_arguments", problems)
    if len(json.dumps(view)) > VIEW_MAX:
        raise SlackError("view_too_large")
    found: Json = view
    return found
