"""Page runs and pages in SQL: where each paging stands, and who was paged why.

Knows rows of (incident, policy) and of (run, epoch, round, step, target). Refuses to decide: `core.escalation` does.
Serves `flows.paging`, acknowledge, escalate and the views that answer "why".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, func, select, update

from oncall_bot.core.escalation import Run, Stage, Status
from oncall_bot.core.incidents import Status as IncidentStatus
from oncall_bot.store import tables as t
from oncall_bot.store.statements import (
    Row,
    Statement,
    any_of,
    insert_of,
    locking,
    one_of,
    statement,
    upsert,
)
from oncall_bot.store.transactions import Reader, Tx

RUN, PAGE = t.PageRun.__table__, t.Page.__table__  # type: ignore[attr-defined]
INCIDENT = t.Incident.__table__  # type: ignore[attr-defined]
POLICY, POLICY_VERSION = t.Policy.__table__, t.PolicyVersion.__table__  # type: ignore[attr-defined]

_OPEN_OF = Statement(
    lambda dialect: locking(
        select(RUN)
        .where(RUN.c.incident_id == bindparam("incident_id"), RUN.c.state != "done")
        .order_by(RUN.c.id),
        dialect,
    )
)
_LOCK = Statement(
    lambda dialect: locking(select(RUN).where(RUN.c.id == bindparam("run_id")), dialect)
)
_INCIDENT_OF = statement(select(RUN.c.incident_id).where(RUN.c.id == bindparam("run_id")))
_ALL_OF = statement(
    select(RUN).where(RUN.c.incident_id == bindparam("incident_id")).order_by(RUN.c.id)
)
_INSERT = insert_of(
    RUN,
    "id",
    "incident_id",
    "policy_key",
    "policy_version_id",
    "targets",
    "state",
    "epoch",
    "reason",
    round=0,
    step=0,
    stage="step",
)
_SAVE = statement(
    update(RUN)
    .where(RUN.c.id == bindparam("run_id"))
    .values(
        state=bindparam("new_state"),
        epoch=bindparam("new_epoch"),
        round=bindparam("new_round"),
        step=bindparam("new_step"),
        stage=bindparam("new_stage"),
        round_started_at=bindparam("began_at"),
        acked_by=bindparam("holder"),
        reason=bindparam("why"),
    )
)
_PAGED = statement(
    update(RUN).where(RUN.c.id == bindparam("run_id")).values(last_paged_at=bindparam("at"))
)
_INSERT_PAGE = upsert(
    PAGE,
    ("run_id", "epoch", "round", "step", "target"),
    also=("id", "incident_id", "person", "reason", "decided_at"),
)
_HAS_PAGE = statement(
    select(PAGE.c.id).where(
        PAGE.c.run_id == bindparam("run_id"),
        PAGE.c.epoch == bindparam("in_epoch"),
        PAGE.c.round == bindparam("in_round"),
        PAGE.c.step == bindparam("in_step"),
        PAGE.c.target == bindparam("of_target"),
    )
)
_PAGES = statement(
    select(PAGE)
    .where(PAGE.c.incident_id == bindparam("incident_id"))
    .order_by(PAGE.c.id)
    .limit(bindparam("limit"))
)
_STANDING = (
    select(
        PAGE.c.id,
        PAGE.c.incident_id,
        PAGE.c.person,
        PAGE.c.epoch,
        RUN.c.epoch.label("run_epoch"),
        RUN.c.state.label("run_state"),
        INCIDENT.c.status,
        INCIDENT.c.silence_id,
        INCIDENT.c.severity,
        INCIDENT.c.urgency,
        INCIDENT.c.opened_at,
    )
    .join(RUN, RUN.c.id == PAGE.c.run_id)
    .join(INCIDENT, INCIDENT.c.id == PAGE.c.incident_id)
    .order_by(PAGE.c.id)
)
_STANDING_OF = statement(_STANDING.where(any_of(PAGE.c.id, "page_ids")))
_STANDING_IN = statement(_STANDING.where(PAGE.c.bundle_id == bindparam("message_id")))
_GET_PAGE = statement(select(PAGE).where(PAGE.c.id == bindparam("page_id")))
_ANSWERED = statement(
    update(PAGE)
    .where(
        PAGE.c.incident_id == bindparam("of_incident"),
        PAGE.c.person == bindparam("by_person"),
        PAGE.c.answered_at.is_(None),
    )
    .values(answered_at=bindparam("at"), answered_by=bindparam("road"))
)
_REACHED = statement(
    select(func.count().label("pages")).where(
        PAGE.c.run_id == bindparam("run_id"),
        PAGE.c.epoch == bindparam("in_epoch"),
        PAGE.c.round == bindparam("in_round"),
    )
)
_ASKS = statement(
    select(PAGE.c.id)
    .join(RUN, RUN.c.id == PAGE.c.run_id)
    .where(
        PAGE.c.incident_id == bindparam("of_incident"),
        PAGE.c.person == bindparam("of_person"),
        PAGE.c.answered_at.is_(None),
        PAGE.c.epoch == RUN.c.epoch,
        one_of(RUN.c.state, ["waiting", "running", "asked"]),
    )
    .limit(1)
)
_WAS_PAGED = statement(
    select(PAGE.c.id)
    .where(PAGE.c.incident_id == bindparam("of_incident"), PAGE.c.person == bindparam("of_person"))
    .limit(1)
)
_PAGES_OF_PERSON = statement(
    select(func.count().label("pages")).where(
        PAGE.c.person == bindparam("of_person"), PAGE.c.decided_at > bindparam("since")
    )
)
_POLICY_ID = statement(select(POLICY.c.id).where(POLICY.c.key == bindparam("policy_key")))
_VERSION = statement(
    select(POLICY_VERSION.c.id)
    .where(POLICY_VERSION.c.policy_id == bindparam("policy_id"))
    .order_by(POLICY_VERSION.c.id.desc())
    .limit(1)
)


def run_of(row: Row) -> Run:
    """The machine's state as it is stored."""
    return Run(
        status=Status(row.state),
        epoch=row.epoch,
        round=row.round,
        step=row.step,
        stage=Stage(row.stage),
        round_started_at=row.round_started_at,
        acked_by=row.acked_by,
    )


def open_of(tx: Reader, incident_id: int) -> list[Row]:
    """The incident's runs that are not over, locked."""
    return tx.all(_OPEN_OF, incident_id=incident_id)


def all_of(tx: Reader, incident_id: int) -> list[Row]:
    return tx.all(_ALL_OF, incident_id=incident_id)


def lock(tx: Tx, run_id: int) -> Row | None:
    return tx.first(_LOCK, run_id=run_id)


def incident_of(tx: Reader, run_id: int) -> int | None:
    found = tx.scalar(_INCIDENT_OF, run_id=run_id)
    return int(found) if found is not None else None


def insert(
    tx: Tx,
    incident_id: int,
    policy_key: str,
    run: Run,
    reason: str,
    targets: list[str] | None = None,
) -> int:
    run_id = int(tx.new_ids("page_run", 1)[0])
    policy_id = tx.scalar(_POLICY_ID, policy_key=policy_key)
    version = tx.scalar(_VERSION, policy_id=policy_id) if policy_id is not None else None
    tx.run(
        _INSERT,
        id=run_id,
        incident_id=incident_id,
        policy_key=policy_key,
        policy_version_id=version,
        targets=targets,
        state=str(run.status),
        epoch=run.epoch,
        reason=reason,
    )
    return run_id


def save(tx: Tx, run_id: int, run: Run, reason: str) -> None:
    tx.run(
        _SAVE,
        run_id=run_id,
        new_state=str(run.status),
        new_epoch=run.epoch,
        new_round=run.round,
        new_step=run.step,
        new_stage=str(run.stage),
        began_at=run.round_started_at,
        holder=run.acked_by,
        why=reason,
    )


def paged(tx: Tx, run_id: int) -> None:
    tx.run(_PAGED, run_id=run_id, at=tx.now)


def insert_page(
    tx: Tx,
    run: Row | Any,
    position: tuple[int, int, int],
    target: str,
    person: str | None,
    reason: Mapping[str, Any],
) -> int | None:
    """A page for (epoch, round, step) and target; None when it was decided before."""
    epoch, round_, step = position
    key = {"in_epoch": epoch, "in_round": round_, "in_step": step, "of_target": target}
    if tx.first(_HAS_PAGE, run_id=run.id, **key) is not None:
        return None
    page_id = int(tx.new_ids("page", 1)[0])
    tx.run(
        _INSERT_PAGE,
        id=page_id,
        run_id=run.id,
        incident_id=run.incident_id,
        epoch=epoch,
        round=round_,
        step=step,
        target=target,
        person=person,
        reason=dict(reason),
        decided_at=tx.now,
    )
    return page_id


def pages(tx: Reader, incident_id: int, *, limit: int = 200) -> list[Row]:
    return tx.all(_PAGES, incident_id=incident_id, limit=limit)


def page(tx: Reader, page_id: int) -> Row | None:
    return tx.first(_GET_PAGE, page_id=page_id)


def standing(tx: Reader, page_ids: Sequence[int]) -> list[Row]:
    """These pages with what became of their runs and incidents, oldest first."""
    return tx.all(_STANDING_OF, page_ids=sorted(page_ids))


def standing_in(tx: Reader, message_id: int) -> list[Row]:
    """As `standing`, of the pages that one Slack message shows."""
    return tx.all(_STANDING_IN, message_id=message_id)


def is_asked(standing: Row) -> bool:
    """Whether somebody still has to answer this page: its incident fires, and nothing overtook it."""
    over = standing.run_epoch > standing.epoch or standing.run_state == Status.DONE
    return fires(standing) and not over


def fires(standing: Row) -> bool:
    """Whether nobody has the page's incident, and nothing holds it back."""
    return bool(standing.status == IncidentStatus.OPEN and standing.silence_id is None)


def answered(tx: Tx, incident_id: int, person: str, road: str) -> None:
    """Every unanswered page of the person for this incident is answered now."""
    tx.run(_ANSWERED, of_incident=incident_id, by_person=person, at=tx.now, road=road)


def reached(tx: Reader, run_id: int, epoch: int, round_: int) -> bool:
    """Whether anybody was paged in this round."""
    return bool(tx.scalar(_REACHED, run_id=run_id, in_epoch=epoch, in_round=round_))


def asks(tx: Reader, incident_id: int, person: str) -> bool:
    """Whether a run that nobody has answered is paging this person for the incident now."""
    return tx.first(_ASKS, of_incident=incident_id, of_person=person) is not None


def was_paged(tx: Reader, incident_id: int, person: str) -> bool:
    """Whether this person was ever paged for the incident."""
    return tx.first(_WAS_PAGED, of_incident=incident_id, of_person=person) is not None


def pages_of(tx: Reader, person: str, since: Any) -> int:
    return int(tx.scalar(_PAGES_OF_PERSON, of_person=person, since=since) or 0)
