"""Is this the right runbook? The buttons under one, the list of those that may fit, and what somebody answered.

Knows how the question reads, and which press means which answer. Refuses to know what an answer changes
(`flows.judge_runbook`). Serves the thread's runbook message and the presses on it.
"""

from __future__ import annotations

from oncall_bot.core.situation import JudgedRunbook, PossibleRunbook, ShownRunbook, Situation
from oncall_bot.slack.blocks import Block, Drawn, actions, button, context, section
from oncall_bot.slack.escape import code, escape, link, push
from oncall_bot.slack.phrases import count

REMEMBERED = "Your answer is remembered for this alert, and can be taken back."


def asked(s: Situation, book: ShownRunbook) -> list[Block]:
    """Under an attached runbook: the question, or the answer that was given."""
    if book.runbook_id is None or not s.first_alert:
        return []
    judged = [_judged(s, one) for one in s.judged]
    if any(one.right and one.runbook_id == book.runbook_id for one in s.judged):
        return judged
    value = f"{s.incident_id}:{book.runbook_id}"
    answers = [
        button("Right runbook", "runbook.right", value),
        button("Wrong runbook", "runbook.wrong", value),
        button("None fits", "runbook.none", s.incident_id),
    ]
    return [*judged, actions(answers, block_id="verdict"), context(REMEMBERED)]


def possible(s: Situation) -> Drawn:
    """Nothing fits well enough, so nothing is attached: the nearest, and a way to teach."""
    alert = s.first_alert or "this alert"
    judged = [_judged(s, one) for one in s.judged]
    if not s.possible:
        text = push(f"No runbook fits incident {s.incident_id}: ", alert)
        return Drawn(text, [section(f"*No runbook fits* {code(alert)}."), *judged])
    near = count(len(s.possible), "possible one")
    head = f"*No runbook is sure for* {code(alert)}. The nearest:"
    return Drawn(
        push(f"No runbook is sure for incident {s.incident_id}, {near}: ", alert),
        [
            section(head),
            *[_offered(s, one) for one in s.possible],
            actions([button("None of these", "runbook.none", s.incident_id)], block_id="none"),
            *judged,
            context(REMEMBERED),
        ],
    )


def _offered(s: Situation, one: PossibleRunbook) -> Block:
    points = f"{round(one.score * 100)} of 100: " if one.score < 1 else ""
    block = section(
        f"{link(one.link, one.title)}\n{points}{escape(one.why, 300)}",
        block_id=f"p{one.runbook_id}",
    )
    value = f"{s.incident_id}:{one.runbook_id}"
    label = f"Use the runbook {one.title}"
    return {**block, "accessory": button("Use it", "runbook.right", value, label=label)}


def _judged(s: Situation, one: JudgedRunbook) -> Block:
    word = "right" if one.right else "wrong"
    said = f"{escape(one.by, 60)} called {escape(one.title, 120)} *{word}* for {code(s.first_alert or '')}."
    value = f"{s.incident_id}:{one.runbook_id}"
    undo = button("Undo", "runbook.undo", value, label=f"Undo: {one.title} is {word}")
    return {**section(said, block_id=f"j{one.runbook_id}"), "accessory": undo}
