"""What people say in an incident's thread, and who they are. Knows threads and identities; serves the Slack edge."""

from __future__ import annotations

from datetime import UTC, datetime

from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.timeline import Entry, Kind
from oncall_bot.store import incidents, messages, rules
from oncall_bot.store.transactions import Tx


def record_chat(tx: Tx, channel: str, thread_ts: str, ts: str, user: Actor, text: str) -> Outcome:
    """A message in the thread of an incident goes on its timeline, once. A word by whoever has it counts as one."""
    about = messages.at(tx, channel, thread_ts)
    if about is None or about.incident_id is None or about.role != "root":
        return Outcome(False, "not a thread of an incident")
    at = datetime.fromtimestamp(float(ts), UTC)
    entry = Entry(Kind.CHAT, text, at, user, source_ref=f"slack:{channel}:{ts}")
    incidents.write(tx, about.incident_id, [entry])
    return Outcome(True, "written down", about.incident_id)


def remember_slack_id(tx: Tx, person_key: str, slack_id: str) -> None:
    """The person's Slack id, found once by e-mail."""
    if tx.snapshot.slack_id(person_key) != slack_id:
        rules.set_slack_id(tx, person_key, slack_id)
        rules.changed(tx)
