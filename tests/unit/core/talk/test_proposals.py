"""The key in a card's button: read back as it was signed, an altered one is none; and who may press."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.config import Config, Person, Role
from oncall_bot.core.outcomes import Actor
from oncall_bot.core.rights import Rights
from oncall_bot.core.talk.orders import Act
from oncall_bot.core.talk.proposals import TOKEN_MAX, Proposal, may_press, opened, signed

SECRET = b"0123456789abcdef"
AT = datetime(2026, 11, 25, 14, 7, tzinfo=UTC)
CONFIG = Config(
    people={
        "ana": Person("ana", "Ana Ruiz"),
        "bo": Person("bo", "Bo Lindt"),
        "dee": Person("dee", "Dee Marsh", role=Role.ADMIN),
        "vic": Person("vic", "Vic Stone", role=Role.VIEWER),
    }
)


def proposal(act: Act = Act.RESOLVE, **args: str) -> Proposal:
    return Proposal("id1", act, 42, "person:ana", AT, args)


@given(
    st.sampled_from(list(Act)),
    st.dictionaries(st.sampled_from(["text", "target"]), st.text(max_size=150)),
)
def test_it_is_read_back_as_it_was_signed(act: Act, args: dict[str, str]) -> None:
    clean = {k: v.encode("utf-8", "replace").decode() for k, v in args.items()}
    made = proposal(act, **clean)
    token = signed(SECRET, made)
    assert len(token) <= TOKEN_MAX
    assert opened(SECRET, token) == made


@given(st.integers(0, 200), st.sampled_from("AZaz09-_."))
def test_an_altered_key_is_none(at: int, letter: str) -> None:
    token = signed(SECRET, proposal(text="hello"))
    n = min(at, len(token) - 1)
    other = token[:n] + letter + token[n + 1 :]
    found = opened(SECRET, other)
    assert found is None or found == opened(SECRET, token)


@given(st.text(max_size=300))
def test_any_text_is_no_key(text: str) -> None:
    assert opened(SECRET, text) is None


def test_a_key_of_another_installation_is_none() -> None:
    assert opened(b"another secret!!", signed(SECRET, proposal())) is None


@pytest.mark.parametrize(
    ("who", "act", "may"),
    [
        ("ana", Act.RESOLVE, True),
        ("bo", Act.RESOLVE, False),
        ("dee", Act.RESOLVE, True),
        ("dee", Act.ACK, False),
        ("vic", Act.RESOLVE, False),
    ],
)
def test_the_asker_or_a_higher_role_may_press(who: str, act: Act, may: bool) -> None:
    refusal = may_press(proposal(act), Actor("person", who, who), Rights(CONFIG), None)
    assert (refusal is None) == may
