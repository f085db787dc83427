"""No rule, link or name leads to a runbook: the words of the alert do, after the page is out. On both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from oncall_bot.core.runbooks import Runbook, Section
from oncall_bot.core.search import SearchIndex, query_of
from oncall_bot.files.runbooks import read_runbooks, starter_library
from oncall_bot.flows.claiming import claim
from oncall_bot.flows.find_runbook import found, look_for
from oncall_bot.flows.import_runbooks import import_runbooks
from oncall_bot.store import runbook_search, timers
from tests.component.flows.world import World

LIBRARY = read_runbooks(starter_library())[0]


def keep(world: World, books: Sequence[Runbook]) -> None:
    world.store.write(import_runbooks, "file", books).result()


@pytest.fixture
def library(world: World) -> World:
    keep(world, LIBRARY)
    return world


def burns(world: World, name: str, summary: str = "it is broken", **labels: str) -> None:
    world.told(world.alert(name, **labels), annotations={"summary": summary})
    world.run()


def test_a_name_nobody_wrote_down_finds_its_runbook_by_words_and_says_why(library: World) -> None:
    burns(library, "DiskWillBeFullSoon", "Filesystem on / is filling up: little disk space left")
    shown = library.shown()
    assert shown.runbook is not None
    assert "ilesystem" in shown.runbook.title or "isk" in shown.runbook.title
    assert any(line.startswith("Runbook ") and "it shares" in line for line in library.timeline())
    assert any(got.kind == "edit" for got in library.slack)


def test_the_page_does_not_wait_for_the_search(library: World) -> None:
    library.told(library.alert("DiskWillBeFullSoon"))
    assert library.store.look(timers.searches, limit=10)
    sent = library.store.write(claim, "me", 100, timedelta(minutes=2)).result()
    assert {row.kind for row in sent if row.page_id} == {"message", "loud"}
    kinds = dict(library.rows("SELECT id, kind FROM timer"))
    assert "find_runbook" not in [kinds[one] for one in library.store.look(timers.due, limit=10)], (
        "who strikes timers never waits for a search"
    )


def test_the_search_is_done_once_whoever_comes_second(library: World) -> None:
    library.told(library.alert("DiskWillBeFullSoon"))
    (search,) = library.store.look(timers.searches, limit=10)
    matches = library.store.look(look_for, 1, search.data["group"])
    for _ in range(2):
        library.store.write(found, search.id, 1, search.data["group"], matches).result()
    assert len([line for line in library.timeline() if "unbook" in line]) == 1
    assert not library.store.look(timers.searches, limit=10)


def test_below_the_line_runbooks_are_named_and_none_is_attached(library: World) -> None:
    burns(library, "TooManyRestarts", "a pod restarts")
    assert library.shown().runbook is None
    (told,) = [line for line in library.timeline() if "No runbook fits for certain" in line]
    assert "Pod is crash looping (it shares" in told


def test_of_what_nobody_wrote_about_nothing_is_said(library: World) -> None:
    burns(library, "Zyxxel", "qwfpg arst", service="")
    assert library.shown().runbook is None
    assert not [line for line in library.timeline() if "unbook" in line]


def test_where_there_are_no_runbooks_nothing_is_looked_for(world: World) -> None:
    burns(world, "DiskWillBeFullSoon")
    assert not world.rows("SELECT id FROM timer WHERE kind = 'find_runbook'")


def about(title: str, *services: str) -> Runbook:
    section = Section("First", f"When the {title.lower()}, restart the conveyor belt.")
    return Runbook(
        "file", title.replace(" ", "-"), title, title, title, services=services, sections=(section,)
    )


@pytest.mark.parametrize(
    ("services", "offered"), [(["warehouse"], False), (["checkout"], True), ([], True)]
)
def test_a_runbook_of_other_services_is_not_offered(
    world: World, services: list[str], offered: bool
) -> None:
    keep(world, [about("Conveyor belt stuck", *services)])
    burns(world, "BeltOfConveyorStuck", "The conveyor belt is stuck")
    assert (world.shown().runbook is not None) is offered


def test_an_archived_runbook_and_an_old_version_are_not_found(world: World) -> None:
    keep(world, [about("Conveyor belt stuck")])
    keep(world, [about("Forklift stolen")])
    burns(world, "BeltOfConveyorStuck", "The conveyor belt is stuck")
    assert world.shown().runbook is None


@pytest.mark.parametrize(
    "name",
    [
        "HostOutOfDiskSpace",
        "PodRestartsTooOften",
        "CertificateExpiresSoon",
        "PostgresTooManyClients",
        "QueueGrows",
    ],
)
def test_in_sql_the_order_is_that_of_the_whole_library_in_memory(library: World, name: str) -> None:
    query = query_of({"alertname": name}, {"summary": f"{name} on db-1"})
    stored = library.store.look(runbook_search.ranked, query, 3)
    in_memory = SearchIndex(LIBRARY).search(query, 3)
    assert [match.runbook.slug for match in stored] == [match.runbook.slug for match in in_memory]
    assert [match.score for match in stored] == pytest.approx(
        [m.score for m in in_memory], abs=0.03
    )


def test_processes_that_start_together_take_runbooks_in_once(world: World) -> None:
    begun = [world.store.write(import_runbooks, "file", LIBRARY[:8]) for _ in range(4)]
    assert sorted(one.result(30).added for one in begun) == [0, 0, 0, 8]
    assert world.rows("SELECT COUNT(*) FROM runbook") == [(8,)]
