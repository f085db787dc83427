"""What stands in each team's Slack user group, as far as we put it there, and why it could not be.

Knows rows. Serves the duty that keeps groups in step, and the views that say when they are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select

from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, statement, upsert
from oncall_bot.store.transactions import Reader, Tx

GROUP = t.UserGroup.__table__  # type: ignore[attr-defined]

_GET = statement(select(GROUP).where(GROUP.c.team == bindparam("of_team")))
_ALL = statement(select(GROUP))
_PUT = upsert(GROUP, ("team",), ("handle", "members", "tried_at", "failing_since", "problem"))


def get(tx: Reader, team: str) -> Row | None:
    return tx.first(_GET, of_team=team)


def all_of(tx: Reader) -> dict[str, Row]:
    return {row.team: row for row in tx.all(_ALL)}


def problem_of(tx: Reader, team: str) -> str | None:
    """Why the team's group is not in step, in words for people; None when it is, or was never tried."""
    row = get(tx, team)
    return row.problem if row is not None else None


def put(
    tx: Tx,
    team: str,
    handle: str,
    members: Sequence[str],
    *,
    tried_at: datetime | None,
    failing_since: datetime | None = None,
    problem: str | None = None,
) -> None:
    tx.run(
        _PUT,
        team=team,
        handle=handle,
        members=list(members),
        tried_at=tried_at,
        failing_since=failing_since,
        problem=problem,
    )
