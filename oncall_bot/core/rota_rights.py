"""Who may change who is on call: by an override at once, or by asking.

Knows which of the roles of `rights` a rota asks for: the team's own people, and those who lead. Refuses to know Slack.
Serves the flows of overrides and covers.
"""

from __future__ import annotations

from oncall_bot.core.config import Config, Role, Team
from oncall_bot.core.outcomes import Actor
from oncall_bot.core.rights import Rights


def may_set(rights: Rights, schedule: str, actor: Actor) -> bool:
    """Whether the actor may put anybody on the schedule at once, and take that back.

    The team of the schedule, its managers, managers and admins may; a schedule without a team is everybody's who
    is in the file or granted a role, and more than a viewer.
    """
    found = rights.config.schedules.get(schedule)
    if found is None:
        return False
    if actor.kind == "system":
        return True
    if found.team is None:
        known = actor.key in rights.config.people or str(actor) in rights.grants
        return known and rights.role_in(actor, None) is not Role.VIEWER
    leads_it = rights.role_in(actor, found.team).rank >= Role.MANAGER.rank
    return leads_it or rights.named_in(actor, found.team) is not None


def leads(rights: Rights, schedule: str) -> frozenset[str]:
    """Who may withdraw and undo what others asked for: the team's managers, managers and admins."""
    team, config = _team(rights.config, schedule), rights.config
    by_role = {p.key for p in config.people.values() if p.role in (Role.ADMIN, Role.MANAGER)}
    if team is None:
        return frozenset(by_role)
    granted = {
        actor.partition(":")[2]
        for actor, roles in rights.grants.items()
        if roles.get(team.key) is Role.MANAGER
    }
    return frozenset(by_role | granted | set(team.managers))


def who_may_set(config: Config, schedule: str) -> str:
    """The same in words, for a refusal."""
    found = config.schedules.get(schedule)
    return f"people of team {found.team}, managers and admins" if found and found.team else "admins"


def may_take(rights: Rights, person: str) -> bool:
    """Whether a person can be on call at all: somebody of the file who is more than a viewer somewhere."""
    known = rights.config.people.get(person)
    if known is None:
        return False
    return rights.role_in(Actor("person", person, known.name), None) is not Role.VIEWER


def mates(rights: Rights, schedule: str, person: str) -> list[str]:
    """Whom to ask when nobody was named: the team of the schedule without the person, else who stands in its file."""
    team = _team(rights.config, schedule)
    keys = team.members if team else tuple(rights.config.people)
    return [key for key in keys if key != person and may_take(rights, key)]


def _team(config: Config, schedule: str) -> Team | None:
    found = config.schedules.get(schedule)
    return config.teams.get((found.team if found else None) or "")
