"""Who is in the Slack user groups that grant roles in teams, read again and again.

Knows when to look, and that a group which cannot be read keeps what it granted last. Refuses to know Slack and rights.
Several processes may do it beside each other: whoever stores the same people twice changes nothing.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from oncall_bot.flows.team_grants import groups_named, read_groups
from oncall_bot.ports import DeliveryError, GroupMembers
from oncall_bot.store.db import Store

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=10)


class GrantReader:
    def __init__(self, store: Store, groups: GroupMembers) -> None:
        self._store = store
        self._groups = groups

    async def run(self) -> None:
        """Read every group the file names; what changed is in force for the next decision."""
        found = {}
        for group in await self._store.view(groups_named):
            try:
                found[group] = await self._groups.members(group)
            except DeliveryError as error:
                log.warning("team_grants_not_read", group=group, error=str(error)[:200])
        changed = await self._store.write(read_groups, found)
        if changed:
            log.info("team_grants_changed", grants=changed)
