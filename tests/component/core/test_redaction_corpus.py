"""No secret of seventy kinds comes through in any of the places people leave them; look-alikes stay readable."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from oncall_bot.core.redaction import Redactor, redact
from tests.fakes.secrets import (
    SURROUNDINGS,
    ZERO_WIDTH,
    Secret,
    harmless,
    secrets,
    wrapped,
    zero_width,
)

CORPUS = list(secrets())
HARMLESS = list(harmless())
MULTILINE = {"pem"}
SPLIT_KINDS = {
    "said password",
    "url login",
    "connection string",
    "card",
    "iban",
    "pem",
    "environment",
}
SPLIT_KINDS |= {
    "docker auth",
    "kube join",
    "basic header",
}  # a break in the first characters of a value
MOST_FALSE = 0.02


def bare(text: str) -> str:
    return text.replace(ZERO_WIDTH, "").replace("\n", "")


def pieces(core: str) -> list[str]:
    """What must not come through: the whole, and either half of what is long enough to matter."""
    half = len(core) // 2
    return [core, core[:half], core[half:]] if len(core) >= 24 else [core]


def leaked(secret: Secret, text: str) -> bool:
    told = bare(redact(text))
    return any(bare(piece) in told for piece in pieces(secret.core))


def test_the_corpus_is_large_and_varied() -> None:
    assert len(CORPUS) >= 200
    assert len({one.kind for one in CORPUS}) >= 25
    assert len(SURROUNDINGS) >= 20
    assert len(HARMLESS) >= 300


@pytest.mark.parametrize("place", SURROUNDINGS)
def test_no_secret_comes_through(place: str) -> None:
    around = SURROUNDINGS[place]
    lost = [
        (one.kind, one.text, redact(around(one.text))[-200:])
        for one in CORPUS
        if not (one.kind in MULTILINE and place in {"json", "json pretty", "quote", "diff"})
        and leaked(one, around(one.text))
    ]
    assert not lost, (len(lost), Counter(kind for kind, *_ in lost), lost[:3])


def test_a_private_key_in_json_with_escaped_line_ends_is_gone() -> None:
    for one in CORPUS:
        if one.kind == "pem":
            assert not leaked(one, SURROUNDINGS["json"](one.text))


@pytest.mark.parametrize("broken", [zero_width, wrapped])
def test_a_token_that_was_broken_up_is_still_found(broken: object) -> None:
    lost = [
        (one.kind, one.text)
        for one in CORPUS
        if one.kind not in SPLIT_KINDS and leaked(one, f"use {broken(one.text)} for now")  # type: ignore[operator]
    ]
    assert not lost, (len(lost), Counter(kind for kind, _ in lost), lost[:3])


def test_look_alikes_stay_readable() -> None:
    """The share of harmless texts in which something is hidden; 0 when this was written."""
    hidden = [(kind, text) for kind, text in HARMLESS if redact(text) != text]
    assert len(hidden) <= MOST_FALSE * len(HARMLESS), hidden[:10]


def test_a_secret_seen_once_is_known_where_it_stands_bare() -> None:
    redactor = Redactor()
    redactor.learn(["the password for grafana is Blau3rElefant"])
    assert "Blau3rElefant" not in redactor.redact("still Blau3rElefant? yes")


@pytest.mark.parametrize(
    "nasty",
    [
        "password " * 20_000,
        "a" * 200_000,
        "=" * 200_000,
        "token=" * 30_000,
        "-----BEGIN PRIVATE KEY-----" * 5_000,
        "://:" * 50_000,
        "1 " * 100_000,
        "DE12 " * 40_000,
        "A1b2" * 50_000,
        f"x{ZERO_WIDTH}" * 100_000,
        "Cookie: " + "a=b; " * 40_000,
        "aB3dE6gH9jK2\n" * 15_000,
        "$6$" * 60_000,
    ],
)
def test_no_text_takes_long(nasty: str) -> None:
    began = time.process_time()
    redact(nasty)
    assert time.process_time() - began < 5
