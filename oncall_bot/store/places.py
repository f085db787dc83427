"""Every place where something about a person can stand: all texts of all tables, found by themselves.

Knows which columns are prose, which are references, and which hold keys of the file. A new table or column is a place
as soon as it exists; what is none is said here. Refuses to know anybody: it is handed a Finder.
Serves the export of what is stored about a person, and the flow that forgets them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import JSON, LargeBinary, Text, bindparam, exists, or_, select, tuple_, update
from sqlmodel import AutoString

from oncall_bot.core.forgetting import Finder
from oncall_bot.store import tables as t
from oncall_bot.store.statements import Row, Statement, locking, statement
from oncall_bot.store.transactions import Reader, Tx
from oncall_bot.store.types import Payload

SLICE = 500
"""Rows looked at in one step, outside the writer."""

_NOBODY_TEXT = """
    alembic_version lease meta person policy posting process route schedule service snapshot_revision source team term
"""
NOBODY = frozenset(_NOBODY_TEXT.split())
"""Tables without people: keys of the file, words of runbooks, processes. `person` itself is renamed at the end."""

_OURS_TEXT = """
    code_sha256 fingerprint hash how kind lane lease_owner origin outcome prefix prompt_hash rendered_sha256 sha256
    severity stage standing state status token_sha256 trust urgency verb verdict zone
"""
OURS = frozenset(_OURS_TEXT.split())
"""Columns that hold words and hashes of our own, whatever happens."""

_REFERENCES_TEXT = """
    acked_by actor answered_by applied_by asked_by commander created_by decided_by declared_by dedupe_key destination
    key object person policy_key resolved_by role scope subject target
"""
REFERENCES = frozenset(_REFERENCES_TEXT.split())
"""Columns made of words and colons, in which a bare key is the person."""

NAMES: Mapping[str, Mapping[str, str]] = {
    "draft": {"decided_by": "decided_by_name"},
    "incident": {"acked_by": "acked_by_name", "resolved_by": "resolved_by_name"},
    "incident_event": {"actor": "actor_name"},
    "runbook_verdict": {"person": "name"},
    "sign_in_link": {"actor": "name"},
    "silence": {"created_by": "created_by_name"},
    "web_session": {"actor": "name"},
}
"""Who did something, and the name beside it: by these a name that stands in no file is known. They go last."""

HELD = frozenset({"contact_method", "road_health", "sign_in_link", "slack_message", "web_session"})
"""By these somebody is known: they are deleted at the very end, so that what was begun can be begun again."""

DOCUMENTS: Mapping[str, str] = {
    "config_revision": "document",
    "schedule_version": "definition",
    "policy_version": "definition",
}
_ALERT, _OCCURRENCE = t.METADATA.tables["alert"], t.METADATA.tables["occurrence"]
_GROUP, _SILENCE = t.METADATA.tables["alert_group"], t.METADATA.tables["silence"]
_BOOK, _VERSION = t.METADATA.tables["runbook"], t.METADATA.tables["runbook_version"]
_IN_FORCE = select(_BOOK.c.version_id).where(
    _BOOK.c.archived_at.is_(None), _BOOK.c.version_id.is_not(None)
)
ONLY: Mapping[str, Any] = {
    "alert": ~exists().where(
        _OCCURRENCE.c.alert_id == _ALERT.c.id, _OCCURRENCE.c.ended_at.is_(None)
    ),
    "occurrence": _OCCURRENCE.c.ended_at.is_not(None),
    "alert_group": _GROUP.c.closed_at.is_not(None),
    "runbook_version": _VERSION.c.id.not_in(_IN_FORCE),
    "section": t.METADATA.tables["section"].c.runbook_version_id.not_in(_IN_FORCE),
}
"""What fires is told anew by its source, and a runbook in force by its file: they are left until that is over."""

_OVER = or_(_SILENCE.c.cancelled_at.is_not(None), _SILENCE.c.ends_at < bindparam("now"))


@dataclass(frozen=True, slots=True)
class Place:
    """Some columns of one table, in the order of its key."""

    name: str
    table: Any
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    first: Statement
    after: Statement
    one: Statement
    put: Statement = field(repr=False)

    def changed(self, row: Row, finder: Finder) -> dict[str, Any]:
        """The columns of this row that name the person, as they read without them."""
        found = {}
        for column in self.columns:
            value = getattr(row, column)
            if value is not None and (new := self._without(column, value, finder)) != value:
                found[column] = new
        return found

    def _without(self, column: str, value: Any, finder: Finder) -> Any:
        if isinstance(value, bytes | memoryview):
            return finder.bytes(bytes(value))
        if not isinstance(value, str):
            in_file = DOCUMENTS.get(self.table.name) == column
            return finder.document(value, field=column) if in_file else finder.json(value)
        return finder.reference(value) if column in REFERENCES else finder.text(value)

    def key_of(self, row: Row) -> tuple[Any, ...]:
        return tuple(getattr(row, key) for key in self.keys)


def slices(reader: Reader, place: Place) -> Iterator[Sequence[Row]]:
    """All rows of the place, a slice at a time."""
    rows = reader.all(place.first, now=reader.now, slice=SLICE)
    while rows:
        yield rows
        if len(rows) < SLICE:
            return
        rows = next_slice(reader, place, place.key_of(rows[-1]))


def next_slice(reader: Reader, place: Place, key: Sequence[Any] | None) -> list[Row]:
    """The rows behind this key; from the first when there is none."""
    if key is None:
        return reader.all(place.first, now=reader.now, slice=SLICE)
    bound = {f"of_{name}": value for name, value in zip(place.keys, key, strict=True)}
    return reader.all(place.after, now=reader.now, slice=SLICE, **bound)


def scrub(tx: Tx, place: Place, keys: Sequence[Sequence[Any]], finder: Finder) -> int:
    """Take the person out of these rows, as they are now; how many were changed."""
    count = 0
    for key in keys:
        bound = {f"of_{name}": value for name, value in zip(place.keys, key, strict=True)}
        row = tx.first(place.one, now=tx.now, **bound)
        if row is not None and (changed := place.changed(row, finder)):
            values = {f"new_{name}": getattr(row, name) for name in place.columns}
            new = {f"new_{name}": value for name, value in changed.items()}
            count += tx.run(place.put, **bound, **{**values, **new})
    return count


# --- the places themselves ----------------------------------------------------------------------------------------


def _is_text(type_: Any) -> bool:
    return isinstance(type_, Text | AutoString | JSON | Payload | LargeBinary)


def _made(table: Any, columns: Sequence[str], name: str, only: Any = None) -> Place:
    keys = [column.name for column in table.primary_key.columns]
    shown = [table.c[one] for one in dict.fromkeys([*keys, *columns])]
    bound = [bindparam(f"of_{key}", type_=table.c[key].type) for key in keys]
    query = select(*shown) if only is None else select(*shown).where(only)
    ordered = query.order_by(*[table.c[key] for key in keys]).limit(bindparam("slice"))
    here = [table.c[key] == one for key, one in zip(keys, bound, strict=True)]
    values = {one: bindparam(f"new_{one}", type_=table.c[one].type) for one in columns}
    return Place(
        name,
        table,
        tuple(columns),
        tuple(keys),
        first=statement(ordered),
        after=statement(ordered.where(tuple_(*[table.c[key] for key in keys]) > tuple_(*bound))),
        one=Statement(lambda dialect: locking(query.where(*here), dialect, of=table)),
        put=statement(update(table).where(*here).values(values)),
    )


def _places() -> Iterator[Place]:
    for name, table in sorted(t.METADATA.tables.items()):
        texts = [c.name for c in table.columns if _is_text(c.type) and c.name not in OURS]
        last = {name for pair in NAMES.get(name, {}).items() for name in pair}
        if name in NOBODY or name in HELD or not texts:
            continue
        words = [one for one in texts if one not in last and (name, one) != ("silence", "matchers")]
        if words:
            yield _made(table, words, name, ONLY.get(name))


WORDS: tuple[Place, ...] = (
    *(place for place in _places() if place.name not in DOCUMENTS),
    _made(_SILENCE, ["matchers"], "silence.matchers", _OVER),
)
"""Where people are spoken of."""

IDENTITIES: tuple[Place, ...] = tuple(
    _made(t.METADATA.tables[name], [one for pair in pairs.items() for one in pair], f"{name}.who")
    for name, pairs in NAMES.items()
    if name not in HELD
)
"""Who did something, with their names."""

FILES: tuple[Place, ...] = tuple(p for p in _places() if p.name in DOCUMENTS)
"""Past revisions of the file and what they defined."""

PLACES: Mapping[str, Place] = {place.name: place for place in (*WORDS, *IDENTITIES, *FILES)}
