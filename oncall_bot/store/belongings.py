"""Rows that belong to one person: by what they are known, and what of theirs is deleted.

Knows keys, ids and the order in which rows may go. Refuses to know texts (store.places has them) and to decide who is
forgotten. Serves the flow that forgets, and the export of what is stored about a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, func, or_, select, update

from oncall_bot.core.errors import BadInput
from oncall_bot.core.forgetting import REMOVED, Traces, parts_of, pseudonym_of
from oncall_bot.store import tables as t
from oncall_bot.store.places import NAMES
from oncall_bot.store.statements import Row, Statement, any_of, insert_of, one_of, statement
from oncall_bot.store.transactions import Reader, Tx

TABLES = t.METADATA.tables
PERSON, CONTACT, HEALTH = TABLES["person"], TABLES["contact_method"], TABLES["road_health"]
REVISION, OUTBOX, TIMER = TABLES["config_revision"], TABLES["outbox"], TABLES["timer"]
MESSAGE, PAGE, OVERRIDE = TABLES["slack_message"], TABLES["page"], TABLES["override"]
ASK, COVER = TABLES["cover_ask"], TABLES["cover_request"]
EVENT, DRAFT, POLICY = TABLES["incident_event"], TABLES["draft"], TABLES["policy_version"]

TALK = TABLES["conversation"]

MESSAGES_SLICE = 100
OWN_WORDS = ("chat", "note")
"""Kinds of timeline entries that are what a person wrote."""

_PERSON = statement(select(PERSON).where(PERSON.c.key == bindparam("of_key")))
_BY_SLACK = statement(select(PERSON).where(PERSON.c.slack_user_id == bindparam("slack")))
_INSERT_PERSON = insert_of(
    PERSON, "id", "key", "archived_at", email=None, slack_user_id=None, forgotten_at=None
)
_RENAME = statement(
    update(PERSON)
    .where(PERSON.c.id == bindparam("person_id"))
    .values(
        key=bindparam("pseudonym"), email=None, slack_user_id=None, forgotten_at=bindparam("at")
    )
)
_REVISIONS = statement(
    select(REVISION.c.id, REVISION.c.applied_at, REVISION.c.document).order_by(REVISION.c.id)
)
_ADDRESSES = statement(select(CONTACT.c.address).where(CONTACT.c.person_id == bindparam("of")))
_HEALTH = statement(select(HEALTH.c.address).where(HEALTH.c.person_id == bindparam("of")))
_DIRECT = statement(
    select(MESSAGE.c.channel_id)
    .where(any_of(MESSAGE.c.channel, "slack_ids"), MESSAGE.c.channel_id.is_not(None))
    .distinct()
)
_NAMES = tuple(
    statement(
        select(TABLES[table].c[name])
        .where(any_of(TABLES[table].c[who], "actors"), TABLES[table].c[name].is_not(None))
        .distinct()
        .limit(50)
    )
    for table, pairs in NAMES.items()
    for who, name in pairs.items()
)

OWN: Mapping[str, str] = {
    "notify_rule": "person_id",
    "quiet_hours": "person_id",
    "away": "person_id",
    "shift_reminder": "person_id",
    "team_member": "person_id",
    "cover_ask": "person_id",
    "leave": "person",
    "api_token": "person",
    "incident_look": "actor",
    "team_grant": "slack_user_id",
}
"""Tables whose rows belong to one person, and the column that says to whom; in an order in which they may go."""

LAST: Mapping[str, str] = {
    "road_health": "person_id",
    "contact_method": "person_id",
    "sign_in_link": "actor",
    "web_session": "actor",
}
"""As OWN; they go at the end, for by them the rest is found."""


def _ids_of(column: str, traces: Traces) -> list[Any]:
    match column:
        case "person_id":
            return [traces.person_id]
        case "person":
            return [traces.key]
        case "actor":
            return list(traces.actors)
        case _:
            return list(traces.slack_ids)


_DROP_OWN = {
    table: statement(delete(TABLES[table]).where(any_of(TABLES[table].c[column], "ids")))
    for table, column in {**OWN, **LAST}.items()
}
_THEIR_COVERS = select(COVER.c.id).where(COVER.c.asker_id == bindparam("of"))
_COVER_IDS = statement(_THEIR_COVERS)
_DROP_ASKS = statement(delete(ASK).where(ASK.c.request_id.in_(_THEIR_COVERS)))
_DROP_COVERS = statement(delete(COVER).where(COVER.c.asker_id == bindparam("of")))
_MESSAGES = statement(
    select(MESSAGE.c.id).where(any_of(MESSAGE.c.channel, "slack_ids")).limit(MESSAGES_SLICE)
)
_LOOSE: tuple[Statement, ...] = (
    statement(update(COVER).where(any_of(COVER.c.message_id, "row_ids")).values(message_id=None)),
    statement(update(ASK).where(any_of(ASK.c.message_id, "row_ids")).values(message_id=None)),
    statement(update(PAGE).where(any_of(PAGE.c.bundle_id, "row_ids")).values(bundle_id=None)),
)
_DROP_MESSAGES = statement(delete(MESSAGE).where(any_of(MESSAGE.c.id, "row_ids")))
_DROP_TALK = statement(delete(TALK).where(TALK.c.key.like(bindparam("place"))))
_STOP_SENDING = statement(
    update(OUTBOX)
    .where(
        one_of(OUTBOX.c.state, ["pending"]),
        or_(
            any_of(OUTBOX.c.destination, "places"),
            OUTBOX.c.destination.like(bindparam("roads"), escape="\\"),
        ),
    )
    .values(state="skipped", done_at=bindparam("at"), last_error=None)
)
_STOP_TIMERS = statement(
    update(TIMER)
    .where(one_of(TIMER.c.state, ["pending"]), any_of(TIMER.c.subject, "subjects"))
    .values(state="done", done_at=bindparam("at"))
)
_CANCEL = statement(
    update(OVERRIDE)
    .where(
        OVERRIDE.c.person_id == bindparam("of"),
        OVERRIDE.c.starts_at > bindparam("at"),
        OVERRIDE.c.cancelled_at.is_(None),
    )
    .values(cancelled_at=bindparam("at"))
)
_END = statement(
    update(OVERRIDE)
    .where(
        OVERRIDE.c.person_id == bindparam("of"),
        OVERRIDE.c.starts_at <= bindparam("at"),
        OVERRIDE.c.ends_at > bindparam("at"),
        OVERRIDE.c.cancelled_at.is_(None),
    )
    .values(ends_at=bindparam("at"))
)

_SPOKE_IN = statement(
    select(EVENT.c.incident_id)
    .where(
        any_of(EVENT.c.actor, "actors"),
        one_of(EVENT.c.kind, OWN_WORDS),
        EVENT.c.text != bindparam("removed"),
    )
    .distinct()
    .order_by(EVENT.c.incident_id)
)
_SAID = statement(
    select(EVENT.c.seq, EVENT.c.text).where(
        EVENT.c.incident_id == bindparam("incident_id"),
        any_of(EVENT.c.actor, "actors"),
        one_of(EVENT.c.kind, OWN_WORDS),
    )
)
_TEXTS = statement(
    select(EVENT.c.seq, EVENT.c.text, EVENT.c.data).where(
        EVENT.c.incident_id == bindparam("incident_id")
    )
)
_PUT_TEXT = statement(
    update(EVENT)
    .where(EVENT.c.incident_id == bindparam("incident_id"), EVENT.c.seq == bindparam("of_seq"))
    .values(text=bindparam("new_text"), data=bindparam("new_data", type_=EVENT.c.data.type))
)
_DRAFT_TEXTS = ("markdown", "suggested", "facts", "checks")
_DRAFTS = statement(
    select(DRAFT.c.id, *[DRAFT.c[one] for one in _DRAFT_TEXTS]).where(
        DRAFT.c.incident_id == bindparam("incident_id")
    )
)
_PUT_DRAFT = statement(
    update(DRAFT)
    .where(DRAFT.c.id == bindparam("draft_id"))
    .values({one: bindparam(f"new_{one}", type_=DRAFT.c[one].type) for one in _DRAFT_TEXTS})
)
_POLICY_SHA = statement(
    update(POLICY).where(POLICY.c.id == bindparam("of_id")).values(sha256=bindparam("sha"))
)
_COUNTS = {
    "pages": statement(select(func.count()).where(PAGE.c.person == bindparam("of_key"))),
    "shifts": statement(
        select(func.count()).where(TABLES["shift_log"].c.person_id == bindparam("of"))
    ),
    "overrides": statement(select(func.count()).where(OVERRIDE.c.person_id == bindparam("of"))),
}


# --- by what somebody is known ------------------------------------------------------------------------------------


def row_of(reader: Reader, key: str) -> Row | None:
    """The person of this key, or with this Slack id."""
    return reader.first(_PERSON, of_key=key) or reader.first(_BY_SLACK, slack=key)


def add_stranger(tx: Tx, slack_id: str) -> None:
    """Somebody outside the file gets a row, so that their pseudonym is the same if it has to be done again."""
    person_id = int(tx.new_ids("person", 1)[0])
    tx.run(_INSERT_PERSON, id=person_id, key=slack_id, archived_at=tx.now)


def traces_of(reader: Reader, key: str) -> Traces:
    """All by which the person is known; BadInput when nobody is."""
    row = row_of(reader, key)
    person_id, person_key = (row.id, row.key) if row is not None else (0, key)
    entries = [one for _, _, one in entries_of(reader, person_key)]  # of every revision
    slack: list[str | None] = [
        row.slack_user_id if row is not None else None,
        *(one.get("slack") for one in entries),
    ]
    if _is_slack_id(key):
        slack.append(key)
    slack += [one.channel_id for one in reader.all(_DIRECT, slack_ids=list(_some(slack)))]
    known = Traces(person_id, person_key, pseudonym_of(person_id), slack_ids=_some(slack))
    names = [*(str(one.get("name") or person_key) for one in entries), *_names(reader, known)]
    if row is None and not names and not _is_slack_id(key):
        raise BadInput(f"Nobody here is called {key[:80]!r}: name the key or the Slack id.")
    mails = [row.email if row is not None else None, *(one.get("email") for one in entries)]
    roads = [address for one in entries for address in (one.get("contacts") or {}).values()]
    roads += [one.address for one in (*_all(reader, _ADDRESSES, row), *_all(reader, _HEALTH, row))]
    others = (p for p in reader.snapshot.config.people.values() if p.key != person_key)
    return Traces(
        person_id,
        person_key,
        pseudonym_of(person_id),
        names=_some(names),
        mails=_some(mails),
        slack_ids=known.slack_ids,
        addresses=tuple(one for one in _some(roads) if len(one) >= 4),
        shared_parts=frozenset(part for one in others for part in parts_of(one.name)),
    )


def _all(reader: Reader, which: Statement, row: Row | None) -> list[Row]:
    return reader.all(which, of=row.id) if row is not None else []


def _names(reader: Reader, known: Traces) -> list[str]:
    """What stands beside their key where they did something."""
    actors = [*known.actors, known.key]
    return [row[0] for one in _NAMES for row in reader.all(one, actors=actors)]


def _some(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in values if one and one.strip()))


def _is_slack_id(key: str) -> bool:
    return key[:1] in {"U", "W"} and len(key) >= 6 and key.isalnum() and key.upper() == key


def entries_of(reader: Reader, key: str) -> list[tuple[int, Any, Mapping[str, Any]]]:
    """The person's entry in each revision of the file that has one."""
    return [
        (row.id, row.applied_at, row.document["people"][key])
        for row in reader.all(_REVISIONS)
        if key in (row.document.get("people") or {})
    ]


def in_force(reader: Reader) -> Mapping[str, Any]:
    """The document of the file in force."""
    rows = reader.all(_REVISIONS)
    return rows[-1].document if rows else {}


def counts(reader: Reader, person_id: int, key: str) -> dict[str, int]:
    """What stays: pages, shifts and overrides of whoever is known by this key now."""
    return {
        name: int(reader.scalar(one, of=person_id, of_key=key) or 0)
        for name, one in _COUNTS.items()
    }


# --- what goes ----------------------------------------------------------------------------------------------------


def stop(tx: Tx, traces: Traces) -> None:
    """Nothing waits for them any more: no message, no timer, no cover of days ahead."""
    places = [f"slack:{one}" for one in traces.slack_ids]
    key = traces.key.replace("_", "\\_")  # a wildcard, and keys may have it
    tx.run(_STOP_SENDING, places=places, roads=f"%:{key}", at=tx.now)
    covers = [f"cover:{row.id}" for row in tx.all(_COVER_IDS, of=traces.person_id)]
    tx.run(_STOP_TIMERS, subjects=[f"person:{traces.key}", *covers], at=tx.now)
    tx.run(_CANCEL, of=traces.person_id, at=tx.now)
    tx.run(_END, of=traces.person_id, at=tx.now)


def drop_own(tx: Tx, traces: Traces) -> dict[str, int]:
    """What is theirs alone is deleted, by table. What they are known by stays to the end."""
    gone = _dropped(tx, OWN, traces)
    tx.run(_DROP_ASKS, of=traces.person_id)
    gone["cover_request"] = tx.run(_DROP_COVERS, of=traces.person_id)
    for one in traces.slack_ids:
        gone["conversation"] = tx.run(_DROP_TALK, place=f"{one}%") + gone.get("conversation", 0)
    return gone


def _dropped(tx: Tx, tables: Mapping[str, str], traces: Traces) -> dict[str, int]:
    return {
        table: tx.run(_DROP_OWN[table], ids=_ids_of(column, traces))
        for table, column in tables.items()
    }


def messages_to(reader: Reader, traces: Traces) -> list[int]:
    """Some of our direct messages to them, as we remember them; none when no more are."""
    return [row.id for row in reader.all(_MESSAGES, slack_ids=list(traces.slack_ids))]


def drop_messages(tx: Tx, ids: Sequence[int]) -> int:
    for one in _LOOSE:
        tx.run(one, row_ids=list(ids))
    return tx.run(_DROP_MESSAGES, row_ids=list(ids))


def finish(tx: Tx, traces: Traces) -> dict[str, int]:
    """The last step: by what they were known goes, and their key becomes the pseudonym; rows deleted, by table."""
    gone = _dropped(tx, LAST, traces)
    tx.run(_RENAME, person_id=traces.person_id, pseudonym=traces.pseudonym, at=tx.now)
    return gone


def name_policy(tx: Tx, policy_version_id: int, sha256: str) -> None:
    """A definition that was changed is known by its new content."""
    tx.run(_POLICY_SHA, of_id=policy_version_id, sha=sha256)


# --- what they wrote ----------------------------------------------------------------------------------------------


def spoke_in(reader: Reader, traces: Traces) -> list[int]:
    """The incidents in which words of theirs still stand."""
    rows = reader.all(_SPOKE_IN, actors=list(traces.actors), removed=REMOVED)
    return [row.incident_id for row in rows]


def said_in(reader: Reader, incident_id: int, traces: Traces) -> dict[int, str]:
    """What they wrote there, by number of the entry."""
    rows = reader.all(_SAID, incident_id=incident_id, actors=list(traces.actors))
    return {row.seq: row.text for row in rows}


def texts_of(reader: Reader, incident_id: int) -> list[Row]:
    return reader.all(_TEXTS, incident_id=incident_id)


def put_text(tx: Tx, incident_id: int, seq: int, text: str, data: Any) -> None:
    tx.run(_PUT_TEXT, incident_id=incident_id, of_seq=seq, new_text=text, new_data=data)


def drafts_of(reader: Reader, incident_id: int) -> list[Row]:
    return reader.all(_DRAFTS, incident_id=incident_id)


def put_draft(tx: Tx, draft_id: int, texts: Mapping[str, Any]) -> None:
    tx.run(_PUT_DRAFT, draft_id=draft_id, **{f"new_{one}": texts[one] for one in _DRAFT_TEXTS})
