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
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.shared import REQUIRE_REAL

REPOSITORY = Path(__file__).resolve().parents[2]
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
WITHIN = 30_000
PAGED = "Nobody has answered yet."

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
        self.phone = size is PHONE
        self.context = browser.new_context(
            viewport={"width": size["width"], "height": size["height"]},
            color_scheme="dark" if self.phone else "light",
            reduced_motion="reduce",
            has_touch=self.phone,
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
        self._shots, self.address = shots, address
        self.chat, self.thread = self.page.locator("#chat"), self.page.locator("#thread")
        self.hint = self.page.locator("#strip .hint")

    def comes(self, *, first_time: bool = False) -> None:
        """Open the page; the first time nothing has been played yet."""
        if first_time:
            self.page.request.post(f"{self.address}/practice/story", data={"stop": True})
        self.page.goto(self.address)
        self.page.locator("body.ready").wait_for()

    def shot(self, name: str) -> None:
        size = "phone" if self.phone else "laptop"
        self.page.screenshot(path=self._shots / f"{name}-{size}.png")

    def sees(self, pane: str) -> None:
        """On a phone one pane at a time."""
        if self.phone:
            self.page.locator("#bar").get_by_role("button", name=re.compile(pane)).click()

    def chooses(self, title: str) -> None:
        """Begin a story from the start screen's list, or from the chooser when one was played before."""
        start = self.page.locator("#start")
        if start.is_visible():
            start.get_by_text("Or choose another story").click()
            start.get_by_role("button", name=re.compile(title)).click()
        elif self.phone:
            self.sees("Story")
            self.page.locator("#story").get_by_role("button", name=re.compile(title)).click()
        else:
            self.page.locator("#strip").get_by_role("button", name="Stories").click()
            chooser = self.page.get_by_role("dialog", name="Stories")
            chooser.get_by_role("button", name=re.compile(title)).click()
        expect(self.page.locator("#strip")).to_contain_text(title, timeout=WITHIN)
        self.waits_for_the_first_step()

    def waits_for_the_first_step(self) -> None:
        """Until the bot is up and the strip says what to do: a speed pressed before would be lost."""
        expect(self.hint).to_contain_text("You:", timeout=WITHIN)

    def speeds(self, times: int) -> None:
        """Press the clock's speed."""
        self.page.get_by_role("button", name=f"{times}×").click()

    def skips_to(self, sight: Locator) -> None:
        """Press Skip ahead, which stops at whatever happens next, until this is to be seen."""
        skip = self.page.get_by_role("button", name="Skip ahead")
        for _ in range(12):
            skip.click()
            expect(skip).not_to_have_attribute("aria-busy", "true", timeout=WITHIN)
            if sight.is_visible():
                return
        pytest.fail(f"nothing of {sight} in 12 skips")

    def rings(self, name: str) -> Locator:
        """The mark beside one's own phone that somebody else's phone rings."""
        return self.page.locator("#phone .rings-now", has_text=name)

    def presses(self, name: str, where: Locator | None = None) -> None:
        buttons = (where or self.chat).locator("button")
        buttons.filter(has_text=re.compile(f"^{re.escape(name)}$")).last.click()

    def reads(self, words: str | re.Pattern[str], where: Locator | None = None) -> None:
        expect((where or self.chat).get_by_text(words).last).to_be_visible(timeout=WITHIN)

    def sees_the_picture(self, words: re.Pattern[str]) -> None:
        """On the card, loaded, with its words for who cannot see it."""
        shown = self.chat.locator("figure img").last
        expect(shown).to_have_attribute("alt", words, timeout=WITHIN)
        shown.scroll_into_view_if_needed()
        expect(shown).to_have_js_property("naturalWidth", 1200, timeout=WITHIN)

    def becomes(self, name: str) -> None:
        """Be the person whose phone rings."""
        self.sees("Phone")
        ringing = self.page.get_by_role("button", name=re.compile(f"{name}.* phone is ringing"))
        ringing.click()
        self.reads(re.compile(f"{name}.*phone"), self.page.locator("#phone"))

    def tabs_to(self, words: str) -> None:
        """Press Tab until the button of these words has the focus."""
        for _ in range(60):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("document.activeElement?.textContent") == words:
                return
        pytest.fail(f"Tab never comes to {words}")

    def says(self, text: str) -> None:
        field = self.chat.get_by_role("combobox")
        field.fill(text)
        field.press("Enter")


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("ONCALL_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def reader(
    chromium: Browser, address: str, shots: Path
) -> Iterator[Callable[[dict[str, int]], Reader]]:
    """`reader(LAPTOP)`: a page that in the end has not complained, nor fetched anything from elsewhere."""
    readers: list[Reader] = []

    def arrive(size: dict[str, int]) -> Reader:
        readers.append(Reader(chromium, address, size, shots))
        return readers[-1]

    yield arrive
    for one in readers:
        one.page.request.post(f"{address}/practice/clock", data={"speed": 1})
        one.context.close()
    assert [one.complaints for one in readers] == [[] for _ in readers]
    assert [one.elsewhere for one in readers] == [[] for _ in readers]


Readers = Callable[[dict[str, int]], Reader]


@pytest.fixture
def laptop(reader: Readers) -> Reader:
    return reader(LAPTOP)


@pytest.fixture
def phone(reader: Readers) -> Reader:
    return reader(PHONE)


@pytest.mark.parametrize(
    "size", [pytest.param(LAPTOP, marks=pytest.mark.long), PHONE], ids=["laptop", "phone"]
)
def test_a_newcomer_is_paged_acknowledges_mends_resolves_and_sees_the_postmortem(
    reader: Readers, size: dict[str, int]
) -> None:
    me = reader(size)
    me.comes(first_time=True)
    me.shot("start")
    me.page.get_by_role("button", name=re.compile("Live through an incident")).click()
    me.waits_for_the_first_step()
    me.speeds(10)
    me.reads(PAGED)
    me.speeds(1)
    me.sees_the_picture(re.compile(r"High error rate on checkout: .* Limit 5 %\."))
    me.sees("Phone")
    me.reads(re.compile("SEV2 High error rate"), me.page.locator("#phone"))
    me.shot("paged")
    me.presses("Acknowledge", me.page.locator("#phone"))
    me.sees("Chat")
    me.reads("Ana Ruiz is on it.")
    me.shot("acknowledged")
    me.presses("Roll back", me.page.locator("#strip"))
    me.presses("Mitigated")
    me.reads("Mitigated, being watched.")
    me.presses("Resolve")
    anyway = me.page.get_by_role("button", name="Resolve anyway")
    resolved = me.chat.get_by_text(re.compile("Resolved by Ana Ruiz"))
    expect(anyway.or_(resolved).first).to_be_visible(timeout=WITHIN)
    if anyway.is_visible():
        anyway.click()
    expect(resolved).to_be_visible(timeout=WITHIN)
    me.chat.get_by_role("button", name=re.compile("repl")).first.click()
    me.reads(re.compile("Postmortem draft"), me.thread)
    me.shot("postmortem")
    expect(me.hint).to_contain_text("That was it.")


def test_an_unanswered_page_goes_on_to_the_next_person_who_answers_on_the_phone(
    laptop: Reader, phone: Reader
) -> None:
    laptop.comes()
    phone.comes()
    laptop.chooses("An unanswered page")
    laptop.speeds(10)
    laptop.reads(PAGED)
    laptop.speeds(1)
    laptop.skips_to(laptop.rings("Bo"))
    laptop.reads(re.compile("Nobody has answered for"))
    laptop.shot("unanswered")
    phone.becomes("Bo Lindt")
    phone.shot("unanswered")
    phone.presses("Acknowledge", phone.page.locator("#phone"))
    phone.reads("acknowledged", phone.page.locator("#phone"))
    phone.sees("Chat")
    for one in (laptop, phone):
        one.reads("Bo Lindt is on it.")


@pytest.mark.long
def test_a_storm_is_one_card_and_over_with_its_alerts(laptop: Reader, phone: Reader) -> None:
    phone.comes()
    laptop.comes()
    phone.chooses("A storm")
    phone.speeds(10)
    phone.reads(re.compile("40 alerts"))
    laptop.reads(re.compile("40 alerts"))
    for one in (laptop, phone):
        one.shot("storm")
    phone.presses("Acknowledge")
    laptop.reads("Ana Ruiz is on it.")
    laptop.speeds(30)
    phone.reads(re.compile("Resolved"))
    expect(phone.hint).to_contain_text("That was it.", timeout=WITHIN)


@pytest.mark.long
def test_a_flapping_alert_is_one_card_that_counts(laptop: Reader, phone: Reader) -> None:
    laptop.comes()
    phone.comes()
    laptop.chooses("A flapping alert")
    laptop.speeds(10)
    laptop.reads(PAGED)
    laptop.presses("Acknowledge")
    phone.reads("Ana Ruiz is on it.")
    laptop.speeds(30)
    laptop.reads(re.compile("on and off|come back"))
    for one in (laptop, phone):
        one.shot("flapping")
        expect(one.chat.locator("article .block-header")).to_have_count(1)


@pytest.mark.long
def test_on_the_night_of_the_clock_change_each_page_finds_who_is_on_call(
    laptop: Reader, phone: Reader
) -> None:
    phone.comes()
    laptop.comes()
    phone.chooses("A hand-off on a DST night")
    phone.speeds(10)
    phone.reads(PAGED)
    phone.speeds(1)
    phone.shot("hand-off")
    phone.presses("Acknowledge")
    laptop.reads("Ana Ruiz is on it.")
    laptop.skips_to(laptop.rings("Bo"))
    expect(laptop.page.locator("#clock .face")).to_contain_text("03:")
    laptop.shot("hand-off")
    laptop.becomes("Bo Lindt")
    laptop.presses("Acknowledge", laptop.page.locator("#phone"))
    laptop.reads("Bo Lindt is on it.")


def test_it_is_usable_by_keyboard_alone(laptop: Reader) -> None:
    laptop.comes(first_time=True)
    page, keys = laptop.page, laptop.page.keyboard
    expect(page.get_by_role("button", name=re.compile("Live through an incident"))).to_be_focused()
    keys.press("Enter")
    laptop.waits_for_the_first_step()
    laptop.tabs_to("10×")
    keys.press("Enter")
    laptop.reads(PAGED)
    laptop.tabs_to("Acknowledge")
    laptop.shot("focus")
    keys.press("Enter")
    laptop.reads("Ana Ruiz is on it.")
    keys.press("Control+k")
    keys.type("gener")
    keys.press("Enter")
    expect(laptop.chat.get_by_role("heading", name="general")).to_be_visible()
    laptop.chat.get_by_role("combobox").focus()
    keys.type("/")
    keys.press("Tab")
    expect(laptop.chat.get_by_role("option", name="/oncall who")).to_be_visible()
    laptop.shot("hints")
    keys.type("declare")
    keys.press("Enter")
    form = page.get_by_role("dialog", name="Declare incident")
    expect(form).to_be_visible()
    expect(form.get_by_role("textbox").first).to_be_focused()
    keys.press("Escape")
    expect(form).to_be_hidden()


def test_a_form_says_what_is_wrong_and_opens_an_incident_when_it_is_right(laptop: Reader) -> None:
    laptop.comes(first_time=True)
    laptop.presses("Look around first", laptop.page.locator("#start"))
    laptop.says("/oncall declare")
    form = laptop.page.get_by_role("dialog", name="Declare incident")
    laptop.presses("Declare and page", form)
    laptop.reads("This is needed.", form)
    form.get_by_label("What do users see?").fill("Carts are <b>empty</b> & slow")
    form.get_by_role("button", name=re.compile("Service|Where")).click()
    laptop.page.get_by_role("option", name="checkout").click()
    laptop.shot("form")
    laptop.presses("Declare and page", form)
    expect(form).to_be_hidden(timeout=WITHIN)
    laptop.page.locator("#places").get_by_role("button", name=re.compile("incidents")).click()
    laptop.reads(re.compile("Carts are <b>empty</b> & slow"))


def test_what_people_write_is_text_and_answers_are_for_the_asker_alone(
    laptop: Reader, phone: Reader
) -> None:
    laptop.comes()
    phone.comes()
    for one in (laptop, phone):
        look = one.page.get_by_role("button", name="Look around first")
        if look.is_visible():
            look.click()
    laptop.page.locator("#places").get_by_role("button", name=re.compile("general")).click()
    laptop.says("<img src=x onerror=alert(1)> *loud* @bo https://example.com/a?b=1&c=2")
    laptop.reads(re.compile(r"<img src=x onerror=alert\(1\)>"))
    expect(laptop.chat.locator("strong", has_text="loud")).to_be_visible()
    expect(laptop.chat.get_by_text("@bo")).to_have_class(re.compile("mention"))
    address = laptop.chat.get_by_role("link", name=re.compile("example.com"))
    expect(address).to_have_attribute("rel", "noopener noreferrer")
    assert laptop.chat.locator("article img").count() == 0
    laptop.says("/oncall who")
    laptop.reads("Only visible to you")
    laptop.shot("only-you")
    phone.sees("Channels")
    phone.shot("channels")
    phone.page.locator("#places").get_by_role("button", name=re.compile("general")).click()
    phone.reads(re.compile("<img src=x"))
    phone.page.locator("#chat").get_by_role("combobox").wait_for()
    phone.sees("Channels")
    phone.page.get_by_role("button", name=re.compile("You are Ana")).click()
    phone.page.get_by_role("menuitem", name=re.compile("Cy Okafor")).click()
    phone.page.locator("#places").get_by_role("button", name=re.compile("general")).click()
    phone.reads(re.compile("<img src=x"))
    expect(phone.chat.get_by_text("Only visible to you")).to_have_count(0)


SMALL = """() => [...document.querySelectorAll("button, select, input, textarea, summary")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && !one.closest("[inert]"))
  .filter((one) => getComputedStyle(one).clipPath === "none" && one.getBoundingClientRect().height < 43.5)
  .map((one) => `${one.className} ${one.textContent}`)"""


def test_on_a_phone_everything_is_big_enough_to_touch_and_nothing_hangs_over(
    phone: Reader,
) -> None:
    phone.comes()
    look = phone.page.get_by_role("button", name="Look around first")
    if look.is_visible():
        look.click()
    for pane in ("Channels", "Chat", "Phone", "Story"):
        phone.sees(pane)
        assert phone.page.evaluate(SMALL) == [], pane
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], pane


DRAW = """async (sets) => {
  const { drawBlocks } = await import("/page/blocks.js");
  const { Values } = await import("/page/elements.js");
  const ctx = () => ({ where: { channel: "C", ts: "1" }, values: new Values(), names: new Map() });
  const chat = document.getElementById("chat");
  chat.replaceChildren(...sets.map((blocks) => {
    const box = document.createElement("div");
    box.className = "blocks";
    box.append(...drawBlocks(blocks, ctx()));
    return box;
  }));
  return [...chat.querySelectorAll(".unknown, img")].map((one) => one.outerHTML);
}"""


def _text(words: str, kind: str = "plain_text") -> dict[str, str]:
    return {"type": kind, "text": words}


def _options(*words: str) -> list[dict[str, object]]:
    return [{"text": _text(word), "value": word} for word in words]


def test_block_kit_is_drawn_and_what_it_says_is_only_text(laptop: Reader) -> None:
    elements: list[dict[str, object]] = [
        {"type": "button", "text": _text("Delete"), "style": "danger", "action_id": "b"},
        {
            "type": "button",
            "text": _text("Bad link"),
            "url": "javascript:alert(1)",
            "action_id": "j",
        },
        {"type": "static_select", "options": _options("one", "two"), "action_id": "s"},
        {"type": "users_select", "action_id": "u"},
        {"type": "channels_select", "action_id": "c"},
        {"type": "conversations_select", "action_id": "v"},
        {"type": "multi_static_select", "options": _options("red", "blue"), "action_id": "m"},
        {"type": "overflow", "options": _options("more"), "action_id": "o"},
        {"type": "datepicker", "initial_date": "2026-03-29", "action_id": "d"},
        {"type": "timepicker", "initial_time": "03:30", "action_id": "t"},
        {"type": "datetimepicker", "initial_date_time": 1774746000, "action_id": "dt"},
        {"type": "radio_buttons", "options": _options("yes", "no"), "action_id": "r"},
        {"type": "checkboxes", "options": _options("both"), "action_id": "x"},
    ]
    words = (
        "*bold* _slanted_ ~gone~ `a &lt; b` 2*3*4 <https://example.com|there> <javascript:x|bad>\n"
        "&gt; quoted\n<!date^1774746000^{time}|01:00 UTC> <!here> :pushpin: &lt;img src=x&gt;"
    )
    rich = [
        {"type": "rich_text_section", "elements": [{"type": "text", "text": "rich <b>words</b>"}]},
        {
            "type": "rich_text_list",
            "style": "bullet",
            "elements": [{"type": "rich_text_section", "elements": [_text("an item", "text")]}],
        },
    ]
    inputs = [
        {"type": "input", "label": _text(name), "element": {"type": name, "action_id": name}}
        for name in ("plain_text_input", "number_input", "email_text_input", "url_text_input")
    ]
    blocks = [
        {"type": "header", "text": _text("A header")},
        {"type": "section", "text": _text(words, "mrkdwn"), "fields": [_text("a field")]},
        {"type": "actions", "elements": elements},
        {"type": "divider"},
        {"type": "context", "elements": [_text("small print", "mrkdwn")]},
        {"type": "rich_text", "elements": rich},
        {"type": "markdown", "text": "## Heading\n**strong** [link](https://example.com)\n- point"},
        {"type": "image", "image_url": "https://example.com/x.png", "alt_text": "far away"},
        {"type": "table", "rows": [[_text("Day", "raw_text")], [_text("Mon", "raw_text")]]},
        *inputs,
    ]
    laptop.comes()
    look = laptop.page.get_by_role("button", name="Look around first")
    if look.is_visible():
        look.click()
    assert laptop.page.evaluate(DRAW, [blocks]) == []
    chat = laptop.chat
    for tag, said in (("strong", "bold"), ("em", "slanted"), ("s", "gone"), ("code", "a < b")):
        expect(chat.locator(tag, has_text=said).first).to_be_visible()
    expect(chat.get_by_role("link", name="there")).to_have_attribute("href", "https://example.com/")
    laptop.reads(re.compile("2\\*3\\*4.*<javascript:x"))
    laptop.reads(re.compile("<img src=x>"))
    laptop.reads("rich <b>words</b>")
    laptop.reads(re.compile("Picture: far away"))
    assert chat.locator("a[href^='javascript']").count() == 0
    assert chat.locator("input[type=datetime-local]").input_value() == "2026-03-29T03:00"
    laptop.shot("blocks")
    laptop.page.evaluate(DRAW, [[{"type": "hologram"}]])
    laptop.reads(re.compile("can't draw a block of type “hologram”"))


def test_a_lost_connection_is_said_and_taken_up_again(laptop: Reader) -> None:
    laptop.page.route("**/practice/feed*", lambda route: route.abort())
    laptop.comes()
    laptop.reads(re.compile("Connection lost"), laptop.page.locator("#app"))
    laptop.page.unroute("**/practice/feed*")
    expect(laptop.page.locator("#lost")).to_be_hidden(timeout=WITHIN)
    assert laptop.complaints
    assert all("ERR_FAILED" in one for one in laptop.complaints)
    laptop.complaints.clear()
