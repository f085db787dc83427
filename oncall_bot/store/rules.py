"""What may be in force, in SQL: revisions of the file, identities, and the number that makes snapshots stale.

Knows rows of config and identity. Refuses to read YAML. Serves `flows.apply_config` and whoever changes what a
snapshot holds: each of those writes calls `changed` in the same transaction.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import bindparam, select, update

from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, Statement, insert_of, locking, statement, upsert
from oncall_bot.store.transactions import Reader, Tx
from oncall_bot.store.types import Json

REVISION, NUMBER = t.ConfigRevision.__table__, t.SnapshotRevision.__table__  # type: ignore[attr-defined]
META, PERSON, SOURCE = t.Meta.__table__, t.Person.__table__, t.Source.__table__  # type: ignore[attr-defined]
POLICY, POLICY_VERSION = t.Policy.__table__, t.PolicyVersion.__table__  # type: ignore[attr-defined]
SCHEDULE_VERSION = t.ScheduleVersion.__table__  # type: ignore[attr-defined]
NAMED: Mapping[str, Any] = {
    "teams": t.Team.__table__,  # type: ignore[attr-defined]
    "people": PERSON,
    "services": t.Service.__table__,  # type: ignore[attr-defined]
    "schedules": t.Schedule.__table__,  # type: ignore[attr-defined]
    "policies": POLICY,
    "sources": SOURCE,
    "routes": t.Route.__table__,  # type: ignore[attr-defined]
}

_RAISE = statement(update(NUMBER).values(n=NUMBER.c.n + 1))
_INSERT_REVISION = insert_of(REVISION, "id", "sha256", "document", "applied_by", "applied_at")
_LATEST = statement(
    select(REVISION.c.id, REVISION.c.sha256, REVISION.c.applied_by, REVISION.c.document)
    .order_by(REVISION.c.id.desc())
    .limit(1)
)
_HAS_SHA = statement(select(REVISION.c.id).where(REVISION.c.sha256 == bindparam("sha")).limit(1))
_KEYS: dict[str, Statement] = {
    kind: statement(select(table.c.id, table.c.key, table.c.archived_at))
    for kind, table in NAMED.items()
}
_NAME: dict[str, Statement] = {
    kind: upsert(table, ("key",), ("revision_id", "archived_at")) for kind, table in NAMED.items()
}
_ARCHIVE: dict[str, Statement] = {
    kind: statement(
        update(table).where(table.c.key == bindparam("of_key")).values(archived_at=bindparam("at"))
    )
    for kind, table in NAMED.items()
}
_EMAIL = statement(
    update(PERSON).where(PERSON.c.key == bindparam("of_key")).values(email=bindparam("mail"))
)
_CLEAR_EMAILS = statement(update(PERSON).values(email=None))
_SLACK = statement(
    update(PERSON)
    .where(PERSON.c.key == bindparam("of_key"))
    .values(slack_user_id=bindparam("slack"))
)
_CLEAR_SLACK = statement(
    update(PERSON).where(PERSON.c.slack_user_id == bindparam("slack")).values(slack_user_id=None)
)
_TOKEN = statement(
    update(SOURCE).where(SOURCE.c.key == bindparam("of_key")).values(token_hash=bindparam("hash"))
)
_CLEAR_TOKENS = statement(
    update(SOURCE).where(SOURCE.c.key != bindparam("but")).values(token_hash=None)
)
_POLICY_VERSION = upsert(POLICY_VERSION, ("policy_id", "sha256"), also=("definition",))
_SCHEDULE_VERSION = upsert(SCHEDULE_VERSION, ("schedule_id", "effective_from"), ("definition",))
_LATEST_SCHEDULE = statement(
    select(SCHEDULE_VERSION.c.definition)
    .where(SCHEDULE_VERSION.c.schedule_id == bindparam("of_schedule"))
    .order_by(SCHEDULE_VERSION.c.effective_from.desc())
    .limit(1)
)
_META = statement(select(META))
_INSERT_META = insert_of(META, "id", "schema", "min_code", "signing_key", held_since=None)
_FILE_READ = statement(select(META.c.file_read))
_KEEP_FILE_READ = statement(update(META).values(file_read=bindparam("read", type_=Json)))
_HOLD = statement(update(META).values(held_since=bindparam("since")))
_INSERT_NUMBER = insert_of(NUMBER, "id", "n")
_LINE_UP = Statement(lambda dialect: locking(select(NUMBER.c.n), dialect))
_COUNT_NUMBER = statement(select(NUMBER.c.n))

SCHEMA = "1"
MIN_CODE = "0.1.0"


def changed(tx: Tx) -> None:
    """What a snapshot holds has changed: every process reads it anew before its next decision."""
    tx.run(_RAISE)


def line_up(tx: Tx) -> None:
    """Whoever changes the rules does so one after the other: two processes that start at once apply a file once."""
    tx.first(_LINE_UP)


def prepare(tx: Tx) -> None:
    """The rows that must exist once: the number, the signing key of ack links, the source `default`."""
    if tx.first(_COUNT_NUMBER) is None:
        tx.run(_INSERT_NUMBER, id=1, n=1)
    if tx.first(_META) is None:
        tx.run(
            _INSERT_META,
            id=1,
            schema=SCHEMA,
            min_code=MIN_CODE,
            signing_key=secrets.token_hex(32),
        )
        changed(tx)
    if all(row.key != "default" for row in tx.all(_KEYS["sources"])):
        name(tx, "sources", ["default"], None)
        changed(tx)


def latest(tx: Reader) -> Row | None:
    return tx.first(_LATEST)


def has_seen(tx: Reader, sha256: str) -> bool:
    """Whether a revision with this content was ever in force."""
    return tx.first(_HAS_SHA, sha=sha256) is not None


def file_read(tx: Reader) -> Mapping[str, Any]:
    """What `keep_file_read` kept; empty when nothing."""
    found = tx.first(_FILE_READ)
    return (found.file_read if found else None) or {}


def keep_file_read(tx: Tx, read: Mapping[str, Any]) -> None:
    """The file with which a process began, as it was read: see `files.oncall_yaml.as_it_was`."""
    tx.run(_KEEP_FILE_READ, read=dict(read))


def append(tx: Tx, sha256: str, document: Mapping[str, Any], applied_by: str) -> int:
    revision = int(tx.new_ids("config_revision", 1)[0])
    tx.run(
        _INSERT_REVISION,
        id=revision,
        sha256=sha256,
        document=dict(document),
        applied_by=applied_by,
        applied_at=tx.now,
    )
    return revision


def name(tx: Tx, kind: str, keys: Iterable[str], revision: int | None) -> dict[str, int]:
    """Every key has an identity row; answers key -> id."""
    tx.many(_NAME[kind], [{"key": k, "revision_id": revision, "archived_at": None} for k in keys])
    return {row.key: row.id for row in tx.all(_KEYS[kind])}


def archive_missing(tx: Tx, kind: str, keys: Iterable[str]) -> None:
    """Identities whose key is gone are archived, never deleted: history names them."""
    present = set(keys)
    gone = [r.key for r in tx.all(_KEYS[kind]) if r.key not in present and r.archived_at is None]
    tx.many(_ARCHIVE[kind], [{"of_key": key, "at": tx.now} for key in gone])


def set_emails(tx: Tx, emails: Mapping[str, str]) -> None:
    tx.run(_CLEAR_EMAILS)
    tx.many(_EMAIL, [{"of_key": key, "mail": mail} for key, mail in emails.items()])


def set_slack_id(tx: Tx, person: str, slack_id: str) -> None:
    tx.run(_CLEAR_SLACK, slack=slack_id)
    tx.run(_SLACK, of_key=person, slack=slack_id)


def set_tokens(tx: Tx, hashes: Mapping[str, str], *, keep: str = "") -> None:
    """The SHA-256 of each source's token; a token belongs to one source. Others lose theirs, but not `keep`."""
    tx.run(_CLEAR_TOKENS, but=keep)
    tx.many(_TOKEN, [{"of_key": key, "hash": hash_} for key, hash_ in hashes.items()])


def add_tokens(tx: Tx, hashes: Mapping[str, str]) -> None:
    """Tokens of the settings beside those of the file in force."""
    name(tx, "sources", hashes, None)
    tx.many(_TOKEN, [{"of_key": key, "hash": hash_} for key, hash_ in hashes.items()])
    changed(tx)


def keep_policy(tx: Tx, policy_id: int, definition: Mapping[str, Any]) -> None:
    text = json.dumps(definition, sort_keys=True)
    sha = hashlib.sha256(text.encode()).hexdigest()
    tx.run(_POLICY_VERSION, policy_id=policy_id, sha256=sha, definition=dict(definition))


def keep_schedule(tx: Tx, schedule_id: int, definition: Mapping[str, Any]) -> bool:
    """A new version from now on, when the definition differs from the newest (R16). True when it did."""
    if tx.scalar(_LATEST_SCHEDULE, of_schedule=schedule_id) == definition:
        return False
    tx.run(
        _SCHEDULE_VERSION,
        schedule_id=schedule_id,
        effective_from=tx.now,
        definition=dict(definition),
    )
    return True


def hold_sending(tx: Tx, *, held: bool) -> None:
    """After a restore nothing is sent; `resume` ends that."""
    tx.run(_HOLD, since=tx.now if held else None)
    changed(tx)
