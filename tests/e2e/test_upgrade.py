"""Upgrade and rollback by one version under load: old beside new, and back again; nothing is lost, nothing is doubled.

The version before is the newest tag, and while there is none the commit before the newest change of the schema.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.databases import Postgres
from tests.e2e.fleet import Fleet, Load, config_of_many
from tests.e2e.world import REPOSITORY, World
from tests.shared import missing

pytestmark = pytest.mark.timeout(600)


def git(*words: str) -> bytes:
    return subprocess.run(
        ["git", *words], cwd=REPOSITORY, check=True, capture_output=True, timeout=60
    ).stdout


def version_before() -> str:
    head = git("rev-parse", "HEAD").strip()
    for tag in git("tag", "--merged", "HEAD", "--sort=-creatordate").decode().split():
        if git("rev-parse", f"{tag}^{{commit}}").strip() != head:
            return tag
    newest = git("log", "-1", "--format=%H", "--diff-filter=A", "--", "alembic/versions")
    return git("rev-parse", f"{newest.decode().strip()}^").decode().strip()


@pytest.fixture(scope="module")
def old_code(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which `python -m oncall_bot` is the version before."""
    folder = tmp_path_factory.mktemp("version-before")
    try:
        packed = git("archive", version_before(), "oncall_bot", "alembic", "runbooks")
    except (OSError, subprocess.SubprocessError) as error:
        missing(f"the repository's history ({error})")
        raise AssertionError from error
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return {"PYTHONPATH": str(folder)}


def schema(world: World) -> str:
    (row,) = world.rows("SELECT version_num FROM alembic_version")
    return str(row["version_num"])


def head() -> str:
    """The newest revision of this code."""
    return max(path.name[:4] for path in (REPOSITORY / "alembic/versions").glob("[0-9]*.py"))


@pytest.mark.long
def test_old_and_new_work_side_by_side_and_so_they_do_on_the_way_back(
    build: Callable[..., World],
    postgres_server: Postgres,
    old_code: dict[str, str],
    tell: Callable[[str], None],
) -> None:
    url = postgres_server.empty()
    fleet = Fleet(build(database=url, start=False, config=config_of_many()))
    try:
        old, new, back = fleet.add(**old_code), fleet.add(), fleet.add(**old_code)
        old.serve.start({})
        assert schema(old) < head()
        with Load([old], every=0.7) as load:
            fleet.until(load.more(6), "the old one alone")
            new.serve.start({})
            assert schema(new) == head()
            load.targets = [old, new]
            fleet.until(load.more(12), "side by side")
            load.targets = [new]
            assert old.serve.stop() == 0
            fleet.until(load.more(6), "the new one alone")
            back.serve.start({})
            load.targets = [new, back]
            fleet.until(load.more(12), "side by side on the way back")
            load.targets = [back]
            assert new.serve.stop() == 0
            fleet.until(load.more(6), "the old one alone on the newer schema")
        figures = load.judged(fleet.world)
        assert schema(back) == head()
        posts = [call for call in fleet.world.calls("chat.postMessage") if call["response"]["ok"]]
        keys = [call["args"]["metadata"]["event_payload"]["key"] for call in posts]
        assert len(keys) == len(set(keys)), "no message twice"
    finally:
        fleet.stop()
        postgres_server.drop(url)
    tell(f"upgrade and back, PostgreSQL: {figures}")


@pytest.mark.long
def test_on_sqlite_it_is_stopped_and_started_and_loses_nothing_either_way(
    build: Callable[..., World],
    tmp_path: Path,
    old_code: dict[str, str],
    tell: Callable[[str], None],
) -> None:
    """What is not taken meanwhile is sent again, as Alertmanager does."""
    world = build(database=f"sqlite:///{tmp_path}/fresh.db", start=False, config=config_of_many())
    fleet = Fleet(world, [world])
    world.start(**old_code)
    assert schema(world) < head()
    with Load([world], every=0.5) as load:
        fleet.until(load.more(8), "the old one")
        world.serve.stop()
        world.start()
        assert schema(world) == head()
        fleet.until(load.more(8), "the new one")
        world.serve.stop()
        world.start(**old_code)
        fleet.until(load.more(8), "the old one on the newer schema")
    figures = load.judged(world)
    tell(f"upgrade and back, SQLite: {figures}")
