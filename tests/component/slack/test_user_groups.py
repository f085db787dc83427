"""Slack's user groups by its own rules, from a strict stand-in."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from oncall_bot.ports import DeliveryError
from oncall_bot.slack.user_groups import SlackUserGroups


async def test_the_group_holds_exactly_those_put_in(slack: Any, client: AsyncWebClient) -> None:
    alice, bob = (slack.ws.user(name)["id"] for name in ("alice", "bob"))
    groups = SlackUserGroups(client)
    await groups.put("@oncall-sre", [alice, bob])
    await groups.put("oncall-sre", [bob])
    found: Any = await client.usergroups_list(include_users=True)
    members = {one["handle"]: one["users"] for one in found["usergroups"]}
    assert members["oncall-sre"] == [bob]


async def test_a_group_that_is_not_there_is_said_in_words(
    slack: Any, client: AsyncWebClient
) -> None:
    with pytest.raises(DeliveryError, match="Slack has no user group @nobody") as raised:
        await SlackUserGroups(client).put("nobody", ["U1"])
    assert raised.value.permanent


@pytest.mark.parametrize(
    ("error", "why", "permanent"),
    [
        ("plan_upgrade_required", "paid plan", True),
        ("permission_denied", "only its own admins", True),
        ("missing_scope", "usergroups:write", True),
        ("internal_error", "Slack has trouble", False),
    ],
)
async def test_a_refusal_says_why(
    slack: Any,
    client: AsyncWebClient,
    error: str,
    why: str,
    permanent: bool,
) -> None:
    await slack.act_fault("error", "usergroups.users.update", times=1, error=error)
    with pytest.raises(DeliveryError, match=why) as raised:
        await SlackUserGroups(client).put("oncall-sre", [slack.ws.user("bob")["id"]])
    assert raised.value.permanent is permanent
