"""The walk through the whole product: an alert fires, somebody is woken, answers, and it is over."""

from __future__ import annotations

from collections.abc import Callable

from tests.e2e.world import CONFIG, REPOSITORY, World, alert, body, ended, shown


def test_an_alert_wakes_who_is_on_call_until_they_answer(build: Callable[..., World]) -> None:
    world = build(known=False, as_command=True)
    fires = alert()
    assert world.post(body(fires)).status == 200
    (ring,) = world.until(lambda: world.rings("alice-phone", "HighErrorRate"), "the telephone")
    (card,) = world.until(lambda: world.channel(contains="HighErrorRate"), "the card")
    world.until(lambda: world.dms("alice", "HighErrorRate"), "the direct message")
    assert ring["priority"] == 5
    assert "Alice Adams" in shown(card) or world.until(
        lambda: world.channel(contains="Alice Adams"), "the card says who is paged"
    )

    world.human("alice").click("incidents", text="Acknowledge")
    world.until(lambda: world.channel(contains="cknowledged"), "the card says who has it")
    world.until(lambda: world.dms("alice", "You have it"), "so does the direct message")

    assert world.post(body(ended(fires))).status == 200
    world.until(lambda: world.channel(contains="esolved"), "the card says that it is over")
    assert len(world.channel()) == 1, "one live message, edited in place"
    assert len(world.phone.rings()) == 1
    world.judged_clean()
    assert world.serve.stop() == 0


def test_the_runbooks_that_the_file_names_are_there_at_the_first_start(
    build: Callable[..., World],
) -> None:
    world = build(config=f"{CONFIG}runbooks: {{dir: {REPOSITORY / 'runbooks'}}}\n")
    found = world.rows("SELECT count(*) AS n FROM runbook")
    assert found[0]["n"] == len(list((REPOSITORY / "runbooks").glob("*.md")))
    assert world.post(body(alert("NodeFilesystemAlmostOutOfSpace"))).status == 200
    world.until(lambda: world.channel(contains="unbook"), "the card names the runbook")
