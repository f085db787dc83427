"""What Slack user groups make people in teams, as Slack told it last.

Knows rows. Refuses to know what a role may. Serves `flows.team_grants`; the snapshot reads them by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, statement, upsert
from oncall_bot.store.transactions import Reader, Tx

GRANT = t.TeamGrant.__table__  # type: ignore[attr-defined]

_ALL = statement(select(GRANT))
_PUT = upsert(GRANT, ("team", "slack_user_id"), ("role", "usergroup", "seen_at"))
_DROP = statement(
    delete(GRANT).where(
        GRANT.c.team == bindparam("of_team"), GRANT.c.slack_user_id == bindparam("of_user")
    )
)
_SEEN = statement(
    update(GRANT).where(GRANT.c.usergroup == bindparam("of_group")).values(seen_at=bindparam("at"))
)


def all_of(reader: Reader) -> list[Row]:
    return reader.all(_ALL)


def put(tx: Tx, rows: Iterable[Mapping[str, Any]]) -> None:
    """Rows of team, slack_user_id, role and usergroup, seen now."""
    tx.many(_PUT, [{**row, "seen_at": tx.now} for row in rows])


def drop(tx: Tx, keys: Iterable[tuple[str, str]]) -> None:
    """These people of these teams are granted nothing any more."""
    tx.many(_DROP, [{"of_team": team, "of_user": user} for team, user in keys])


def seen(tx: Tx, groups: Iterable[str]) -> None:
    """Slack told the members of these groups just now."""
    tx.many(_SEEN, [{"of_group": group, "at": tx.now} for group in groups])
