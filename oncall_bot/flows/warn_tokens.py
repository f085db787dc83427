"""Before a source's token expires its admins hear of it: after that its alerts are refused, and nobody would be paged.

Knows how early. Refuses to read tokens: only their SHA-256 and end come here. Serves the daily duty.
"""

from __future__ import annotations

from datetime import timedelta

from oncall_bot.flows import notices
from oncall_bot.store.transactions import Tx

EARLY, SOON = timedelta(days=14), timedelta(days=3)


def warn_tokens(tx: Tx) -> int:
    """A word in good time, another when it is near, and by a loud road once it is past; how many are told of."""
    snapshot, told = tx.snapshot, 0
    for sha256, source in sorted(snapshot.tokens.items(), key=lambda one: one[1]):
        ends_at = snapshot.token_ends.get(sha256)
        if ends_at is None or ends_at - tx.now > EARLY:
            continue
        told += 1
        when = f"{ends_at:%-d %B, %H:%M} UTC"
        mend = f"Make a new one (oncall-bot tokens create), put it into its token_file and into {source}."
        key = f"token:{source}:{int(ends_at.timestamp())}"
        if ends_at <= tx.now:
            text = (
                f"The token of the source {source} expired {when}: its alerts are refused. {mend}"
            )
            notices.tell_admins(tx, f"{key}:{tx.now:%Y-%m-%d}", text)
            continue
        step = "soon" if ends_at - tx.now <= SOON else "early"
        text = (
            f"The token of the source {source} expires {when}; then its alerts are refused. {mend}"
        )
        for person in snapshot.config.admins:
            notices.tell_person(tx, person, text, f"{key}:{step}:{person}")
    return told
