"""The first steps of a runbook as the card shows them, and its sections."""

from __future__ import annotations

from oncall_bot.core.runbooks import Runbook, Section, first_steps


def runbook(slug: str, **fields: object) -> Runbook:
    return Runbook(slug=slug, **{"source": "file", "title": slug, **fields})  # type: ignore[arg-type]


STEPS = """Do this, in order:

1. Look at **free** space: `df -h **/x`
   and [inodes](https://example.com/x).
   - a detail below
2. Stop the *batch* job.

```sh
3. not a step
```
3) Grow `snake_case_name` now.
4. Fourth.
"""


def test_the_card_shows_the_first_steps_of_the_section_that_mitigates() -> None:
    book = runbook(
        "x", sections=(Section("Background", "- history"), Section("Mitigate first", STEPS))
    )
    assert first_steps(book) == [
        "Look at free space: `df -h **/x` and inodes.",
        "Stop the batch job.",
        "Grow `snake_case_name` now.",
    ]
    assert len(first_steps(book, limit=9)) == 4


def test_without_such_a_section_the_longest_list_is_shown_and_without_lists_nothing() -> None:
    sections = (Section("A", "- one"), Section("B", "* two\n* three"))
    assert first_steps(runbook("x", sections=sections)) == ["two", "three"]
    assert first_steps(runbook("x", sections=(Section("A", "prose"),))) == []
    assert first_steps(runbook("x")) == []


def test_a_step_of_any_length_stays_a_line() -> None:
    (step,) = first_steps(runbook("x", sections=(Section("Fix", "- " + "[*" * 200_000),)))
    assert len(step) <= 300


def test_a_section_is_found_by_its_heading() -> None:
    book = runbook("x", sections=(Section("What it means", "a"),))
    assert book.section("what it MEANS") is book.sections[0]
    assert book.section("other") is None
