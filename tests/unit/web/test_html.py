"""Nothing from outside becomes markup, leads off the web, or turns the screen around."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.web.html import TEMPLATES, Pages, host, outside, web_link


@given(st.text(max_size=400), st.integers(2, 100))
def test_outside_text_stays_on_its_line_and_within_its_length(text: str, limit: int) -> None:
    shown = outside(text, limit)
    assert len(shown) <= limit
    assert not set(shown) & set("\n\r\t\x00\u202e\u2066\u200b\u200f")
    assert shown == "" or shown.isprintable()


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "https://good.example.com@evil.example.com/",
        "//evil.example.com/",
        "https:///nohost",
        "https://a\\b",
        "https://a\n.example.com",
        "http://[broken",
        "x" * 3_000,
        "",
        None,
    ],
)
def test_a_link_that_is_no_web_address_is_not_offered(link: str | None) -> None:
    assert web_link(link) is None


def test_a_web_link_is_offered_with_the_host_it_leads_to() -> None:
    assert web_link("https://runbooks.example.com/x?y=1") == "https://runbooks.example.com/x?y=1"
    assert host("https://runbooks.example.com/x?y=1") == "runbooks.example.com"


def test_markup_in_words_is_shown_as_text() -> None:
    body = bytes(Pages().message(200, "<script>alert(1)</script>", ["<b>\"'&"]).body).decode()
    assert "<script" not in body
    assert "<b>" not in body
    assert "&lt;script&gt;" in body


def test_the_policy_names_the_one_stylesheet_and_allows_no_script() -> None:
    response = Pages().message(200, "x", [])
    policy = response.headers["Content-Security-Policy"]
    [style] = re.findall(r"<style>(.*?)</style>", bytes(response.body).decode(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script" not in policy


def test_no_template_brings_a_script_an_inline_style_or_something_from_elsewhere() -> None:
    for template in TEMPLATES.glob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert "<script" not in text
        assert not re.search(r"\son\w+=", text)
        assert not re.search(r"\sstyle=", text)
        assert "|safe" not in text
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text)
