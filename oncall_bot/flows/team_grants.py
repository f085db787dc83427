"""What the Slack user groups of the file make people in teams: written down as Slack told it, kept while it does not.

Knows which groups the file names and that the highest role counts. Refuses to call Slack: `engine.grant_reader` does.
Serves it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oncall_bot.core.config import Config, Role
from oncall_bot.store import grants, rules
from oncall_bot.store.transactions import Reader, Tx

Granted = dict[tuple[str, str], tuple[Role, str]]
"""(team, Slack user) -> (role, the group it comes from)."""


def groups_named(reader: Reader) -> list[str]:
    """Every user group that some team of the file takes roles from, once."""
    return sorted({group for _, _, group in _named(reader.snapshot.config)})


def read_groups(tx: Tx, members: Mapping[str, Sequence[str]]) -> int:
    """Store who is in each group now; answers how many grants changed.

    A group that is missing in `members` could not be read: what it granted last stays. The snapshot is made stale only
    by a change.
    """
    before: Granted = {
        (row.team, row.slack_user_id): (Role(row.role), row.usergroup) for row in grants.all_of(tx)
    }
    after = _granted(tx.snapshot.config, members, before)
    new = {key: grant for key, grant in after.items() if before.get(key) != grant}
    gone = [key for key in before if key not in after]
    grants.put(
        tx,
        [
            {"team": team, "slack_user_id": user, "role": str(role), "usergroup": group}
            for (team, user), (role, group) in new.items()
        ],
    )
    grants.drop(tx, gone)
    grants.seen(tx, members)
    if new or gone:
        rules.changed(tx)
    return len(new) + len(gone)


def _granted(config: Config, members: Mapping[str, Sequence[str]], before: Granted) -> Granted:
    found: Granted = {}
    for team, role, group in _named(config):
        last = [user for (of, user), (_, by) in before.items() if of == team and by == group]
        for user in members.get(group, last):
            held = found.get((team, user))
            if held is None or held[0].rank < role.rank:
                found[team, user] = (role, group)
    return found


def _named(config: Config) -> list[tuple[str, Role, str]]:
    return [
        (team.key, role, group)
        for team in config.teams.values()
        for role, groups in team.roles.items()
        for group in groups
    ]
