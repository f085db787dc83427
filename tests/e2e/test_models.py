"""A model beside the real process: its sentences are checked, its calls are booked, and nobody waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.e2e.world import CONFIG, World, alert, body, ended, http
from tests.fakes.models import Answer, Script, said, scripted_model
from tests.fakes.writers import LIARS, honest

COMMAND = "/oncall"
LLM = """
llm:
  sends: [severity:SEV2]
  never_labels: [customer]
  daily_cap: 5 USD
  prices: {scripted: {input: 1, output: 2}}
"""


def _ended_incident(build: Callable[..., World], base_url: str, llm: str = LLM) -> World:
    world = build(
        config=CONFIG + llm,
        env={"ONCALL_LLM_BASE_URL": base_url, "ONCALL_LLM_MODEL": "scripted"},
    )
    fires = alert(customer="Acme GmbH")
    assert world.post(body(fires)).status == 200
    world.until(lambda: world.rings("alice-phone"), "the telephone")
    world.until(lambda: world.channel(contains="HighErrorRate"), "the card")
    world.human("alice").click("incidents", text="Acknowledge")
    world.until(lambda: world.channel(contains="cknowledged"), "she has it")
    assert world.post(body(ended(fires))).status == 200
    world.until(lambda: world.channel(contains="esolved"), "it is over")
    return world


def _drafted(world: World, state: str) -> str:
    world.human("alice").slash("incidents", COMMAND, "summary 1")
    where = f"SELECT markdown FROM draft WHERE kind = 'summary' AND state = '{state}'"
    return str(world.until(lambda: world.rows(where), "the draft")[0]["markdown"])


def test_prose_comes_with_a_row_for_each_call_and_no_withheld_value_leaves(
    build: Callable[..., World],
) -> None:
    with scripted_model(honest) as model:
        world = _ended_incident(build, model.base_url)
        text = _drafted(world, "narrated")
        calls = world.rows("SELECT * FROM llm_call")
    assert "Summary" in text
    assert model.requests
    assert "acme" not in str(model.requests).lower()
    assert len(calls) == len(model.requests)
    assert {(c["incident_id"], c["outcome"], c["model"]) for c in calls} == {
        (1, "answered", "scripted")
    }
    assert all(c["cost"] > 0 and c["tokens"] > 0 and c["kept"] is not None for c in calls)
    counted = http(f"{world.serve.url}/metrics").body
    assert f'oncall_llm_calls_total{{outcome="answered"}} {len(calls)}.0' in counted


def test_a_liar_leaves_the_draft_without_a_lie_and_the_lies_beside_it(
    build: Callable[..., World],
) -> None:
    with scripted_model(LIARS["names"]) as model:
        world = _ended_incident(build, model.base_url)
        text = _drafted(world, "narrated")
    assert "Marcus" not in text
    assert "Marcus" in str(world.rows("SELECT checks FROM draft WHERE state = 'narrated'"))


def test_while_a_model_hangs_people_are_paged_and_answer(build: Callable[..., World]) -> None:
    hangs: Script = lambda *_: Answer(said("x" * 4_000).body, hang=True)  # noqa: E731 - a script
    with scripted_model(hangs) as model:
        world = _ended_incident(build, model.base_url)
        world.human("alice").slash("incidents", COMMAND, "summary 1")
        world.until(lambda: model.requests, "the model is asked")
        began = time.monotonic()
        assert world.post(body(alert("Second"))).status == 200
        world.until(lambda: world.rings("alice-phone", "Second"), "the telephone")
        assert time.monotonic() - began < 8
        assert world.rows("SELECT markdown FROM draft WHERE kind = 'summary'")


def test_an_incident_that_the_file_keeps_at_home_is_drafted_without_a_model(
    build: Callable[..., World],
) -> None:
    with scripted_model(honest) as model:
        world = _ended_incident(build, model.base_url, "llm: {sends: [severity:SEV1]}\n")
        text = _drafted(world, "narrated")
        assert model.requests == []
    assert "llm.sends does not name this incident" in text
