"""Of many runbooks those are scored that hold the rarest words, and few postings are read for it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.search.candidates import ROWS_MAX, TERMS_MAX, Corpus, worth_looking_up

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
