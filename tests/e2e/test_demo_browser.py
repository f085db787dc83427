"""A newcomer with a browser: `oncall-bot demo`, clicked through on a laptop and on a phone.

Asserts what a person sees. Every page is photographed into ONCALL_SCREENSHOTS, or into the test's own folder.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.shared import REQUIRE_REAL

REPOSITORY = Path(__file__).resolve().parents[2]
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
WITHIN = 30_000

if not CHROMIUM and not REQUIRE_REAL:
    pytest.skip("no Chromium is installed: the practice page is not tried", allow_module_level=True)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A demo of its own, as a process."""
    folder = tmp_path_factory.mktemp("demo")
    demo = subprocess.Popen(
        [sys.executable, "-m", "oncall_bot", "demo", "--port", "0", "--no-open"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"},
    )
    assert demo.stdout is not None
    found = None
    said = []
    for line in demo.stdout:
        said.append(line)
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if found:
            break
    assert found, "".join(said)
    yield found[0]
    demo.send_signal(signal.SIGINT)
    assert demo.wait(20) == 0
    demo.stdout.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Reader:
    """Somebody at a page: what the console complained of and where the page reached out are kept."""

    def __init__(self, browser: Browser, address: str, size: dict[str, int], shots: Path) -> None:
        self.context = browser.new_context(
            viewport={"width": size["width"], "height": size["height"]},
            color_scheme="light" if size is LAPTOP else "dark",
            reduced_motion="reduce",
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(WITHIN)
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console", lambda one: self.complaints.append(one.text) if one.type == "error" else None
        )
        self.page.on(
            "request",
            lambda one: (
                None if one.url.startswith((address, "data:")) else self.elsewhere.append(one.url)
            ),
        )
        self.phone = size is PHONE
        self._shots, self._address = shots, address
        self.page.goto(address)

    def shot(self, name: str) -> None:
        self.page.screenshot(path=self._shots / f"{name}-{'phone' if self.phone else 'laptop'}.png")

    def sees(self, pane: str) -> None:
        """On a phone one pane at a time."""
        if self.phone:
            self.page.locator("#bar").get_by_role("button", name=re.compile(pane)).click()

    def begins(self, title: str) -> None:
        """Choose a story on the first screen."""
        first = self.page.get_by_role("button", name=re.compile("Live through an incident"))
        first.wait_for()
        if title == "A single outage":
            first.click()
        else:
            self.page.get_by_text("Or choose another story").click()
            self.page.locator("#start").get_by_role("button", name=re.compile(title)).click()
        expect(first).to_be_hidden()

    def clean(self) -> None:
        assert self.complaints == []
        assert self.elsewhere == []
        self.page.request.post(f"{self._address}/practice/story", data={"stop": True})
        self.context.close()


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("ONCALL_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(params=[LAPTOP, PHONE], ids=["laptop", "phone"])
def reader(
    request: pytest.FixtureRequest, chromium: Browser, address: str, shots: Path
) -> Iterator[Reader]:
    reader = Reader(chromium, address, request.param, shots)
    yield reader
    reader.clean()


def test_a_newcomer_is_paged_acknowledges_mends_resolves_and_sees_the_postmortem(
    reader: Reader,
) -> None:
    page = reader.page
    page.get_by_role("button", name=re.compile("Live through an incident")).wait_for()
    reader.shot("start")
    reader.begins("A single outage")
    chat = page.locator("#chat")
    expect(chat.get_by_text("Nobody has answered yet.")).to_be_visible(timeout=WITHIN)
    reader.sees("Phone")
    expect(page.locator("#phone").get_by_text("SEV2 High error rate")).to_be_visible()
    reader.shot("paged")
    page.locator("#phone").get_by_role("button", name="Acknowledge").click()
    reader.sees("Chat")
    expect(chat.get_by_text("Ana Ruiz is on it.")).to_be_visible(timeout=WITHIN)
    reader.shot("acknowledged")
    reader.sees("Story")
    page.get_by_role("button", name="Roll back").filter(visible=True).click()
    reader.sees("Chat")
    chat.get_by_role("button", name="Mitigated").click()
    expect(chat.get_by_text("Mitigated, being watched.")).to_be_visible(timeout=WITHIN)
    chat.get_by_role("button", name="Resolve", exact=True).click()
    anyway = page.get_by_role("button", name="Resolve anyway")
    resolved = chat.get_by_text(re.compile("Resolved by Ana Ruiz"))
    expect(anyway.or_(resolved).first).to_be_visible(timeout=WITHIN)
    if anyway.is_visible():
        anyway.click()
    expect(resolved).to_be_visible(timeout=WITHIN)
    chat.get_by_role("button", name=re.compile("repl")).first.click()
    expect(page.locator("#thread").get_by_text("Postmortem draft")).to_be_visible(timeout=WITHIN)
    reader.shot("postmortem")


def test_a_storm_is_one_card(reader: Reader) -> None:
    reader.begins("A storm")
    chat = reader.page.locator("#chat")
    expect(chat.get_by_text("Many alerts at once on shop")).to_be_visible(timeout=WITHIN)
    expect(chat.get_by_text(re.compile("One page per person"))).to_be_visible()
    reader.shot("storm")


def test_an_unanswered_page_goes_to_the_next_person(reader: Reader) -> None:
    reader.begins("An unanswered page")
    chat = reader.page.locator("#chat")
    expect(chat.get_by_text("Nobody has answered yet.")).to_be_visible(timeout=WITHIN)
    reader.page.request.post(f"{reader.page.url.rstrip('/')}/practice/clock", data={"speed": 30})
    expect(chat.get_by_text(re.compile("Nobody has answered for"))).to_be_visible(timeout=WITHIN)
    reader.shot("unanswered")
    reader.page.request.post(f"{reader.page.url.rstrip('/')}/practice/clock", data={"speed": 1})


@pytest.mark.parametrize("title", ["A flapping alert", "A hand-off on a DST night"])
def test_the_other_stories_page_somebody(reader: Reader, title: str) -> None:
    reader.begins(title)
    chat = reader.page.locator("#chat")
    expect(chat.get_by_text("Nobody has answered yet.")).to_be_visible(timeout=WITHIN)
    reader.shot(title.split()[1])


def test_it_is_usable_by_keyboard_alone(chromium: Browser, address: str, shots: Path) -> None:
    reader = Reader(chromium, address, LAPTOP, shots)
    page = reader.page
    start = page.get_by_role("button", name=re.compile("Live through an incident"))
    expect(start).to_be_focused()
    page.keyboard.press("Enter")
    acknowledge = page.locator("#chat").get_by_role("button", name="Acknowledge")
    acknowledge.wait_for()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement?.textContent") == "Acknowledge":
            break
    page.keyboard.press("Enter")
    expect(page.locator("#chat").get_by_text("Ana Ruiz is on it.")).to_be_visible(timeout=WITHIN)
    reader.clean()
