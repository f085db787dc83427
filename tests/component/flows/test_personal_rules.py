"""How people set by what they are woken, when low urgency waits, and what a holiday changes. On both databases."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from oncall_bot.core.config import PersonalRule, Urgency
from oncall_bot.core.hours import EVERY_DAY, Hours
from oncall_bot.core.personal_rules import read
from oncall_bot.flows.absence import be_back, be_out
from oncall_bot.flows.declare import change_severity
from oncall_bot.flows.escalate import page_by_hand
from oncall_bot.flows.personal_rules import reset_rules, set_quiet, set_rules
from oncall_bot.flows.resolve import resolve
from oncall_bot.store import views
from tests.component.flows.world import DOCUMENT, World

NIGHT = datetime(2026, 3, 2, 22, tzinfo=UTC)  # 23:00 in Berlin
SEVEN = datetime(2026, 3, 3, 6, tzinfo=UTC)
QUIET = Hours("Europe/Berlin", EVERY_DAY, time(22), time(7))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ANAS_DM = "U0ANAANA1"


def sets(world: World, urgency: Urgency, text: str, by: str = "ana") -> str:
    rules = read(text)
    assert not isinstance(rules, str), rules
    done = world.store.write(set_rules, "ana", urgency, rules, world.person(by)).result()
    return str(done.reason)


def preview(world: World, urgency: Urgency, person: str = "ana") -> str:
    found = world.store.look(views.reach, person, who="you")
    return found.high.preview if urgency is Urgency.HIGH else found.low.preview


def pages(world: World, to: str = ANAS_DM) -> list[datetime]:
    return [got.at for got in world.slack if (got.to, got.kind) == (to, "page")]


def why(world: World, incident_id: int = 1) -> str:
    lines = world.store.look(views.why, incident_id)
    return "\n".join(line.text(lambda at: f"{at:%d %H:%M}") for line in lines)


def audited(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT actor, verb, refused FROM audit WHERE verb <> 'apply' ORDER BY id")


# --- rules --------------------------------------------------------------------------------------------------------


def test_what_the_preview_says_is_what_a_page_does(world: World) -> None:
    said = sets(world, Urgency.HIGH, "push 0m, slack 2m")
    assert said == (
        "Your rules for high urgency are set. If you were paged now: push at 0:00, Slack at 2:00."
    )
    assert preview(world, Urgency.HIGH) in said
    start = world.clock.now
    world.told(world.alert())
    world.pass_time(180)
    assert [got.at for got in world.phone if got.to == "ana-phone"] == [start]
    assert pages(world) == [start + timedelta(minutes=2)]
    assert preview(world, Urgency.LOW) == "If you were paged now: Slack at 0:00."


def test_rules_go_back_to_the_files_and_only_their_owner_sets_them(world: World) -> None:
    assert "Only Ana Ruiz" in sets(world, Urgency.HIGH, "slack 0m", by="dee")
    sets(world, Urgency.LOW, "push 0m")
    bo = world.store.write(reset_rules, "ana", world.person("bo")).result()
    admin = world.store.write(reset_rules, "ana", world.person("dee")).result()
    again = world.store.write(reset_rules, "ana", world.person("ana")).result()
    assert (bo.done, admin.done, again.done) == (False, True, False)
    assert preview(world, Urgency.LOW) == "If you were paged now: Slack at 0:00."
    assert audited(world) == [
        ("person:dee", "rules_set", True),
        ("person:ana", "rules_set", False),
        ("person:bo", "rules_reset", True),
        ("person:dee", "rules_reset", False),
    ]


def test_rules_with_an_unknown_road_or_none_change_nothing(world: World) -> None:
    assert "There is no road 'fax'" in sets(world, Urgency.HIGH, "fax 0m")
    none: list[PersonalRule] = []
    done = world.store.write(set_rules, "ana", Urgency.HIGH, none, world.person("ana")).result()
    assert not done.done
    assert not world.store.look(views.reach, "ana").high.own


def test_a_new_file_leaves_own_rules_and_quiet_hours_alone(world: World) -> None:
    sets(world, Urgency.HIGH, "push 0m")
    world.store.write(set_quiet, "ana", QUIET, world.person("ana")).result()
    world.apply({**DOCUMENT, "defaults": {**DOCUMENT["defaults"], "channel": "#other"}})
    shown = world.store.look(views.reach, "ana")
    assert (shown.high.own, shown.low.own) == (True, False)
    assert shown.quiet == "every day 22:00 to 07:00 (Europe/Berlin)"


# --- quiet hours --------------------------------------------------------------------------------------------------


@pytest.fixture
def night(world: World) -> World:
    """23:00 in Berlin, and Ana sleeps from ten to seven."""
    world.clock.now = NIGHT
    done = world.store.write(set_quiet, "ana", QUIET, world.person("ana")).result()
    assert done.done
    return world


def test_low_urgency_waits_for_the_morning_and_says_why(night: World) -> None:
    night.told(night.alert(severity="warning"))
    night.pass_time(60)
    assert pages(night) == []
    assert [got.to for got in night.slack if got.kind == "edit"], "the card in the channel is out"
    assert (
        "Paged Ana Ruiz: slack at Tue 3 Mar 07:00 (Europe/Berlin),"
        " low urgency waits for the end of their quiet hours"
    ) in night.timeline()
    assert "slack due at 03 06:00 (low urgency waits for the end of their quiet hours)" in (
        why(night)
    )
    assert preview(night, Urgency.LOW) == (
        "If you were paged now: Slack at 07:00 (Europe/Berlin), when quiet hours end."
    )
    night.pass_time((SEVEN - night.clock.now).total_seconds() + 60)
    assert pages(night) == [SEVEN]


def test_high_urgency_rings_in_quiet_hours_and_leaves_low_waiting(night: World) -> None:
    night.told(night.alert("Slow disk", severity="warning"))
    night.run()
    night.told(night.alert("Outage"))
    night.pass_time(60)
    assert night.rang() == ["ana-phone"]
    assert [got.incidents for got in night.slack if got.to == ANAS_DM] == [(2,)]


def test_urgency_that_rises_pages_at_once(night: World) -> None:
    night.told(night.alert(severity="warning"))
    night.pass_time(60)
    night.store.write(change_severity, 1, "SEV1", night.person("bo")).result()
    night.run()
    assert night.rang() == ["ana-phone"]
    assert pages(night) == [night.clock.now]
    night.store.write(resolve, 1, night.person("ana")).result()
    night.pass_time(10 * 3600, step=600)
    assert len(pages(night)) == 1, "what waited for the morning is not needed any more"


def test_what_is_over_by_the_morning_wakes_nobody_for_it(night: World) -> None:
    start = night.clock.now
    night.told(night.alert(severity="warning"), starts_at=start)
    night.pass_time(60)
    night.told(night.alert(severity="warning"), starts_at=start, ended=True)
    night.pass_time(10 * 3600, step=600)
    assert pages(night) == []


def test_quiet_hours_end_for_good_when_switched_off(night: World) -> None:
    ana = night.person("ana")
    assert "Only Ana Ruiz" in (
        night.store.write(set_quiet, "ana", None, night.person("dee")).result().reason
    )
    assert night.store.write(set_quiet, "ana", None, ana).result().done
    assert not night.store.write(set_quiet, "ana", None, ana).result().done
    night.told(night.alert(severity="warning"))
    night.run()
    assert pages(night) == [NIGHT]


# --- holidays -----------------------------------------------------------------------------------------------------


def away(world: World, person: str, hours: float = 48) -> Any:
    now = world.clock.now
    return world.store.write(
        be_out, person, now, now + hours * HOUR, "", world.person(person)
    ).result()


def with_team_step(world: World) -> None:
    """Whoever is on call, then the whole team; the fallback are Dee and Bo."""
    document = copy.deepcopy(DOCUMENT)
    document["teams"]["shop"] |= {"members": ["ana", "bo"], "fallback": ["person:dee", "person:bo"]}
    document["policies"]["primary"] |= {
        "repeat": {"times": 0, "every": "5m"},
        "steps": [
            {"after": "0m", "page": ["schedule:primary"]},
            {"after": "1m", "page": ["team:shop"]},
        ],
    }
    world.apply(document)


def test_a_team_and_a_fallback_do_without_whoever_is_on_holiday(world: World) -> None:
    with_team_step(world)
    away(world, "bo")
    start = world.clock.now
    world.told(world.alert())
    world.pass_time(20 * 60)
    assert "bo-phone" not in world.rang()
    assert "dee-phone" in world.rang()
    until = (start + 48 * HOUR).strftime("%d %H:%M")
    assert f"Bo Lindt was not paged at {start + timedelta(minutes=1):%d %H:%M}: left out of" in (
        why(world)
    )
    assert f"team shop, on holiday until {until}." in why(world)
    assert "left out of the fallback, on holiday until" in why(world)


def test_a_shift_nobody_took_still_pages_its_owner_and_the_record_says_so(world: World) -> None:
    done = away(world, "ana")
    assert (done.shifts[0].asked, done.ends_at) == (
        ("Bo Lindt", "Cy Okafor"),
        world.clock.now + 48 * HOUR,
    )
    world.told(world.alert())
    world.run()
    assert world.rang() == ["ana-phone"]
    assert (
        "Ana Ruiz is on holiday until Wed 4 Mar 13:00 (Europe/Berlin), paged all the same: nobody covers"
    ) in world.timeline()
    assert "on holiday until 04 12:00, and were paged all the same: nobody covers." in why(world)
    (now_on,) = world.store.look(views.who, schedule="primary")
    assert now_on.away_until == world.clock.now + 48 * HOUR


def test_who_is_on_holiday_is_not_asked_to_cover_for_others(world: World) -> None:
    away(world, "bo")
    assert away(world, "ana").shifts[0].asked == ("Cy Okafor",)


def test_who_is_named_is_meant(world: World) -> None:
    away(world, "bo")
    world.told(world.alert())
    world.run()
    world.store.write(page_by_hand, 1, "bo", world.person("ana")).result()
    world.run()
    assert world.rang() == ["ana-phone", "bo-phone"]


def test_the_last_one_of_a_team_is_paged_on_holiday_too(world: World) -> None:
    with_team_step(world)
    away(world, "ana")
    away(world, "bo")
    world.told(world.alert())
    world.pass_time(90)
    assert world.rang() == ["ana-phone", "ana-phone", "bo-phone"]


def test_being_back_ends_it_and_withdraws_what_was_asked_in_it(world: World) -> None:
    with_team_step(world)
    ana = world.person("ana")
    away(world, "ana")
    later = world.clock.now + 10 * DAY
    world.store.write(be_out, "ana", later, later + DAY, "", ana).result()
    back = world.store.write(be_back, "ana", ana).result()
    assert back.reason == "Your holiday is over. 1 request is withdrawn, those shifts are yours."
    shown = world.store.look(views.reach, "ana")
    assert (shown.away, shown.holiday) == (False, (later, later + DAY))
    cancelled = world.store.write(be_back, "ana", ana, begun=int(later.timestamp())).result()
    assert cancelled.reason.startswith("Your holiday is cancelled.")
    assert not world.store.write(be_back, "ana", ana, begun=int(later.timestamp())).result().done
    assert world.store.look(views.reach, "ana").holiday is None


def test_a_holiday_that_is_said_again_ends_as_was_said_last(world: World) -> None:
    begins = world.clock.now
    away(world, "bo", hours=48)
    world.clock.advance(3600)
    away(world, "bo", hours=5)
    assert world.store.look(views.reach, "bo").holiday == (begins, begins + 6 * HOUR)
    world.clock.advance(5 * 3600)
    world.store.write(set_quiet, "bo", QUIET, world.person("bo")).result()
    assert not world.store.look(views.reach, "bo").away


def test_nobody_is_sent_on_holiday_by_others(world: World) -> None:
    until = world.clock.now + DAY
    done = world.store.write(be_out, "bo", world.clock.now, until, "", world.person("dee")).result()
    assert not done.done
    assert not world.store.look(views.reach, "bo").away
