"""Slack user groups: a mention such as @oncall-shop that reaches whoever is on call, and who is in a group that grants.

Knows the three calls and what a refusal means for people. Refuses to know who is on call and what a group grants.
Serves engine as `ports.UserGroups` and `ports.GroupMembers`. Not tried against a real workspace; free plans have none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from oncall_bot.ports import DeliveryError
from oncall_bot.slack.refusals import NETWORK, delivery_error, error_of

_GROUP_ID = re.compile(r"S[A-Z0-9]{5,20}")

WHY = {
    "plan_upgrade_required": "user groups need a paid plan of Slack",
    "paid_teams_only": "user groups need a paid plan of Slack",
    "permission_denied": "this workspace lets only its own admins change user groups",
    "restricted_action": "this workspace lets only its own admins change user groups",
    "missing_scope": "the Slack app lacks the scope usergroups:write; install it anew from its manifest",
    "not_allowed_token_type": "the Slack app may not change user groups",
    "invalid_users": "one of the people is not a full member of the workspace",
    "access_denied": "the Slack app may not read user groups; install it anew from its manifest",
    "no_such_subteam": "the group is gone",
    "subteam_not_found": "the group is gone",
}


class SlackUserGroups:
    """Finds a group by its handle once, puts people into it, and reads who is in it."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._ids: dict[str, str] = {}

    async def put(self, handle: str, members: Sequence[str]) -> None:
        try:
            group = await self._id_of(handle)
            call = self._client.usergroups_users_update(usergroup=group, users=list(members))
            await call
        except SlackApiError as error:
            raise self._refused(handle, error) from error
        except NETWORK as error:
            raise delivery_error(error) from error

    async def members(self, group: str) -> tuple[str, ...]:
        """Who is in the group with that handle or id."""
        try:
            group_id = await self._id_of(group)
            answer: Any = await self._client.usergroups_users_list(usergroup=group_id)
        except SlackApiError as error:
            raise self._refused(group, error) from error
        except NETWORK as error:
            raise delivery_error(error) from error
        return tuple(str(user) for user in answer.get("users") or ())

    def _refused(self, group: str, error: SlackApiError) -> DeliveryError:
        self._ids.pop(group.lstrip("@"), None)
        why = WHY.get(error_of(error))
        return delivery_error(error) if why is None else DeliveryError(why, permanent=True)

    async def _id_of(self, group: str) -> str:
        bare = group.lstrip("@")
        if _GROUP_ID.fullmatch(bare):
            return bare
        if bare not in self._ids:
            answer: Any = await self._client.usergroups_list()
            self._ids = {str(g["handle"]): str(g["id"]) for g in answer.get("usergroups") or ()}
        if bare not in self._ids:
            raise DeliveryError(
                f"Slack has no user group @{bare[:60]}; make it there once", permanent=True
            )
        return self._ids[bare]
