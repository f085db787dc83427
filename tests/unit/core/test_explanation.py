"""Why each person was paged, or not, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from oncall_bot.core.config import Policy, Step, Target, Urgency
from oncall_bot.core.escalation import Status
from oncall_bot.core.explanation import Line, NotPaged, PageTold, RunTold, Told, explain
from oncall_bot.core.situation import NextStep, RoadFate

AT = datetime(2026, 3, 2, 3, 7, tzinfo=UTC)
ANA = PageTold("Ana Ruiz", AT, "shop, step 1 of 2", "Ana Ruiz is on call for shop")


def said(told: Told) -> list[str]:
    return [line.text(lambda at: f"{at:%H:%M}") for line in explain(told)]


def paging(**values: object) -> Told:
    run = RunTold("policy shop", Status.RUNNING, Urgency.HIGH, **values)  # type: ignore[arg-type]
    return Told(("An alert opened it.",), Urgency.HIGH, (run,))


def test_a_page_names_policy_step_schedule_roads_and_their_fate() -> None:
    roads = (
        RoadFate("push", "sent", AT),
        RoadFate("voice", "failed", AT, "number not reachable"),
        RoadFate("mail", "outdated", AT),
    )
    page = PageTold(
        ANA.name, AT, ANA.ask, ANA.found, None, roads, AT + timedelta(minutes=1), "voice"
    )
    assert said(paging(pages=(page,)))[1] == (
        "Ana Ruiz was paged at 03:07 (policy shop): shop, step 1 of 2; Ana Ruiz is on call for shop."
        " By push sent at 03:07, voice failed at 03:07 (number not reachable), mail no longer needed."
        " Answered at 03:08 by voice."
    )


def test_who_covers_for_whom_is_said_and_who_has_no_loud_road() -> None:
    page = PageTold("Bo", AT, "shop, step 1 of 1", "Bo is on call for shop", "Ana", loud=False)
    (_, line) = said(paging(pages=(page,)))
    assert "by an override, where the rota has Ana." in line
    assert line.endswith("They have no loud road.")


def test_who_was_left_out_is_said_with_the_reason() -> None:
    steps = (
        Step(timedelta(0), (Target("person", "ana"),)),
        Step(timedelta(minutes=5), (Target("person", "bo"),), Urgency.LOW),
    )
    left = (NotPaged("Cy", "no road", AT), NotPaged("step 2", "it applies only Sun (UTC)"))
    told = paging(policy=Policy("shop", steps), left_out=left)
    assert said(told)[1:] == [
        "Cy was not paged at 03:07: no road.",
        "step 2 was not paged: it applies only Sun (UTC).",
        "person:bo not paged: step 2 applies only on low urgency.",
    ]


def test_what_comes_next_stands_at_the_end() -> None:
    step = NextStep(AT, ("Bo", "Cy"), "step 2 of 3")
    assert said(paging(next=step))[-1] == "Next: step 2 of 3 at 03:07 pages Bo, Cy."


def test_a_hold_an_answer_and_an_end_are_said() -> None:
    held = Told((), Urgency.HIGH, held_by="silence 3 of Ana", held_until=AT)
    assert said(held) == ["Nobody is paged now: held back by silence 3 of Ana until 03:07."]
    acked = Told((), Urgency.HIGH, acked_by="Ana", acked_at=AT)
    assert said(acked) == ["Ana has it since 03:07."]
    over = Told((), Urgency.HIGH, acked_by="Ana", acked_at=AT, over="it is resolved")
    assert said(over) == ["Nothing more comes: it is resolved."]
    assert said(Told((), Urgency.NONE)) == ["Nobody was paged: its urgency is none."]


def test_for_machines_a_line_carries_its_instants() -> None:
    plain = Line("next", ("Next at ", AT, "."), "Bo").plain()
    assert plain == {
        "about": "next",
        "who": "Bo",
        "text": "Next at 2026-03-02 03:07 UTC.",
        "at": ["2026-03-02T03:07:00+00:00"],
    }
