"""The values a revision gives to decisions."""

from __future__ import annotations

from datetime import timedelta

from oncall_bot.core.config import Config, Policy, Service, Step, Target, Urgency


def policy(*targets: str) -> Policy:
    page = tuple(Target(*text.split(":", 1)) for text in targets)
    return Policy("p", (Step(timedelta(0), page),))


def test_the_team_of_a_policy_is_that_of_its_service_else_of_its_first_step() -> None:
    by_service = Config(
        services={"s": Service("s", "shop", "p")}, policies={"p": policy("person:ana")}
    )
    by_step = Config(policies={"p": policy("team:ops")})
    assert by_service.team_of_policy("p") == "shop"
    assert by_step.team_of_policy("p") == "ops"
    assert by_step.team_of_policy("unknown") is None


def test_louder_is_a_higher_rank() -> None:
    assert sorted(Urgency, key=lambda u: u.rank) == [Urgency.NONE, Urgency.LOW, Urgency.HIGH]


def test_a_target_is_written_as_in_the_file() -> None:
    assert str(Target("person", "ana")) == "person:ana"
