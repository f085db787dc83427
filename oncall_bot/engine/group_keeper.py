"""Teams' Slack user groups, kept in step with who is on call.

Knows when a group is looked at and that a refusal is no fault of paging. Refuses to know Slack and rotas. Several
processes may do it beside each other: whoever puts the same people twice changes nothing.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from oncall_bot.flows.user_groups import kept, out_of_step, refused
from oncall_bot.ports import DeliveryError, UserGroups
from oncall_bot.store.db import Store

log = structlog.get_logger(__name__)

EVERY = timedelta(seconds=30)


class GroupKeeper:
    def __init__(self, store: Store, groups: UserGroups) -> None:
        self._store = store
        self._groups = groups

    async def run(self) -> None:
        """Put right every group that is out of step; stop at trouble that passes, the next look goes on."""
        for wanted in await self._store.view(out_of_step):
            try:
                await self._groups.put(wanted.handle, wanted.members)
            except DeliveryError as error:
                log.warning("user_group_not_kept", team=wanted.team, error=str(error)[:200])
                if not error.permanent:
                    return
                await self._store.write(refused, wanted, str(error))
                continue
            await self._store.write(kept, wanted)
