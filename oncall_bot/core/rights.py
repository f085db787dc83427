"""Who somebody is in a team, and what each role may: the one table of rights, and the sentence of a refusal.

Knows roles, teams and what Slack user groups grant. Refuses to know Slack, SQL and details (how long a silence:
`silence_rights`; whose shift: `rota_rights`). Serves every flow that changes something. Guests and people of other
workspaces never come here: the edge turns them away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from oncall_bot.core.config import Config, Role, Team
from oncall_bot.core.outcomes import Actor

Grants = Mapping[str, Mapping[str, Role]]
"""What Slack user groups say: an actor as text -> team -> role."""

NAMES_SHOWN = 2


class Right(StrEnum):
    """What somebody may do; the value is its verb in the audit."""

    LOOK = "look"
    ACKNOWLEDGE = "acknowledge"
    ESCALATE = "escalate"
    HAND_OVER = "hand_over"
    MITIGATE = "mitigate"
    RESOLVE = "resolve"
    NOTE = "note"
    PAGE = "page"
    DECLARE = "declare"
    CHANGE_SEVERITY = "change_severity"
    SILENCE = "silence"
    END_SILENCE = "end_silence"
    JUDGE_RUNBOOK = "judge_runbook"
    RUN_CHECKS = "run_checks"
    PIN = "pin"
    DRAFT = "draft"
    ASK_METRICS = "ask_metrics"
    OWN_ROADS = "own_roads"
    OWN_SHIFTS = "own_shifts"
    OVERRIDE = "override"
    UNDO_COVER = "undo_cover"
    READ_AUDIT = "read_audit"
    MANAGE_TOKENS = "manage_tokens"


@dataclass(frozen=True, slots=True)
class Rule:
    """The least role, the act in words, and whether whoever was paged for the incident may do it in any role."""

    least: Role
    words: str
    paged_too: bool = False


RULES: Mapping[Right, Rule] = {
    Right.LOOK: Rule(Role.VIEWER, "look at incidents, schedules and runbooks"),
    Right.ACKNOWLEDGE: Rule(Role.RESPONDER, "acknowledge incidents", paged_too=True),
    Right.ESCALATE: Rule(Role.RESPONDER, "escalate incidents", paged_too=True),
    Right.HAND_OVER: Rule(Role.RESPONDER, "hand incidents over", paged_too=True),
    Right.MITIGATE: Rule(Role.RESPONDER, "call incidents mitigated", paged_too=True),
    Right.RESOLVE: Rule(Role.RESPONDER, "resolve incidents", paged_too=True),
    Right.NOTE: Rule(Role.RESPONDER, "write into the work log", paged_too=True),
    Right.PAGE: Rule(Role.RESPONDER, "page somebody by hand"),
    Right.DECLARE: Rule(Role.RESPONDER, "declare incidents"),
    Right.CHANGE_SEVERITY: Rule(Role.RESPONDER, "change the severity"),
    Right.SILENCE: Rule(Role.RESPONDER, "silence alerts"),
    Right.END_SILENCE: Rule(Role.RESPONDER, "end silences"),
    Right.JUDGE_RUNBOOK: Rule(Role.RESPONDER, "judge runbooks"),
    Right.RUN_CHECKS: Rule(Role.RESPONDER, "run the checks of runbooks"),
    Right.PIN: Rule(Role.RESPONDER, "pin messages"),
    Right.DRAFT: Rule(Role.RESPONDER, "ask for drafts and decide on them"),
    Right.ASK_METRICS: Rule(Role.RESPONDER, "ask Prometheus"),
    Right.OWN_ROADS: Rule(Role.RESPONDER, "change and test how you are paged"),
    Right.OWN_SHIFTS: Rule(Role.RESPONDER, "ask for cover of your shifts"),
    Right.OVERRIDE: Rule(Role.RESPONDER, "set who is on call"),
    Right.UNDO_COVER: Rule(Role.MANAGER, "undo covers of others"),
    Right.READ_AUDIT: Rule(Role.MANAGER, "read the audit"),
    Right.MANAGE_TOKENS: Rule(Role.ADMIN, "manage API tokens"),
}


@dataclass(frozen=True, slots=True)
class Rights:
    """The file and what user groups grant: everything that decides who may do what."""

    config: Config
    grants: Grants = field(default_factory=dict)

    def role_in(self, actor: Actor, team: str | None) -> Role:
        """The actor's role in the team; without a team the best one anywhere. The bot itself may everything."""
        if actor.kind == "system":
            return Role.ADMIN
        teams = self.config.teams if team is None else (team,)
        named = [role for one in teams if (role := self.named_in(actor, one))]
        return max([self._role_everywhere(actor), *named], key=lambda role: role.rank)

    def named_in(self, actor: Actor, team: str) -> Role | None:
        """What the team itself says of the actor, by its lists in the file or a user group; None when nothing.

        The team's word only ever raises: a member is a responder there, whatever their role elsewhere.
        """
        found, granted = self.config.teams.get(team), self.grants.get(str(actor), {}).get(team)
        said = [granted] if granted else []
        if actor.kind == "person" and found is not None:
            said += [Role.MANAGER] if actor.key in found.managers else []
            said += [Role.RESPONDER] if actor.key in found.members else []
        return max(said, key=lambda role: role.rank) if said else None

    def may(self, actor: Actor, right: Right, team: str | None, *, paged: bool = False) -> bool:
        """Whether the role suffices. `paged`: the actor was paged for the incident, and a page can be answered."""
        rule = RULES[right]
        return (paged and rule.paged_too) or self.role_in(actor, team).rank >= rule.least.rank

    def refusal(self, actor: Actor, right: Right, team: str | None) -> str:
        """Which role is needed, where, and who can give it; for somebody who may not."""
        rule, have = RULES[right], self.role_in(actor, team)
        where = f" in team {team}" if team else ""
        giver = self._who_gives(rule.least, team)
        return (
            f"Your role is {have}{where}; to {rule.words} you need {rule.least}."
            f" Ask {giver} to give it to you."
        )

    def _role_everywhere(self, actor: Actor) -> Role:
        person = self.config.people.get(actor.key) if actor.kind == "person" else None
        return (person.role if person else None) or self.config.default_role

    def _who_gives(self, role: Role, team: str | None) -> str:
        found = self.config.teams.get(team or "")
        managers = _managers(self.config, found) if role is Role.RESPONDER and found else []
        return f"{' or '.join(managers)} or an admin" if managers else "an admin"


def _managers(config: Config, team: Team) -> list[str]:
    return [config.people[key].name for key in team.managers[:NAMES_SHOWN] if key in config.people]
