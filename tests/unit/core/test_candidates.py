"""Of many runbooks those are scored that hold the rarest words, and few postings are read for it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.candidates import (
    CANDIDATES,
    ROWS_MAX,
    TERMS_MAX,
    Corpus,
    best_holders,
    worth_looking_up,
)

CORPUS = Corpus(10_000, {"node": 6_000, "disk": 900, "raid": 12, "the": 9_999})


def test_a_rare_word_says_more_than_a_common_one() -> None:
    rarities = [CORPUS.rarity(term) for term in ("the", "node", "disk", "raid", "unheard")]
    assert rarities == sorted(rarities)
    assert rarities[0] > 0


def test_words_that_stand_nearly_everywhere_are_not_looked_up() -> None:
    weights = dict.fromkeys(("the", "node", "disk", "raid", "unheard"), 1.0)
    assert worth_looking_up(weights, CORPUS) == ["raid", "disk"]


def test_a_common_word_is_looked_up_when_there_is_no_other() -> None:
    assert worth_looking_up({"the": 1.0}, CORPUS) == ["the"]


def test_who_holds_the_rare_word_comes_first_and_repeats_count_less_and_less() -> None:
    postings = [(1, "node", 50), (1, "disk", 1), (2, "raid", 1), (3, "raid", 2), (3, "node", 1)]
    assert best_holders(postings, {"node": 1.0, "disk": 1.0, "raid": 1.0}, CORPUS) == [3, 2, 1]


@given(
    st.dictionaries(st.integers(0, 200).map(str), st.integers(0, 10_000), max_size=60),
    st.dictionaries(st.integers(0, 200).map(str), st.floats(0.01, 5), max_size=60),
)
def test_whatever_is_asked_few_postings_are_read(
    holding: dict[str, int], weights: dict[str, float]
) -> None:
    corpus = Corpus(10_000, holding)
    chosen = worth_looking_up(weights, corpus)
    assert len(chosen) <= TERMS_MAX
    assert len(chosen) == 1 or sum(holding[term] for term in chosen) <= ROWS_MAX
    postings = [(runbook, term, 1) for term in chosen for runbook in range(min(80, holding[term]))]
    assert len(best_holders(postings, weights, corpus)) <= CANDIDATES
