"""What somebody half asleep texts is understood, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncall_bot.core.replies import KEYS, WORDS, Reply, Verb, read_reply, reply_code

SECRET = b"k" * 32


@pytest.mark.parametrize(
    ("text", "verb", "code"),
    [
        ("a4821", Verb.ACKNOWLEDGE, "4821"),
        ("A 4821 on my way", Verb.ACKNOWLEDGE, "4821"),
        ("ack: 4821.", Verb.ACKNOWLEDGE, "4821"),
        ("4821 a", Verb.ACKNOWLEDGE, "4821"),
        ("“Ack 4821”", Verb.ACKNOWLEDGE, "4821"),
        ("e-4821\n> SEV2 High error rate", Verb.ESCALATE, "4821"),
        ("next 4821", Verb.ESCALATE, "4821"),
        ("R4821", Verb.RESOLVE, "4821"),
        ("a", Verb.ACKNOWLEDGE, None),
        ("resolved", Verb.RESOLVE, None),
    ],
)
def test_an_answer_is_read_however_it_is_typed(text: str, verb: Verb, code: str | None) -> None:
    assert read_reply(text) == Reply(verb, code)


@pytest.mark.parametrize(
    "text",
    ["", "4821", "STOP", "yes 4821", "a4821b", "after 4821", "а4821", "a٤٨٢١", "out of office"],
)
def test_other_words_are_no_answer(text: str) -> None:
    found = read_reply(text)
    assert found is None or found.code is None


@given(st.text(max_size=3000))
def test_no_text_breaks_it(text: str) -> None:
    found = read_reply(text)
    assert found is None or found.code is None or found.code.isdigit()


@given(st.integers(1, 10**12), st.text(min_size=1, max_size=20))
def test_a_code_is_four_digits_and_always_the_same(message: int, contact: str) -> None:
    code = reply_code(SECRET, message, contact)
    assert (len(code), code.isascii(), code.isdigit()) == (4, True, True)
    assert read_reply(f"a{code}") == Reply(Verb.ACKNOWLEDGE, code)
    assert reply_code(SECRET, message, contact) == code


def test_codes_of_another_contact_message_or_key_differ() -> None:
    """As far as four digits can: among a thousand nearly all do."""
    for changed in (
        [reply_code(SECRET, n, "c1") for n in range(1000)],
        [reply_code(SECRET, 1, f"c{n}") for n in range(1000)],
        [reply_code(b"%032d" % n, 1, "c1") for n in range(1000)],
    ):
        assert len(set(changed)) > 900


def test_no_word_is_one_that_carriers_keep_for_themselves() -> None:
    kept = {
        "stop",
        "stopall",
        "end",
        "quit",
        "cancel",
        "unsubscribe",
        "start",
        "yes",
        "help",
        "info",
    }
    assert not kept & set(WORDS)
    assert set(KEYS.values()) == set(WORDS.values()) == set(Verb)
