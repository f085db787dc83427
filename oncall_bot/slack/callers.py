"""Who is asking: the person behind a press, a command or a message, or why we do not know them as one of us.

Knows guests, deactivated users and people of other workspaces, who may change nothing. Refuses to know roles: the flow
behind each press asks `core.rights`. Serves every listener of this room.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from oncall_bot.core.config import Config, Person
from oncall_bot.core.outcomes import Actor
from oncall_bot.slack import answers
from oncall_bot.slack.blocks import Drawn
from oncall_bot.slack.refusals import NETWORK, error_of

log = structlog.get_logger(__name__)

KNOWN_FOR, KNOWN_MAX, ASK_MAX = 600.0, 5000, 1.0


@dataclass(frozen=True, slots=True)
class Profile:
    """What Slack says about a user, as far as rights and times go."""

    slack_id: str
    name: str
    team_id: str
    guest: bool
    gone: bool
    bot: bool
    zone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may act, or `refusal`: what to tell them instead."""

    slack_id: str
    actor: Actor
    person: Person | None = None
    zone: str = "UTC"
    refusal: Drawn | None = None


class People(Protocol):
    """Who the file knows, by Slack id; the snapshot in force behind it."""

    def by_slack(self, slack_id: str) -> Person | None: ...

    @property
    def config(self) -> Config: ...


class Callers:
    """Resolves Slack users. Slack is asked at most once in ten minutes for each, and never waited for over 1 s.

    A person of the file whom Slack cannot describe just now may act: paging must work while Slack limps. A stranger
    may not.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        people: People,
        team_id: str,
        *,
        remember: Callable[[str, str], Any] = lambda key, slack_id: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._people = people
        self._team_id = team_id
        self._remember = remember
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Profile]] = OrderedDict()

    async def who(self, slack_id: str, *, team_id: str | None = None, name: str = "") -> Caller:
        """The caller behind a Slack user id; `team_id` as the payload says it, when it does."""
        person = self._people.by_slack(slack_id)
        if team_id and self._team_id and team_id != self._team_id:
            return self._refused(slack_id, name, answers.outsider())
        profile = await self._profile(slack_id)
        if profile is None:
            if person is None:
                return self._refused(slack_id, name, answers.unknown_person())
            return Caller(slack_id, _actor(person), person, person.zone or "UTC")
        if self._is_outside(profile):
            return self._refused(slack_id, profile.name, answers.outsider())
        person = person or self._by_email(profile)
        if person is None:
            actor = Actor("slack", slack_id, profile.name)
            return Caller(slack_id, actor, None, profile.zone or "UTC")
        zone = person.zone or profile.zone or "UTC"
        return Caller(slack_id, _actor(person), person, zone)

    def _refused(self, slack_id: str, name: str, why: Drawn) -> Caller:
        return Caller(slack_id, Actor("slack", slack_id, name or slack_id), refusal=why)

    def _is_outside(self, profile: Profile) -> bool:
        elsewhere = bool(profile.team_id and self._team_id) and profile.team_id != self._team_id
        return profile.guest or profile.gone or profile.bot or elsewhere

    def _by_email(self, profile: Profile) -> Person | None:
        """A person of the file whose Slack id nobody knew yet; the match is remembered."""
        if not profile.email:
            return None
        mail = profile.email.casefold()
        for person in self._people.config.people.values():
            if person.slack is None and (person.email or "").casefold() == mail:
                self._remember(person.key, profile.slack_id)
                return person
        return None

    async def _profile(self, slack_id: str) -> Profile | None:
        found = self._known.get(slack_id)
        if found and self._clock() - found[0] < KNOWN_FOR:
            return found[1]
        try:
            answer: Any = await asyncio.wait_for(self._client.users_info(user=slack_id), ASK_MAX)
        except SlackApiError as error:
            log.info("slack_user_unknown", user=slack_id, error=error_of(error))
            return found[1] if found else None
        except NETWORK:
            return found[1] if found else None
        profile = profile_of(answer["user"])
        self._known[slack_id] = (self._clock(), profile)
        self._known.move_to_end(slack_id)
        while len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        return profile


def _actor(person: Person) -> Actor:
    return Actor("person", person.key, person.name)


def profile_of(user: Mapping[str, Any]) -> Profile:
    """The parts of users.info that matter here."""
    shown = user.get("profile") or {}
    names = (
        shown.get("real_name"),
        user.get("real_name"),
        shown.get("display_name"),
        user.get("name"),
    )
    return Profile(
        slack_id=str(user["id"]),
        name=next((str(name) for name in names if name), str(user["id"]))[:80],
        team_id=str(user.get("team_id") or ""),
        guest=any(
            user.get(flag) for flag in ("is_restricted", "is_ultra_restricted", "is_stranger")
        ),
        gone=bool(user.get("deleted")),
        bot=bool(user.get("is_bot")),
        zone=user.get("tz"),
        email=shown.get("email"),
    )
