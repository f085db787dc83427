"""Somebody asks what is stored about them, and to be forgotten: counts stay, and nothing else says who it was."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from oncall_bot.cli.people import forget
from oncall_bot.core.documents import faults_of
from oncall_bot.core.drafts.documents import summary
from oncall_bot.core.errors import BadInput
from oncall_bot.core.fairness import Share
from oncall_bot.core.forgetting import REMOVED, Finder
from oncall_bot.core.outcomes import Actor
from oncall_bot.core.pins import PinKind
from oncall_bot.core.records import parse_record
from oncall_bot.core.sign_in import digest
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.flows import forget_person as steps
from oncall_bot.flows.ask_cover import ask_cover
from oncall_bot.flows.calendar_links import create_link
from oncall_bot.flows.contacts import add_contact
from oncall_bot.flows.cover_shown import Piece
from oncall_bot.flows.drafting import request_draft
from oncall_bot.flows.pinning import pin
from oncall_bot.flows.set_override import set_override
from oncall_bot.flows.sign_in import offer_sign_in, use_link
from oncall_bot.flows.silence_incident import silence_incident
from oncall_bot.store import conversations, incidents, people, places, views
from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Tx
from oncall_bot.store.views.fairness import fairness
from oncall_bot.store.views.personal import SECTIONS
from tests.component.flows.world import DOCUMENT, World
from tests.dumps import dumped

MAIL, PHONE, OWN_PHONE, SLACK = "ana.ruiz@example.com", "ana-phone", "+4915123456789", "U0ANAANA1"
NEVER = re.compile(
    r"ana ruiz|\bAna\b|ana\.ruiz|ana-phone|151[ -]?2345[ -]?6789|U0ANAANA1|\bana\b", re.IGNORECASE
)
OPS = Actor("system", "cli/ops", "ops", by="cli")
ZOE = Actor("slack", "U0ZOEZOE1", "Zoe Park")
HERS = "I restarted the pool, my laptop is at home"


def with_ana() -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    document["people"]["ana"] |= {"email": MAIL, "zone": "Europe/Madrid"}
    layer = document["schedules"]["primary"]["layers"][0]
    layer |= {"start": "2026-03-02T09:00", "users": ["ana", "bo", "cy"]}
    return document


def without_ana() -> dict[str, Any]:
    document = with_ana()
    del document["people"]["ana"]
    document["teams"]["shop"]["members"].remove("ana")
    document["schedules"]["primary"]["layers"][0]["users"].remove("ana")
    return document


def says(tx: Tx, who: Actor, text: str, ts: str, kind: Kind = Kind.CHAT) -> None:
    incidents.write(tx, 1, [Entry(kind, text, tx.now, who, source_ref=f"slack:C1:{ts}")])


@pytest.fixture
def world(world: World) -> World:
    """Ana on call through an incident in which everything is said and done that names her."""
    world.apply(with_ana())
    ana, bo, write = world.person("ana"), world.person("bo"), world.store.write
    assert write(add_contact, "ana", "voice", OWN_PHONE, ana).result().done
    person_id = world.store.snapshot.people["ana"].id
    write(lambda tx: people.verify(tx, people.contacts(tx, person_id)[0].id)).result()
    began = world.clock.now
    world.told(world.alert(owner=MAIL), annotations={"summary": "ask Ana Ruiz, +4915123456789"})
    world.pass_time(120)
    world.ack(1)
    world.run()
    write(says, ana, HERS, "1.1").result()
    write(says, bo, "thanks Ana, and @ana: call +49 151 2345-6789", "1.2").result()
    write(says, ana, "note to self: rotate the key", "1.3", Kind.NOTE).result()
    write(says, ZOE, "I am Zoe Park and I watch", "1.4").result()
    write(pin, "C1", "1.1", PinKind.CAUSE, bo).result()
    write(silence_incident, 1, timedelta(hours=1), "Ana looks at it", ana).result()
    write(request_draft, 1, "summary", ana).result()
    begins = world.clock.now + timedelta(days=1)
    piece = Piece("primary", begins, begins + timedelta(hours=4))
    assert write(ask_cover, "ana", piece, ["bo"], "Ana sees a doctor", ana).result().done
    ends = begins + timedelta(days=30)
    write(set_override, "primary", ends, ends + timedelta(hours=5), "ana", bo).result()
    write(offer_sign_in, ana, digest("a")).result()
    write(use_link, digest("a"), digest("b")).result()
    link = {"sha256": "c" * 64, "prefix": "oncal_abc"}
    write(create_link, "ana", "person", "ana", ana, **link).result()
    write(lambda tx: conversations.put(tx, "C9:1", {"people": ["ana"]}, timedelta(1))).result()
    world.told(world.alert(owner=MAIL), starts_at=began, ended=True)
    world.pass_time(7_300)
    world.pass_time(8 * 86_400, step=86_400)
    return world


def traces(store: Store, never: re.Pattern[str] = NEVER) -> list[tuple[str, str]]:
    return [(where, text) for where, text in dumped(store) if never.search(text)]


def shares(world: World) -> dict[str, Share]:
    """Each person's part of the schedule, by key."""
    start = world.clock.now - timedelta(days=10)
    found = world.store.look(fairness, "primary", start, world.clock.now)
    return {one.person: replace(one, person="") for one in found.shares}


def figures(world: World) -> Any:
    return [
        world.rows("SELECT count(*) FROM page"),
        world.rows("SELECT person_id, count(*) FROM shift_log GROUP BY 1 ORDER BY 1"),
        world.rows("SELECT id, status, severity, alerts_ever FROM incident ORDER BY 1"),
        world.rows("SELECT count(*) FROM incident_event"),
    ]


def test_nothing_stored_says_who_it_was_and_everything_still_counts(world: World) -> None:
    before, loads = figures(world), shares(world)
    events = len(world.store.look(views.record, 1)["events"])
    assert loads["ana"].pages > 0
    assert len({where.partition(".")[0] for where, _ in traces(world.store)}) > 15
    world.apply(without_ana())
    done = forget(world.store, "ana", OPS)
    former = done["pseudonym"]
    assert re.fullmatch(r"former-\d+", former)
    assert done["kept"]["pages"] > 0
    assert traces(world.store) == []
    assert figures(world) == before
    after = shares(world)
    assert after.pop(former) == loads.pop("ana")
    assert after == loads
    everything = " ".join(text for _, text in dumped(world.store))
    assert HERS not in everything
    assert "rotate the key" not in everything
    the_record_is_whole(world, former, events)
    past_revisions_compute(world, former)
    audited = world.rows("SELECT actor, object FROM audit WHERE verb = 'forget_person'")
    assert audited == [("system:cli/ops", f"person:{former}")]
    with pytest.raises(BadInput, match="forgotten already"):
        forget(world.store, former, OPS)


def the_record_is_whole(world: World, former: str, events: int) -> None:
    record = parse_record(json.loads(json.dumps(world.store.look(views.record, 1))))
    assert len(record.events) == events
    assert record.name_of(f"@{former}") == former
    texts = [event.text for event in record.events]
    assert REMOVED in texts
    assert any("thanks" in text and former in text for text in texts)
    written = summary(record)
    assert former in written
    assert not NEVER.search(written)


def past_revisions_compute(world: World, former: str) -> None:
    for (document,) in world.rows("SELECT document FROM config_revision"):
        plain = json.loads(document) if isinstance(document, str) else document
        assert faults_of(plain) == []
    with world.store.read() as reader:
        rows = reader.all(places.PLACES["schedule_version"].first, now=reader.now, slice=50)
    assert [former, "bo", "cy"] in [row.definition["layers"][0]["users"] for row in rows]


def test_who_is_in_the_file_is_given_their_data_and_not_forgotten_and_others_are(
    world: World,
) -> None:
    with pytest.raises(BadInput, match=r"still names ana, in .*teams\.shop\.members"):
        forget(world.store, "ana", OPS)
    with pytest.raises(BadInput, match="Nobody here is called 'nina'"):
        forget(world.store, "nina", OPS)
    all_of_hers(world, world.store.look(views.person_export, "ana"))
    zoe = re.compile(r"U0ZOEZOE1|Zoe|Park")
    assert traces(world.store, zoe)
    former = forget(world.store, "U0ZOEZOE1", OPS)["pseudonym"]
    assert traces(world.store, zoe) == []
    assert REMOVED in world.timeline()
    handles = [one["handle"] for one in world.store.look(views.record, 1)["incident"]["people"]]
    assert {f"@{former}", "@ana"} <= {*handles}


def all_of_hers(world: World, given: dict[str, Any]) -> None:
    text = json.dumps(given)
    assert given["schema"] == "person-export/1"
    assert given["person"]["emails"] == [MAIL]
    assert [one["address"] for one in given["contacts"]] == [OWN_PHONE]
    assert {one["person"] for one in given["pages"]} == {"ana"}
    assert given["overrides"]
    assert given["sessions"]
    assert given["calendar_links"][0]["prefix"] == "oncal_abc"
    assert given["cover_requests"][0]["note"] == "Ana sees a doctor"
    said = [one["text"] for one in given["timeline"]]
    assert HERS in said
    assert any(line.startswith("thanks Ana") for line in said)
    assert not any("Zoe Park" in line for line in said)
    for foreign in ("bo-phone", digest("a"), digest("b"), "c" * 64):
        assert foreign not in text
    tables = {where.partition(".")[0] for where, _ in traces(world.store)}
    named = {*given} | {table for table, name in SECTIONS.items() if name in given}
    assert tables - named <= {"person"}


def test_what_was_cut_short_is_ended_by_running_it_again(world: World) -> None:
    """A crash in the middle: the same pseudonym, and nothing left."""
    world.apply(without_ana())
    found = world.store.write(steps.begin, "ana").result()
    finder = Finder(found)
    for name in ("incident_event", "outbox", "incident_event.who"):
        keys, after = world.store.look(steps.found_in, name, finder, None)
        assert keys
        assert after is None
        assert len(keys) < world.rows(f"SELECT count(*) FROM {name.partition('.')[0]}")[0][0]
        world.store.write(steps.scrub, name, keys[: len(keys) // 2], finder).result()
    assert forget(world.store, "ana", OPS)["pseudonym"] == found.pseudonym
    assert traces(world.store) == []
