"""Catching up tells a late reader what is new to them; an update is words until somebody accepts them."""

from __future__ import annotations

from oncall_bot.flows.acknowledge import take_over
from oncall_bot.flows.catching_up import looked, suggest_update
from oncall_bot.flows.declare import note
from oncall_bot.flows.resolve import mitigate, resolve
from oncall_bot.flows.reviewing import accept, discard
from oncall_bot.store import views
from tests.component.flows.world import World


def told(world: World, key: str = "bo") -> str:
    text = world.store.look(views.catch_up, 1, f"person:{key}")
    assert text is not None
    return text


def part(text: str, title: str) -> str:
    return text.split(f"## {title}")[1].split("\n## ")[0]


def test_nobody_has_it_yet_and_what_happens_by_itself(world: World) -> None:
    world.told(world.alert())
    world.run()
    text = told(world)
    assert "Nobody has answered yet" in part(text, "Who has it")
    assert "Paged so far: Ana Ruiz" in part(text, "Who has it")
    assert "If nobody answers, Bo Lindt is paged at 12:05 UTC (step 2 of 2)." in part(
        text, "What is next"
    )


def test_who_has_it_now_counts_and_not_who_had_it_first(world: World) -> None:
    world.told(world.alert())
    world.run()
    world.ack(1)
    world.pass_time(120)
    world.store.write(take_over, 1, world.person("bo")).result()
    assert "Bo Lindt has it since 12:02 UTC" in part(told(world, "cy"), "Who has it")
    assert "then paging begins again" in part(told(world, "cy"), "What is next")


def test_only_what_came_since_the_last_look_is_new(world: World) -> None:
    world.told(world.alert())
    world.run()
    world.ack(1)
    world.pass_time(600)
    world.store.write(looked, 1, world.person("cy")).result()
    world.pass_time(60)
    world.store.write(mitigate, 1, world.person("ana")).result()
    world.pass_time(60)
    news = told(world, "cy").split("## Since you were here, 12:10 UTC")[1]
    assert "acknowledged" not in news.split("##")[0]
    assert "It is mitigated since 12:11 UTC and being watched" in told(world, "cy")
    assert "In the last 15 min" in told(world, "dee"), "dee never looked"


def test_a_look_is_remembered_for_each_person_and_what_they_did_counts_as_one(world: World) -> None:
    world.told(world.alert())
    world.run()
    world.pass_time(60)
    world.store.write(note, 1, "I look at the pool", world.person("ana")).result()
    assert "Since you were here, 12:01 UTC" in told(world, "ana")
    for _ in range(2):
        world.store.write(looked, 1, world.person("bo")).result()
    assert world.rows("SELECT incident_id, actor FROM incident_look") == [(1, "person:bo")]
    world.store.write(looked, 99, world.person("bo")).result()


def test_an_accepted_update_is_posted_once_under_its_authors_name(world: World) -> None:
    world.told(world.alert())
    world.run()
    world.ack(1)
    draft_id = world.store.write(suggest_update, 1, "internal", world.person("bo")).result()
    assert isinstance(draft_id, int)
    notice = world.store.look(views.draft_by_id, draft_id)
    assert notice is not None
    assert "Ana Ruiz is on it." in notice.markdown
    assert "The cause is not confirmed." in notice.markdown
    world.run()
    updates = "SELECT role FROM slack_message WHERE role LIKE 'update:%' AND ts IS NOT NULL"
    assert world.rows(updates) == [], "asking posts nothing"
    done = world.store.write(accept, draft_id, world.person("bo")).result()
    assert done.reason == "Posted in the incident's thread."
    world.run()
    posted = world.store.look(views.update_notice, draft_id)
    assert posted is not None
    assert (posted.by, posted.audience) == ("Bo Lindt", "internal")
    assert [
        row[0] for row in world.rows("SELECT role FROM slack_message WHERE ts IS NOT NULL")
    ].count(f"update:{draft_id}") == 1
    again = world.store.write(accept, draft_id, world.person("ana")).result()
    assert again.winner == "Bo Lindt"


def test_a_discarded_update_is_never_posted(world: World) -> None:
    world.told(world.alert())
    world.run()
    draft_id = world.store.write(suggest_update, 1, "customers", world.person("bo")).result()
    assert isinstance(draft_id, int)
    world.store.write(discard, draft_id, world.person("bo")).result()
    world.run()
    assert world.rows("SELECT role FROM slack_message WHERE role LIKE 'update:%'") == []


def test_customers_read_no_inner_names(world: World) -> None:
    world.told(world.alert())
    world.run()
    world.ack(1)
    world.store.write(resolve, 1, world.person("ana")).result()
    draft_id = world.store.write(suggest_update, 1, "customers", world.person("bo")).result()
    assert isinstance(draft_id, int)
    notice = world.store.look(views.draft_by_id, draft_id)
    assert notice is not None
    for inner in ("HighErrorRate", "checkout", "Ana", "Ruiz", "SEV", "[e"):
        assert inner not in notice.markdown, notice.markdown
    assert "It is resolved." in notice.markdown


def test_an_update_for_an_audience_or_incident_that_is_not_there_is_refused(world: World) -> None:
    world.told(world.alert())
    world.run()
    for number, audience in ((1, "press"), (99, "internal")):
        done = world.store.write(suggest_update, number, audience, world.person("bo")).result()
        assert not isinstance(done, int)
        assert not done.done
    assert world.store.look(views.catch_up, 99, "person:bo") is None
