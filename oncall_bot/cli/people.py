"""person: what is stored about somebody, and how it goes.

Knows the steps of forgetting and that each is short, so that pages pass between them. Refuses to decide what goes:
flows.forget_person does. Looks for the rows outside the writer, and hands it only those that name the person.
"""

from __future__ import annotations

import json as encoding
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oncall_bot.cli.databases import database
from oncall_bot.cli.terminal import JsonFlag, as_json, family, note, say, write_out
from oncall_bot.cli.tokens import actor_here
from oncall_bot.core.errors import OncallError

if TYPE_CHECKING:
    from oncall_bot.core.forgetting import Finder, Traces
    from oncall_bot.core.outcomes import Actor
    from oncall_bot.store.db import Store

PASSES = 4
"""What is written down while we look is found by the next pass; nobody writes about one person for ever."""

Key = Annotated[
    str, typer.Argument(metavar="KEY", help="The person's key in the file, or a Slack user id.")
]

person = family("A person: export what is stored about them, or forget them.")


def add_to(app: typer.Typer) -> None:
    app.add_typer(person, name="person")


@person.command("export")
def export(
    key: Key,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write to this file, not to stdout."),
    ] = None,
) -> None:
    """Export everything that is stored about a person as JSON (person-export/1).

    Their contacts, rules, pages, shifts, covers, sessions, messages to them, and every line of a timeline or of the
    audit that they wrote or that names them. Hashes of secrets are left out.

    Example: oncall-bot person export ana --out ana.json
    """
    from oncall_bot.store import views

    with database() as store:
        found = store.look(views.person_export, key)
    write_out(encoding.dumps(found, indent=2, ensure_ascii=False) + "\n", out)


@person.command("forget")
def forget_(
    key: Key,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: JsonFlag = False,
) -> None:
    """Forget a person: counts stay under a pseudonym, everything else goes.

    Pages, shifts and incidents are still counted, as those of former-7. Name, addresses, ids and what they wrote go
    from all texts and from past revisions of the file. Refused while the file in force names the person. If it is cut
    short, run it again. Backups made before still hold everything.

    Example: oncall-bot person forget ana --yes
    """
    from oncall_bot.flows.forget_person import may_be_forgotten
    from oncall_bot.store import belongings

    with database() as store:
        traces = store.look(may_be_forgotten, key)
        if not yes:
            stays = store.look(belongings.counts, traces.person_id, traces.key)
            _tell_before(traces, stays)
            if not typer.confirm("Forget them?", err=True):
                raise OncallError("Nothing was changed.")
        done = forget(store, key, actor_here(), tell=note)
    if json:
        as_json(done)
        return
    say(f"Forgotten: {done['pseudonym']} stands where they stood.")
    say(f"  changed: {_counted(done['changed'])}")
    say(f"  kept: {_counted(done['kept'])}")


def _tell_before(traces: Traces, stays: dict[str, int]) -> None:
    known = len(traces.names) + len(traces.mails) + len(traces.slack_ids) + len(traces.addresses)
    note(f"Goes: {traces.key} with {known} names, addresses and ids, wherever they stand;")
    note(
        "      what they wrote in incidents, their contacts, rules, holidays, covers, links, sessions."
    )
    note(f"Stays: {_counted(stays)}, and every incident, as those of a pseudonym.")
    note("Not here: backups, Slack itself, and what a model or a calendar program was told.")


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing"


def forget(
    store: Store, key: str, actor: Actor, *, tell: Callable[[str], None] = lambda text: None
) -> dict[str, Any]:
    """All steps, one after the other; what was changed, by table, and what is kept. `tell` hears how far it is."""
    from oncall_bot.core.forgetting import Finder
    from oncall_bot.flows import forget_person as steps
    from oncall_bot.store import belongings, places

    traces = store.write(steps.begin, key).result()
    finder = Finder(traces)
    changed: dict[str, int] = {}
    spoke_in = store.look(belongings.spoke_in, traces)
    tell(f"Taking back what they wrote in {len(spoke_in)} incidents")
    for incident_id in spoke_in:
        said = store.write(steps.take_back_words, incident_id, traces).result()
        changed["words"] = changed.get("words", 0) + said
    groups = (places.WORDS, places.IDENTITIES, places.FILES)
    for n, group in enumerate(groups, start=1):
        tell(f"Looking through {len(group)} columns of all tables ({n} of {len(groups)})")
        _until_clean(store, [place.name for place in group], finder, changed)
    while ids := store.look(belongings.messages_to, traces):
        store.write(steps.drop_messages, ids).result()
    kept = store.write(steps.finish, traces, actor, changed).result()
    return {"pseudonym": traces.pseudonym, "changed": changed, "kept": kept}


def _until_clean(store: Store, names: list[str], finder: Finder, changed: dict[str, int]) -> None:
    for _ in range(PASSES):
        found = {name: _scrubbed(store, name, finder) for name in names}
        for name, count in found.items():
            if count:
                table = name.partition(".")[0]
                changed[table] = changed.get(table, 0) + count
        if not any(found.values()):
            return


def _scrubbed(store: Store, name: str, finder: Finder) -> int:
    from oncall_bot.flows import forget_person as steps

    count, after = 0, None
    while True:
        keys, after = store.look(steps.found_in, name, finder, after)
        for n in range(0, len(keys), steps.ROWS_A_STEP):
            some = keys[n : n + steps.ROWS_A_STEP]
            count += store.write(steps.scrub, name, some, finder).result()
        if after is None:
            return count
