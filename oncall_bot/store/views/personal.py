"""Everything that is stored about one person, as plain JSON: for them to read, and for nobody else.

Knows rows that point at the person and rows that name them, in every table; so nothing is left out by being forgotten
here. Refuses hashes of secrets, and the addresses of others. Serves `person export` and `/oncall my-data`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, or_, select

from oncall_bot.core.forgetting import Finder, Traces, named_in
from oncall_bot.store import belongings, places
from oncall_bot.store import tables as t
from oncall_bot.store.record import stamp
from oncall_bot.store.statements import Row, any_of, statement
from oncall_bot.store.transactions import Reader

SCHEMA = "person-export/1"
ROWS_MAX = 20_000
SECTIONS: Mapping[str, str] = {
    "api_token": "calendar_links",
    "audit": "audit",
    "away": "holidays",
    "config_revision": "file_revisions",
    "contact_method": "contacts",
    "cover_ask": "cover_answers",
    "cover_request": "cover_requests",
    "draft": "drafts",
    "incident": "incidents",
    "incident_event": "timeline",
    "incident_look": "looks",
    "leave": "leave",
    "notify_rule": "rules",
    "outbox": "messages",
    "override": "overrides",
    "page": "pages",
    "quiet_hours": "quiet_hours",
    "road_health": "road_health",
    "runbook_verdict": "runbook_answers",
    "shift_log": "shifts",
    "shift_reminder": "reminders",
    "sign_in_link": "sign_in_links",
    "silence": "silences",
    "slack_message": "slack_messages",
    "team_grant": "group_roles",
    "team_member": "teams",
    "web_session": "sessions",
}
"""What a table is called in the export; tables not named here go by their own name, and only when they have a row."""

_HIDDEN = frozenset({"hash", "token_sha256", "code_sha256", "sha256", "lease_owner", "lease_until"})
_PERSON = t.METADATA.tables["person"]


def _points_at(table: Any) -> list[Any]:
    return [c for c in table.columns if any(k.column.table is _PERSON for k in c.foreign_keys)]


_POINTING = {
    name: statement(
        select(table).where(or_(*[c == bindparam("of") for c in columns])).limit(ROWS_MAX)
    )
    for name, table in t.METADATA.tables.items()
    if (columns := _points_at(table))
}
_THEIRS = {
    name: statement(select(table).where(any_of(table.c[column], "ids")).limit(ROWS_MAX))
    for name, column in (
        ("page", "person"),
        ("api_token", "person"),
        ("leave", "person"),
        ("sign_in_link", "actor"),
        ("web_session", "actor"),
        ("incident_look", "actor"),
        ("team_grant", "slack_user_id"),
        ("slack_message", "channel"),
    )
    for table in (t.METADATA.tables[name],)
}
_WHOLE = {
    place.name: statement(
        select(place.table).where(
            *[place.table.c[k] == bindparam(f"of_{k}", type_=place.table.c[k].type) for k in place.keys]
        )
    )
    for place in places.PLACES.values()
}  # fmt: skip


def person_export(reader: Reader, key: str) -> dict[str, Any]:
    """What is stored about the person of this key or Slack id; BadInput when there is none."""
    traces = belongings.traces_of(reader, key)
    found: dict[str, dict[Any, dict[str, Any]]] = {}
    for table, row in _rows(reader, traces):
        rows = found.setdefault(table, {})
        if len(rows) < ROWS_MAX:
            rows.setdefault(_key(table, row), _shown(table, row, traces))
    sections = {name: list(found.pop(table, {}).values()) for table, name in SECTIONS.items()}
    return {
        "schema": SCHEMA,
        "exported_at": stamp(reader.now),
        "person": _person(reader, traces),
        **sections,
        **{table: list(rows.values()) for table, rows in sorted(found.items())},
    }


def _rows(reader: Reader, traces: Traces) -> Iterator[tuple[str, Row]]:
    for table, query in _POINTING.items():
        yield from ((table, row) for row in reader.all(query, of=traces.person_id))
    ids = [traces.key, *traces.actors, *traces.slack_ids]
    for table, query in _THEIRS.items():
        yield from ((table, row) for row in reader.all(query, ids=ids))
    finder = Finder(traces)
    for place in places.PLACES.values():
        yield from _naming(reader, place, finder)


def _naming(reader: Reader, place: places.Place, finder: Finder) -> Iterator[tuple[str, Row]]:
    for rows in places.slices(reader, place):
        for row in rows:
            if place.changed(row, finder):
                key = zip(place.keys, place.key_of(row), strict=True)
                bound = {f"of_{name}": value for name, value in key}
                yield place.table.name, reader.one(_WHOLE[place.name], **bound)


def _person(reader: Reader, traces: Traces) -> dict[str, Any]:
    of_file = reader.snapshot.config.people.get(traces.key)
    return {
        "key": traces.key,
        "names": list(traces.names),
        "emails": list(traces.mails),
        "slack_ids": list(traces.slack_ids),
        "addresses": list(traces.addresses),
        "zone": of_file.zone if of_file else None,
        "role": str(of_file.role) if of_file else None,
        "in_the_file": of_file is not None,
        "entries": [
            {"revision": revision, "applied_at": stamp(at), "entry": entry}
            for revision, at, entry in belongings.entries_of(reader, traces.key)
        ],
    }


def _key(table: str, row: Row) -> tuple[Any, ...]:
    return tuple(getattr(row, c.name) for c in t.METADATA.tables[table].primary_key.columns)


def _shown(table: str, row: Row, traces: Traces) -> dict[str, Any]:
    """The row without hashes; of what names others as well, only the places that name this person."""
    shown = {name: plain(value) for name, value in row._asdict().items() if name not in _HIDDEN}
    document = places.DOCUMENTS.get(table)
    if document is not None:
        shown["names_you_at"] = named_in(shown.pop(document), traces.key)
    if table == "outbox" and not _is_to(row, traces):
        shown["payload"] = {k: v for k, v in row.payload.items() if k != "address"}
    return shown


def _is_to(row: Row, traces: Traces) -> bool:
    whom = row.destination.partition(":")[2]
    return whom == traces.key or whom in traces.slack_ids


def plain(value: Any) -> Any:
    """The value made of JSON's types."""
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return value
