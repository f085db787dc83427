"""The plan of a change: what a person reads before a configuration takes effect."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from oncall_bot.core.documents import config_of, faults_of
from oncall_bot.core.plan import LOOK_AHEAD, PlanLine, people_without_loud_road, plan
from oncall_bot.core.rotations import Override, on_call_at

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday; clocks in Berlin go forward on 29 March
LOUD = {"ana": {"push"}, "bo": {"push"}, "cy": {"push"}}


def document() -> dict[str, Any]:
    return {
        "version": 1,
        "defaults": {"zone": "Europe/Berlin", "last_resort": ["ana"]},
        "people": {
            "ana": {"name": "Ana Ruiz", "email": "ana@example.com"},
            "bo": {"name": "Bo Lindt", "email": "bo@example.com"},
            "cy": {"name": "Cy Okafor", "email": "cy@example.com"},
        },
        "channels": {
            "push": {"url": "ntfys://ntfy.example.com/{to}"},
            "mail": {"url_file": "smtp"},
        },
        "schedules": {
            "primary": {
                "layers": [
                    {
                        "name": "week",
                        "start": "2026-01-05T09:00",
                        "rotation": {"unit": "week"},
                        "users": ["ana", "bo"],
                    }
                ]
            }
        },
        "policies": {
            "main": {
                "steps": [
                    {"after": "0s", "page": ["schedule:primary"]},
                    {"after": "5m", "page": ["person:ana"], "when": {"urgency": "high"}},
                ]
            }
        },
        "routes": [
            {"name": "shop", "match": ['team="shop"'], "policy": "main"},
            {"name": "db", "match": ['team="db"'], "policy": "main"},
            {"name": "rest", "policy": "main"},
        ],
        "sources": {"eu": {"token_sha256": "a" * 64}},
    }


def planned(change: Callable[[dict[str, Any]], object], verified: Any = LOUD) -> list[str]:
    old, new = document(), document()
    change(new)
    assert faults_of(new) == []
    return [str(line) for line in plan(old, new, NOW, verified)]


def test_no_change_is_no_line() -> None:
    assert plan(document(), document(), NOW, LOUD) == []


def test_a_changed_duration_is_one_line_with_both_values() -> None:
    def later(new: dict[str, Any]) -> None:
        new["policies"]["main"]["steps"][1]["after"] = "10m"

    assert planned(later) == ["~ policies.main.steps[1].after 5m -> 10m"]


def test_a_line_keeps_its_sign_and_path_for_machines() -> None:
    new = document()
    new["routes"][2]["wait"] = "30s"
    assert plan(document(), new, NOW, LOUD) == [
        PlanLine("+", "routes.rest.wait", "routes.rest.wait 30s")
    ]


def test_people_come_and_go_by_name() -> None:
    def dee_for_cy(new: dict[str, Any]) -> None:
        del new["people"]["cy"]
        new["people"]["dee"] = {"name": "Dee Marsh", "email": "dee@example.com", "role": "viewer"}

    assert planned(dee_for_cy) == [
        "+ person dee (Dee Marsh, email dee@example.com, role viewer)",
        "- person cy",
    ]


def test_a_renamed_route_is_one_that_goes_and_one_that_comes() -> None:
    def rename(new: dict[str, Any]) -> None:
        new["routes"][1]["name"] = "data"

    assert planned(rename) == [
        '+ route data (match [team="db"], policy main)',
        "- route db",
    ]


def test_another_order_of_routes_is_told_because_the_first_match_wins() -> None:
    def swap(new: dict[str, Any]) -> None:
        new["routes"][:2] = reversed(new["routes"][:2])

    assert planned(swap) == ["~ routes order shop, db, rest -> db, shop, rest"]


def test_steps_are_told_by_their_place() -> None:
    def third(new: dict[str, Any]) -> None:
        new["policies"]["main"]["steps"].append({"after": "9m", "page": ["person:bo"]})
        new["policies"]["main"]["repeat"] = {"times": 2, "every": "5m"}

    assert planned(third) == [
        "+ policies.main.steps[2] after 9m, page [person:bo]",
        "+ policies.main.repeat times 2, every 5m",
    ]


def test_a_section_that_is_gone_says_what_goes_with_it() -> None:
    def gone(new: dict[str, Any]) -> None:
        del new["sources"]

    assert planned(gone) == ["- source eu"]


def test_a_long_list_tells_only_what_came_and_went() -> None:
    old = document()
    old["llm"] = {"never_labels": [f"label{n}" for n in range(9)]}
    new = copy.deepcopy(old)
    new["llm"]["never_labels"].remove("label3")
    new["llm"]["never_labels"].append("customer")
    [line] = plan(old, new, NOW, LOUD)
    assert str(line) == "~ llm.never_labels +customer -label3"


def test_a_new_token_is_told_without_its_digest() -> None:
    def rotate(new: dict[str, Any]) -> None:
        new["sources"]["eu"]["token_sha256"] = "b" * 64

    assert planned(rotate) == ["~ sources.eu token changed"]


def test_a_token_that_was_not_read_is_no_change() -> None:
    """A plan made where the secrets are not must not say that tokens are gone."""

    def unread(new: dict[str, Any]) -> None:
        new["sources"]["eu"] = {"token_file": "/run/secrets/eu"}

    assert planned(unread) == ["+ sources.eu.token_file /run/secrets/eu"]


def test_a_password_in_an_address_is_not_shown() -> None:
    def address(new: dict[str, Any]) -> None:
        new["sources"]["eu"]["prometheus"] = "http://bot:hunter2@prom:9090"

    assert planned(address) == ["+ sources.eu.prometheus http://bot:…@prom:9090"]


def test_new_members_show_who_is_on_call_instead_of_whom() -> None:
    """Each stretch of the next four weeks with another person, in the schedule's own zone."""

    def third(new: dict[str, Any]) -> None:
        new["schedules"]["primary"]["layers"][0]["users"] = ["ana", "bo", "cy"]

    lines = planned(third)
    assert lines[0] == "~ schedules.primary.layers.week.users ana, bo -> ana, bo, cy"
    assert lines[1:] == [
        "* schedules.primary Mon 2026-03-02 13:00 CET to Mon 2026-03-09 09:00 CET: ana -> cy",
        "* schedules.primary Mon 2026-03-09 09:00 CET to Mon 2026-03-16 09:00 CET: bo -> ana",
        "* schedules.primary Mon 2026-03-16 09:00 CET to Mon 2026-03-23 09:00 CET: ana -> bo",
        "* schedules.primary Mon 2026-03-23 09:00 CET to Mon 2026-03-30 09:00 CEST: bo -> cy",
        (
            "* schedules.primary in 28 days: bo loses 2 stretches (335 h) and gains 1 stretch (168 h); "
            "ana loses 2 stretches (332 h) and gains 1 stretch (168 h); cy gains 2 stretches (331 h)"
        ),
    ]


def test_a_cover_made_in_slack_stays_in_force_and_is_painted_over_both() -> None:
    """Cy covers the whole of the first stretch: what the file says about it changes nothing."""
    old, new = document(), document()
    new["schedules"]["primary"]["layers"][0]["users"] = ["ana", "bo", "cy"]
    monday = datetime(2026, 3, 9, 8, tzinfo=UTC)
    covers = {"primary": (Override(NOW - timedelta(hours=1), monday, "cy"),)}
    lines = [str(line) for line in plan(old, new, NOW, LOUD, covers)]
    assert not [line for line in lines if "2026-03-02 13:00" in line]
    assert [line for line in lines if "Mon 2026-03-09 09:00 CET to" in line]


def test_a_schedule_that_goes_takes_its_shifts_and_its_covers_with_it() -> None:
    old, new = document(), document()
    old["schedules"]["spare"] = copy.deepcopy(old["schedules"]["primary"])
    covers = {"spare": (Override(NOW, NOW + timedelta(hours=5), "cy"),)}
    lines = [str(line) for line in plan(old, new, NOW, LOUD, covers)]
    gone = next(line for line in lines if line.startswith("* schedules.spare is gone"))
    assert "cy loses 1 stretch (5 h)" in gone
    assert "! schedules.spare: 1 override made in Slack goes with it" in lines


def test_hours_that_lose_their_person_are_warned_of() -> None:
    def nights_off(new: dict[str, Any]) -> None:
        day = {"from": "08:00", "to": "20:00"}
        new["schedules"]["primary"]["layers"][0]["restrictions"] = [day]

    (warned,) = [line for line in planned(nights_off) if line.startswith("!")]
    assert warned.startswith("! schedules.primary: 28 gaps in the next 28 days, 335 hours in all")
    assert warned.endswith("; somebody covers 335 of these hours today")


@pytest.mark.parametrize("users", [["bo", "ana"], ["cy"], ["ana", "cy", "bo"], ["ana", None]])
def test_the_lines_of_who_is_on_call_agree_with_the_schedules_at_every_hour(
    users: list[str | None],
) -> None:
    """An oracle: hour by hour, a change is told exactly where the two schedules differ."""
    old, new = document(), document()
    new["schedules"]["primary"]["layers"][0] |= {"users": users, "rotation": {"unit": "day"}}
    told: dict[datetime, str] = {}
    before = config_of(old).schedules["primary"].definition
    after = config_of(new).schedules["primary"].definition
    for line in plan(old, new, NOW, LOUD):
        if line.sign == "*" and " to " in line.text:
            told |= _hours(line.text)
    at = NOW
    while at < NOW + LOOK_AHEAD and len(told) < 20 * 24:
        was, becomes = on_call_at(before, at), on_call_at(after, at)
        if was == becomes:
            assert at not in told
        elif at in told:
            assert told[at] == f"{was or 'nobody'} -> {becomes or 'nobody'}"
        at += timedelta(hours=1)
    assert told


def _hours(text: str) -> dict[datetime, str]:
    """The whole UTC hours of a line `... Mon 2026-03-02 13:00 CET to ... 09:00 CET: a -> b`."""
    span, _, change = text.partition(": ")
    words = span.split()
    start, end = (_instant(words[i : i + 4]) for i in (1, 6))
    count = int((end - start) / timedelta(hours=1))
    return {start + timedelta(hours=n): change for n in range(count)}


def _instant(words: list[str]) -> datetime:
    offset = {"CET": "+01:00", "CEST": "+02:00"}[words[3]]
    return datetime.fromisoformat(f"{words[1]}T{words[2]}{offset}").astimezone(UTC)


def test_many_changes_of_turns_are_cut_and_counted() -> None:
    def daily(new: dict[str, Any]) -> None:
        new["schedules"]["primary"]["layers"][0]["rotation"] = {"unit": "hour", "every": 12}

    lines = [line for line in planned(daily) if line.startswith("*")]
    assert len(lines) == 22
    assert lines[-2].startswith("* schedules.primary and ")
    assert lines[-1].startswith("* schedules.primary in 28 days: ")


def test_a_change_that_moves_nobody_says_so() -> None:
    def later_end(new: dict[str, Any]) -> None:
        new["schedules"]["primary"]["layers"][0]["end"] = "2027-01-01T00:00Z"

    assert planned(later_end)[1].startswith("* schedules.primary nobody's turn changes until ")


def test_a_first_plan_says_who_is_on_call_now_and_next() -> None:
    lines = [str(line) for line in plan(None, document(), NOW, LOUD)]
    assert "+ person ana (Ana Ruiz, email ana@example.com)" in lines
    assert "+ policy main " in "\n".join(lines)
    assert "* schedules.primary on call now: ana; from Mon 2026-03-09 09:00 CET: bo" in lines
    assert not [line for line in lines if line.startswith("!")]


def warnings(change: Callable[[dict[str, Any]], object], verified: Any = LOUD) -> list[str]:
    return [line for line in planned(change, verified) if line.startswith("!")]


def nothing(_: dict[str, Any]) -> None:
    return


def test_people_whom_a_page_cannot_wake_are_named() -> None:
    [line] = warnings(nothing, {"ana": {"push"}, "bo": {"mail"}})
    assert line.startswith("! people: no loud road")
    assert line.endswith("Slack only: bo, cy")


def test_without_knowledge_of_contacts_the_warning_says_so() -> None:
    [line] = warnings(nothing, None)
    assert line.endswith("unless they add one in Slack: ana, bo, cy")


def test_an_installation_without_any_loud_road_is_told_once() -> None:
    def mail_only(new: dict[str, Any]) -> None:
        del new["channels"]["push"]

    assert warnings(mail_only) == [
        "! channels: there is no loud road (push, voice, SMS, webhook); high urgency has Slack only"
    ]


def test_gaps_of_the_next_four_weeks_are_counted() -> None:
    """A rota by day without nights and week-ends leaves its gaps in plain sight."""

    def office(new: dict[str, Any]) -> None:
        new["schedules"]["primary"]["layers"][0]["restrictions"] = [
            {"days": [1, 2, 3, 4, 5], "from": "09:00", "to": "17:00"}
        ]

    [line] = warnings(office)
    # 20 nights and week-ends end in the window; 672 hours less 4 + 19 * 8 + 5 on call (13:00 CET
    # on a Monday to 14:00 CEST on a Monday)
    assert line == (
        "! schedules.primary: 20 gaps in the next 28 days, 511 hours in all,"
        " first Mon 2026-03-02 17:00 CET to Tue 2026-03-03 09:00 CET;"
        " somebody covers 511 of these hours today"
    )


def test_a_policy_that_wakes_nobody_is_told() -> None:
    def quiet(new: dict[str, Any]) -> None:
        new["policies"]["main"]["steps"] = [{"after": "0s", "page": ["channel:#alerts"]}]

    assert "! policies.main.steps: high urgency only posts in a channel; nobody is woken" in (
        warnings(quiet)
    )

    def low(new: dict[str, Any]) -> None:
        steps = new["policies"]["main"]["steps"]
        steps[:] = [steps[0] | {"when": {"urgency": "low"}}]

    assert warnings(low) == [
        "! policies.main.steps: no step applies to high urgency; it goes to the fallback at once"
    ]


def test_a_schedule_that_nobody_asks_is_told() -> None:
    def spare(new: dict[str, Any]) -> None:
        new["schedules"]["spare"] = copy.deepcopy(new["schedules"]["primary"])

    assert warnings(spare) == ["! schedules.spare: no policy pages this schedule"]


def test_people_who_cannot_be_found_in_slack_are_told() -> None:
    def no_mail(new: dict[str, Any]) -> None:
        del new["people"]["cy"]["email"]

    assert warnings(no_mail) == ["! people: cannot be found in Slack without email or slack: cy"]


def test_loud_roads_count_verified_contacts_and_those_of_the_file_but_not_mail() -> None:
    new = document()
    new["people"]["ana"]["contacts"] = {"push": "ana-topic"}
    new["people"]["vi"] = {"role": "viewer"}
    new["channels"]["letter"] = {"url": "mailtos://mail.example.com?to={to}"}
    config = config_of(new)
    assert people_without_loud_road(config, {}) == ["bo", "cy"]
    assert people_without_loud_road(config, {"bo": {"letter", "mail"}, "cy": {"push"}}) == ["bo"]
    assert people_without_loud_road(config, {"bo": {"pager"}}) == ["bo", "cy"]
