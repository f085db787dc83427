"""What becomes of a suggested text: one decision counts, the loser learns who was first, nothing goes out by itself."""

from __future__ import annotations

import copy

import pytest

from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.verification import Claim
from oncall_bot.flows.declare import note
from oncall_bot.flows.drafting import add_narrative, request_draft
from oncall_bot.flows.resolve import resolve
from oncall_bot.flows.reviewing import accept, answer_check, discard, edit
from oncall_bot.ports import Prose
from oncall_bot.store import views
from tests.component.flows.world import DOCUMENT, World

KIND = "summary"
CAUSE = "The deploy caused the errors on checkout."


def suggested(world: World, kind: str = KIND) -> int:
    """A summary of an incident that is over; its draft's number."""
    world.told(world.alert())
    world.run()
    world.ack(1)
    world.store.write(resolve, 1, world.person("ana")).result()
    world.store.write(request_draft, 1, kind, world.person("ana")).result()
    world.run()
    notice = world.store.look(views.suggestion, 1, kind)
    assert notice is not None
    return notice.draft_id


def standing(world: World, kind: str = KIND) -> str:
    return world.store.look(views.draft, 1, kind) or ""


def with_a_sentence_to_check(world: World) -> int:
    suggested(world)
    said = "the errors on checkout began right after the deploy"
    world.store.write(note, 1, said, world.person("bo")).result()
    world.store.write(request_draft, 1, KIND, world.person("bo")).result()
    newest = world.store.look(views.suggestion, 1, KIND)
    assert newest is not None
    draft_id = newest.draft_id
    events = world.store.look(views.record, 1)["events"]
    claim = Claim(CAUSE, "summary", (next(e["id"] for e in events if e["text"] == said),))
    world.store.write(add_narrative, draft_id, Prose((claim,))).result()
    notice = world.store.look(views.draft_by_id, draft_id)
    assert notice is not None
    assert [(c.check_id, c.text) for c in notice.checks] == [("s1", CAUSE)]
    assert CAUSE not in standing(world), "left out as long as nobody answers"
    return draft_id


def test_an_accepted_summary_is_the_one_that_is_exported(world: World) -> None:
    draft_id = suggested(world)
    assert "documents" not in world.store.look(views.record, 1)
    done = world.store.write(accept, draft_id, world.person("ana")).result()
    assert done.done
    told = world.store.look(views.record, 1)["documents"]["summary"]
    assert (told["state"], told["by"]) == ("accepted", "Ana Ruiz")
    assert told["markdown"] == standing(world)
    assert "Ana Ruiz accepted the summary" in world.timeline()


@pytest.mark.parametrize("first", [accept, discard])
@pytest.mark.parametrize("second", [accept, discard])
def test_the_second_decision_changes_nothing_and_names_the_first(
    world: World, first: object, second: object
) -> None:
    draft_id = suggested(world)
    assert world.store.write(first, draft_id, world.person("bo")).result().done  # type: ignore[arg-type]
    lost: Outcome = world.store.write(second, draft_id, world.person("ana")).result()  # type: ignore[arg-type]
    assert not lost.done
    assert lost.winner == "Bo Lindt"
    assert "Bo Lindt" in lost.reason
    assert "Nothing is left to do" in lost.reason


def test_an_edited_section_replaces_the_suggested_one_and_facts_stay(world: World) -> None:
    draft_id = suggested(world)
    before = standing(world)
    words = "Checkout was slow for a while.\n## Not a heading of ours\nAll is well."
    done = world.store.write(edit, draft_id, {"Summary": words}, world.person("ana")).result()
    assert done.done
    text = standing(world)
    assert "Checkout was slow for a while." in text
    assert "\n### Not a heading of ours" in text
    assert text.split("## Key times")[1] == before.split("## Key times")[1]
    notice = world.store.look(views.draft_by_id, draft_id)
    assert notice is not None
    assert notice.state == "edited"
    kept = world.rows(f"SELECT suggested FROM draft WHERE id = {draft_id}")[0][0]
    assert kept == before, "what was suggested is kept beside what was made of it"


def test_a_text_with_a_secret_is_refused_and_nothing_is_decided(world: World) -> None:
    draft_id = suggested(world)
    leak = {"Summary": "We logged in with password: Blau3rElefant and restarted it."}
    done = world.store.write(edit, draft_id, leak, world.person("ana")).result()
    assert not done.done
    assert "secret" in done.reason
    assert "Blau3rElefant" not in done.reason
    assert world.store.write(accept, draft_id, world.person("ana")).result().done


def test_a_discarded_summary_does_not_stand_and_a_new_one_may_be_asked_for(world: World) -> None:
    draft_id = suggested(world)
    world.store.write(discard, draft_id, world.person("ana")).result()
    assert standing(world) == ""
    world.store.write(request_draft, 1, KIND, world.person("bo")).result()
    assert standing(world)
    assert not world.store.write(accept, draft_id, world.person("bo")).result().done


def test_an_old_suggestion_points_to_the_newer_one(world: World) -> None:
    draft_id = suggested(world)
    world.store.write(request_draft, 1, KIND, world.person("bo")).result()
    lost = world.store.write(accept, draft_id, world.person("bo")).result()
    assert lost.reason == "There is a newer summary; decide on that one."


def test_a_model_that_answers_after_the_decision_changes_nothing(world: World) -> None:
    draft_id = suggested(world)
    world.store.write(accept, draft_id, world.person("ana")).result()
    before = standing(world)
    events = world.store.look(views.record, 1)["events"]
    ack = next(e["id"] for e in events if e["kind"] == "ack")
    claim = Claim("Ana Ruiz acknowledged the incident.", "summary", (ack,))
    assert world.store.write(add_narrative, draft_id, Prose((claim,))).result() == 0
    assert standing(world) == before


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("drop", None),
        ("guess", "A guess, kept by Bo Lindt: The deploy caused the errors on checkout"),
        ("confirm", "The deploy caused the errors on checkout (confirmed by Bo Lindt)"),
    ],
)
def test_a_sentence_to_check_is_dropped_kept_as_a_guess_or_confirmed(
    world: World, answer: str, left: str | None
) -> None:
    draft_id = with_a_sentence_to_check(world)
    bo = world.person("bo")
    assert world.store.write(answer_check, draft_id, "s1", answer, bo).result().done
    assert (left or "The deploy caused") in standing(world) or left is None
    assert left is not None or "The deploy caused" not in standing(world)
    lost = world.store.write(answer_check, draft_id, "s1", "drop", world.person("ana")).result()
    assert lost.winner == "Bo Lindt"
    pins = [e for e in world.store.look(views.record, 1)["events"] if e["kind"] == "pin"]
    assert len(pins) == (answer == "confirm"), (
        "a confirmed cause is pinned, so later drafts name it"
    )


def test_later_drafts_name_the_cause_that_was_confirmed(world: World) -> None:
    draft_id = with_a_sentence_to_check(world)
    bo = world.person("bo")
    world.store.write(answer_check, draft_id, "s1", "confirm", bo).result()
    world.store.write(request_draft, 1, "postmortem", bo).result()
    assert "Cause, confirmed by Bo Lindt: the deploy caused the errors" in standing(
        world, "postmortem"
    )


def test_what_was_decided_can_be_counted(world: World) -> None:
    since = world.clock.now
    draft_id = suggested(world)
    world.store.write(discard, draft_id, world.person("ana")).result()
    world.store.write(request_draft, 1, KIND, world.person("ana")).result()
    again = world.store.look(views.suggestion, 1, KIND)
    assert again is not None
    world.store.write(accept, again.draft_id, world.person("ana")).result()
    counted = world.store.look(views.drafts_decided, since)
    assert counted == {("summary", "discarded"): 1, ("summary", "accepted"): 1}


def test_a_viewer_decides_on_nothing_even_when_the_edge_let_them_through(world: World) -> None:
    draft_id = suggested(world)
    document = copy.deepcopy(DOCUMENT)
    document["people"]["cy"]["role"] = "viewer"
    document["teams"]["shop"]["members"].remove("cy")
    world.apply(document)
    cy = Actor("person", "cy", "Cy Okafor")
    for flow in (accept, discard):
        done = world.store.write(flow, draft_id, cy).result()
        assert not done.done
        assert "viewer" in done.reason
    assert not world.store.write(edit, draft_id, {"Summary": "x y z"}, cy).result().done
