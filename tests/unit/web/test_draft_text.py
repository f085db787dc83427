"""A draft becomes blocks of words and chips, whatever stands in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.web.draft_text import BLOCKS_MAX, blocks_of, spans_of

LINES = st.sampled_from(["## Key", "- item [e001]", "| a | b [calc] |", "|---|---|", "", "words"])


def test_sources_become_chips_and_calc_stays_unsaid() -> None:
    found = spans_of("It broke [e014, a02, calc]. It held [calc].")
    assert [(one.text, one.entry) for one in found] == [
        ("It broke", None),
        ("", 14),
        (". It held", None),
        (".", None),
    ]


def test_other_brackets_are_words() -> None:
    for text in ("[link](http://x)", "[e]", "[e1x]", "[redacted-1]", "a [b, e2] c"):
        assert "".join(one.text for one in spans_of(text)) == text


@given(st.text(max_size=300))
def test_no_word_is_lost_from_a_line_without_sources(text: str) -> None:
    bare = text.replace("[", "(")
    assert "".join(one.text for one in spans_of(bare)) == bare


@given(st.lists(LINES | st.text(max_size=40), max_size=60).map("\n".join))
def test_any_text_is_read(markdown: str) -> None:
    blocks = blocks_of(markdown)
    assert len(blocks) <= BLOCKS_MAX
    assert {one.kind for one in blocks} <= {"heading", "paragraph", "list", "table"}


def test_a_huge_draft_is_cut() -> None:
    assert len(blocks_of("## a\nb\n\n" * 5000)) == BLOCKS_MAX
