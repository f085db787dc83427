"""Lines of the audit as people read them."""

from __future__ import annotations

from typing import Any

import pytest

from oncall_bot.core.audit_words import sentence, who

NAMES = {"ana": "Ana Ruiz", "bo": "Bo Lindt"}


def name(key: str) -> str:
    return NAMES.get(key, key)


@pytest.mark.parametrize(
    ("verb", "about", "after", "refused", "text"),
    [
        ("acknowledge", "incident:42", {"by": "slack"}, False, "acknowledged incident 42."),
        ("acknowledge", "incident:42", {"by": "link"}, False, "acknowledged incident 42, by link."),
        (
            "silence",
            "incident:42",
            {"by": "slack", "seconds": 7200},
            False,
            "silenced incident 42 (for 120 min).",
        ),
        (
            "page",
            "incident:42",
            {"target": "person:bo"},
            False,
            "paged somebody for incident 42 (target person:bo).",
        ),
        ("contact_add", "person:bo", {"kind": "push"}, False, "added a contact of Bo Lindt (kind push)."),
        ("sign_in", "web", None, False, "signed in to the web pages."),
        ("resolve", "incident:42", {"why": "Not you."}, True, "was refused: resolve incident 42. Not you."),
        ("ask_page", "slack", None, True, "was refused: ask page."),
        ("never.heard_of", "thing:1", {}, False, "never heard of thing:1."),
    ],
)  # fmt: skip
def test_a_line_says_what_was_done(
    verb: str, about: str, after: dict[str, Any] | None, refused: bool, text: str
) -> None:
    assert sentence(verb, about, after, name, refused=refused) == text


@pytest.mark.parametrize(
    ("actor", "text"),
    [
        ("person:ana", "Ana Ruiz"),
        ("slack:U0EVEEVE1", "Slack user U0EVEEVE1"),
        ("system:cli/root", "root at the terminal"),
        ("system:oncall-bot", "oncall-bot"),
        ("test", "test"),
    ],
)
def test_whoever_did_it_is_named(actor: str, text: str) -> None:
    assert who(actor, name) == text
