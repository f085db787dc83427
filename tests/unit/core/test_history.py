"""What was stays what was: versions of a schedule, covers with the life they had, and logged shifts (R16)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from oncall_bot.core.rotations import Definition, Override, parse_definition, shifts
from oncall_bot.core.rotations.history import Cover, Logged, Version, shifts_as_they_were

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
DAY = timedelta(days=1)


def always(user: str) -> Definition:
    layer = {"start": "2026-01-01T00:00", "rotation": {"unit": "week"}, "users": [user]}
    return parse_definition({"zone": "UTC", "layers": [layer]})


ANA = [Version(START - 30 * DAY, always("ana"))]


def who(*args: object, **more: object) -> list[tuple[str | None, float, float]]:
    found = shifts_as_they_were(*args, **more)  # type: ignore[arg-type] # passed through
    return [(s.user, (s.start - START) / DAY, (s.end - START) / DAY) for s in found]


def test_a_schedule_written_anew_changes_nothing_before_that_instant() -> None:
    versions = [*ANA, Version(START + 2 * DAY, always("bo"))]
    assert who(versions, [], START, START + 4 * DAY) == [("ana", 0, 2), ("bo", 2, 4)]


def test_the_time_before_there_was_a_schedule_is_nobodys() -> None:
    versions = [Version(START + DAY, always("ana"))]
    assert who(versions, [], START, START + 2 * DAY) == [(None, 0, 1), ("ana", 1, 2)]


def test_a_cover_acts_from_when_it_was_made_until_it_was_cancelled() -> None:
    painted = Override(START, START + 4 * DAY, "cy")
    cover = Cover(painted, made_at=START + DAY, cancelled_at=START + 2 * DAY)
    assert who(ANA, [cover], START, START + 4 * DAY) == [("ana", 0, 1), ("cy", 1, 2), ("ana", 2, 4)]
    never = Cover(painted, made_at=START - DAY, cancelled_at=START - DAY / 2)
    assert who(ANA, [never], START, START + DAY) == [("ana", 0, 1)]


def test_the_log_is_asked_for_the_time_before_the_first_version() -> None:
    log = [Logged(START - 3 * DAY, START + 9 * DAY, "dee"), Logged(START - DAY, None, "bo")]
    versions = [Version(START, always("ana"))]
    assert who(versions, [], START - 4 * DAY, START + DAY, log=log) == [
        (None, -4, -3),
        ("dee", -3, -1),
        ("bo", -1, 0),
        ("ana", 0, 1),
    ]
    assert who([], [], START, START + DAY, log=[Logged(START, None, "bo")]) == [("bo", 0, 1)]


def test_without_changes_history_is_the_schedule() -> None:
    definition = always("ana")
    assert shifts_as_they_were(ANA, [], START, START + DAY) == shifts(
        definition, START, START + DAY
    )
    assert shifts_as_they_were(ANA, [], START, START) == []
