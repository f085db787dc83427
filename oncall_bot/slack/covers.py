"""Cover and swap requests in Slack: the message that asks, what became of it, the forms.

Knows the words and buttons of each state; one message a reader, edited in place. Refuses to know rows and rights.
Serves engine's delivery, commands, App Home.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from oncall_bot.core.situation import CoverNotice, Stretch
from oncall_bot.slack.blocks import (
    Block,
    Drawn,
    actions,
    button,
    chooser,
    confirm,
    context,
    instant_input,
    modal,
    option,
    people_input,
    section,
    text_input,
)
from oncall_bot.slack.escape import escape, mention, push, quote, utc, when
from oncall_bot.slack.phrases import duration, names

NOTE_MAX, PEOPLE_MAX, SHIFTS_MAX = 300, 5, 100


def notice(c: CoverNotice, now: datetime) -> Drawn:
    """The request as its reader must see it at `now`."""
    if c.state == "open":
        return _waiting(c, now) if c.is_asker else _question(c, now)
    if c.state == "taken":
        return _taken(c, now)
    return _over(c, now)


def spoken(piece: Stretch, now: datetime) -> str:
    """`Thu 26 Nov 08:00 to Fri 27 Nov 08:00, 24 h` in the reader's own zone."""
    length = duration(piece.ends_at - piece.starts_at)
    return f"{when(piece.starts_at, now)} to {when(piece.ends_at, now)}, {length}"


def _plainly(piece: Stretch, now: datetime) -> str:
    return f" {utc(piece.starts_at, now)} to {utc(piece.ends_at, now)}."


def _name(piece: Stretch) -> str:
    return escape(piece.schedule, 60)


def _question(c: CoverNotice, now: datetime) -> Drawn:
    """One question, two answers, and what happens with no answer."""
    asker = mention(c.asker_slack, c.asker)
    verb = "cover" if c.take is None else "swap"
    head = f"{asker} asks you to *{verb} {_name(c.give)}*\n{spoken(c.give, now)}"
    if c.take is not None:
        head += f"\nfor your *{_name(c.take)}*\n{spoken(c.take, now)}"
    text = push("", c.asker, f" asks you to {verb} {_name(c.give)[:30]}{_plainly(c.give, now)}")
    free = _free(c)
    others = names(one.name for one in c.asked if one.key != c.reader_key)
    also = f"  ·  Asked too: {others}. First yes wins." if others else ""
    until = f" No answer by {when(c.expires_at, now)} is a no."
    return Drawn(
        text,
        [
            section(head),
            *([section(quote(c.note, NOTE_MAX))] if c.note else []),
            actions(answer_buttons(c, main=True), block_id=f"cover-{c.request_id}"),
            context(f"Nothing changes until you accept.{until} {free}{also}"),
        ],
    )


def _free(c: CoverNotice) -> str:
    others = [key for key in c.busy if c.take is None or key != c.take.schedule]
    if not others:
        return "You have no other shift then."
    return f"*You are on call for {names(others)} then too.*"


def answer_buttons(c: CoverNotice, *, main: bool = False) -> list[Block]:
    """`main`: the one thing to do here, as in the message that asks."""
    whose = f"the request of {c.asker} for {c.give.schedule}"
    return [
        button(
            "Accept",
            "cover.accept",
            c.request_id,
            style="primary" if main else None,
            label=f"Accept {whose}",
        ),
        button("Decline", "cover.decline", c.request_id, label=f"Decline {whose}"),
    ]


def _waiting(c: CoverNotice, now: datetime) -> Drawn:
    """To the asker: who was asked, who said no, and that the shift is still theirs."""
    asked = names(one.name for one in c.asked if one.answer is None)
    declined = names(one.name for one in c.asked if one.answer == "no")
    head = f"*You asked for {'cover' if c.take is None else 'a swap'}: {_name(c.give)}*\n{spoken(c.give, now)}"
    if c.take is not None:
        head += f"\nfor *{_name(c.take)}*\n{spoken(c.take, now)}"
    said = f"Asked: {asked or 'nobody any more'}." + (f" Declined: {declined}." if declined else "")
    still = f"It is yours until somebody says yes. No answer by {when(c.expires_at, now)} is a no."
    return Drawn(
        push("You asked for cover of ", c.give.schedule, f",{_plainly(c.give, now)}"),
        [
            section(head),
            actions([withdraw_button(c)], block_id=f"cover-{c.request_id}"),
            context(f"{said} {still}"),
        ],
    )


def withdraw_button(c: CoverNotice) -> Block:
    return button("Withdraw", "cover.withdraw", c.request_id)


def undo_button(c: CoverNotice) -> Block:
    who = "You are" if c.is_asker else f"{escape(c.asker, 60)} is"
    other = c.taken_by if c.is_asker else c.asker
    ask = confirm(
        "Undo the swap?" if c.take else "Undo the cover?",
        f"{who} on call again for that time. {escape(other or 'The other', 60)} is told.",
        "Undo",
        "Keep",
    )
    return button("Undo", "cover.undo", c.request_id, confirm=ask)


def _taken(c: CoverNotice, now: datetime) -> Drawn:
    """Both sides get the same words; for the others it is over."""
    if c.reader_key not in {c.asker_key, c.taken_by_key}:
        done = f"{escape(c.taken_by or 'Somebody', 60)} takes it. *Nothing for you to do.*"
        return _closed(c, done, now)
    if c.is_asker:
        who = f"{mention(c.taken_by_slack, c.taken_by or '')} *covers for you*"
        line = push("", c.taken_by or "", f" covers {_name(c.give)[:30]} for you,{_plainly(c.give, now)}")  # fmt: skip
    else:
        who = f"*You cover for* {mention(c.asker_slack, c.asker)}"
        line = push("You cover ", c.give.schedule, f" for {escape(c.asker, 30)},{_plainly(c.give, now)}")  # fmt: skip
    text = f"{who}: {_name(c.give)}\n{spoken(c.give, now)}"
    if c.take is not None:
        takes = "You take" if c.is_asker else f"{escape(c.asker, 60)} takes"
        text += f"\n{takes}: {_name(c.take)}\n{spoken(c.take, now)}"
    last = max(c.give.ends_at, c.take.ends_at if c.take else c.give.ends_at)
    undo = [actions([undo_button(c)], block_id=f"cover-{c.request_id}")] if now < last else []
    return Drawn(line, [section(text), *undo])


_BECAME = {
    "withdrawn": "It was withdrawn.",
    "expired": "Nobody answered in time.",
    "declined": "Everybody declined.",
    "undone": "It was taken back.",
}


def _over(c: CoverNotice, now: datetime) -> Drawn:
    became = _BECAME.get(c.state, "It is over.")
    if not c.is_asker:
        mine = c.state == "undone" and c.reader_key == c.taken_by_key
        whose = f"{escape(c.asker, 60)} has the shift again. " if mine else ""
        return _closed(c, f"{became} {whose}*Nothing for you to do.*", now)
    return _closed(c, f"{became} *The shift is yours.*", now)


def _closed(c: CoverNotice, fact: str, now: datetime) -> Drawn:
    kind = "Swap" if c.take else "Cover"
    text = f"*{kind} of {_name(c.give)}* for {escape(c.asker, 60)}\n{spoken(c.give, now)}\n{fact}"
    plainly = fact.replace("*", "")
    return Drawn(push(f"{kind} of ", c.give.schedule, f": {plainly}"), [section(text)])


# --- lists --------------------------------------------------------------------------------------------------------


def line(c: CoverNotice, now: datetime) -> Block:
    """One request of the asker's own, with the press that takes it back."""
    if c.state == "taken":
        who = f"{escape(c.taken_by or 'Somebody', 60)} covers it."
        return section(f"*{_name(c.give)}*  {spoken(c.give, now)}\n{who}", accessory=undo_button(c))
    asked = names(one.name for one in c.asked if one.answer is None)
    text = f"*{_name(c.give)}*  {spoken(c.give, now)}\n*Not covered.* Asked: {asked or 'nobody any more'}."
    return section(text, accessory=withdraw_button(c))


def listed(mine: Sequence[CoverNotice], now: datetime, *, command: str) -> Drawn:
    """What somebody asked for: which shifts are covered, which are not."""
    word = escape(command, 40)
    hint = context(
        f"`{word} cover` asks for cover of a shift, `{word} out until fri 18:00` for all of them."
    )
    if not mine:
        return Drawn("You asked for no cover.", [section("You asked for no cover."), hint])
    bare = sum(1 for c in mine if c.state == "open")
    head = f"{len(mine) - bare} covered, {bare} not covered."
    return Drawn(
        push(f"Your cover requests: {head}"),
        [section(f"*Your cover requests*\n{head}"), *[line(c, now) for c in mine[:20]], hint],
    )


# --- forms --------------------------------------------------------------------------------------------------------


def cover_form(
    schedules: Sequence[str],
    *,
    schedule: str | None,
    starts_at: datetime,
    ends_at: datetime,
    now_on: str,
    named: Sequence[str] = (),
) -> Block:
    """Override and cover are one form: choose others and they are asked, choose yourself and it is done."""
    options = [option(key, key) for key in schedules[:100]]
    return modal(
        "cover.ask",
        "Cover a shift",
        [
            chooser("schedule", "Schedule", options, placeholder="Schedule", initial=schedule),
            instant_input("from", "From", starts_at),
            instant_input("until", "Until", ends_at),
            people_input(
                "who",
                "Who takes it?",
                placeholder="The first yes wins; nobody named asks the team",
                initial=named,
                most=PEOPLE_MAX,
            ),
            text_input(
                "why",
                "Note",
                placeholder="What they should know",
                max_length=NOTE_MAX,
                multiline=True,
                optional=True,
            ),
            context(now_on),
        ],
        submit="Ask",
    )


def swap_form(mine: Mapping[str, str], theirs: Mapping[str, str]) -> Block:
    """Two lists, of own shifts and of others': value -> words."""
    return modal(
        "cover.swap",
        "Swap shifts",
        [
            chooser("give", "Your shift", _options(mine), placeholder="A shift of yours"),
            chooser("take", "For theirs", _options(theirs), placeholder="A shift of somebody else"),
            text_input(
                "why",
                "Note",
                placeholder="What they should know",
                max_length=NOTE_MAX,
                multiline=True,
                optional=True,
            ),
            context("Both shifts change hands when the other says yes, or neither does."),
        ],
        submit="Ask",
    )


def _options(shifts: Mapping[str, str]) -> list[Block]:
    return [option(words, value) for value, words in list(shifts.items())[:SHIFTS_MAX]]
