"""Numbers as people write them become numbers that can be called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.config import Channel
from oncall_bot.core.phone_numbers import normal, takes_numbers


@pytest.mark.parametrize(
    "text",
    [
        "+49305550100",
        "+49 30 5550100",
        "0049-30-5550100",
        "+49 (0)30 555 01 00",
        " +49.30.5550100 ",
    ],
)
def test_a_number_with_its_country_is_found(text: str) -> None:
    assert normal(text) == "+49305550100"


@pytest.mark.parametrize(
    "text",
    ["", "030 5550100", "+0305550100", "+49", "+49 30 call me", "+" + "1" * 16, "+٤٩٣٠٥٥٥٠١٠٠"],
)
def test_what_lacks_its_country_or_is_no_number_is_none(text: str) -> None:
    assert normal(text) is None


@given(st.text(max_size=40))
def test_what_is_found_can_be_called_and_stays_as_it_is(text: str) -> None:
    found = normal(text)
    assert found is None or (found.startswith("+") and found[1:].isdigit() and found.isascii())
    assert found is None or normal(found) == found


@pytest.mark.parametrize(
    ("channel", "does"),
    [
        (Channel("sms", url_env="ROAD"), True),
        (Channel("Voice", url_file="/run/secrets/voice"), True),
        (Channel("night", url="twilio+http://a:b@127.0.0.1/+15005550006/{to}"), True),
        (Channel("sms", url="webhook+https://example.com/{to}"), False),
        (Channel("push", url="ntfys://ntfy.example.com/{to}"), False),
    ],
)
def test_a_road_that_takes_numbers_is_known(channel: Channel, does: bool) -> None:
    assert takes_numbers(channel) is does
