"""What telephone providers post: signed or nothing, and never lost without a word."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest

from oncall_bot.core.documents import normalised, sha256_of
from oncall_bot.flows.apply_config import apply_config
from oncall_bot.paging.callbacks import Callbacks
from oncall_bot.ports import Posted, Returned
from oncall_bot.practice.telephone import sign
from oncall_bot.store import migrations
from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Tx

ADDRESS, TOKEN, ANA = "https://oncall.example.com", "road-token", "+4915550100001"
ROAD = f"twilio://AC1:{TOKEN}@+15005550006/{{to}}"
DOCUMENT = {
    "version": 1,
    "defaults": {"last_resort": ["ana"]},
    "people": {"ana": {"name": "Ana Ruiz", "contacts": {"sms": ANA}}},
    "channels": {"sms": {"url_file": "sms"}, "push": {"url": "ntfy://127.0.0.1/{to}"}},
    "policies": {"one": {"steps": [{"after": "0m", "page": ["person:ana"]}]}},
    "routes": [{"name": "rest", "policy": "one"}],
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path}/oncall.db"
    migrations.upgrade(url)
    store = Store(url)
    store.open()
    document = normalised(DOCUMENT)
    store.write(apply_config, document, sha256_of(document), "test").result()
    store.look(lambda reader: reader.snapshot)  # as the process does at its start
    yield store
    store.close()


def doors(store: Store, public_url: str | None = ADDRESS) -> Callbacks:
    return Callbacks(
        store,
        secret=lambda: b"s" * 32,
        public_url=public_url,
        read_file=lambda name: ROAD,
        begin_within=0.05,
    )


async def post(
    callbacks: Callbacks,
    form: Mapping[str, str],
    road: str = "sms",
    what: str = "text",
    about: str = "",
    token: str = TOKEN,
) -> Returned:
    path = f"/phone/{road}/{what}" + (f"/{quote(about)}" if about else "")
    signature = sign(token, ADDRESS + path, form)
    return await callbacks.take(road, what, about, Posted(path, list(form.items()), signature))


TEXT = {"MessageSid": "SM1", "From": ANA, "To": "+15005550006", "Body": "a1234"}


async def test_a_text_is_answered_with_words(store: Store) -> None:
    said = await post(doors(store), TEXT)
    assert (said.status, said.media_type) == (200, "text/xml")
    assert "No page of yours has the code 1234. No page waits for your answer." in said.body


@pytest.mark.parametrize("road", ["nosuch", "push"])
async def test_only_roads_that_telephone_have_doors(store: Store, road: str) -> None:
    assert (await post(doors(store), TEXT, road)).status == 404


async def test_what_is_not_signed_for_the_road_is_refused(store: Store) -> None:
    assert (await post(doors(store), TEXT, token="another")).status == 403
    assert (await post(doors(store, "https://elsewhere.example.com"), TEXT)).status == 403
    assert (await post(doors(store, None), TEXT)).status == 404


async def test_a_text_that_cannot_be_stored_says_so(store: Store) -> None:
    """The provider posts it once: whoever sent it must know that it did nothing."""
    busy, begun = threading.Event(), threading.Event()

    def holds_the_writer(tx: Tx) -> None:
        begun.set()
        busy.wait(10)

    holding = store.write(holds_the_writer)
    assert begun.wait(10)
    try:
        assert "That was not stored" in (await post(doors(store), TEXT)).body
        key = {"CallSid": "CA1", "Digits": "4"}
        spoken = await post(doors(store), key, what="key", about="x")
        assert "That was not stored" in spoken.body
        assert "<Gather" in spoken.body, "the same call can be answered again"
    finally:
        busy.set()
        holding.result()


async def test_a_receipt_of_nothing_we_sent_is_taken_and_changes_nothing(store: Store) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    for number in ("1", "9" * 30, "x"):
        assert (await post(doors(store), form, what="receipt", about=number)).status == 204
