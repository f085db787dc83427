"""Rules as people type them, and what a page would do, said by what pages."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from oncall_bot.core.config import Channel, Config, PersonalRule, Urgency
from oncall_bot.core.hours import EVERY_DAY, Hours
from oncall_bot.core.paging import Contact, Reach
from oncall_bot.core.personal_rules import (
    by_roads,
    fault,
    notes,
    planned,
    preview,
    read,
    typed,
)

NIGHT = datetime(2026, 3, 2, 22, tzinfo=UTC)  # 23:00 in Berlin
QUIET = Hours("Europe/Berlin", EVERY_DAY, time(22), time(7))
CONFIG = Config(
    channels={
        "push": Channel("push", "ntfy://h/{to}"),
        "voice": Channel("voice", "json://h/{to}"),
        "mail": Channel("mail", "mailto://h/{to}"),
    }
)
PUSH, VOICE, MAIL = (
    Contact("c1", "push", "p"),
    Contact("c2", "voice", "v"),
    Contact("c3", "mail", "m"),
)


def rules(text: str) -> tuple[PersonalRule, ...]:
    found = read(text)
    assert not isinstance(found, str), found
    return found


def said(reach: Reach, urgency: Urgency = Urgency.HIGH, quiet: Hours | None = None) -> str:
    return by_roads(planned(CONFIG, reach, quiet, urgency, NIGHT), quiet, NIGHT)


def test_the_preview_says_by_which_roads_and_when() -> None:
    plan = planned(CONFIG, Reach("U1", (PUSH, VOICE, MAIL)), None, Urgency.HIGH, NIGHT)
    assert preview("you", plan, None, NIGHT) == (
        "If you were paged now: Slack and push at 0:00, call at 1:00, mail at 3:00."
    )
    assert preview("Ana", (), None, NIGHT) == "If Ana were paged now: nothing would arrive."


def test_own_rules_for_one_urgency_leave_the_files_for_the_other() -> None:
    own = Reach("U1", (PUSH, VOICE), {Urgency.HIGH: rules("voice 0m, push 90s, slack 2m")})
    assert said(own) == "call at 0:00, push at 1:30, Slack at 2:00"
    assert said(own, Urgency.LOW) == "Slack at 0:00"


def test_in_quiet_hours_low_urgency_is_shown_with_their_end_and_high_as_ever() -> None:
    reach = Reach("U1", (PUSH,))
    assert said(reach, Urgency.LOW, QUIET) == (
        "Slack at 07:00 (Europe/Berlin), when quiet hours end"
    )
    assert said(reach, Urgency.HIGH, QUIET) == "Slack and push at 0:00"


def test_rules_that_are_all_quiet_still_ring_one_loud_road_and_say_so() -> None:
    quiet = Reach("U1", (PUSH,), {Urgency.HIGH: rules("slack 0m")})
    assert said(quiet) == "Slack and push at 0:00"
    assert notes(CONFIG, quiet, Urgency.HIGH) == (
        "The push goes at once whatever the rules say: high urgency takes one loud road at once.",
    )
    assert notes(CONFIG, quiet, Urgency.LOW) == ()


def test_what_does_not_work_says_why_and_what_to_do() -> None:
    own = Reach("U1", (PUSH,), {Urgency.HIGH: rules("slack, push, voice 1m, sms 2m")})
    assert notes(CONFIG, own, Urgency.HIGH) == (
        "Not working: call, there is no number; add one with: contact add voice.",
        "Not working: SMS, oncall.yaml has no such channel.",
    )
    assert "is not verified" in notes(CONFIG, own, Urgency.HIGH, {"voice"})[0]
    assert notes(CONFIG, Reach(None, (MAIL,)), Urgency.HIGH)[-1] == (
        "No loud road is set up: Slack and mail wake nobody."
    )


def test_a_channel_that_the_file_names_and_lacks_is_nobodys_fault() -> None:
    bare = Config(channels={"push": Channel("push", "ntfy://h/{to}")})
    assert notes(bare, Reach("U1", (PUSH,)), Urgency.HIGH) == ()


def test_rules_read_back_as_they_were_typed() -> None:
    text = "slack 0m, push 0m, voice 1m30s, mail 3m"
    assert typed(rules(text)) == text
    assert typed(rules("Slack, push at once, voice after 2m, mail 5 ")) == (
        "slack 0m, push 0m, voice 2m, mail 5m"
    )


@pytest.mark.parametrize("text", ["", "slack soon", "slack 0m,, push", "push 1h"])
def test_rules_that_cannot_be_read_are_answered_with_a_form_that_works(text: str) -> None:
    assert "rules high slack 0m, push 0m, voice 1m" in str(read(text))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("fax 0m", "There is no road 'fax'. Roads: slack, push, voice, mail."),
        ("slack 61m", "60 minutes"),
        ("slack 1m, slack 1m", "twice"),
        (", ".join(f"slack {n}m" for n in range(21)), "20 are the most"),
    ],
)
def test_rules_that_cannot_be_taken_say_what_would_do(text: str, why: str) -> None:
    assert why in (fault(CONFIG, rules(text)) or "")


def test_no_road_at_all_is_refused_and_the_same_road_again_later_is_not() -> None:
    assert "at least one road" in (fault(CONFIG, ()) or "")
    assert fault(CONFIG, [PersonalRule(timedelta(minutes=n), "voice") for n in (0, 5)]) is None
