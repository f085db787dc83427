"""People the file names by e-mail only: find their Slack ids, once, and keep them.

Knows whom to ask about and when to ask again. Refuses to know Slack. Serves paging: a person without an id gets no DM.
"""

from __future__ import annotations

import time
from datetime import timedelta

import structlog

from oncall_bot.flows.record_chat import remember_slack_id
from oncall_bot.ports import DeliveryError, Directory
from oncall_bot.store.db import Store

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=1)
STRANGER_FOR = timedelta(minutes=30)
"""How long an address that Slack did not know is not asked about again."""


class SlackIds:
    def __init__(self, store: Store, directory: Directory) -> None:
        self._store = store
        self._directory = directory
        self._strangers: dict[str, float] = {}

    async def run(self) -> None:
        """Ask about everybody whose id is not known yet; stop at the first failure, the next minute goes on."""
        snapshot = self._store.snapshot
        for key, person in snapshot.config.people.items():
            if snapshot.slack_id(key) or not person.email or self._is_stranger(person.email):
                continue
            try:
                slack_id = await self._directory.slack_id(person.email)
            except DeliveryError as error:
                log.warning("directory_failed", person=key, error=str(error)[:200])
                return
            if slack_id:
                await self._store.write(remember_slack_id, key, slack_id)
            else:
                self._strangers[person.email] = time.monotonic()
                log.warning("person_not_in_slack", person=key)

    def _is_stranger(self, email: str) -> bool:
        asked = self._strangers.get(email)
        return asked is not None and time.monotonic() - asked < STRANGER_FOR.total_seconds()
