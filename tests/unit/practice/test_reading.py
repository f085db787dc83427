"""A message is read as a person reads it: words and buttons, no blocks and no markup."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from oncall_bot.practice import reading

MESSAGE = {
    "text": "Incident 1 SEV2 firing: High error rate",
    "blocks": [
        {"type": "header", "text": {"type": "plain_text", "text": "🔴 High error rate"}},
        {
            "type": "section",
            "text": {
                "type": "mrkdwn",
                "text": "*Nobody* since <!date^1795392000^{time}|00:00 UTC>\n>18 % &gt; 5 %",
            },
            "fields": [{"type": "mrkdwn", "text": "*Open for*\n5 min"}],
            "accessory": {
                "type": "overflow",
                "action_id": "more",
                "options": [
                    {"text": {"type": "plain_text", "text": "Silence…"}, "value": "1:silence"}
                ],
            },
            "block_id": "b1",
        },
        {
            "type": "actions",
            "block_id": "b2",
            "elements": [
                {
                    "type": "button",
                    "action_id": "ack",
                    "text": {"type": "plain_text", "text": "Acknowledge"},
                }
            ],
        },
        {
            "type": "context",
            "elements": [
                {"type": "mrkdwn", "text": "<https://x.example|Incident 1> <@U1> <#C1|ops>"}
            ],
        },
        {"type": "divider"},
    ],
    "files": [{"name": "draft.md"}],
}


def test_lines_are_what_is_on_the_screen_in_the_readers_zone() -> None:
    assert reading.lines(MESSAGE, ZoneInfo("Asia/Kolkata"), {"U1": "ana"}) == [
        "🔴 High error rate",
        "Nobody since 05:30",
        "18 % > 5 %",
        "Open for: 5 min",
        "Incident 1 @ana #ops",
        "[file] draft.md",
    ]


def test_a_message_without_blocks_is_its_text() -> None:
    assert reading.lines({"text": "hello _there_"}) == ["hello there"]


def test_everything_that_can_be_pressed_is_found() -> None:
    found = {
        one.label: (one.block_id, one.action_id, one.value) for one in reading.buttons(MESSAGE)
    }
    assert found == {"Silence…": ("b1", "more", "1:silence"), "Acknowledge": ("b2", "ack", None)}
