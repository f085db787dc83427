"""What differs between two documents, line by line."""

from __future__ import annotations

from oncall_bot.core.changes import changes, said


def lines(old: dict[str, object], new: dict[str, object]) -> list[str]:
    return [str(line) for line in changes(old, new)]


def test_nothing_changed_is_no_line() -> None:
    document = {"people": {"ana": {"name": "Ana"}}, "routes": [{"name": "rest"}]}
    assert lines(document, document) == []


def test_people_come_and_go_by_name() -> None:
    found = lines({"people": {"ana": {"name": "Ana"}}}, {"people": {"bo": {"name": "Bo"}}})
    assert any(line.startswith("+ person bo") for line in found)
    assert any(line.startswith("- person ana") for line in found)


def test_a_changed_field_shows_both_values() -> None:
    old = {"teams": {"shop": {"channel": "#old"}}}
    new = {"teams": {"shop": {"channel": "#new"}}}
    (line,) = lines(old, new)
    assert line.startswith("~")
    assert "#old" in line
    assert "#new" in line


def test_routes_are_told_apart_by_name_not_by_place() -> None:
    old = {"routes": [{"name": "a", "wait": "0s"}, {"name": "b"}]}
    new = {"routes": [{"name": "a", "wait": "30s"}, {"name": "b"}]}
    (line,) = lines(old, new)
    assert "route" in line or "routes" in line
    assert "30s" in line


def test_a_password_in_an_address_is_not_shown() -> None:
    shown = said("http://prom:hunter2hunter2@prom-eu:9090")
    assert "hunter2" not in shown


def test_a_long_value_is_cut() -> None:
    assert len(said("x" * 1000)) < 200
