"""Forget a person: counts stay under a pseudonym, everything else of theirs goes.

Knows the order: what waits is stopped, their own words go, then their traces in all texts, then by what they were
known; so that it can be begun again after a crash. Refuses while the file in force names them. Each step is one short
transaction; whoever runs them looks for the rows in between. Serves the command `person forget`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from oncall_bot.core.errors import BadInput
from oncall_bot.core.forgetting import REMOVED, Finder, Traces, named_in, without_words_in
from oncall_bot.core.outcomes import Actor
from oncall_bot.store import belongings, incidents, places, rules
from oncall_bot.store.places import PLACES, Place
from oncall_bot.store.transactions import Reader, Tx

ROWS_A_STEP = 25
PLACES_SHOWN = 12


def may_be_forgotten(reader: Reader, key: str) -> Traces:
    """By what they are known; BadInput says what to do first, or that nobody is meant."""
    traces = belongings.traces_of(reader, key)
    row = belongings.row_of(reader, key)
    if row is not None and row.forgotten_at is not None:
        raise BadInput(f"{row.key} was forgotten already.")
    found = named_in(belongings.in_force(reader), traces.key)
    if found:
        more = f" and {len(found) - PLACES_SHOWN} more" if len(found) > PLACES_SHOWN else ""
        raise BadInput(
            f"The file in force still names {traces.key}, in {', '.join(found[:PLACES_SHOWN])}{more}."
            " Take them out, apply the file, and ask again: until then they may be paged."
        )
    return traces


def begin(tx: Tx, key: str) -> Traces:
    """Nothing waits for them any more, and what is theirs alone is gone."""
    traces = may_be_forgotten(tx, key)
    if belongings.row_of(tx, key) is None:
        belongings.add_stranger(tx, traces.key)
        traces = belongings.traces_of(tx, key)
    belongings.stop(tx, traces)
    belongings.drop_own(tx, traces)
    rules.changed(tx)
    return traces


def take_back_words(tx: Tx, incident_id: int, traces: Traces) -> int:
    """What they wrote in one incident is replaced by a mark, there and where pins and drafts repeat it."""
    said = belongings.said_in(tx, incident_id, traces)
    words = sorted({text for text in said.values() if text != REMOVED}, key=len, reverse=True)
    for draft in belongings.drafts_of(tx, incident_id):
        texts = draft._asdict()
        if (without := without_words_in(texts, words)) != texts:
            belongings.put_draft(tx, draft.id, without)
    for row in belongings.texts_of(tx, incident_id):
        text = REMOVED if row.seq in said else without_words_in(row.text, words)
        data = without_words_in(row.data, words)
        if (text, data) != (row.text, row.data):
            belongings.put_text(tx, incident_id, row.seq, text, data)
    return len(said)


def found_in(
    reader: Reader, name: str, finder: Finder, after: Sequence[Any] | None
) -> tuple[list[tuple[Any, ...]], tuple[Any, ...] | None]:
    """The rows of a slice that name them, by key, and the key to go on behind; None at the end."""
    place = PLACES[name]
    rows = places.next_slice(reader, place, after)
    found = [place.key_of(row) for row in rows if place.changed(row, finder)]
    return found, place.key_of(rows[-1]) if len(rows) == places.SLICE else None


def scrub(tx: Tx, name: str, keys: Sequence[Sequence[Any]], finder: Finder) -> int:
    """Their traces in these rows become the pseudonym."""
    place = PLACES[name]
    changed = places.scrub(tx, place, keys, finder)
    if name == "policy_version":
        _name_anew(tx, place, keys)
    return changed


def _name_anew(tx: Tx, place: Place, keys: Sequence[Sequence[Any]]) -> None:
    """A changed definition is no longer the one that the file may bring back."""
    for (version_id,) in keys:
        row = tx.one(place.one, of_id=version_id, now=tx.now)
        text = json.dumps(row.definition, sort_keys=True)
        belongings.name_policy(tx, version_id, hashlib.sha256(text.encode()).hexdigest())


def drop_messages(tx: Tx, ids: Sequence[int]) -> int:
    """Where our direct messages to them lie is no longer known."""
    return belongings.drop_messages(tx, ids)


def finish(tx: Tx, traces: Traces, actor: Actor, changed: Mapping[str, int]) -> dict[str, int]:
    """Nobody is known by the key any more; audited without saying who it was. What stays, counted."""
    belongings.finish(tx, traces)
    stays = belongings.counts(tx, traces.person_id, traces.pseudonym)
    after = {"changed": dict(changed), "kept": stays}
    incidents.audit(tx, str(actor), "forget_person", f"person:{traces.pseudonym}", after=after)
    rules.changed(tx)
    return stays
