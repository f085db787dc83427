"""Paging goes on until somebody answers: steps, rounds, fallback, last resort, acknowledgements and their end."""

from __future__ import annotations

import copy
from datetime import timedelta

import pytest

from oncall_bot.core.outcomes import Actor
from oncall_bot.core.situation import State
from oncall_bot.flows.acknowledge import take_over
from oncall_bot.flows.escalate import escalate, hand_over, page_by_hand
from oncall_bot.flows.resolve import mitigate, resolve
from oncall_bot.flows.set_override import set_override
from oncall_bot.flows.silence_incident import silence_incident
from oncall_bot.store import views
from tests.component.flows.world import DOCUMENT, World


def minutes(world: World) -> list[tuple[float, str]]:
    """When each phone rang, in minutes since the first ring."""
    first = world.phone[0].at
    return [((got.at - first) / timedelta(minutes=1), got.to) for got in world.phone]


def test_nobody_answers_so_the_policy_runs_its_rounds_then_the_fallback_then_the_last_resort(
    world: World,
) -> None:
    world.told(world.alert())
    world.pass_time(100 * 60)
    assert minutes(world) == [
        (0, "ana-phone"),
        (5, "bo-phone"),
        (20, "ana-phone"),
        (25, "bo-phone"),
        (40, "dee-phone"),
        (55, "dee-phone"),
        (85, "dee-phone"),
    ]


def test_the_last_resort_goes_on_until_somebody_answers(world: World) -> None:
    world.told(world.alert())
    world.pass_time(6 * 3600, step=60)
    before = len(world.phone)
    world.ack(1, "dee")
    world.pass_time(20 * 60)
    assert before >= 10
    assert len(world.phone) == before


def test_an_acknowledgement_stops_every_road_at_once(world: World) -> None:
    world.told(world.alert())
    world.run()
    outcome = world.ack(1)
    world.pass_time(29 * 60)
    assert outcome.done
    assert world.rang() == ["ana-phone"]
    assert world.shown().state is State.ACKNOWLEDGED


def test_a_second_acknowledgement_names_the_winner(world: World) -> None:
    world.told(world.alert())
    world.ack(1, "ana")
    late = world.ack(1, "bo")
    assert (late.done, late.winner) == (False, "Ana Ruiz")
    assert "Ana Ruiz already has incident 1" in late.reason


def test_a_slack_user_who_is_not_in_the_file_may_acknowledge(world: World) -> None:
    from oncall_bot.flows.acknowledge import acknowledge

    world.told(world.alert())
    outcome = world.store.write(acknowledge, 1, Actor("slack", "U0STRANGER", "Stan")).result()
    assert outcome.done
    assert world.shown().acked_by == "Stan"


def test_no_word_for_half_an_hour_after_the_ack_pages_the_one_who_has_it_and_then_goes_on(
    world: World,
) -> None:
    world.told(world.alert())
    world.run()
    world.ack(1, "bo")
    world.pass_time(46 * 60)
    assert minutes(world)[1:] == [(30, "bo-phone"), (35, "ana-phone"), (40, "bo-phone")]


def test_everybody_who_was_paged_sees_that_somebody_has_it(world: World) -> None:
    world.told(world.alert())
    world.pass_time(6 * 60)
    world.slack.clear()
    world.ack(1, "bo")
    world.run()
    assert {got.to for got in world.slack if got.to.startswith("U0")} == {"U0ANAANA1", "U0BOBOBO1"}


def test_a_gap_in_the_schedule_pages_the_fallback_at_once(world: World) -> None:
    world.told(world.alert("Gap"))
    world.run()
    assert world.rang() == ["dee-phone"]
    assert any("nobody is on call for nobody" in line for line in world.timeline())


def test_a_person_without_a_loud_road_is_paged_in_slack_and_the_record_says_so(
    world: World,
) -> None:
    world.told(world.alert())
    world.run()
    world.store.write(page_by_hand, 1, "cy", world.person("ana")).result()
    world.run()
    assert "U0CYCYCY1" in {got.to for got in world.slack if got.kind == "page"}
    assert "Paged Cy Okafor: slack (no loud road)" in world.timeline()


def test_with_nobody_to_page_the_incident_says_why_and_the_last_resort_is_tried_again(
    world: World,
) -> None:
    lonely = copy.deepcopy(DOCUMENT)
    lonely["people"] = {"eve": {"name": "Eve"}}
    for section in ("teams", "services", "schedules"):
        lonely.pop(section)
    lonely["defaults"] = {"fallback": ["person:eve"], "last_resort": ["eve"]}
    lonely["policies"] = {"p": {"steps": [{"after": "0m", "page": ["person:eve"]}]}}
    lonely["routes"] = [{"name": "rest", "policy": "p"}]
    world.apply(lonely)
    world.told(world.alert())
    world.run()
    assert "Eve is named" in (world.shown().nobody or "")
    assert world.rows(
        "SELECT count(*) FROM timer WHERE state = 'pending' AND kind = 'escalate'"
    ) == [(1,)]


def test_escalate_now_pages_the_next_step_once_for_impatient_thumbs(world: World) -> None:
    world.told(world.alert())
    world.run()
    first = world.store.write(escalate, 1, world.person("ana")).result()
    second = world.store.write(escalate, 1, world.person("ana")).result()
    world.run()
    assert (first.done, second.done) == (True, False)
    assert world.rang() == ["ana-phone", "bo-phone"]


def test_after_escalating_the_policy_goes_on_by_time(world: World) -> None:
    world.told(world.alert())
    world.run()
    world.store.write(escalate, 1, world.person("ana")).result()
    world.pass_time(21 * 60)
    assert minutes(world) == [
        (0, "ana-phone"),
        (0, "bo-phone"),
        (15, "ana-phone"),
        (20, "bo-phone"),
    ]


def test_a_hand_over_pages_the_other_person_until_they_answer(world: World) -> None:
    world.told(world.alert())
    world.run()
    world.ack(1, "ana")
    world.store.write(hand_over, 1, "bo", world.person("ana")).result()
    world.run()
    assert world.rang() == ["ana-phone", "bo-phone"]
    assert world.shown().state is State.FIRING
    world.ack(1, "bo")
    world.pass_time(20 * 60)
    assert world.rang() == ["ana-phone", "bo-phone"]


def test_paging_an_unknown_name_says_what_would_do(world: World) -> None:
    world.told(world.alert())
    outcome = world.store.write(page_by_hand, 1, "zoe", world.person("ana")).result()
    assert (outcome.done, outcome.reason) == (
        False,
        "I don't know 'zoe'. Name a person, a team or a policy of the file.",
    )


def test_a_resolve_by_hand_ends_paging_and_a_new_alert_of_the_group_opens_it_again(
    world: World,
) -> None:
    world.told(world.alert(instance="a"))
    world.run()
    world.store.write(resolve, 1, world.person("ana"), reason="rolled back").result()
    world.pass_time(20 * 60)
    assert world.rang() == ["ana-phone"]
    world.told(world.alert(instance="b"))
    world.run()
    assert world.shown().state is State.FIRING
    assert world.rang() == ["ana-phone", "ana-phone"]


def test_resolving_what_is_over_names_who_did_it(world: World) -> None:
    world.told(world.alert())
    world.store.write(resolve, 1, world.person("ana")).result()
    late = world.store.write(resolve, 1, world.person("bo")).result()
    assert late.reason == "Incident 1 is over: Ana Ruiz resolved it. Nothing is left to do."


def test_mitigated_is_watched_by_whoever_said_so(world: World) -> None:
    world.told(world.alert())
    world.store.write(mitigate, 1, world.person("bo")).result()
    world.pass_time(20 * 60)
    assert (world.shown().state, world.shown().acked_by) == (State.MITIGATED, "Bo Lindt")
    assert world.rang() == []


def test_after_the_ack_timeout_nobody_has_it_and_whoever_is_paged_can_take_it(world: World) -> None:
    world.told(world.alert())
    world.run()
    world.ack(1, "ana")
    world.pass_time(41 * 60)
    assert (world.shown().state, world.shown().acked_by) == (State.FIRING, None)
    assert world.ack(1, "bo").done
    before = len(world.phone)
    world.pass_time(29 * 60)
    assert (world.shown().acked_by, len(world.phone)) == ("Bo Lindt", before)


def test_acknowledging_again_is_the_word_that_was_waited_for(world: World) -> None:
    world.told(world.alert())
    world.run()
    world.ack(1, "ana")
    world.pass_time(20 * 60)
    world.ack(1, "ana")
    world.pass_time(29 * 60)
    assert world.rang() == ["ana-phone"]
    world.pass_time(2 * 60)
    assert world.rang() == ["ana-phone", "ana-phone"]


def test_what_is_mitigated_is_not_asked_about_at_the_ack_timeout(world: World) -> None:
    world.told(world.alert())
    world.run()
    world.ack(1, "ana")
    world.store.write(mitigate, 1, world.person("ana")).result()
    world.pass_time(60 * 60)
    assert world.rang() == ["ana-phone"]


def test_whoever_is_asked_for_help_and_acknowledges_takes_over_and_the_former_is_told(
    world: World,
) -> None:
    world.told(world.alert())
    world.run()
    world.ack(1, "ana")
    world.store.write(page_by_hand, 1, "bo", world.person("ana")).result()
    world.run()
    outcome = world.ack(1, "bo")
    world.pass_time(20 * 60)
    assert outcome.reason == "You have incident 1 now; Ana Ruiz had it and is told."
    assert world.shown().acked_by == "Bo Lindt"
    assert world.rang() == ["ana-phone", "bo-phone"]
    told = [got.what for got in world.slack if (got.to, got.kind) == ("U0ANAANA1", "notice")]
    assert told == ["Incident 1: Bo Lindt has it now. You are not paged for it any more."]


def test_taking_over_stops_the_pages_of_the_former(world: World) -> None:
    world.told(world.alert())
    world.run()
    world.ack(1, "ana")
    world.pass_time(10 * 60)
    world.store.write(take_over, 1, world.person("bo")).result()
    world.pass_time(29 * 60)
    assert world.rang() == ["ana-phone"], "Ana's half hour is over, and it is not hers any more"
    world.pass_time(2 * 60)
    assert world.rang() == ["ana-phone", "bo-phone"]


def test_somebody_else_hands_it_over_and_the_former_is_told(world: World) -> None:
    world.told(world.alert())
    world.run()
    world.ack(1, "ana")
    world.store.write(hand_over, 1, "bo", world.person("dee")).result()
    world.pass_time(40 * 60)
    assert set(world.rang()[1:]) == {"bo-phone", "dee-phone"}, "Bo, then the fallback; Ana no more"
    told = [got.what for got in world.slack if (got.to, got.kind) == ("U0ANAANA1", "notice")]
    assert told == [
        "Incident 1: Dee Marsh handed it to Bo Lindt. You are not paged for it any more."
    ]


def test_handing_an_incident_to_oneself_is_taking_it(world: World) -> None:
    world.told(world.alert())
    world.run()
    world.ack(1, "ana")
    world.store.write(hand_over, 1, "bo", world.person("bo")).result()
    world.run()
    assert world.shown().acked_by == "Bo Lindt"
    assert world.rang() == ["ana-phone"]


@pytest.mark.parametrize("severity", ["warning", "info"])
def test_a_page_by_hand_rings_however_quiet_the_incident_is(world: World, severity: str) -> None:
    world.told(world.alert(severity=severity))
    world.run()
    assert world.store.write(page_by_hand, 1, "bo", world.person("ana")).result().done
    world.pass_time(6 * 60)
    assert world.rang() == ["bo-phone", "bo-phone"]


def test_asking_for_the_next_step_of_a_quiet_incident_pages_its_policy(world: World) -> None:
    world.told(world.alert(severity="info"))
    world.run()
    assert world.rang() == []
    world.store.write(escalate, 1, world.person("bo")).result()
    world.pass_time(6 * 60)
    assert world.rang() == ["ana-phone", "bo-phone"]


def test_a_page_of_a_second_policy_runs_beside_the_first(world: World) -> None:
    world.told(world.alert())
    world.run()
    world.store.write(page_by_hand, 1, "policy:gap", world.person("ana")).result()
    world.run()
    assert world.rang() == ["ana-phone", "dee-phone"]
    world.ack(1, "dee")
    world.pass_time(20 * 60)
    assert world.rang() == ["ana-phone", "dee-phone"]


def test_low_urgency_with_nobody_on_call_goes_to_the_fallback_in_slack(world: World) -> None:
    world.told(world.alert("Gap", severity="warning"))
    world.pass_time(3600)
    assert [got.to for got in world.slack if got.kind == "page"] == ["U0DEEDEE1"]
    assert world.rang() == []


def by_hours(world: World, *steps: dict[str, object]) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["policies"]["primary"] = {"steps": list(steps)}
    world.apply(document)


def test_a_step_outside_its_hours_is_passed_over_and_the_record_says_why(world: World) -> None:
    office = {"days": [1, 2, 3, 4, 5], "from": "08:00", "to": "12:00"}
    by_hours(
        world,
        {"after": "0m", "page": ["person:ana"], "when": office},
        {"after": "5m", "page": ["person:bo"]},
    )
    world.told(world.alert())  # Monday 13:00 in Berlin
    world.pass_time(6 * 60)
    assert world.rang() == ["bo-phone"]
    assert (
        "primary, step 1 of 2 is passed over: it applies only Mon to Fri 08:00 to 12:00 "
        "(Europe/Berlin)" in world.timeline()
    )


@pytest.mark.parametrize("severity", ["critical", "warning"])
def test_where_every_step_is_outside_its_hours_the_fallback_is_asked_at_once(
    world: World, severity: str
) -> None:
    by_hours(
        world,
        {"after": "0m", "page": ["person:ana"], "when": {"days": [6]}},
        {"after": "10m", "page": ["person:bo"], "when": {"days": [7]}},
    )
    world.told(world.alert(severity=severity))
    world.run()
    assert [got.to for got in world.slack if got.kind == "page"] == ["U0DEEDEE1"]


def test_a_step_that_was_due_while_the_bot_was_down_and_whose_hours_are_over_hands_on(
    world: World,
) -> None:
    day = {"from": "08:00", "to": "13:10"}
    by_hours(world, {"after": "5m", "page": ["person:ana"], "when": day})
    world.told(world.alert())  # 13:00 in Berlin, so the step is due at 13:05
    world.clock.advance(3600)
    world.pass_time(3, step=1)  # what is late waits a moment for others that are
    assert world.rang() == ["dee-phone"]


@pytest.mark.parametrize("person", ["ana", "bo"])
def test_why_tells_in_words_who_was_paged(world: World, person: str) -> None:
    world.told(world.alert())
    world.pass_time(6 * 60)
    said = " ".join(why(world))
    assert f"{world.person(person).name} was paged at" in said
    assert "Taken by route rest" in said


def why(world: World, incident_id: int = 1) -> list[str]:
    lines = world.store.look(views.why, incident_id)
    return [line.text(lambda at: f"{at:%H:%M}") for line in lines]


def test_why_names_route_policy_step_schedule_roads_and_what_comes_next(world: World) -> None:
    world.told(world.alert())
    world.run()
    assert why(world) == [
        "The alert HighErrorRate opened it.",
        "Taken by route rest: it takes everything. Group: alertname=HighErrorRate, service=checkout.",
        "It is SEV2, urgency high.",
        (
            "Ana Ruiz was paged at 12:00 (policy primary): primary, step 1 of 2; Ana Ruiz is on call "
            "for primary. By slack sent at 12:00, push sent at 12:00."
        ),
        "Next: step 2 of 2 at 12:05 pages Bo Lindt.",
    ]


def test_why_says_whom_low_urgency_does_not_page_and_that_it_ends_there(world: World) -> None:
    world.told(world.alert(severity="warning"))
    world.run()
    said = why(world)
    assert "person:bo not paged: step 2 applies only on high urgency." in said
    assert said[-1].endswith("low urgency is asked once.")


def test_why_says_that_an_override_put_somebody_on_call(world: World) -> None:
    begin, end = world.clock.now - timedelta(hours=1), world.clock.now + timedelta(hours=1)
    world.store.write(set_override, "primary", begin, end, "bo", world.person("bo")).result()
    world.told(world.alert())
    world.run()
    assert any(
        "Bo Lindt is on call for primary by an override, where the rota has Ana Ruiz." in line
        for line in why(world)
    )


def test_why_says_until_when_a_silence_holds_it_back(world: World) -> None:
    world.told(world.alert())
    world.run()
    quiet = (1, timedelta(hours=2), "moving", world.person("ana"))
    world.store.write(silence_incident, *quiet).result()
    assert why(world)[-1] == (
        "Nobody is paged now: held back by silence 1 of Ana Ruiz until 14:00."
    )


def test_why_says_who_had_no_road_and_which_step_its_hours_kept_back(world: World) -> None:
    lost = copy.deepcopy(DOCUMENT)
    lost["people"]["cy"] = {"name": "Cy Okafor"}
    lost["policies"]["primary"] = {
        "steps": [
            {"after": "0m", "page": ["person:ana"], "when": {"days": [7]}},
            {"after": "0m", "page": ["person:cy"]},
        ]
    }
    world.apply(lost)
    world.told(world.alert())
    world.run()
    said = why(world)
    assert "step 1 was not paged at 12:00: it applies only Sun (Europe/Berlin)." in said
    assert "Cy Okafor was not paged at 12:00: no road." in said
    assert any("Dee Marsh was paged" in line and "the fallback" in line for line in said)


def test_why_says_who_has_it_and_when_a_word_is_asked_for(world: World) -> None:
    world.told(world.alert())
    world.run()
    world.ack(1, "ana")
    said = why(world)
    assert "Answered at 12:00 by slack." in " ".join(said)
    assert said[-2:] == [
        "Ana Ruiz has it since 12:00.",
        "Next: without a word they are paged again at 12:30.",
    ]


def test_the_page_waits_for_its_road_rule(world: World) -> None:
    """Voice rings a minute after push, and not at all once somebody has it."""
    richer = copy.deepcopy(DOCUMENT)
    richer["people"]["ana"]["contacts"]["voice"] = "+4912345"
    world.apply(richer)
    world.told(world.alert())
    world.pass_time(90, step=10)
    assert [
        (got.what, got.kind, round((got.at - world.phone[0].at).total_seconds()))
        for got in world.phone
    ] == [
        (world.phone[0].what, "push", 0),
        (world.phone[1].what, "voice", 60),
    ]
