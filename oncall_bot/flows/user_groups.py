"""What became of a team's Slack user group: kept in step, or why not; admins hear of a refusal once.

Knows who belongs into a group now. Refuses to call Slack: `engine.group_keeper` does. Serves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from oncall_bot.core.config import Team
from oncall_bot.flows import notices
from oncall_bot.store import user_groups
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader, Tx

KEPT_FOR = timedelta(hours=1)
"""So long a group is taken to hold what was put there; somebody may have changed it by hand."""
TRIED_AGAIN_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who belongs into a team's group now, by Slack id."""

    team: str
    handle: str
    members: tuple[str, ...]


def out_of_step(reader: Reader) -> list[Wanted]:
    """The groups that hold somebody else than they should, or were not looked at for an hour."""
    teams = [team for team in reader.snapshot.config.teams.values() if team.usergroup]
    if not teams:
        return []
    known = user_groups.all_of(reader)
    wanted = [Wanted(one.key, str(one.usergroup), _members(reader, one)) for one in teams]
    return [one for one in wanted if one.members and _is_due(reader, one, known.get(one.team))]


def _members(reader: Reader, team: Team) -> tuple[str, ...]:
    """Whoever is on call for a schedule of the team; with nobody the fallback, since a group is never empty."""
    snapshot = reader.snapshot
    keys = [
        snapshot.on_call(schedule.key, reader.now)
        for schedule in snapshot.config.schedules.values()
        if schedule.team == team.key
    ]
    fallback = [t.key for t in team.fallback if t.kind == "person"]
    for people in (keys, fallback):
        ids = {slack_id for key in people if key and (slack_id := snapshot.slack_id(key))}
        if ids:
            return tuple(sorted(ids))
    return ()


def _is_due(reader: Reader, wanted: Wanted, row: Row | None) -> bool:
    if row is None or row.handle != wanted.handle:
        return True
    if row.problem is not None:
        return row.tried_at is None or reader.now - row.tried_at >= TRIED_AGAIN_AFTER
    stale = row.tried_at is None or reader.now - row.tried_at >= KEPT_FOR
    return bool(stale) or tuple(row.members) != wanted.members


def kept(tx: Tx, wanted: Wanted) -> None:
    user_groups.put(tx, wanted.team, wanted.handle, wanted.members, tried_at=tx.now)


def refused(tx: Tx, wanted: Wanted, why: str) -> None:
    """The group stays as it is; `/oncall who` says so, and the admins are told once for each outage."""
    row = user_groups.get(tx, wanted.team)
    since = (row.failing_since if row else None) or tx.now
    user_groups.put(
        tx,
        wanted.team,
        wanted.handle,
        row.members if row else (),
        tried_at=tx.now,
        failing_since=since,
        problem=why[:300],
    )
    text = (
        f"@{wanted.handle.lstrip('@')} is not kept in step with who is on call for {wanted.team}: {why}."
        " Paging does not depend on it."
    )
    stamp = int(since.timestamp())
    for admin in notices.whom_to_tell(tx.snapshot):
        notices.tell_person(tx, admin, text, f"user_group:{wanted.team}:{stamp}:{admin}")
