"""Text messages and calls: what the telephone got, what a refusal means, and what comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from oncall_bot.core.config import Channel
from oncall_bot.paging import twilio
from oncall_bot.paging.roads import build_pager
from oncall_bot.ports import Blame, DeliveryError, LoudPage, Sent
from oncall_bot.practice.feed import Feed
from oncall_bot.practice.phone import Phones, Ring
from oncall_bot.practice.telephone import ACCOUNT, NUMBER, TOKEN, TelephoneNetwork, sign

ANA = "+4915550100001"
LINK = "https://oncall.example.com/ack/abc.def"


class Network:
    """A telephone network at an address, and the phones on it."""

    def __init__(self) -> None:
        self.phones = Phones(now=lambda: datetime.now(UTC), feed=Feed())
        self.telephone = TelephoneNetwork(self.phones)
        self.at = ""

    async def send(self, to: str = ANA, *, call: bool = False, **changes: Any) -> Sent:
        url = f"twilio+http://{ACCOUNT}:{TOKEN}@{self.at}/{NUMBER}/{{to}}"
        road = "voice" if call else "sms"
        words: dict[str, Any] = {
            "key": "page:1:c1:0",
            "channel": road,
            "address": to,
            "title": "SEV2 High error rate on checkout",
            "text": "Firing since 03:07 UTC. Incident 42.",
            "ack_url": LINK,
            "urgent": True,
            "reply_code": "4821",
        }
        roads = build_pager({road: Channel(road, url=url + ("?method=call" if call else ""))})
        try:
            return await roads.page(LoudPage(**{**words, **changes}))
        finally:
            await roads.aclose()

    def ring(self) -> Ring:
        (found,) = self.phones.rings
        return found


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    found = Network()
    app = web.Application()
    found.telephone.add_routes(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.at = f"127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await found.telephone.close()
    await runner.cleanup()


async def test_a_text_message_says_what_is_wrong_and_how_to_answer(network: Network) -> None:
    sent = await network.send()
    ring = network.ring()
    assert (ring.topic, ring.title) == (ANA, "SEV2 High error rate on checkout")
    assert "Reply A4821 I have it, E4821 next person, R4821 resolved" in ring.message
    assert ring.message.endswith(LINK)
    assert sent.provider_id.startswith("SM")


async def test_a_number_is_taken_however_it_was_written(network: Network) -> None:
    await network.send("0049 1555 (0)010-0001")
    assert network.ring().topic == ANA


async def test_a_long_page_keeps_its_code_and_its_link(network: Network) -> None:
    await network.send(title="x" * 500, text="y" * 5000)
    body = next(iter(network.telephone.lines.values())).form["Body"]
    assert len(body) <= 1600
    assert "Reply A4821" in body
    assert body.endswith(LINK)


async def test_a_message_that_went_out_before_a_crash_is_not_sent_again(network: Network) -> None:
    first = await network.send()
    again = await network.send(first_tried_at=datetime.now(UTC) - timedelta(seconds=5))
    assert (again.provider_id, again.answer) == (first.provider_id, "adopted")
    await network.send(reply_code="9999", first_tried_at=datetime.now(UTC))
    assert len(network.phones.rings) == 2


async def test_a_call_reads_the_page_and_asks_for_a_key(network: Network) -> None:
    await network.send(call=True, keys_url="http://127.0.0.1:1/phone/voice/key/abc")
    ring = network.ring()
    assert "This is oncall bot with a page. SEV2 High error rate on checkout." in ring.message
    assert (
        "Press 4 to take it, 8 for the next person, 6 if it is resolved, star to hear it again."
        in ring.message
    )
    assert LINK not in ring.message
    assert [one.body for one in ring.actions] == ["4", "8", "6"]


async def test_hostile_words_stay_words_when_they_are_read_aloud(network: Network) -> None:
    hostile = '</Say></Gather><Dial>+19005550199</Dial><Say> & "\u202e\x00'
    await network.send(call=True, title=hostile, keys_url="http://127.0.0.1:1/phone/voice/key/abc")
    spoken = next(iter(network.telephone.lines.values())).form["Twiml"]
    assert "<Dial>" not in spoken
    assert "\u202e" not in spoken
    assert "<Dial>+1 9 0 0 5 5 5 0 1 9 9" in network.ring().message, "read aloud, not obeyed"


async def test_a_code_is_spoken_digit_by_digit(network: Network) -> None:
    await network.send(call=True, title="Your code", text="The code is 482190.", urgent=False)
    assert "The code is 4 8 2 1 9 0." in network.ring().message


@pytest.mark.parametrize(
    ("to", "code", "permanent", "bad_address", "says"),
    [
        (ANA, 21610, True, True, "its owner texted STOP"),
        (ANA, 21614, True, True, "takes no text messages"),
        ("12", None, True, True, "country code"),
        (ANA, 21408, True, False, "code 21408"),
    ],
)
async def test_what_a_refusal_means(
    network: Network, to: str, code: int | None, permanent: bool, bad_address: bool, says: str
) -> None:
    if code:
        network.telephone.refuse[ANA] = code
    with pytest.raises(DeliveryError, match=says) as refused:
        await network.send(to)
    assert (refused.value.permanent, refused.value.blame is Blame.ADDRESS) == (
        permanent,
        bad_address,
    )
    assert TOKEN not in str(refused.value)


async def test_a_network_that_is_down_is_tried_again(network: Network) -> None:
    network.phones.down = True
    with pytest.raises(DeliveryError) as refused:
        await network.send()
    assert not refused.value.permanent


@pytest.mark.parametrize(
    "template",
    ["twilio://AC1@+15005550006/{to}", "twilio://AC1:t@host/{to}", "twilio+http://AC1:t@h/{to}"],
)
def test_a_road_without_account_token_or_number_is_told(template: str) -> None:
    faults = build_pager({"sms": Channel("sms", url=template)}).faults()
    assert "wants twilio://ACCOUNT:TOKEN@NUMBER" in faults["sms"]


URL = "https://oncall.example.com/phone/sms/text?x=1"
FORMS = st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=6)


@settings(max_examples=25)
@given(FORMS, st.data())
def test_a_signature_fits_its_post_and_no_other(form: dict[str, str], data: st.DataObject) -> None:
    pairs = list(form.items())
    good = sign(TOKEN, URL, form)
    assert twilio.is_genuine(TOKEN, URL, pairs, good)
    assert twilio.is_genuine(TOKEN, URL, data.draw(st.permutations(pairs)), good)
    with_port = URL.replace(".com/", ".com:443/")
    assert twilio.is_genuine(TOKEN, URL, pairs, sign(TOKEN, with_port, form))
    assert not twilio.is_genuine(TOKEN + "x", URL, pairs, good)
    assert not twilio.is_genuine(TOKEN, URL + "&y=2", pairs, good)
    assert not twilio.is_genuine(TOKEN, URL, [*pairs, ("added", "later")], good)
    assert not twilio.is_genuine(TOKEN, URL, pairs, data.draw(st.text(max_size=40)))


@pytest.mark.parametrize(
    ("status", "state"),
    [("delivered", "delivered"), ("undelivered", "failed"), ("sent", None), ("<b>", None)],
)
def test_what_a_receipt_of_a_message_says(status: str, state: str | None) -> None:
    told = twilio.told({"MessageSid": "SM1", "MessageStatus": status, "ErrorCode": "30005"})
    assert (told.state if told else None) == state
    assert told is None or told.bad_number == (state == "failed")


@pytest.mark.parametrize(
    ("status", "state", "why"),
    [
        ("ringing", "rang", None),
        ("in-progress", "picked up", None),
        ("no-answer", "missed", "nobody picked up"),
        ("busy", "missed", "the line was busy"),
        ("failed", "failed", "the provider does not say why"),
    ],
)
def test_what_a_receipt_of_a_call_says(status: str, state: str, why: str | None) -> None:
    told = twilio.told({"CallSid": "CA1", "CallStatus": status})
    assert told is not None
    assert (told.state, told.why, told.bad_number) == (state, why, False)
