"""How long and how wide a silence may be for whom, and what a refusal would allow instead."""

from __future__ import annotations

from datetime import timedelta

import pytest

from oncall_bot.core.config import Role
from oncall_bot.core.matchers import parse_matchers
from oncall_bot.core.silence_rights import too_long, too_wide
from tests.unit.core.test_rights import OPEN, actor


@pytest.mark.parametrize(
    ("role", "hours", "may"),
    [
        *((Role.RESPONDER, 4, True), (Role.RESPONDER, 5, False)),
        *((Role.MANAGER, 24, True), (Role.MANAGER, 25, False), (Role.ADMIN, 168, True)),
    ],
)
def test_a_silence_may_be_as_long_as_the_role_allows(role: Role, hours: int, may: bool) -> None:
    refusal = too_long(role, timedelta(hours=hours))
    assert refusal is None if may else "up to 4 hours, a manager up to 24 hours" in str(refusal)


@pytest.mark.parametrize(
    ("who", "matchers", "held", "why"),
    [
        ("ana", ['alertname="Slow"', 'pod="a"'], set(), None),
        ("ana", ['alertname="Slow"'], set(), "one label more"),
        ("ana", ['pod="a"', 'zone="b"'], set(), "names the alert or the service"),
        ("ana", ['alertname=~"S.*"', 'pod="a"'], set(), "one label more"),
        ("ana", ['service="x"', 'pod="a"'], {"data"}, "alerts of team data"),
        ("eve", ['service="x"', 'pod="a"'], {"data"}, None),  # of both teams
        ("max", ['pod="a"'], set(), None),
        ("max", ['pod="a"'], {"data"}, "alerts of team data"),
        ("mia", ['pod="a"'], {"data"}, None),
        ("dee", ['pod="a"'], {"data"}, None),
    ],
)
def test_a_silence_may_be_as_wide_as_the_role_allows(
    who: str, matchers: list[str], held: set[str], why: str | None
) -> None:
    refusal = too_wide(OPEN, actor(who), "shop", parse_matchers(matchers), held)
    assert refusal is None if why is None else why in str(refusal)
