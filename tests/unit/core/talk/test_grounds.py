"""A model's sentence stands only on what was looked up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.talk.grounds import Grounds, cut, kept, looks_like_a_page, sentences

RESULT = """{"id": "INC-42", "title": "Checkout fails", "status": "acknowledged", "has_it": "Ana Ruiz",
"opened_at": "2026-11-25 14:07 UTC (15:07 Europe/Berlin)", "alerts": ["HighErrorRate"], "count": 3,
"deed": "Rolled back checkout to 5.20.3"}"""


@pytest.fixture
def grounds() -> Grounds:
    made = Grounds(people=["Ana Ruiz", "Bo Lindt"])
    made.learn_question("what is 42? asked by Cy Okafor")
    made.learn(RESULT)
    made.learn_owner("Ana Ruiz")
    return made


@pytest.mark.parametrize(
    "said",
    [
        "INC-42 is acknowledged.",
        "Ana Ruiz has it.",
        "It was opened at 14:07 UTC, which is 15:07 in Berlin.",
        "HighErrorRate fired 3 times.",
        "Somebody rolled back checkout to 5.20.3.",
        "Nobody has named a cause.",
        "The cause is not known.",
        "Which incident do you mean?",
    ],
)
def test_what_is_covered_stands(grounds: Grounds, said: str) -> None:
    assert grounds.judge(said) is None


@pytest.mark.parametrize(
    "said",
    [
        "INC-43 is open too.",
        "It was opened at 14:08 UTC.",
        "HighErrorRate fired 4 times.",
        "Bo Lindt has it.",
        "Bo is on it.",
        "Somebody rolled back checkout to 5.20.4.",
        "The rollback caused it.",
        "It happened because of a deploy.",
        "KafkaConsumerLag fires as well.",
        "I have silenced it.",
        "See https://example.com for more.",
        "It took 26 min.",
        "Gregory restarted the workers.",
    ],
)
def test_what_is_not_is_left_out(grounds: Grounds, said: str) -> None:
    assert grounds.judge(said) is not None


def test_a_pinned_cause_may_be_named_and_no_other(grounds: Grounds) -> None:
    grounds.learn_cause("The connection pool of the database was too small")
    assert grounds.judge("The cause was a connection pool that was too small.") is None
    assert grounds.judge("The cause was the load balancer.") is not None


def test_numbers_of_the_question_prove_nothing(grounds: Grounds) -> None:
    grounds.learn_question("is it true that 500 users were affected?")
    assert grounds.judge("500 users were affected.") is not None


def test_lists_and_emphasis_are_plain_sentences() -> None:
    said = (
        "Let me check.\n- **INC-42** is open.\n2. Ana has it.\nNobody else was paged. It is quiet."
    )
    found = ["INC-42 is open.", "Ana has it.", "Nobody else was paged.", "It is quiet."]
    assert sentences(said) == found


def test_a_text_that_grows_gives_its_whole_sentences() -> None:
    assert cut("INC-42 is open. Ana h") == ["INC-42 is open.", "Ana h"]


def test_a_web_page_is_no_answer() -> None:
    assert looks_like_a_page("<!DOCTYPE html><html><body>")
    assert not looks_like_a_page("The rate is < 5 %.")


@given(st.text(max_size=2000))
def test_any_text_is_judged(text: str) -> None:
    grounds = Grounds()
    grounds.learn(RESULT)
    good, bad = kept(text, grounds)
    assert len(good) + len(bad) <= 30
