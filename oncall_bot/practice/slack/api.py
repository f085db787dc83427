"""One call of the Web API, from its token to its answer.

Knows the order in which Slack refuses: method, token, scope, rate, arguments, and only then the matter itself. Refuses
to know HTTP beyond status and headers. Serves the door.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from oncall_bot.practice.slack import (
    api_chat,
    api_conversations,
    api_files,
    api_views,
    api_workspace,
)
from oncall_bot.practice.slack.answers import Json, SlackError
from oncall_bot.practice.slack.calls import CALLS, Call, read_arguments
from oncall_bot.practice.slack.rates import Rates
from oncall_bot.practice.slack.reach import missing_scope
from oncall_bot.practice.slack.scene import Scene

METHODS: Mapping[str, Callable[[Scene, Json], Json]] = {
    **api_workspace.METHODS,
    **api_conversations.METHODS,
    **api_chat.METHODS,
    **api_views.METHODS,
    **api_files.METHODS,
}
APP_LEVEL = "apps.connections.open"


@dataclass(frozen=True, slots=True)
class Answer:
    body: Json
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Api:
    """`rates` is None when nothing is limited."""

    def __init__(
        self, scene: Scene, *, bot_token: str, app_token: str, rates: Rates | None
    ) -> None:
        self._scene = scene
        self._bot_token = bot_token
        self._app_token = app_token
        self._rates = rates

    def answer(self, method: str, token: str | None, given: Mapping[str, Any]) -> Answer:
        """What Slack says to this call; `given` are its arguments without the token."""
        headers = {"X-Slack-Req-Id": secrets.token_hex(16)}
        try:
            call = CALLS.get(method)
            if call is None:
                raise SlackError("unknown_method", req_method=method)
            self._check_token(call, token)
            headers["X-OAuth-Scopes"] = self._granted(call)
            self._check_scopes(call)
            wait = self._wait(call, given)
            if wait:
                limited = {**headers, "Retry-After": str(wait)}
                return Answer({"ok": False, "error": "ratelimited"}, 429, limited)
            said = METHODS[method](self._scene, read_arguments(call, given))
        except SlackError as error:
            return Answer(error.body(), headers=headers)
        return Answer({"ok": True, **said}, headers=headers)

    def _check_token(self, call: Call, token: str | None) -> None:
        if call.name == "api.test":
            return
        if not token:
            raise SlackError("not_authed")
        if token not in (self._bot_token, self._app_token):
            raise SlackError("invalid_auth")
        if (token == self._app_token) != (call.name == APP_LEVEL):
            raise SlackError("not_allowed_token_type")

    def _granted(self, call: Call) -> str:
        if call.name == APP_LEVEL:
            return "connections:write"
        return ",".join(sorted(self._scene.app.scopes))

    def _check_scopes(self, call: Call) -> None:
        if call.scopes and not self._scene.app.scopes.intersection(call.scopes):
            raise missing_scope(self._scene.app, call.scopes)

    def _wait(self, call: Call, given: Mapping[str, Any]) -> int:
        if self._rates is None:
            return 0
        return self._rates.wait(call, dict(given), self._scene.workspace.now())
