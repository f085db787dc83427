"""Short-lived rights that Slack hands to an app: trigger ids, response addresses, socket tickets.

Knows how long each lives and how often it may be used. Refuses to know what is done with it. A trigger's 3 seconds and
a ticket's 30 are real seconds, since they measure the bot; a response address lives in practice time.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from oncall_bot.practice.slack.answers import SlackError

TRIGGER_FOR, TICKET_FOR = 3.0, 30.0
RESPONSE_USES, RESPONSE_FOR = 5, timedelta(minutes=30)
KEPT_MAX = 5000


@dataclass(slots=True)
class Trigger:
    """`view_id` is the modal in which the press was made, if in one."""

    user: str
    at: float
    view_id: str | None
    used: bool = False


@dataclass(slots=True)
class ResponseHook:
    """Where a response_url speaks: `ts` is the message pressed on, `ephemeral` whether only the presser saw it."""

    channel: str
    user: str
    ts: str | None
    at: datetime
    thread_ts: str | None = None
    uses: int = 0


class Tickets:
    def __init__(self, now: Callable[[], datetime], steady: Callable[[], float]) -> None:
        self._now = now
        self._steady = steady
        self._triggers: OrderedDict[str, Trigger] = OrderedDict()
        self._hooks: OrderedDict[str, ResponseHook] = OrderedDict()
        self._sockets: dict[str, float] = {}

    # --- triggers -----------------------------------------------------------------------------------------------

    def trigger(self, user: str, view_id: str | None = None) -> str:
        key = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._triggers[key] = Trigger(user, self._steady(), view_id)
        _bound(self._triggers)
        return key

    def look(self, key: object) -> Trigger:
        """The trigger when it may still be used."""
        found = self._triggers.get(str(key))
        if found is None:
            raise SlackError("invalid_trigger_id")
        if found.used:
            raise SlackError("exchanged_trigger_id")
        if self._steady() - found.at > TRIGGER_FOR:
            raise SlackError("expired_trigger_id")
        return found

    # --- response addresses -------------------------------------------------------------------------------------

    def hook(
        self, channel: str, user: str, ts: str | None = None, thread_ts: str | None = None
    ) -> str:
        key = secrets.token_urlsafe(18)
        self._hooks[key] = ResponseHook(channel, user, ts, self._now(), thread_ts)
        _bound(self._hooks)
        return key

    def hook_of(self, key: str) -> ResponseHook:
        """A hook that was just made, without counting."""
        return self._hooks[key]

    def use_hook(self, key: str) -> ResponseHook:
        """The hook, one use less. SlackError expired_url or used_url when it is over."""
        found = self._hooks.get(key)
        if found is None or self._now() - found.at > RESPONSE_FOR:
            raise SlackError("expired_url")
        if found.uses >= RESPONSE_USES:
            raise SlackError("used_url")
        found.uses += 1
        return found

    # --- sockets ------------------------------------------------------------------------------------------------

    def socket(self) -> str:
        key = secrets.token_urlsafe(24)
        self._sockets[key] = self._steady()
        return key

    def take_socket(self, key: str) -> bool:
        """Whether the ticket was good; it is gone now."""
        issued = self._sockets.pop(key, None)
        return issued is not None and self._steady() - issued <= TICKET_FOR


def _bound(
    kept: OrderedDict[str, object] | OrderedDict[str, Trigger] | OrderedDict[str, ResponseHook],
) -> None:
    while len(kept) > KEPT_MAX:
        kept.popitem(last=False)
