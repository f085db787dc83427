"""Who may change who is on call: by an override at once, or by asking.

Knows roles and teams. Refuses to know Slack; guests and viewers are turned away before this is asked.
Serves the flows of overrides and covers.
"""

from __future__ import annotations

from oncall_bot.core.config import Config, Role


def may_set(config: Config, schedule: str, person: str) -> bool:
    """Whether the person may put anybody on the schedule at once, and take that back.

    The team of the schedule, its managers, managers and admins may; a schedule without a team is everybody's who
    is in the file.
    """
    found, known = config.schedules.get(schedule), config.people.get(person)
    if found is None or known is None or known.role is Role.VIEWER:
        return False
    if known.role in (Role.ADMIN, Role.MANAGER):
        return True
    team = config.teams.get(found.team or "")
    return team is None or person in (*team.members, *team.managers)


def leads(config: Config, schedule: str) -> frozenset[str]:
    """Who may withdraw and undo what others asked for: the team's managers, managers and admins."""
    found = config.schedules.get(schedule)
    team = config.teams.get((found.team if found else None) or "")
    by_role = {p.key for p in config.people.values() if p.role in (Role.ADMIN, Role.MANAGER)}
    return frozenset(by_role | set(team.managers if team else ()))


def who_may_set(config: Config, schedule: str) -> str:
    """The same in words, for a refusal."""
    found = config.schedules.get(schedule)
    return f"people of team {found.team}, managers and admins" if found and found.team else "admins"


def may_take(config: Config, person: str) -> bool:
    """Whether a person can be on call at all: somebody of the file who is more than a viewer."""
    known = config.people.get(person)
    return known is not None and known.role is not Role.VIEWER


def mates(config: Config, schedule: str, person: str) -> list[str]:
    """Whom to ask when nobody was named: the team of the schedule without the person, else who stands in its file."""
    found = config.schedules.get(schedule)
    team = config.teams.get((found.team if found else None) or "")
    keys = team.members if team else tuple(config.people)
    return [key for key in keys if key != person and may_take(config, key)]
