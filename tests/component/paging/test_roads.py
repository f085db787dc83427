"""What the phone, the receiver and the mailbox really got, and what a failure means."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from apprise.plugins.pushover import NotifyPushover
from apprise.plugins.telegram import NotifyTelegram

from oncall_bot.core.config import Channel
from oncall_bot.paging.answers import WHOLE_EXCHANGE_SECONDS
from oncall_bot.paging.roads import APPRISE_EXTRA_SECONDS, Roads, build_pager
from oncall_bot.ports import Blame, DeliveryError, LoudPage
from tests.fakes.http import Answer, FakeHttp, http_server
from tests.fakes.smtp import FakeSmtp, smtp_server

LINK = "https://oncall.example.com/ack/abc.def"
KEY = "page:17:c12:0"


@pytest.fixture
async def server() -> AsyncIterator[FakeHttp]:
    async with http_server() as fake:
        yield fake


@pytest.fixture
async def mailbox() -> AsyncIterator[FakeSmtp]:
    async with smtp_server() as fake:
        yield fake


def page(road: str, to: str, **changes: object) -> LoudPage:
    words: dict[str, object] = {
        "key": KEY,
        "channel": road,
        "address": to,
        "title": "SEV2 checkout-api: High error rate",
        "text": "Nobody has answered yet.",
        "ack_url": LINK,
        "urgent": True,
    }
    return LoudPage(**{**words, **changes})  # type: ignore[arg-type]


async def send(url: str, to: str = "ana-7f3", road: str = "push", **changes: object) -> str:
    roads = build_pager({road: Channel(road, url=url)})
    try:
        return (await roads.page(page(road, to, **changes))).provider_id
    finally:
        await roads.aclose()


async def failure(url: str, to: str = "ana-7f3", road: str = "push") -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await send(url, to, road)
    return caught.value


# --- push ---------------------------------------------------------------------------------------


async def test_the_phone_gets_an_acknowledge_button_that_posts(server: FakeHttp) -> None:
    server.answer = Answer(body=b'{"id":"hwQ2YpKdmg","event":"message"}')
    assert await send(f"ntfy://{server.at}/{{to}}?priority=max") == "hwQ2YpKdmg"
    [got] = server.got
    assert (got.method, got.path) == ("POST", "/")
    assert got.json["topic"] == "ana-7f3"
    assert got.json["title"] == "SEV2 checkout-api: High error rate"
    assert got.json["message"] == f"Nobody has answered yet.\n\nRef {KEY}"
    assert got.json["priority"] == 5
    assert got.json["click"] == LINK
    actions = got.json["actions"]
    assert isinstance(actions, list)
    assert actions[0] == {
        "action": "http",
        "label": "Acknowledge",
        "method": "POST",
        "url": LINK,
        "clear": True,
    }
    assert got.headers["Idempotency-Key"] == KEY


async def test_a_page_that_can_wait_does_not_ring_through_the_night(server: FakeHttp) -> None:
    await send(f"ntfy://{server.at}/{{to}}", urgent=False)
    assert server.got[0].json["priority"] == 3


async def test_a_page_sent_twice_is_one_notification_and_the_next_page_is_another(
    server: FakeHttp,
) -> None:
    for key in (KEY, KEY, "page:18:c12:0"):
        await send(f"ntfy://{server.at}/{{to}}", key=key)
    first, again, following = (got.json["sequence_id"] for got in server.got)
    assert first == again != following


TRIED = datetime(2026, 3, 2, 3, 14, tzinfo=UTC)


async def test_a_page_that_went_out_before_a_crash_does_not_ring_again(server: FakeHttp) -> None:
    await send(f"ntfy://{server.at}/{{to}}")
    (first,) = server.got
    held = json.dumps({"id": "n7", "event": "message", **first.json}).encode()
    other = json.dumps({"id": "n6", "message": f"Other.\n\nRef {KEY}0"}).encode()
    server.answer = Answer(200, {}, b"not JSON\n" + other + b"\n" + held + b"\n")
    assert await send(f"ntfy://{server.at}/{{to}}", first_tried_at=TRIED) == "n7"
    asked = server.got[-1]
    assert (asked.method, asked.path) == ("GET", "/ana-7f3/json")
    assert asked.query == f"poll=1&since={int(TRIED.timestamp()) - 90}"
    assert len(server.got) == 2, "looked for and found, so nothing was sent"


@pytest.mark.parametrize(
    "answer", [Answer(403), Answer(200, {}, b""), Answer(200, {}, b'{"a": 1}')]
)
async def test_a_page_that_is_not_found_again_is_sent(server: FakeHttp, answer: Answer) -> None:
    accepted = Answer(200, {}, b'{"id": "n8"}')
    server.answer = lambda got: answer if got.method == "GET" else accepted
    login = "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2"
    sent = await send(f"ntfy://{login}@{server.at}/{{to}}", first_tried_at=TRIED)
    assert sent == "n8"
    asked, posted = server.got
    assert (asked.method, posted.method) == ("GET", "POST")
    assert asked.headers["Authorization"] == posted.headers["Authorization"] == f"Bearer {login}"


@pytest.mark.parametrize(
    ("login", "header"),
    [
        ("tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2@", "Bearer tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2"),
        ("bot:p%40ss@", "Basic Ym90OnBAc3M="),
        ("", None),
    ],
)
async def test_ntfy_logs_in_by_header(server: FakeHttp, login: str, header: str | None) -> None:
    await send(f"ntfy://{login}{server.at}/{{to}}")
    assert server.got[0].headers.get("Authorization") == header
    assert "tk_" not in server.got[0].path + server.got[0].query


async def test_a_long_page_stays_a_message_and_is_never_made_an_attachment(
    server: FakeHttp,
) -> None:
    await send(f"ntfy://{server.at}/{{to}}", title="Störung " * 100, text="ünsägliche Last\n" * 900)
    assert len(str(server.got[0].json["message"]).encode()) < 4_096
    assert len(str(server.got[0].json["title"])) <= 250


# --- webhook ------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["http", "webhook+http"])
async def test_a_receiver_gets_the_page_with_its_key(server: FakeHttp, scheme: str) -> None:
    server.answer = Answer(status=202, body=b'{"id": "rcv-9"}')
    sent = await send(
        f"{scheme}://bot:secret@{server.at}/page/{{to}}?tone=loud", "ana ruiz".replace(" ", "+")
    )
    [got] = server.got
    assert sent == "rcv-9"
    assert (got.path, got.query) == ("/page/ana+ruiz", "tone=loud")
    assert got.headers["Idempotency-Key"] == KEY
    assert got.headers["Authorization"].startswith("Basic ")
    assert got.json == {
        "format": "oncall-page/1",
        "key": KEY,
        "to": "ana+ruiz",
        "title": "SEV2 checkout-api: High error rate",
        "text": "Nobody has answered yet.",
        "ack_url": LINK,
        "urgent": True,
    }


async def test_a_receiver_without_an_id_of_its_own_is_remembered_by_our_key(
    server: FakeHttp,
) -> None:
    server.answer = Answer(body=b"thanks")
    assert await send(f"http://{server.at}/") == KEY


async def test_redirects_are_not_followed(server: FakeHttp) -> None:
    server.answer = Answer(status=302, headers={"Location": f"http://{server.at}/elsewhere"})
    fault = await failure(f"http://{server.at}/hook")
    assert fault.permanent
    assert len(server.got) == 1


async def test_proxies_of_the_environment_are_not_used(
    server: FakeHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    await send(f"http://{server.at}/hook")
    assert len(server.got) == 1


# --- mail ---------------------------------------------------------------------------------------


async def test_a_letter_carries_title_text_link_and_key(mailbox: FakeSmtp) -> None:
    url = f"mailto://127.0.0.1:{mailbox.port}?from=oncall@example.com&smtp=127.0.0.1&to={{to}}"
    assert await send(url, "ana+night@example.com", "mail") == KEY
    [(sender, recipients, letter)] = mailbox.letters
    assert "oncall@example.com" in sender
    assert recipients == ["ana+night@example.com"]
    assert letter["Subject"] == "SEV2 checkout-api: High error rate"
    body = letter.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "Nobody has answered yet." in text
    assert f"Acknowledge: {LINK}" in text
    assert f"Ref {KEY}" in text
    assert letter["X-Oncall-Key"] == KEY
    assert letter["Importance"] == "high"


@pytest.mark.parametrize(
    ("refusal", "permanent"), [(b"550 no such user", True), (b"451 come back later", False)]
)
async def test_a_mailbox_that_does_not_exist_is_final_and_a_busy_server_is_not(
    mailbox: FakeSmtp, refusal: bytes, permanent: bool
) -> None:
    mailbox.refuse = refusal
    url = f"mailto://127.0.0.1:{mailbox.port}?from=oncall@example.com&smtp=127.0.0.1&to={{to}}"
    fault = await failure(url, "ana@example.com", "mail")
    assert fault.permanent is permanent
    assert (fault.blame is Blame.ADDRESS) is permanent
    assert refusal[:3].decode() in str(fault)


async def test_a_mail_server_that_says_nothing_is_left_in_time(mailbox: FakeSmtp) -> None:
    mailbox.silent = True
    url = f"mailto://127.0.0.1:{mailbox.port}?from=oncall@example.com&smtp=127.0.0.1&to={{to}}"
    began = time.monotonic()
    assert not (await failure(url, "ana@example.com", "mail")).permanent
    assert time.monotonic() - began < 11


# --- everything else goes by apprise ------------------------------------------------------------


async def test_other_schemes_go_by_apprise_with_the_key_as_a_header(server: FakeHttp) -> None:
    await send(f"json://{server.at}/hook/{{to}}")
    [got] = server.got
    assert got.path == "/hook/ana-7f3"
    assert got.headers["Idempotency-Key"] == KEY
    assert LINK in str(got.json["message"])


async def test_gotify_reaches_the_person_whose_token_it_is(server: FakeHttp) -> None:
    await send(f"gotify://{server.at}/{{to}}", "AnasAppToken1")
    [got] = server.got
    assert got.headers["X-Gotify-Key"] == "AnasAppToken1"
    assert LINK in str(got.json["message"])


TELEGRAM = "tgram://123456789:AAHabcdefghijklmnopqrstuvwxyz012345/{to}"


@pytest.fixture
def apprise_at_home(server: FakeHttp) -> Iterator[None]:
    """Apprise's own addresses of Telegram and Pushover lead to the server here for a while."""
    brands = {NotifyTelegram: "bot", NotifyPushover: "1/messages.json"}
    former = {brand: brand.notify_url for brand in brands}
    for brand, path in brands.items():
        brand.notify_url = f"http://{server.at}/{path}"
    yield
    for brand, url in former.items():
        brand.notify_url = url


@pytest.mark.usefixtures("apprise_at_home")
async def test_telegram_reaches_the_chat_of_the_person(server: FakeHttp) -> None:
    await send(TELEGRAM, "987654321")
    [got] = server.got
    assert got.path.endswith("/sendMessage")
    assert str(got.json["chat_id"]) == "987654321"
    assert LINK in got.json["text"]


@pytest.mark.usefixtures("apprise_at_home")
async def test_pushover_reaches_the_person_whose_key_it_is(server: FakeHttp) -> None:
    user = "u" * 30
    await send(f"pover://{{to}}@{'a' * 30}", user)
    [got] = server.got
    assert user in got.body.decode()


@pytest.mark.usefixtures("apprise_at_home")
@pytest.mark.parametrize("status", [400, 403])
async def test_a_chat_that_is_not_there_or_blocks_us_is_a_bad_address(
    server: FakeHttp, status: int
) -> None:
    server.answer = Answer(status, {}, b'{"ok":false}')
    fault = await failure(TELEGRAM, "987654321")
    assert (fault.permanent, fault.blame) == (True, Blame.ADDRESS)
    assert "AAHabc" not in str(fault)


# --- failures -----------------------------------------------------------------------------------

WAYS = ["ntfy://{at}/{to}", "http://{at}/{to}", "json://{at}/{to}"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("status", "permanent"),
    [
        (500, False),
        (502, False),
        (429, False),
        (400, True),
        (401, False),
        (403, False),
        (404, True),
    ],
)
async def test_what_an_answer_means(
    server: FakeHttp, way: str, status: int, permanent: bool
) -> None:
    server.answer = Answer(status=status, body=b"no")
    fault = await failure(way.replace("{at}", server.at))
    assert fault.permanent is permanent
    assert fault.rate_limited is (status == 429)
    assert str(status) in str(fault)


async def test_the_wait_a_provider_asks_for_is_kept(server: FakeHttp) -> None:
    server.answer = Answer(status=429, headers={"Retry-After": "17"})
    assert (await failure(f"http://{server.at}/{{to}}")).retry_after == 17.0


@pytest.mark.parametrize("way", WAYS)
async def test_a_provider_that_is_not_there_is_tried_again(way: str) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: refused
        fault = await failure(way.replace("{at}", f"127.0.0.1:{held.getsockname()[1]}"))
    assert not fault.permanent


@pytest.mark.parametrize("way", WAYS)
async def test_a_provider_that_never_answers_is_left_when_its_time_is_over(
    server: FakeHttp, way: str
) -> None:
    server.answer = Answer(never=True)
    url = way.replace("{at}", server.at)
    roads = build_pager({"push": Channel("push", url=url)}, whole_seconds=0.5)
    began = time.monotonic()
    with pytest.raises(DeliveryError, match="did not answer in") as caught:
        await roads.page(page("push", "ana"))
    await roads.aclose()
    assert not caught.value.permanent
    assert time.monotonic() - began < 3.5


async def test_no_road_may_hold_a_page_for_more_than_ten_seconds() -> None:
    assert WHOLE_EXCHANGE_SECONDS + APPRISE_EXTRA_SECONDS <= 10


async def test_waiting_for_a_slow_road_holds_up_no_other(
    server: FakeHttp, mailbox: FakeSmtp
) -> None:
    server.answer = Answer(never=True)
    slow = asyncio.create_task(failure(f"json://{server.at}/{{to}}"))
    await asyncio.sleep(0)
    began = time.monotonic()
    url = f"mailto://127.0.0.1:{mailbox.port}?from=oncall@example.com&smtp=127.0.0.1&to={{to}}"
    await send(url, "ana@example.com", "mail")
    assert time.monotonic() - began < 3
    slow.cancel()


# --- addresses and secrets ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "to",
    [
        "",
        "a,b",
        "a b",
        "a\nX-Evil: 1",
        "https://evil.example.com/",
        "x" * 255,
        "a;b",
        "\u202eevil",
    ],
)
@pytest.mark.parametrize("way", ["ntfy://{at}/{to}", "http://{at}/{to}", "json://{at}/{to}"])
async def test_an_address_is_one_address_and_nothing_more(
    server: FakeHttp, way: str, to: str
) -> None:
    assert (await failure(way.replace("{at}", server.at), to)).permanent
    assert server.got == []


@pytest.mark.parametrize(
    "to", ["../../admin", "x?priority=1", "x#y", "u:p@evil.example.com", "a&to=b"]
)
async def test_an_address_cannot_leave_its_place_in_the_path(server: FakeHttp, to: str) -> None:
    await send(f"http://{server.at}/page/{{to}}?fixed=1", to)
    [got] = server.got
    assert got.path == f"/page/{to}"  # decoded: one segment as sent
    assert got.query == "fixed=1"


@pytest.mark.parametrize(
    "url", ["{to}", "{to}://host/", "http://{to}/hook", "json://{to}/hook", "ntfy://{to}/x"]
)
async def test_a_person_chooses_no_host(server: FakeHttp, url: str) -> None:
    assert (await failure(url, server.at.replace(":", "-"))).permanent


@pytest.mark.parametrize(
    "url",
    [
        "ntfy://tk_verysecretverysecret@127.0.0.1:1/{to}",
        "http://bot:verysecret@127.0.0.1:1/verysecret/{to}",
        "json://bot:verysecret@127.0.0.1:1/verysecret/{to}",
        "mailto://bot:verysecret@127.0.0.1:1?from=a@example.com&smtp=127.0.0.1&to=a@example.com",
        "nosuch://verysecret@host/{to}",
        "json://[verysecret",
        "http://[verysecret/{to}",
    ],
)
async def test_no_secret_of_an_address_is_told_or_logged(
    url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    log, root = io.StringIO(), logging.getLogger()
    handler, before = logging.StreamHandler(log), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        fault = await failure(url)
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
    told = str(fault) + log.getvalue() + "".join(capfd.readouterr())
    assert "verysecret" not in told
    assert fault.__cause__ is None


async def test_a_secret_file_is_read_again_and_its_last_good_content_kept(
    server: FakeHttp, tmp_path: Path
) -> None:
    file = tmp_path / "push"
    roads = build_pager({"push": Channel("push", url_file=str(file))})
    assert "push" in roads.faults()
    with pytest.raises(DeliveryError) as missing:
        await roads.page(page("push", "ana"))
    assert not missing.value.permanent
    for folder in ("one", "two"):
        file.write_text(f"http://{server.at}/{folder}/{{to}}\n")
        await roads.page(page("push", "ana"))
    file.unlink()
    await roads.page(page("push", "ana"))
    await roads.aclose()
    assert [got.path for got in server.got] == ["/one/ana", "/two/ana", "/two/ana"]


async def test_a_road_that_cannot_be_used_hurts_no_other(server: FakeHttp) -> None:
    roads = Roads(
        {
            "bad": Channel("bad", url="no address"),
            "gone": Channel("gone", url_file="/nowhere/at/all"),
            "push": Channel("push", url=f"http://{server.at}/{{to}}"),
        },
        lambda path: Path(path).read_text(),
    )
    assert set(roads.faults()) == {"bad", "gone"}
    await roads.page(page("push", "ana"))
    with pytest.raises(DeliveryError, match="no road fax"):
        await roads.page(page("fax", "ana"))
    await roads.aclose()
    assert len(server.got) == 1


async def test_the_body_of_a_page_is_json_whatever_the_alert_says(server: FakeHttp) -> None:
    evil = '"}\u202e{"to": "x"\n\x00 <b>&'
    await send(f"http://{server.at}/{{to}}", title=evil, text=evil)
    content = json.loads(server.got[0].body)
    assert content["to"] == "ana-7f3"
    assert "\u202e" not in content["title"] + content["text"]
    assert "\n" not in content["title"]
