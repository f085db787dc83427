"""One person is found however they are written down, and nobody else is taken for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.forgetting import (
    REMOVED,
    Finder,
    Traces,
    named_in,
    parts_of,
    without_words_in,
)

ANA = Traces(
    7,
    "ana",
    "former-7",
    names=("Ana Ruiz",),
    mails=("ana@example.com",),
    slack_ids=("U0ANAANA1",),
    addresses=("+4915112345678", "ana-phone"),
)
FINDER = Finder(ANA)


@pytest.mark.parametrize(
    "text",
    [
        *("Ana Ruiz", "ANA RUIZ", "Ana\u00a0 Ruiz", "Ana", "Ruiz", "ANA@Example.com"),
        *("U0ANAANA1", "+4915112345678", "+49 (151) 1234-5678", "4915112345678", "ana-phone"),
    ],
)
def test_every_way_of_writing_her_down_becomes_the_pseudonym(text: str) -> None:
    assert FINDER.text(f"so ({text}), then") == "so (former-7), then"


@pytest.mark.parametrize(
    "text",
    ["banana", "Anabel Ruizo", "ana", "xU0ANAANA1x", "94915112345678", "person:anabel @ana-x person:ana.b"],
)  # fmt: skip
def test_what_only_looks_like_her_stays(text: str) -> None:
    assert FINDER.text(text) == text


def test_references_lose_the_bare_key() -> None:
    text = "remind:shop:12:ana:3600 push:ana cover:17:ana manual:person:ana anabel"
    assert "ana:" not in FINDER.reference(text)
    assert FINDER.reference(text).endswith("anabel")


def test_in_json_the_key_alone_is_her_but_a_team_of_that_name_is_not() -> None:
    found = FINDER.json({"to": ["ana", "bo"], "team": "ana", "x": {"ana": 1}})
    assert found == {"to": ["former-7", "bo"], "team": "ana", "x": {"former-7": 1}}


FILE = {
    "people": {"ana": {"name": "Ana Ruiz", "email": "ana@example.com"}, "bo": {"name": "Bo"}},
    "teams": {"ana": {"members": ["ana", "bo"]}},
    "policies": {"p": {"steps": [{"page": ["person:ana", "team:ana"]}]}},
}


def test_a_file_names_her_where_it_has_people_and_reads_as_before_without_her() -> None:
    assert named_in(FILE, "ana") == ["people.ana", "teams.ana.members", "policies.p.steps[0].page"]
    after = FINDER.document(FILE)
    assert after["people"]["former-7"] == {"name": "former-7"}
    assert after["teams"] == {"ana": {"members": ["former-7", "bo"]}}
    assert after["policies"]["p"]["steps"][0]["page"] == ["person:former-7", "team:ana"]
    assert named_in(after, "ana") == []


def test_ordinary_words_and_names_of_others_alone_are_left() -> None:
    assert parts_of("Will May") == ()
    shared = Finder(
        Traces(8, "al", "former-8", names=("Al Ruiz",), shared_parts=frozenset({"Ruiz"}))
    )
    assert shared.text("Ruiz and Al Ruiz") == "Ruiz and former-8"


def test_what_somebody_said_is_gone_wherever_it_is_repeated() -> None:
    said = ["it is the pool, I think", "ok"]
    draft = {"cause": "@bo: it is the pool, I think", "lines": ["ok then"]}
    assert without_words_in(draft, said) == {"cause": f"@bo: {REMOVED}", "lines": ["ok then"]}


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_text_around_her_keeps_her_address(before: str, after: str) -> None:
    text = f"{before} ana@example.com {after}"
    assert "ana@example.com" not in FINDER.text(text).lower()
    assert FINDER.text(FINDER.text(text)) == FINDER.text(text)


@given(st.binary(max_size=120))
def test_raw_bodies_without_her_stay_as_they_are(data: bytes) -> None:
    if b"na" not in data.lower() and b"uiz" not in data.lower():
        assert FINDER.bytes(data) == data
