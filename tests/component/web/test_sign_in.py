"""Signing in from Slack: one use, ten minutes, one person; a cookie no script reads; forms of other sites refused."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from oncall_bot.store.db import Store
from oncall_bot.store.retention import forget
from oncall_bot.store.transactions import Reader
from oncall_bot.telemetry.metrics import Telemetry
from oncall_bot.web.app import build_web
from tests.component.web.site import (
    ANA,
    BEN,
    DOCUMENT,
    GUEST_OF_THE_FILE,
    PEOPLE,
    SECRET,
    Site,
    nothing_against_it,
    plain,
)
from tests.databases import HandClock

COOKIE = "__Host-oncall"


@pytest.fixture
def site(store: Store, clock: HandClock) -> Site:
    found = Site(store, clock)
    found.applies()
    return found


def rows(site: Site, sql: str) -> list[Any]:
    def look(reader: Reader) -> list[Any]:
        return [tuple(row) for row in reader.connection.execute(text(sql))]

    return site.store.look(look)


def proof_on(page: str) -> str:
    found = re.search(r'name="proof" value="([0-9a-f]+)"', page)
    assert found
    return found[1]


async def looks(site: Site, browser: httpx2.AsyncClient | None = None) -> int:
    return int((await (browser or site.browser).get("/schedules")).status_code)


# --- the link -----------------------------------------------------------------------------------------------------


async def test_a_link_from_slack_signs_its_person_in(site: Site) -> None:
    link = site.link()
    shown = await site.browser.get(link)
    assert "Sign in as Ana Ruiz" in shown.text
    pressed = await site.browser.post(link)
    assert pressed.status_code == 303
    assert pressed.headers["location"] == "/schedules"
    assert "Signed in as Ana Ruiz" in await site.page("/schedules")


async def test_looking_at_the_link_burns_nothing(site: Site) -> None:
    """Previews, scanners and prefetching clients send GET and HEAD."""
    link = site.link()
    for _ in range(3):
        assert (await site.browser.get(link)).status_code == 200
        assert (await site.browser.head(link)).status_code == 200
    assert "set-cookie" not in (await site.browser.get(link)).headers
    assert (await site.browser.post(link)).status_code == 303


async def test_a_link_works_once(site: Site) -> None:
    link = site.link()
    assert (await site.browser.post(link)).status_code == 303
    other = site.another_browser()
    again = await other.post(link)
    assert again.status_code == 410
    assert "This link was used before." in again.text
    assert await looks(site, other) == 403
    assert (await other.get(link)).status_code == 410


async def test_a_link_is_good_for_ten_minutes(site: Site) -> None:
    link = site.link()
    site.clock.advance(601)
    late = await site.browser.post(link)
    assert late.status_code == 410
    assert "This link has expired." in late.text
    assert await looks(site) == 403


async def test_a_newer_link_takes_the_place_of_an_older_one(site: Site) -> None:
    older, newer, of_ben = site.link(), site.link(), site.link(BEN)
    assert (await site.browser.post(older)).status_code == 410
    assert (await site.browser.post(newer)).status_code == 303
    assert (await site.browser.post(of_ben)).status_code == 303


@pytest.mark.parametrize("key", ["x", "A" * 43, "..%2f..%2fmetrics", "A" * 5000])
async def test_a_made_up_link_signs_nobody_in(site: Site, key: str) -> None:
    for answer in (
        await site.browser.get(f"/sign-in/{key}"),
        await site.browser.post(f"/sign-in/{key}"),
    ):
        assert answer.status_code == 404
        assert "set-cookie" not in answer.headers


async def test_after_signing_in_it_leads_to_the_page_asked_for_and_to_no_other_site(
    site: Site,
) -> None:
    shown = await site.browser.get(f"{site.link()}?to=/schedules/office")
    assert 'name="to" value="/schedules/office"' in shown.text
    there = await site.browser.post(site.link(), data={"to": "/schedules/office"})
    assert there.headers["location"] == "/schedules/office"
    for outside in ("//evil.example", "https://evil.example", "/ack/x", "/schedules\r\nX: y"):
        answer = await site.browser.post(site.link(), data={"to": outside})
        assert answer.headers["location"] == "/schedules"


# --- the session ----------------------------------------------------------------------------------------------------


async def test_the_cookie_is_for_this_host_alone_and_no_script_reads_it(site: Site) -> None:
    said = (await site.signs_in()).headers["set-cookie"]
    assert said.startswith(f"{COOKIE}=")
    for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=43200"):
        assert part.casefold() in said.casefold()
    assert "domain" not in said.casefold()


async def test_without_tls_the_cookie_has_a_plain_name(store: Store, clock: HandClock) -> None:
    site = Site(store, clock, "http://oncall.test:8080")
    site.applies()
    said = (await site.signs_in()).headers["set-cookie"]
    assert said.startswith("oncall=")
    assert "secure" not in said.casefold()
    assert await looks(site) == 200


async def test_only_hashes_are_stored(site: Site) -> None:
    link = site.link()
    await site.browser.post(link)
    session = site.browser.cookies[COOKIE]
    stored = str(rows(site, "SELECT * FROM sign_in_link") + rows(site, "SELECT * FROM web_session"))
    assert "person:ana" in stored
    assert link.rpartition("/")[2] not in stored
    assert session not in stored
    assert session not in str(rows(site, "SELECT * FROM audit"))


async def test_a_session_ends_after_twelve_hours(site: Site) -> None:
    await site.signs_in()
    site.clock.advance(12 * 3600 - 1)
    assert await looks(site) == 200
    site.clock.advance(2)
    assert await looks(site) == 403


async def test_signing_in_again_changes_the_key_and_ends_the_former_session(site: Site) -> None:
    await site.signs_in()
    former = site.browser.cookies[COOKIE]
    await site.signs_in()
    assert site.browser.cookies[COOKIE] != former
    thief = site.another_browser()
    thief.cookies.set(COOKIE, former)
    assert await looks(site, thief) == 403


@pytest.mark.parametrize("cookie", ["", "A" * 43, "x" * 5000, "..", "\x7f"])
async def test_a_made_up_cookie_is_nobody(site: Site, cookie: str) -> None:
    answer = await site.browser.get("/schedules", headers={"Cookie": f"{COOKIE}={cookie}"})
    assert answer.status_code == 403
    assert "Type /oncall web in Slack" in answer.text


async def test_who_leaves_the_file_is_out_at_once(site: Site) -> None:
    await site.signs_in(BEN)
    unused = site.link(BEN)
    left = {key: one for key, one in PEOPLE.items() if key != "ben"}
    rota = {"zone": "UTC", "layers": [{**DOCUMENT["schedules"]["checkout-primary"]["layers"][1]}]}
    policy = {"steps": [{"after": "0m", "page": ["schedule:checkout-primary"]}]}
    site.applies(
        {
            **DOCUMENT,
            "people": left,
            "teams": {},
            "schedules": {"checkout-primary": rota},
            "policies": {"shop": policy},
        }
    )
    assert await looks(site) == 403
    gone = await site.browser.post(unused)
    assert gone.status_code == 410
    assert "You are no longer in the configuration." in gone.text


async def test_viewers_and_members_of_the_workspace_who_are_not_in_the_file_may_look(
    site: Site,
) -> None:
    await site.signs_in(GUEST_OF_THE_FILE)
    assert "Zoe Park" in await site.page("/schedules")


# --- forms ----------------------------------------------------------------------------------------------------------


async def test_signing_out_needs_the_proof_of_the_session(site: Site) -> None:
    await site.signs_in()
    proof = proof_on(await site.page("/schedules"))
    for wrong in ({}, {"proof": ""}, {"proof": "0" * 64}, {"proof": "ä"}):
        assert (await site.browser.post("/sign-out", data=wrong)).status_code in {400, 403}
    assert await looks(site) == 200
    other = site.another_browser()
    await site.signs_in(BEN, other)
    assert (await other.post("/sign-out", data={"proof": proof})).status_code == 403
    done = await site.browser.post("/sign-out", data={"proof": proof})
    assert "You are signed out." in done.text
    assert await looks(site) == 403
    assert await looks(site, other) == 200


async def test_signing_out_ends_the_session_and_not_only_the_cookie(site: Site) -> None:
    await site.signs_in()
    key = site.browser.cookies[COOKIE]
    await site.browser.post("/sign-out", data={"proof": proof_on(await site.page("/schedules"))})
    thief = site.another_browser()
    thief.cookies.set(COOKIE, key)
    assert await looks(site, thief) == 403


async def test_signing_out_everywhere_ends_every_session_of_the_person(site: Site) -> None:
    phone = site.another_browser()
    await site.signs_in()
    await site.signs_in(ANA, phone)
    of_ben = site.another_browser()
    await site.signs_in(BEN, of_ben)
    proof = proof_on(await site.page("/schedules"))
    await site.browser.post("/sign-out", data={"proof": proof, "everywhere": "1"})
    assert await looks(site, phone) == 403
    assert await looks(site, of_ben) == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://oncall.example.com"},
    ],
)
async def test_a_form_of_another_site_is_refused(site: Site, headers: dict[str, str]) -> None:
    link = site.link()
    assert (await site.browser.post(link, headers=headers)).status_code == 403
    assert (await site.browser.post(link)).status_code == 303
    proof = proof_on(await site.page("/schedules"))
    forged = await site.browser.post("/sign-out", data={"proof": proof}, headers=headers)
    assert forged.status_code == 403
    assert await looks(site) == 200


async def test_our_own_form_is_taken_as_browsers_send_it(site: Site) -> None:
    for headers in (
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Origin": "https://oncall.example.com"},
    ):
        assert (await site.browser.post(site.link(), headers=headers)).status_code == 303


async def test_a_huge_form_is_refused_unread(site: Site) -> None:
    answer = await site.browser.post(site.link(), content=b"to=" + b"x" * 5000)
    assert answer.status_code == 413


# --- headers, audit, bounds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/schedules", "/schedules/checkout-primary", "/incidents", "/sign-in/x"]
)
async def test_no_page_runs_a_script_or_is_framed_or_kept(site: Site, path: str) -> None:
    await site.signs_in()
    answer = await site.browser.get(path)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    body = answer.text.casefold()
    assert "<script" not in body
    assert " style=" not in body
    assert "javascript:" not in body


async def test_links_sign_ins_and_sign_outs_are_in_the_audit(site: Site) -> None:
    await site.signs_in()
    await site.browser.post("/sign-out", data={"proof": proof_on(await site.page("/schedules"))})
    found = rows(site, "SELECT actor, verb FROM audit WHERE object = 'web' ORDER BY id")
    assert found == [("person:ana", verb) for verb in ("sign_in_link", "sign_in", "sign_out")]


async def test_what_is_over_is_forgotten(site: Site) -> None:
    await site.signs_in()
    site.clock.advance(12 * 3600 + 60)
    await site.signs_in()
    site.clock.advance(24 * 3600 + 660)
    await site.store.write(forget)
    assert rows(site, "SELECT count(*) FROM sign_in_link") == [(0,)]
    assert rows(site, "SELECT count(*) FROM web_session") == [(1,)]


async def test_without_a_public_address_the_pages_are_off_and_say_how_to_turn_them_on(
    store: Store, clock: HandClock
) -> None:
    site = Site(store, clock, None)
    site.applies()
    assert (await site.browser.post(site.link())).status_code == 404
    said = plain(await site.page("/schedules", 403))
    assert "Set ONCALL_PUBLIC_URL" in said


async def test_below_a_path_of_a_proxy_all_links_begin_with_it(
    store: Store, clock: HandClock
) -> None:
    site = Site(store, clock, "https://tools.example.com/oncall")
    site.applies()
    browser = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(site.app), base_url="https://tools.example.com"
    )
    signed_in = await browser.post(site.link())
    assert signed_in.headers["location"] == "/oncall/schedules"
    page = (await browser.get("/schedules")).text
    assert 'href="/oncall/schedules/office"' in page
    assert 'action="/oncall/sign-out"' in page


# --- the demo -------------------------------------------------------------------------------------------------------


def demo(site: Site, client: str, host: str) -> httpx2.AsyncClient:
    app = build_web(
        store=site.store,
        telemetry=Telemetry(),
        secret=SECRET,
        ready=nothing_against_it,
        public_url="http://127.0.0.1:8090",
        open_here=True,
    )
    transport = httpx2.ASGITransport(app, client=(client, 5555))
    return httpx2.AsyncClient(transport=transport, base_url=f"http://{host}")


@pytest.mark.parametrize("host", ["127.0.0.1:8090", "localhost:8090", "[::1]:8090"])
async def test_the_demo_asks_nobody_on_this_machine_to_sign_in(site: Site, host: str) -> None:
    answer = await demo(site, "127.0.0.1", host).get("/schedules")
    assert answer.status_code == 200
    assert "nobody has to sign in" in answer.text


@pytest.mark.parametrize(
    ("client", "host"),
    [("192.0.2.7", "127.0.0.1:8090"), ("127.0.0.1", "evil.example"), ("127.0.0.1", "")],
)
async def test_the_demo_is_open_to_nobody_else(site: Site, client: str, host: str) -> None:
    """Not to another machine, and not to a site whose name was made to point at this one."""
    browser = demo(site, client, "127.0.0.1")
    answer = await browser.get("/schedules", headers={"Host": host})
    assert answer.status_code == 403
