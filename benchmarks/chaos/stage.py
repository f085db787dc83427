"""One installation on loopback, built for one scenario: database, fakes, processes, ledger and load.

Knows how the parts hang together. Serves the scenarios; everything is taken down whatever happens.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from benchmarks.chaos.bots import ROOT, TOKEN, Bot, Bots
from benchmarks.chaos.databases import Postgresql, Sqlite
from benchmarks.chaos.installation import MAIL_ADDRESS, Installation, mail_address
from benchmarks.chaos.ledger import Ledger
from benchmarks.chaos.load import Load
from benchmarks.chaos.nursery import Nursery
from benchmarks.chaos.phones import Phones, Ring
from benchmarks.chaos.slack import APP_TOKEN, Posted, Slack
from benchmarks.chaos.slack import TOKEN as SLACK_TOKEN

ROOMY = 2 * 1024**3
PUBLIC = "http://oncall.example.com"


@dataclass
class Stage:
    installation: Installation
    database: Sqlite | Postgresql
    slack: Slack
    phones: Phones
    ledger: Ledger
    bots: Bots
    load: Load
    rng: random.Random
    folder: Path
    config: Path
    with_slack: bool = True

    async def drained(self, within: float = 240.0) -> bool:
        """Nothing new; wait until what began is over."""
        self.load.running = False
        until = time.monotonic() + within
        drained = await self.load.drained(within)
        while self.with_slack and self.ledger.without_root() and time.monotonic() < until:
            await asyncio.sleep(0.2)
        return drained

    def words(self) -> str:
        """The last words of every process, for who asks why."""
        return "\n".join(f"--- {bot.log.name}\n{bot.last_words()}" for bot in self.bots.all)


def quick_folder() -> Path | None:
    """In memory, where there is room: what is measured is the bot, not somebody's disk."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > ROOMY else None


@asynccontextmanager
async def stage(
    installation: Installation,
    database: str,
    *,
    seed: int,
    processes: int = 1,
    with_slack: bool = True,
    most: int = 80,
    rate: float = 100.0,
    answers: bool = True,
    early_acks: float = 0.2,
    presses_links: bool = True,
    env: Mapping[str, str] | None = None,
    before: tuple[str, ...] = (),
    quick_births: bool = False,
    keep: bool = False,
    folder: Path | None = None,
) -> AsyncIterator[Stage]:
    """Everything up to, but not, the start of the processes. `before`: a command in front of each of them."""
    async with AsyncExitStack() as stack:
        place = folder or Path(tempfile.mkdtemp(prefix="oncall-chaos-", dir=quick_folder()))
        if not keep and folder is None:
            stack.callback(shutil.rmtree, place, ignore_errors=True)
        rng, ledger = random.Random(seed), Ledger()
        made: list[Load] = []

        def on_ring(ring: Ring) -> None:
            ledger.message(ring.road, ring.person, ring.key, ring.text, ring.at)
            if ring.person[1:].isdigit():
                for case, step in ledger.told(int(ring.person[1:]), ring.text):
                    made[0].rang(case, ring.ack_url, step)

        def on_post(posted: Posted) -> None:
            text = posted.text + posted.blocks
            if posted.channel.startswith("D"):
                person = f"p{int(posted.channel[1:])}"
                ledger.message("slack", person, posted.key, text, posted.at)
            elif posted.thread_ts is None:
                ledger.root(posted.ts, posted.text)  # its blocks name what began beside it too

        phones = Phones(on_ring)
        slack = Slack(installation.teams, on_post)
        for fake in (phones, slack):
            await fake.start()
            stack.push_async_callback(fake.stop)
        base = Postgresql(place) if database == "postgresql" else Sqlite(place)
        await base.start()
        stack.push_async_callback(_ended, base)
        (place / MAIL_ADDRESS).write_text(mail_address(phones.smtp_port))
        config = place / "oncall.yaml"
        config.write_text(installation.yaml(phones.port))
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        given = {
            "ONCALL_DATABASE_URL": base.url,
            "ONCALL_CONFIG": str(config),
            "ONCALL_WEBHOOK_TOKEN": TOKEN,
            "ONCALL_PUBLIC_URL": PUBLIC,
        }
        if with_slack:
            given |= {
                "ONCALL_SLACK_BOT_TOKEN": SLACK_TOKEN,
                "ONCALL_SLACK_APP_TOKEN": APP_TOKEN,
                "ONCALL_SLACK_API_URL": slack.api,
            }
        given |= env or {}
        nursery = None
        if quick_births:
            nursery = Nursery(ROOT)
            stack.callback(nursery.close)
        alive = [Bot(n, place, given, ledger, http, before, nursery) for n in range(processes)]
        bots = Bots(alive, http)
        stack.push_async_callback(bots.stop)
        load = Load(
            bots,
            installation,
            ledger,
            rng,
            most=most,
            rate=rate,
            answers=answers,
            early_acks=early_acks,
            presses_links=presses_links,
        )
        made.append(load)
        stack.callback(load.abandon)
        yield Stage(
            installation, base, slack, phones, ledger, bots, load, rng, place, config, with_slack
        )


async def _ended(base: Sqlite | Postgresql) -> None:
    if isinstance(base, Postgresql):
        await base.stop("immediate")
