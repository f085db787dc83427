"""The librarian finds runbooks beside the pages, and one search that fails keeps no other from its turn."""

from __future__ import annotations

from sqlalchemy import text

from oncall_bot.engine.librarian import Librarian
from oncall_bot.files.runbooks import read_runbooks, starter_library
from oncall_bot.flows.import_runbooks import import_runbooks
from oncall_bot.store import rules
from oncall_bot.store.transactions import Tx
from tests.component.flows.world import World


async def test_incidents_get_their_runbooks_and_a_spoilt_search_is_tried_again(
    world: World,
) -> None:
    world.store.write(import_runbooks, "file", read_runbooks(starter_library())[0]).result()
    world.told(world.alert("TooManyRestartsOfPod", service="checkout"))
    world.clock.advance(60)  # so that the second is no part of a storm
    summary = "Filesystem on / is filling up: little disk space left"
    world.told(
        world.alert("DiskWillBeFullSoon", service="search"), annotations={"summary": summary}
    )

    def vandal(tx: Tx) -> None:
        spoil = (
            "UPDATE timer SET data = '{}' WHERE kind = 'find_runbook' AND subject = 'incident:1'"
        )
        tx.connection.execute(text(spoil))

    world.store.write(vandal).result()
    librarian = Librarian(world.store)
    await librarian.run()
    given = "SELECT incident_id, how FROM runbook_match"
    waiting = (
        "SELECT subject, attempts FROM timer WHERE kind = 'find_runbook' AND state = 'pending'"
    )
    assert [tuple(row) for row in world.rows(given)] == [(2, "search")]
    assert [tuple(row) for row in world.rows(waiting)] == [("incident:1", 1)]
    await librarian.run()
    assert [tuple(row) for row in world.rows(waiting)] == [("incident:1", 1)], "not at once"


async def test_after_a_restore_nothing_is_looked_for_before_resume(world: World) -> None:
    world.store.write(import_runbooks, "file", read_runbooks(starter_library())[0]).result()
    world.told(world.alert("DiskWillBeFullSoon"))
    world.store.write(rules.hold_sending, held=True).result()
    world.store.look(lambda reader: reader.snapshot)
    await Librarian(world.store).run()
    assert not world.rows("SELECT id FROM runbook_match")
