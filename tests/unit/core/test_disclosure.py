"""What of an incident may go to a model, and what never leaves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.config import Llm
from oncall_bot.core.disclosure import (
    MOST_VALUES,
    Scope,
    Withholder,
    disclose,
    refusal,
    withheld_values,
)
from oncall_bot.core.spending import Spent

SEV1 = Scope("SEV1", "shop", ("checkout",))
PRIVATE = Scope("SEV1", "shop", ("checkout",), private=True)


@pytest.mark.parametrize(
    ("sends", "scope", "may"),
    [
        (None, SEV1, True),
        (None, PRIVATE, False),
        ((), SEV1, False),
        (("severity:SEV1",), SEV1, True),
        (("severity:SEV2",), SEV1, False),
        (("severity:SEV2", "team:shop"), SEV1, True),
        (("service:checkout",), SEV1, True),
        (("service:search", "team:data"), SEV1, False),
        (("severity:SEV1",), PRIVATE, False),
        (("severity:SEV1", "private"), PRIVATE, True),
        (("severity:SEV2", "private"), PRIVATE, False),
        (("private",), PRIVATE, True),
        (("private",), SEV1, False),
    ],
)
def test_which_incidents_may_be_sent(
    sends: tuple[str, ...] | None, scope: Scope, may: bool
) -> None:
    reason = refusal(Llm(sends=sends), scope)
    assert (reason is None) is may


def test_values_are_taken_from_labels_and_from_how_texts_write_them() -> None:
    llm = Llm(never_labels=("customer", "tenant_id"))
    labels = [{"customer": "Acme", "region": "eu"}, {"customer": ""}, {"tenant_id": 4711}]
    texts = [
        'up{customer="Umbrella Corp",x="1"} is 0',
        "tenant_id: t-77, region: us",
        "customers wait",
    ]
    assert set(withheld_values(llm, labels, texts)) == {"Acme", "4711", "Umbrella Corp", "t-77"}


def test_a_value_is_withheld_wherever_it_stands_as_a_word_and_comes_back_at_home() -> None:
    keeper = Withholder(("Acme", "Acme GmbH", "x1"))
    text = "ACME GmbH waits; acme too; Acmeist and x12 do not, x1 does"
    hidden = keeper.withhold(text)
    assert (
        hidden == "[withheld-2] waits; [withheld-1] too; Acmeist and x12 do not, [withheld-3] does"
    )
    assert keeper.restored(hidden).lower() == text.lower()
    assert keeper.restored("[withheld-99] [withheld-0]") == "[withheld-99] [withheld-0]"


@given(
    st.lists(st.text(min_size=1, max_size=20).filter(str.strip), min_size=1, max_size=5),
    st.text(max_size=60),
)
def test_no_value_is_left_as_a_word_of_its_own(values: list[str], around: str) -> None:
    keeper = Withholder(values)
    for value in values:
        assert value not in keeper.withhold(f" {value} ") or value in "[withheld-12345]"
    keeper.withhold(around)


def test_more_values_than_can_be_withheld_keep_the_incident_at_home() -> None:
    labels = [{"customer": f"c{n}"} for n in range(MOST_VALUES + 1)]
    found = disclose(Llm(never_labels=("customer",)), SEV1, "m", Spent(), labels)
    assert "more values" in (found.refused or "")
