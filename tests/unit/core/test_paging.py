"""From a target to people, from a person to roads."""

from __future__ import annotations

from datetime import timedelta

from oncall_bot.core.config import Channel, Config, Person, PersonalRule, Target, Team, Urgency
from oncall_bot.core.paging import Contact, Reach, find, has_loud_road, is_loud, roads

CONFIG = Config(
    people={"ana": Person("ana", "Ana"), "bo": Person("bo", "Bo")},
    teams={"shop": Team("shop", ("ana", "bo", "gone"))},
    channels={
        "push": Channel("push", "ntfy://h/{to}"),
        "voice": Channel("voice", "json://h/{to}"),
        "mail": Channel("mail", "mailto://h/{to}"),
        "letters": Channel("letters", "mailtos://h/{to}"),
    },
)
PUSH, VOICE, MAIL = (
    Contact("c1", "push", "p"),
    Contact("c2", "voice", "v"),
    Contact("c3", "mail", "m"),
)


def by(reach: Reach, urgency: Urgency = Urgency.HIGH) -> list[tuple[str, int]]:
    return [(road.by, int(road.after.total_seconds())) for road in roads(CONFIG, reach, urgency)]


def test_high_urgency_goes_to_slack_and_a_loud_road_at_once_and_on_by_the_rules() -> None:
    assert by(Reach("U1", (PUSH, VOICE, MAIL))) == [
        ("slack", 0),
        ("push", 0),
        ("voice", 60),
        ("mail", 180),
    ]


def test_low_urgency_goes_to_slack() -> None:
    assert by(Reach("U1", (PUSH, VOICE)), Urgency.LOW) == [("slack", 0)]


def test_a_rule_that_would_ring_late_rings_at_once_when_it_is_the_only_loud_road() -> None:
    assert by(Reach("U1", (VOICE,))) == [("slack", 0), ("voice", 0)]


def test_own_rules_that_name_no_loud_road_still_ring_one() -> None:
    quiet = {Urgency.HIGH: (PersonalRule(timedelta(0), "slack"),)}
    assert by(Reach("U1", (PUSH,), quiet)) == [("slack", 0), ("push", 0)]


def test_mail_alone_is_never_loud() -> None:
    assert not is_loud(CONFIG.channels["mail"])
    assert not is_loud(CONFIG.channels["letters"])
    assert is_loud(CONFIG.channels["voice"])
    assert not has_loud_road(CONFIG, Reach("U1", (MAIL,)))
    assert by(Reach("U1", (MAIL,))) == [("slack", 0), ("mail", 180)]


def test_without_slack_the_other_roads_are_used() -> None:
    assert by(Reach(None, (PUSH,))) == [("push", 0)]
    assert by(Reach(None)) == []


def nobody(_schedule: str) -> None:
    return None


def test_a_team_is_all_its_people_of_the_file() -> None:
    assert find(CONFIG, Target("team", "shop"), nobody).people == ("ana", "bo")


def test_every_target_that_finds_nobody_says_why() -> None:
    gap = find(CONFIG, Target("schedule", "primary"), nobody)
    stranger = find(CONFIG, Target("schedule", "primary"), lambda key: "zoe")
    unknown = find(CONFIG, Target("person", "zoe"), nobody)
    empty = find(CONFIG, Target("team", "none"), nobody)
    assert [one.people for one in (gap, stranger, unknown, empty)] == [()] * 4
    assert [one.reason for one in (gap, stranger, unknown, empty)] == [
        "nobody is on call for primary",
        "zoe, on call for primary, is not in the file",
        "no person zoe in the file",
        "team none is empty",
    ]


def test_a_channel_is_posted_to() -> None:
    assert find(CONFIG, Target("channel", "#shop"), nobody).channel == "#shop"
