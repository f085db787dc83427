"""What responders answered on runbooks, as rows: one word of each person on each pair of a rule and a runbook.

Knows that whoever writes here changes what is in force. Refuses to know whose word counts (`core.verdicts`). Serves
`flows.judge_runbook`.
"""

from __future__ import annotations

from sqlalchemy import bindparam, delete

from oncall_bot.core.outcomes import Actor
from oncall_bot.core.verdicts import Verdict
from oncall_bot.store import rules
from oncall_bot.store import tables as t
from oncall_bot.store.statements import statement, upsert
from oncall_bot.store.transactions import Tx

VERDICT = t.RunbookVerdict.__table__  # type: ignore[attr-defined]

_PUT = upsert(VERDICT, ("rule_key", "runbook_id", "person"), ("name", "verdict", "at"))
_DROP = statement(
    delete(VERDICT).where(
        VERDICT.c.rule_key == bindparam("of_rule"), VERDICT.c.runbook_id == bindparam("of_runbook")
    )
)


def put(tx: Tx, rule: str, runbook_id: int, actor: Actor, verdict: Verdict) -> None:
    """The person's word on the pair is this now."""
    tx.run(
        _PUT,
        rule_key=rule,
        runbook_id=runbook_id,
        person=str(actor),
        name=actor.name,
        verdict=str(verdict),
        at=tx.now,
    )
    rules.changed(tx)


def drop(tx: Tx, rule: str, runbook_id: int) -> bool:
    """Nobody has said anything on the pair; False when nobody had."""
    if not tx.run(_DROP, of_rule=rule, of_runbook=runbook_id):
        return False
    rules.changed(tx)
    return True
