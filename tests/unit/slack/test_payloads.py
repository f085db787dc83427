"""Everything we draw keeps the design kit's law: lengths, words, marks, nobody mentioned by outside text.

Each law is one test over every payload and names all that break it; drawing them once is what takes the time.
"""

from __future__ import annotations

import re
from typing import Any

from tests.unit.slack.payloads import cases, messages, objects

CASES = cases()
DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")


OBJECTS = {name: list(objects(case["payload"])) for name, case in CASES.items()}


def texts(name: str, kind: str = "mrkdwn") -> list[str]:
    return [found["text"] for found in OBJECTS[name] if found.get("type") == kind]


def blocks(name: str) -> list[dict[str, Any]]:
    payload = CASES[name]["payload"]
    return list(payload.get("blocks") or payload["view"]["blocks"])


def test_every_payload_stays_below_the_size_at_which_slack_refuses() -> None:
    sizes = {
        name: (
            len(blocks(name)),
            sum(len(o["text"]) for o in objects(blocks(name)) if isinstance(o.get("text"), str)),
        )
        for name in CASES
    }
    assert not {name: s for name, s in sizes.items() if s[0] > 50 or s[1] >= 12_000}


def test_every_push_line_is_short_and_says_something() -> None:
    lines = {name: drawn.text for name, drawn in messages().items()}
    assert len(lines) > 50
    assert not {name: line for name, line in lines.items() if not 10 <= len(line) <= 120}


def test_no_text_of_any_payload_turns_outside_addresses_into_links() -> None:
    wrong = [
        (name, found)
        for name in CASES
        for found in OBJECTS[name]
        if (found.get("type") == "mrkdwn" and found["verbatim"] is not True)
        or (found.get("type") == "plain_text" and found["emoji"] is not False)
    ]
    assert not wrong


def test_outside_text_mentions_nobody_in_any_payload() -> None:
    mentions = re.compile(r"<!(channel|here|everyone|subteam)|<@U1>")
    wrong = []
    for name in CASES:
        for text in texts(name):
            # the policy's step for a channel says <!here> itself, once
            ours = text.replace("<!here>", "", 1) if name == "dm-channel" else text
            wrong += [(name, text)] if mentions.search(ours) else []
    assert not wrong


def test_no_payload_holds_a_mark_that_turns_the_writing_around() -> None:
    assert not [name for name, case in CASES.items() if DIRECTIONS.search(str(case["payload"]))]


def test_buttons_carry_the_incident_and_no_clock_time() -> None:
    buttons = [
        (name, found)
        for name in CASES
        for found in OBJECTS[name]
        if found.get("type") == "button"
        and found["action_id"].startswith(("incident.", "page.", "silence."))
    ]
    assert buttons
    for name, found in buttons:
        assert found["value"].isdigit() or found["value"] == "new", name
        assert not re.search(r"\d\d:\d\d", found["text"]["text"]), name
