"""Runbooks in SQL: versions, sections, and which ones an incident was given or offered.

Knows rows. Refuses to parse Markdown and to choose. Serves `flows.import_runbooks`, `open_incident` and the views.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select, update

from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, Statement, insert_of, locking, statement, upsert
from oncall_bot.store.transactions import Reader, Tx

RUNBOOK, VERSION = t.Runbook.__table__, t.RunbookVersion.__table__  # type: ignore[attr-defined]
SECTION = t.Section.__table__  # type: ignore[attr-defined]
MATCH = t.RunbookMatch.__table__  # type: ignore[attr-defined]
META = t.Meta.__table__  # type: ignore[attr-defined]

ATTACHED, POSSIBLE, WITHDRAWN = "attached", "possible", "withdrawn"
MATCHES_MAX = 20

_MATCH = upsert(
    MATCH, ("group_id", "runbook_id"), ("incident_id", "how", "score", "why", "standing")
)
_OF_INCIDENT = statement(
    select(
        RUNBOOK.c.id,
        RUNBOOK.c.source,
        RUNBOOK.c.slug,
        MATCH.c.how,
        MATCH.c.score,
        MATCH.c.why,
        VERSION.c.text,
        VERSION.c.sha256,
        VERSION.c.document,
    )
    .select_from(
        MATCH.join(RUNBOOK, RUNBOOK.c.id == MATCH.c.runbook_id).join(
            VERSION, VERSION.c.id == RUNBOOK.c.version_id
        )
    )
    .where(MATCH.c.incident_id == bindparam("incident_id"), MATCH.c.standing == ATTACHED)
    .order_by(MATCH.c.id)
    .limit(1)
)
_MATCH_OF = statement(
    select(MATCH.c.group_id, MATCH.c.how, MATCH.c.score, MATCH.c.standing)
    .where(
        MATCH.c.incident_id == bindparam("incident_id"),
        MATCH.c.runbook_id == bindparam("of_runbook"),
    )
    .order_by(MATCH.c.id)
    .limit(1)
)
_MATCHES = statement(
    select(MATCH.c.runbook_id.label("id"), MATCH.c.score, MATCH.c.why, MATCH.c.standing)
    .where(MATCH.c.incident_id == bindparam("incident_id"))
    .order_by(MATCH.c.score.desc(), MATCH.c.id)
    .limit(MATCHES_MAX)
)
_STAND = statement(
    update(MATCH)
    .where(
        MATCH.c.incident_id == bindparam("incident_id"),
        MATCH.c.runbook_id == bindparam("of_runbook"),
    )
    .values(standing=bindparam("new_standing"))
)
_ALL = statement(
    select(
        RUNBOOK.c.id,
        RUNBOOK.c.slug,
        RUNBOOK.c.version_id,
        RUNBOOK.c.archived_at,
        VERSION.c.sha256,
        (RUNBOOK.c.searched_id == RUNBOOK.c.version_id).label("is_searched"),
    )
    .select_from(RUNBOOK.outerjoin(VERSION, VERSION.c.id == RUNBOOK.c.version_id))
    .where(RUNBOOK.c.source == bindparam("from_source"))
)
_ALONE = Statement(lambda dialect: locking(select(META.c.id), dialect))
_INSERT = insert_of(RUNBOOK, "id", "source", "slug", archived_at=None)
_INSERT_VERSION = insert_of(
    VERSION, "id", "runbook_id", "n", "sha256", "text", "document", "imported_at"
)
_POINT = statement(
    update(RUNBOOK)
    .where(RUNBOOK.c.id == bindparam("runbook_id"))
    .values(version_id=bindparam("version"), archived_at=None)
)
_SAME_TEXT = statement(
    select(VERSION.c.id).where(
        VERSION.c.runbook_id == bindparam("runbook_id"), VERSION.c.sha256 == bindparam("sha")
    )
)
_NEWEST = statement(
    select(VERSION.c.n)
    .where(VERSION.c.runbook_id == bindparam("runbook_id"))
    .order_by(VERSION.c.n.desc())
    .limit(1)
)
_ARCHIVE = statement(
    update(RUNBOOK)
    .where(RUNBOOK.c.id == bindparam("runbook_id"))
    .values(archived_at=bindparam("at"))
)
_INSERT_SECTION = insert_of(SECTION, "id", "runbook_version_id", "n", "heading", "text")
_KEEP_PAGE = statement(
    update(VERSION).where(VERSION.c.id == bindparam("version")).values(page=bindparam("plain"))
)
_SEARCHED = statement(
    update(RUNBOOK)
    .where(RUNBOOK.c.id == bindparam("runbook_id"))
    .values(searched_id=bindparam("version"))
)
_SECTIONS = statement(
    select(SECTION.c.id, SECTION.c.n)
    .where(SECTION.c.runbook_version_id == bindparam("version"))
    .order_by(SECTION.c.n)
)
_OWNER = statement(select(VERSION.c.runbook_id).where(VERSION.c.id == bindparam("version")))


def attach(
    tx: Tx,
    group_id: int,
    incident_id: int,
    runbook_id: int,
    how: str,
    score: float,
    why: str,
    *,
    standing: str = ATTACHED,
) -> None:
    """The incident has this runbook; with `standing=POSSIBLE` it is only offered."""
    tx.run(
        _MATCH,
        group_id=group_id,
        incident_id=incident_id,
        runbook_id=runbook_id,
        how=how,
        score=score,
        why=why[:500],
        standing=standing,
    )


def stand(tx: Tx, incident_id: int, runbook_id: int, standing: str) -> bool:
    """What was attached or possible is so no longer, or again. False when it was neither."""
    return tx.run(_STAND, incident_id=incident_id, of_runbook=runbook_id, new_standing=standing) > 0


def of_incident(tx: Reader, incident_id: int) -> Row | None:
    """The runbook the incident was given first, as it stands now, and why."""
    return tx.first(_OF_INCIDENT, incident_id=incident_id)


def match_of(tx: Reader, incident_id: int, runbook_id: int) -> Row | None:
    """How this runbook came to the incident, whatever became of it."""
    return tx.first(_MATCH_OF, incident_id=incident_id, of_runbook=runbook_id)


def matches(tx: Reader, incident_id: int) -> Sequence[Row]:
    """Every runbook (id, score, why, standing) the incident was given or offered, best first."""
    return tx.all(_MATCHES, incident_id=incident_id)


def offered(tx: Reader, incident_id: int) -> list[Row]:
    """Those that are possible."""
    return [row for row in matches(tx, incident_id) if row.standing == POSSIBLE]


def alone(tx: Tx) -> None:
    """Until the commit no other process takes runbooks in: two that start together would write the same rows."""
    tx.first(_ALONE)


def known(tx: Reader, source: str) -> dict[str, Row]:
    """By slug: every runbook of that source, archived ones too."""
    return {row.slug: row for row in tx.all(_ALL, from_source=source)}


def add_version(
    tx: Tx,
    source: str,
    slug: str,
    known_id: int | None,
    *,
    sha256: str,
    text: str,
    document: Mapping[str, Any],
) -> int:
    """The runbook stands at this text now; a text it had before is taken up again. Answers the version's id."""
    runbook_id = known_id
    if runbook_id is None:
        runbook_id = int(tx.new_ids("runbook", 1)[0])
        tx.run(_INSERT, id=runbook_id, source=source, slug=slug)
    version = tx.scalar(_SAME_TEXT, runbook_id=runbook_id, sha=sha256)
    if version is None:
        version = int(tx.new_ids("runbook_version", 1)[0])
        number = int(tx.scalar(_NEWEST, runbook_id=runbook_id) or 0) + 1
        tx.run(
            _INSERT_VERSION,
            id=version,
            runbook_id=runbook_id,
            n=number,
            sha256=sha256,
            text=text,
            document=dict(document),
            imported_at=tx.now,
        )
        _add_sections(tx, version, document)
    tx.run(_POINT, runbook_id=runbook_id, version=version)
    return int(version)


def _add_sections(tx: Tx, version: int, document: Mapping[str, Any]) -> None:
    sections = document["sections"]
    ids = tx.new_ids("section", len(sections))
    tx.many(
        _INSERT_SECTION,
        [
            {
                "id": id_,
                "runbook_version_id": version,
                "n": n,
                "heading": s["heading"],
                "text": s["text"],
            }
            for n, (id_, s) in enumerate(zip(ids, sections, strict=True))
        ],
    )


def keep_page(tx: Tx, runbook_id: int, version: int, plain: Mapping[str, Any]) -> None:
    """What the search knows of this version; its words are in the postings."""
    tx.run(_KEEP_PAGE, version=version, plain=dict(plain))
    tx.run(_SEARCHED, runbook_id=runbook_id, version=version)


def archive(tx: Tx, runbook_id: int) -> None:
    tx.run(_ARCHIVE, runbook_id=runbook_id, at=tx.now)


def sections_of(tx: Reader, version: int) -> list[int]:
    """The ids of the version's sections, in order."""
    return [row.id for row in tx.all(_SECTIONS, version=version)]


def runbook_of_version(tx: Reader, version: int) -> int:
    return int(tx.one(_OWNER, version=version).runbook_id)
