"""What one person gets in a direct message: the page and what became of it, the hand-off, the test page.

Knows that the page is the same message from first ring to the end, edited in place without a sound.
Refuses to know roads outside Slack and when it is sent. Serves engine's delivery.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from oncall_bot.core.situation import BundleNotice, PageNotice, RoadFate, Situation, State
from oncall_bot.slack import phrases
from oncall_bot.slack.blocks import Block, Drawn, actions, button, context, section
from oncall_bot.slack.cards import resolve_button
from oncall_bot.slack.escape import code, escape, link, push, utc, when
from oncall_bot.slack.phrases import MARKS, count, duration, names


def page(notice: PageNotice, now: datetime) -> Drawn:
    """The page as its receiver must see it at `now`."""
    s = notice.situation
    if notice.asked:
        return _asked(notice, now)
    if s.state is State.ACKNOWLEDGED and is_mine(notice):
        return _yours(notice, now)
    return _over(notice, now)


def is_mine(notice: PageNotice) -> bool:
    key = notice.situation.acked_by_key
    return key is not None and key in {notice.person_key, notice.slack_id}


def _title(s: Situation) -> str:
    return f"{MARKS[s.state]} *{escape(s.title, 90)}*"


def _asked(notice: PageNotice, now: datetime) -> Drawn:
    s = notice.situation
    until = f" Answer by {utc(s.next.at, now)}." if s.next else " Answer here."
    text = push(f"Page: {escape(s.severity, 20)} ", s.title, f".{until}")
    since = "declared" if s.origin == "declared" and not s.firing else "firing since"
    role = f"{escape(notice.schedule, 60)}, " if notice.schedule else ""
    duty = "*You are on call*" if notice.schedule else "*You are paged*"
    late = f" Late by {duration(notice.late)}." if notice.late is not None else ""
    blocks = [
        section(
            f"{_title(s)}\n{escape(s.severity, 20)}, {since} {when(s.opened_at, now)}. "
            f"{duty} ({role}{_step(notice)}).{late}"
        ),
        section(_facts(s)),
        actions(
            [
                button(
                    "Acknowledge",
                    "page.ack",
                    s.incident_id,
                    style="primary",
                    label=f"Acknowledge the page for incident {s.incident_id}",
                ),
                button("I can't", "page.decline", s.incident_id),
                _open(s),
            ]
        ),
        context(f"{_then(s, now)}Incident {s.incident_id}"),
    ]
    return Drawn(text, blocks)


def _step(notice: PageNotice) -> str:
    if not notice.step or notice.policy.startswith("manual:"):
        return "by hand"
    of = f" of {notice.situation.steps}" if notice.situation.steps else ""
    return f"step {notice.step}{of}"


def _facts(s: Situation) -> str:
    where = f" on {escape(s.service, 60)}" if s.service else ""
    lines = [
        f"{count(s.firing, 'alert')} firing{where}." if s.firing else "No alert fires for it now."
    ]
    sample = next((alert.sample for alert in s.alerts if alert.sample), "")
    if sample:
        lines.append(f">{escape(sample, 160)}")
    lines.append(
        f"Runbook: {link(s.runbook.link, s.runbook.title)}" if s.runbook else phrases.no_runbook(s)
    )
    return "\n".join(lines)


def _then(s: Situation, now: datetime) -> str:
    if not s.next:
        return ""
    who = names(s.next.names) or escape(s.next.what, 80)
    return f"Next: {who} {when(s.next.at, now)}.  ·  "


def _open(s: Situation) -> Block | None:
    if not s.chat_link:
        return None
    return button("Open the incident", "page.open", s.incident_id, url=s.chat_link)


def _yours(notice: PageNotice, now: datetime) -> Drawn:
    s = notice.situation
    at = s.acked_at or now
    text = push(
        f"You have incident {s.incident_id} since {utc(at, now)}: ",
        s.title,
        ". No other road rings.",
    )
    places = [
        f"<{s.chat_link}|incident thread>" if s.chat_link else "",
        link(s.runbook.link, s.runbook.title) if s.runbook else "",
    ]
    start = "  ·  ".join(place for place in places if place)
    keeps = "Your other roads are no longer needed."
    if s.ack_until:
        keeps += (
            f" You are paged again {when(s.ack_until, now)} unless it is mitigated or resolved."
        )
    blocks = [
        section(f"{_title(s)}\n*You have it* since {when(at, now)}. {keeps}"),
        *([section(f"Start here: {start}")] if start else []),
        actions(
            [
                button("Mitigated", "incident.mitigate", s.incident_id),
                resolve_button(s),
                button("Get help", "incident.page", s.incident_id),
                button("Hand over…", "incident.hand_over", s.incident_id),
            ]
        ),
        context(f"Incident {s.incident_id}"),
    ]
    return Drawn(text, blocks)


def _over(notice: PageNotice, now: datetime) -> Drawn:
    """Others who were paged learn that they may sleep."""
    s = notice.situation
    fact, push_fact = _what_became(s, now)
    text = push(f"Incident {s.incident_id} {push_fact}: ", s.title, ". Nothing for you to do.")
    step = _step(notice)
    paged = f"You were paged {'as ' if step.startswith('step') else ''}{step}.  ·  "
    return Drawn(
        text,
        [
            section(f"{_title(s)}\n{fact} *Nothing for you to do.*"),
            context(f"{paged}Incident {s.incident_id}"),
        ],
    )


def _what_became(s: Situation, now: datetime) -> tuple[str, str]:
    who = escape(s.acked_by or "Somebody", 60)
    match s.state:
        case State.ACKNOWLEDGED:
            since = f" since {when(s.acked_at, now)}" if s.acked_at else ""
            return f"{who} has it{since}.", f"is with {who}"
        case State.MITIGATED:
            return "Mitigated, being watched.", "is mitigated"
        case State.RESOLVED:
            by = f" by {escape(s.resolved_by, 60)}" if s.resolved_by else ", its alerts ended"
            at = f" {when(s.resolved_at, now)}" if s.resolved_at else ""
            return f"Resolved{by}{at}.", "is resolved"
        case State.SILENCED:
            by = f" by {escape(s.silence.by, 60)}" if s.silence else ""
            return f"Silenced{by}.", "is silenced"
        case State.MERGED:
            return f"Part of incident {s.merged_into}.", f"is part of incident {s.merged_into}"
        case _:
            return "This page is over; others are asked.", "asks others now"


def channel_page(notice: PageNotice, now: datetime) -> Drawn:
    """A page to a channel: a policy step says so, hence `<!here>` while somebody is still asked."""
    s = notice.situation
    if not notice.asked:
        fact, push_fact = _what_became(s, now)
        text = push(f"Incident {s.incident_id} {push_fact}: ", s.title)
        return Drawn(text, [section(f"{_title(s)}\n{fact}"), context(f"Incident {s.incident_id}")])
    text = push(
        f"Page for everyone here: {escape(s.severity, 20)} ", s.title, ". Somebody has to answer."
    )
    asked = f"<!here> {escape(s.severity, 20)}, open since {when(s.opened_at, now)}. *Whoever can, takes it.*"
    press = button("Acknowledge", "page.ack", s.incident_id, style="primary")
    blocks = [
        section(f"{_title(s)}\n{asked}"),
        section(_facts(s)),
        actions([press, _open(s)]),
        context(f"Incident {s.incident_id}"),
    ]
    return Drawn(text, blocks)


def notice_to(text: str) -> Drawn:
    """A notice that is no page: to an admin, or about a changed shift."""
    return Drawn(push("", text), [section(escape(text, 2000))])


def bundle(b: BundleNotice, now: datetime) -> Drawn:
    """Several pages of one person in one message, worst first: one button for all, and one for each."""
    first = push_title(b)
    head = f"*{count(b.incidents, 'incident')} for you*"
    late = (
        f" Late by {duration(b.late)}: they could not be sent in time."
        if b.late is not None
        else ""
    )
    over = "" if b.asked else " *Nothing is left for you to do.*"
    blocks = [section(f"{head}.{late}{over}")]
    blocks += [_bundled(one, now) for one in b.pages]
    if b.more:
        blocks.append(context(f"and {b.more:,} more: they are listed by `/oncall incidents`."))
    if b.asked > 1:
        press = button(
            "Acknowledge all",
            "bundle.ack",
            f"message:{b.bundle_id}",
            style="primary",
            label=f"Acknowledge all {b.asked} incidents of this message",
        )
        blocks.append(actions([press]))
    return Drawn(first, blocks)


def push_title(b: BundleNotice) -> str:
    first = b.pages[0].situation
    if not b.asked:
        return push(f"{count(b.incidents, 'incident')}, nothing left for you to do: ", first.title)
    late = f"Late by {duration(b.late)}, " if b.late is not None else ""
    return push(
        f"Page: {late}{count(b.incidents, 'incident')}, first {escape(first.severity, 20)} ",
        first.title,
        ". Answer here.",
    )


def _bundled(notice: PageNotice, now: datetime) -> Block:
    s = notice.situation
    press = None
    if notice.asked:
        press = button(
            "Acknowledge",
            "page.ack",
            s.incident_id,
            label=f"Acknowledge the page for incident {s.incident_id}",
        )
    where = f"Incident {s.incident_id}"
    place = f"<{s.chat_link}|{where}>" if s.chat_link else where
    fact = f"{escape(s.severity, 20)}, since {when(s.opened_at, now)}."
    if not notice.asked:
        fact = _what_became(s, now)[0]
    return section(f"{_title(s)}\n{fact}  ·  {place}", accessory=press)


def test_page(asked_by: str, asked_at: datetime, roads: Sequence[str], now: datetime) -> Drawn:
    """Looks like a page, cannot be mistaken for one: the first word is Test."""
    others = phrases.roads(road for road in roads if road != "slack")
    follows = f" The same test goes out by {others}." if others else " Slack is your only road."
    blocks = [
        section(
            f"*Test page*, not an incident.\nThis is how a page reaches you in Slack.{follows}"
        ),
        actions(
            [button("Received", "contact.test_ok", int(asked_at.timestamp()), style="primary")]
        ),
        context(f"Asked by {escape(asked_by, 60)} {when(asked_at, now)}"),
    ]
    return Drawn("Test page for you. Not an incident. Press Received.", blocks)


def received(asked_at: datetime, pressed_at: datetime, now: datetime) -> Drawn:
    """The test page once its button was pressed."""
    took = duration(pressed_at - asked_at)
    return Drawn(
        f"Test page received after {took}. Not an incident.",
        [
            section(
                f"*Test page received* {when(pressed_at, now)}, {took} after it was sent. Slack reaches you."
            )
        ],
    )


def road_report(
    lines: Sequence[tuple[RoadFate, str]],
    now: datetime,
    *,
    wakes: bool,
    watching: bool,
    command: str = "/oncall",
) -> Drawn:
    """What became of a test page on each road, with its address; drawn anew as roads answer."""
    sent = sum(1 for one, _ in lines if one.went_out)
    failed = sum(1 for one, _ in lines if one.state in ("failed", "failing"))
    rows = "\n".join(
        f"{_tested(one, now)}{f'  {code(address)}' if address else ''}"
        for one, address in lines[:20]
    )
    quiet = (
        "" if wakes else f"\n*None of them wakes you*: {code(f'{command} contact add push TOPIC')}"
    )
    more = " I look on for a minute." if watching else ""
    hint = (
        "Sent means that the service took it. If a phone stayed silent, look at its own settings."
    )
    return Drawn(
        push(f"Test of {count(len(lines), 'road')}: {sent} sent, {failed} failed."),
        [section(f"*Your roads, tested*\n{rows}{quiet}"), context(f"{hint}{more}")],
    )


def _tested(one: RoadFate, now: datetime) -> str:
    if one.state != "failing":
        return phrases.fate(one, now)
    why = f" ({escape(one.why, 80)})" if one.why else ""
    return f"*{phrases.road(one.road)} failed*, tried again{why}"
