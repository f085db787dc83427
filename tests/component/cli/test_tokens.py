"""Tokens are shown once and worth nothing once revoked."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

from sqlalchemy import text

from oncall_bot.store import tokens
from oncall_bot.store.db import Store
from tests.component.cli.conftest import CONFIG, Run


def sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def test_a_token_is_shown_once_and_only_its_hash_is_stored(
    run: Run, url: str, store: Store
) -> None:
    said = run("tokens", "create", "grafana")
    token = said.out.strip()
    assert said.err == "This is the only time it is shown:\n"
    assert len(token) == len("oncall_") + 43  # 256 bits in base64
    row = store.look(tokens.valid, sha256(token))
    assert row is not None
    assert (row.name, row.scope) == ("grafana", "read")
    with store.read() as reader:
        stored = reader.connection.execute(text("SELECT * FROM api_token")).all()
        audited = reader.connection.execute(text("SELECT verb, object, after FROM audit")).all()
    assert token not in str(stored)
    assert token not in str(audited)
    assert audited[0][:2] == ("create_token", "token:grafana")


def test_a_revoked_token_is_worth_nothing(run: Run, url: str, store: Store) -> None:
    token = run("tokens", "create", "grafana", "--json").json["token"]
    assert run("tokens", "revoke", "grafana").out == "The token grafana is revoked.\n"
    assert store.look(tokens.valid, sha256(token)) is None
    assert (
        run("tokens", "revoke", "grafana").err == "oncall-bot: There is no valid token grafana.\n"
    )
    assert run("tokens", "list", "--json").json[0]["revoked_at"]


def test_a_token_can_be_revoked_by_the_prefix_that_the_list_shows(run: Run, url: str) -> None:
    token = run("tokens", "create", "one", "--json").json
    listed = run("tokens", "list").out
    assert token["prefix"] in listed
    assert token["token"] not in listed
    assert run("tokens", "revoke", token["prefix"]).code == 0


def test_a_name_stands_for_one_valid_token(run: Run, url: str) -> None:
    assert run("tokens", "create", "one").code == 0
    said = run("tokens", "create", "one")
    assert said.code == 1
    assert said.out == ""
    assert "revoke it first" in said.err
    run("tokens", "revoke", "one")
    assert run("tokens", "create", "one").code == 0


def test_a_token_for_a_source_goes_into_a_private_file(
    run: Run, url: str, home: Path, store: Store
) -> None:
    said = run(
        "tokens", "create", "prod", "--out", "prod.token", "--scope", "write", "--days", "30"
    )
    path = home / "prod.token"
    assert said.out == "The token prod lies in prod.token.\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (home / "oncall.yaml").write_text(CONFIG + "sources: {prod: {token_file: prod.token}}\n")
    assert run("apply", "oncall.yaml").code == 0
    assert store.look(lambda reader: reader.snapshot.tokens) == {
        sha256(path.read_text().strip()): "prod"
    }
    assert "The source prod still names it and is refused" in run("tokens", "revoke", "prod").out
    assert store.look(lambda reader: reader.snapshot.tokens) == {}


def test_a_file_that_is_there_is_not_overwritten(run: Run, url: str, home: Path) -> None:
    (home / "x").write_text("mine")
    said = run("tokens", "create", "one", "--out", "x")
    assert said.err == "oncall-bot: x is there already; name a new file.\n"
    assert (home / "x").read_text() == "mine"
    assert run("tokens", "list").out == "There are no tokens.\n"


def test_a_refused_token_leaves_no_file(run: Run, url: str, home: Path) -> None:
    run("tokens", "create", "one")
    assert run("tokens", "create", "one", "--out", "x").code == 1
    assert not (home / "x").exists()
