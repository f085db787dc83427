"""How long and how wide a silence may be, by role: what is held back by mistake wakes nobody.

Knows lengths, matchers and teams. Refuses to know which alerts fire: the flow tells it whose they are. Serves the flows
that silence, the form, and the offers of the talk.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from oncall_bot.core.config import Role
from oncall_bot.core.incidents import SILENCE_MAX, SILENCE_MIN
from oncall_bot.core.matchers import Matcher
from oncall_bot.core.outcomes import Actor
from oncall_bot.core.rights import Rights

LONGEST: Mapping[Role, timedelta] = {
    Role.RESPONDER: timedelta(hours=4),
    Role.MANAGER: timedelta(hours=24),
    Role.ADMIN: SILENCE_MAX,
}
ANCHORS = frozenset({"alertname", "service"})
LENGTHS = "up to 4 hours, a manager up to 24 hours, an admin up to 7 days"
OUT_OF_BOUNDS = "A silence lasts from 5 minutes to 7 days. A longer one belongs into oncall.yaml, under maintenance."


def longest(role: Role) -> timedelta:
    """The longest silence that somebody of this role may set; none for a viewer."""
    return LONGEST.get(role, timedelta(0))


def is_a_length(for_: timedelta) -> bool:
    """Whether anybody at all may silence for so long."""
    return SILENCE_MIN <= for_ <= SILENCE_MAX


def too_long(role: Role, for_: timedelta) -> str | None:
    """Why somebody of this role may not silence for so long, and what they may; None when they may."""
    if for_ <= longest(role):
        return None
    return f"A {role} may silence {LENGTHS}."


def too_wide(
    rights: Rights,
    actor: Actor,
    team: str | None,
    matchers: Sequence[Matcher],
    held_teams: Collection[str],
) -> str | None:
    """Why the actor may not silence by these matchers, and what they may; None when they may.

    `held_teams`: whose alerts that fire now the matchers hold. A responder names the alert or the service and one
    label more, a manager what they like; neither holds back what other teams wait for. An admin may anything.
    """
    role = rights.role_in(actor, team)
    if role is Role.ADMIN:
        return None
    if role is not Role.MANAGER and not _is_narrow(matchers):
        return (
            "A responder's silence names the alert or the service and one label more; this one is wider."
            " A manager may set it."
        )
    foreign = sorted(one for one in held_teams if not _is_own(rights, actor, role, team, one))
    if foreign:
        return (
            f"That would hold back alerts of team {', '.join(foreign[:3])} that fire now."
            " Ask somebody there, or an admin."
        )
    return None


def _is_narrow(matchers: Sequence[Matcher]) -> bool:
    pinned = {matcher.name for matcher in matchers if matcher.op == "="}
    return bool(pinned & ANCHORS) and len(pinned) > 1


def _is_own(rights: Rights, actor: Actor, role: Role, team: str | None, other: str) -> bool:
    if role is Role.MANAGER:
        return rights.role_in(actor, other).rank >= Role.MANAGER.rank
    return other == team or rights.named_in(actor, other) is not None
