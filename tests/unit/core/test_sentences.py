"""What a sentence says by its words: a cause, a guess, a denial, somebody else's doing."""

from __future__ import annotations

import pytest

from oncall_bot.core.sentences import CAUSAL, LINK, MARKUP, NEGATION, NO_CAUSE, TENTATIVE_SAID


@pytest.mark.parametrize(
    "text",
    [
        "The deploy caused the errors.",
        "It failed because the pool was empty.",
        "The queue filled up, which drove the latency.",
        "A full disk brought down the database.",
        "The outage was due to DNS.",
        "The restart led to a storm.",
    ],
)
def test_a_cause_is_heard_in_many_words(text: str) -> None:
    assert CAUSAL.search(text)


@pytest.mark.parametrize(
    "text", ["Ana restarted checkout.", "The alert fired at 03:07.", "So far nobody knows."]
)
def test_a_plain_event_names_no_cause(text: str) -> None:
    assert not CAUSAL.search(text)


def test_a_cause_that_is_denied_is_taken_out_first() -> None:
    assert not CAUSAL.search(NO_CAUSE.sub("", "The deploy was not confirmed as the cause."))


def test_guesses_denials_links_and_markup_are_heard() -> None:
    assert TENTATIVE_SAID.search("They suspected the relay.")
    assert NEGATION.search("Nobody was affected.")
    assert NEGATION.search("The pool wasn't full.")
    assert LINK.search("see https://evil.example.com")
    assert MARKUP.search("<!channel> look")
    assert not MARKUP.search("3 < 5")
