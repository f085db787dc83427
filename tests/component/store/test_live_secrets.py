"""No live secret stands in the database: one of each kind is made, every column is read, and none is found."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from hashlib import sha256

from oncall_bot.core.ack_links import make_token
from oncall_bot.core.feeds import LINK_MARK, link_digest
from oncall_bot.core.sign_in import KEY_BYTES, digest
from oncall_bot.flows.api_tokens import create_token
from oncall_bot.flows.apply_config import apply_config
from oncall_bot.flows.calendar_links import create_link
from oncall_bot.flows.claiming import claim
from oncall_bot.flows.contacts import add_contact, verify_contact
from oncall_bot.flows.delivered import delivered
from oncall_bot.flows.sign_in import offer_sign_in, use_link
from oncall_bot.store.db import Store
from oncall_bot.store.outbox import Fate
from tests.component.flows.world import DOCUMENT, World
from tests.databases import HandClock
from tests.dumps import dumped


def test_no_live_secret_is_stored(store: Store, clock: HandClock) -> None:
    world = World(store, clock)
    ana, write = world.person("ana"), store.write
    live = {
        kind: secrets.token_urlsafe(KEY_BYTES)
        for kind in ("API token", "sign-in link", "session", "webhook token", "file's token")
    }
    live["calendar link"] = LINK_MARK + secrets.token_urlsafe(32)
    hashes = {kind: sha256(secret.encode()).hexdigest() for kind, secret in live.items()}
    write(
        create_token, "grafana", ana, sha256=hashes["API token"], prefix="oncall_x", scope="read"
    ).result()
    write(
        create_link, "ana", "person", "ana", ana,
        sha256=link_digest(live["calendar link"]), prefix="oncal_x",
    ).result()  # fmt: skip
    write(offer_sign_in, ana, digest(live["sign-in link"])).result()
    write(use_link, digest(live["sign-in link"]), digest(live["session"])).result()
    document = {**DOCUMENT, "sources": {"prod": {"token_sha256": hashes["file's token"]}}}
    tokens = {"default": hashes["webhook token"]}
    write(apply_config, document, "0" * 64, "test", token_sha256=tokens).result()
    world.told(world.alert())
    world.run()
    expires = clock.now + timedelta(days=1)
    live["ack link"] = make_token(store.snapshot.signing_key, 1, "file:push", expires)
    live["contact code"] = sent_code(world)
    stored = "\n".join(text for _, text in dumped(store))
    assert [kind for kind, secret in live.items() if secret in stored] == []
    done = write(verify_contact, "ana", live["contact code"], ana).result()
    assert done.done  # it was live, although it stands nowhere


def sent_code(world: World) -> str:
    """The code as the telephone got it, after it was sent."""
    ana = world.person("ana")
    assert world.store.write(add_contact, "ana", "voice", "+4915123456789", ana).result().done
    rows = world.store.write(claim, "me", 100, timedelta(minutes=2)).result()
    (row,) = [one for one in rows if one.dedupe_key.startswith("code:")]
    found = re.search(r"\d{6}", row.payload["text"])
    assert found
    for one in rows:
        world.store.write(delivered, one.id, "me", Fate("sent")).result()
    return found[0]
