"""The signed-in pages in a browser, on a laptop and on a phone: signed in from a link, read, walked by keyboard.

Asserts what a person sees. Every page is photographed into ONCALL_SCREENSHOTS, or into the test's own folder.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from oncall_bot.flows.acknowledge import acknowledge
from oncall_bot.flows.declare import declare, note
from oncall_bot.flows.drafting import request_draft
from oncall_bot.flows.resolve import resolve
from oncall_bot.store import migrations
from oncall_bot.store.db import Store
from tests.component.web.site import ANA, BEN, Site
from tests.databases import HandClock
from tests.e2e.test_demo_browser import address  # noqa: F401 - a fixture
from tests.shared import REQUIRE_REAL

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
SIZES = pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
PAGES = (
    *("/schedules", "/schedules/checkout-primary", "/schedules/checkout-primary?weeks=4"),
    *("/schedules/office?zone=Asia/Kathmandu", "/incidents", "/incidents/1"),
)

if not CHROMIUM and not REQUIRE_REAL:
    pytest.skip("no Chromium is installed: the web pages are not tried", allow_module_level=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pages, listening; a week that is lived in and one incident that is over."""
    url = f"sqlite:///{tmp_path_factory.mktemp('site') / 'oncall.db'}"
    migrations.upgrade(url)
    clock = HandClock()
    store = Store(url, clock=clock)
    store.open()
    found: list[Site] = []
    server = listening(found, store, clock)
    found[0].is_lived_in()
    worked_on(found[0])
    yield found[0]
    server.should_exit = True
    store.close()


def listening(found: list[Site], store: Store, clock: HandClock) -> uvicorn.Server:
    """The port is known only once it listens, and the pages know their address: it is taken first."""
    config = uvicorn.Config(
        _late(found), host="127.0.0.1", port=0, lifespan="off", log_level="error"
    )
    server = uvicorn.Server(config)
    sock = config.bind_socket()
    found.append(Site(store, clock, f"http://127.0.0.1:{sock.getsockname()[1]}"))
    threading.Thread(target=server.run, args=([sock],), daemon=True).start()
    return server


def _late(found: list[Site]) -> Callable[..., Any]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await found[0].app(scope, receive, send)

    return app


def worked_on(site: Site) -> None:
    def write(flow: Callable[..., Any], *args: Any, **more: Any) -> Any:
        return site.store.write(flow, *args, **more).result(10)

    before = site.clock.now
    number = write(declare, "Checkout <b>fails</b>", "SEV2", BEN, press_id="p").incident_id
    for seconds, flow, args in (
        (180, acknowledge, (ANA,)),
        (60, note, ("looks like the pool is empty?", BEN)),
        (1800, resolve, (ANA,)),
        (1, request_draft, ("summary", ANA)),
    ):
        site.clock.advance(seconds)
        write(flow, number, *args)
    site.clock.now = before


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("ONCALL_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Reader:
    """Somebody with a browser; what its console complained of and where a page reached out are kept."""

    def __init__(self, browser: Browser, site: Site, size: dict[str, int], scheme: Any) -> None:
        self.site, self.size = site, size
        self.context = browser.new_context(
            viewport={"width": size["width"], "height": size["height"]},
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console", lambda one: self.complaints.append(one.text) if one.type == "error" else None
        )
        self.page.on(
            "request",
            lambda one: (
                None if one.url.startswith(str(site.address)) else self.elsewhere.append(one.url)
            ),
        )

    def goes(self, path: str) -> None:
        self.page.goto(f"{self.site.address}{path}")

    def signs_in(self, to: str = "/schedules") -> None:
        self.goes(f"{self.site.link()}?to={to}")
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"**{to}")

    def shot(self, folder: Path, name: str) -> None:
        size = "phone" if self.size is PHONE else "laptop"
        scheme = self.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        shade = "dark" if scheme else "light"
        self.page.screenshot(path=folder / f"web-{name}-{size}-{shade}.png", full_page=True)


Readers = Callable[..., Reader]


@pytest.fixture
def reader(chromium: Browser, site: Site) -> Iterator[Readers]:
    """`reader(LAPTOP)`: a browser that in the end has not complained, nor fetched anything from elsewhere."""
    made: list[Reader] = []

    def arrive(size: dict[str, int], scheme: str = "light") -> Reader:
        made.append(Reader(chromium, site, size, scheme))
        return made[-1]

    yield arrive
    for one in made:
        one.context.close()
    assert [one.complaints for one in made] == [[] for _ in made]
    assert [one.elsewhere for one in made] == [[] for _ in made]


@SIZES
def test_a_link_signs_in_and_leads_to_the_schedule(
    reader: Readers, size: dict[str, int], shots: Path
) -> None:
    me = reader(size)
    me.goes(f"{me.site.link()}?to=/schedules/checkout-primary")
    me.shot(shots, "sign-in")
    me.page.get_by_role("button", name="Sign in").click()
    me.page.wait_for_url("**/schedules/checkout-primary")
    expect(me.page.get_by_role("heading", name="checkout-primary")).to_be_visible()
    expect(me.page.get_by_text("is on call now")).to_be_visible()
    drawing, listed = me.page.locator("svg.plot"), me.page.locator(".agenda")
    expect(drawing).to_be_visible(visible=size is LAPTOP)
    expect(listed).to_be_visible(visible=size is PHONE)
    me.shot(shots, "schedule")
    me.page.get_by_role("button", name="Sign out", exact=True).click()
    expect(me.page.get_by_text("You are signed out.")).to_be_visible()


@SIZES
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_the_screen_and_every_word_can_be_read(
    reader: Readers, size: dict[str, int], scheme: str, shots: Path
) -> None:
    me = reader(size, scheme)
    me.signs_in()
    for path in PAGES:
        me.goes(path)
        me.shot(shots, re.sub(r"\W+", "-", path).strip("-"))
        wide = me.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, path
        assert me.page.evaluate(TOO_PALE) == [], path
        assert me.page.evaluate(TOO_SMALL) == [], path


def test_the_bars_stand_where_their_hours_are_and_the_gap_is_seen(reader: Readers) -> None:
    me = reader(LAPTOP)
    me.signs_in("/schedules/checkout-primary")
    boxes = me.page.evaluate(BARS)
    gap = next(one for one in boxes if one["title"].startswith("nobody, Saturday 24, 09:00"))
    plot = me.page.locator("svg.plot").bounding_box()
    assert plot
    hours = 169
    assert gap["x"] == pytest.approx(plot["x"] + plot["width"] * (5 * 24 + 9) / hours, abs=3)
    assert gap["width"] == pytest.approx(plot["width"] * 9 / hours, abs=4)
    assert "#hatch" in gap["fill"]


def test_another_zone_is_asked_for_with_the_keyboard_alone(reader: Readers) -> None:
    me = reader(LAPTOP)
    me.signs_in("/schedules/checkout-primary")
    page, keys = me.page, me.page.keyboard
    keys.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    seen: list[str] = []
    for _ in range(20):
        keys.press("Tab")
        seen.append(page.evaluate("document.activeElement.innerText || document.activeElement.id"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", seen
        if seen[-1] == "zone":
            break
    assert {"Incidents", "Schedules", "show in my zone", "Earlier", "Later", "4 weeks"} <= set(seen)
    keys.press("Control+a")
    keys.type("Asia/Kathmandu")
    keys.press("Enter")
    expect(page.get_by_text("Hours are Kathmandu time")).to_be_visible()


@SIZES
def test_a_chip_of_the_draft_lights_up_its_entry(
    reader: Readers, size: dict[str, int], shots: Path
) -> None:
    me = reader(size)
    me.signs_in("/incidents/1")
    expect(me.page.get_by_role("heading", name="Checkout <b>fails</b>")).to_be_visible()
    before = me.page.locator("#e1").evaluate("one => getComputedStyle(one).backgroundColor")
    me.page.locator("sup a", has_text=re.compile("^1$")).first.click()
    expect(me.page.locator("#e1")).to_be_in_viewport()
    after = me.page.locator("#e1").evaluate("one => getComputedStyle(one).backgroundColor")
    assert before != after
    me.shot(shots, "incident-chip")


def test_slack_shows_the_week_and_hands_out_the_link_that_signs_in(
    chromium: Browser,
    address: str,  # noqa: F811 - the fixture
) -> None:
    """The real command with a practice Slack: a picture, then a link, then signed in as who typed."""
    page = chromium.new_page()
    page.goto(address)
    page.locator("body.ready").wait_for()
    page.get_by_role("button", name="Look around first").click()
    field = page.locator("#chat").get_by_role("combobox")
    field.fill("/oncall schedule")
    field.press("Enter")
    picture = page.locator("#chat").get_by_role(
        "img", name=re.compile("^shop-primary, .* time\\. ")
    )
    expect(picture).to_be_visible(timeout=30_000)
    field.fill("/oncall web")
    field.press("Enter")
    link = page.locator("#chat").get_by_role("link", name="Sign in")
    link.wait_for()
    page.goto(str(link.get_attribute("href")))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Signed in as Ana Ruiz")).to_be_visible()
    page.get_by_role("link", name="shop-primary").click()
    expect(page.get_by_text("is on call now")).to_be_visible()
    page.close()


def test_who_is_not_signed_in_is_told_how(chromium: Browser, site: Site, shots: Path) -> None:
    me = Reader(chromium, site, PHONE, "dark")
    me.goes("/schedules/checkout-primary")
    expect(me.page.get_by_text("Type /oncall web in Slack")).to_be_visible()
    me.shot(shots, "signed-out")
    me.context.close()


BARS = """() => [...document.querySelectorAll("svg.plot svg")].filter(one => one.querySelector("title"))
  .map(one => { const bar = one.querySelector("rect"), box = bar.getBoundingClientRect();
    return {title: one.querySelector("title").textContent, x: box.x, width: box.width,
            fill: getComputedStyle(bar).fill}; })"""

# Words with less than 4.5:1 on what lies behind them (WCAG 2.2, 1.4.3). Words on a bar are compared with the bar.
TOO_PALE = """() => {
  const parts = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
  const behind = one => { for (let at = one; at; at = at.parentElement) {
      const found = parts(getComputedStyle(at).backgroundColor);
      if (found.length && found[3] !== 0) return found; } return [255, 255, 255]; };
  const bad = [];
  for (const one of document.querySelectorAll("main *, nav *, footer *")) {
    const own = [...one.childNodes].filter(node => node.nodeType === 3).map(node => node.textContent).join("").trim();
    const box = one.getBoundingClientRect();
    if (!own || !box.width || one.closest("title, defs, datalist")) continue;
    const svg = one instanceof SVGTextElement, style = getComputedStyle(one);
    const ink = parts(svg ? style.fill : style.color);
    const bar = svg && one.parentElement.querySelector("rect");
    const bare = bar && !getComputedStyle(bar).fill.startsWith("url") && bar.classList.contains("edge");
    const ground = bare ? parts(getComputedStyle(bar).fill) : behind(one);
    const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) bad.push(`${own.slice(0, 40)}: ${contrast.toFixed(2)}`);
  }
  return [...new Set(bad)];
}"""

# Buttons and fields lower than a thumb: the design asks for 44 px.
TOO_SMALL = """() => [...document.querySelectorAll("button, .button, input[type=text], nav a")]
  .filter(one => one.getBoundingClientRect().height && one.getBoundingClientRect().height < 44)
  .map(one => one.textContent.trim() || one.id)"""
