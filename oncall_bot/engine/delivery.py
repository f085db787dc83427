"""The outbox becomes acts: claim, render the latest state, call the port, write the fate down.

Knows kinds of messages and which port each needs. Refuses to know providers, blocks and backoff (store.outbox).
Serves everything that was left to be sent. A page is never marked before it is sent; a retry tells the port since
when an earlier try may have gone through.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from oncall_bot.core.fault_points import FaultPoint, ignore
from oncall_bot.core.records import parse_record
from oncall_bot.core.situation import (
    BundleNotice,
    Content,
    DraftNotice,
    PageNotice,
    RunbookNotice,
    Situation,
    TestNotice,
    TextNotice,
    UpdateNotice,
    WorkLog,
)
from oncall_bot.engine.jobs import now_utc
from oncall_bot.engine.loud_pages import Links, loud_page
from oncall_bot.flows import drafting, reconcile
from oncall_bot.flows.claiming import claim
from oncall_bot.flows.delivered import Finished, delivered_all, fate_alone
from oncall_bot.ports import (
    AlertSource,
    Assignment,
    Chat,
    ChatMessage,
    DeliveryError,
    Drafter,
    Pager,
    Prose,
    Render,
    Sent,
)
from oncall_bot.store import bundling, drafts, messages, outbox, runs, views
from oncall_bot.store.db import Store
from oncall_bot.store.engines import is_away
from oncall_bot.store.outbox import Fate
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader
from oncall_bot.telemetry.metrics import Telemetry

log = structlog.get_logger(__name__)

LEASE_FOR = timedelta(seconds=120)
SURE_FOR_S = 2.0
"""So long after a claim nobody can have taken the message over: the owner's sign of life was fresh then."""
IN_FLIGHT, SLACK_IN_FLIGHT = 32, 24
"""Of what is being sent, so much may be for Slack: when Slack gives no answer, the other roads have room at once."""
TICK = 0.5
PAUSE = 0.02
"""Between two claims: what is left within it is claimed together."""
SLACK_PACE = timedelta(seconds=1)
FINISH_EVERY, FINISH_FOR, FINISH_TRIES = 0.5, 1800.0, 5
"""Seconds. Until a fate is written no other message goes to its destination: so it is written as soon as it can be."""
FINISHED_TOGETHER = 20
THREAD_WAITS = timedelta(seconds=1)
SHOWS_AN_EARLIER_STATE = -1
"""The generation of an adopted message: it was drawn before a crash, so it is drawn again."""


@dataclass(frozen=True, slots=True)
class Ports:
    """What the process can reach. None: this installation has not got it, and messages for it are skipped."""

    render: Render
    chat: Chat | None = None
    pager: Callable[[], Pager] | None = None
    drafter: Drafter | None = None
    source: AlertSource | None = None
    addresses: Callable[[str], Sequence[str]] = lambda source: ()
    chat_link: Callable[[str, str], str | None] = lambda channel, ts: None
    looks: Mapping[str, Callable[[Row], Awaitable[Fate]]] = field(default_factory=dict)
    """What is done for the kinds that ask Prometheus (engine.sight)."""


@dataclass(frozen=True, slots=True)
class _Slack:
    """A Slack message ready to be drawn: what, where, under which key, and what was drawn there last."""

    key: str
    content: Content
    channel: str
    ts: str | None
    thread_ts: str | None
    message_id: int | None = None
    generation: int = 0
    drawn_sha256: str | None = None
    card: tuple[str, str] | None = None  # where the incident's card lies
    cards: Mapping[int, tuple[str, str]] = field(default_factory=dict)  # of a bundle's incidents


@dataclass(frozen=True, slots=True)
class _Done:
    fate: Fate
    drawn: tuple[int, int, str] | None = None
    place: tuple[str, str] | None = None


_LOST = _Done(Fate("outdated", answer="another process took it over"))


class Delivery:
    """Sends what waits until it is stopped. `nudge` from any thread wakes it at once."""

    def __init__(
        self,
        store: Store,
        ports: Ports,
        *,
        instance: str,
        telemetry: Telemetry,
        public_url: str | None = None,
        signing_key: bytes = b"",
        at_fault_point: Callable[[FaultPoint], None] = ignore,
        now: Callable[[], datetime] = now_utc,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._ports = ports
        self._now = now
        self._seconds = seconds
        self._looked = seconds()
        self._instance = instance
        self._telemetry = telemetry
        self._links = Links(public_url, signing_key)
        self._at = at_fault_point
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._claimed: dict[int, float] = {}
        self._to_slack = 0
        self._asked: list[asyncio.Future[None]] = []
        self._stopping = False

    def nudge(self) -> None:
        """Work may be waiting. Call on the loop."""
        self._wake.set()

    def age(self) -> float:
        """Seconds since the last look for messages."""
        return self._seconds() - self._looked

    async def settled(self, within: float = 5.0) -> bool:
        """Wait until nothing is being sent and nothing can be claimed: False when that takes longer."""
        asked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked.append(asked)
        self._wake.set()
        done, _ = await asyncio.wait({asked}, timeout=within)
        if not done:
            asked.cancel()
        return bool(done)

    async def run(self) -> None:
        """Claim and send until stopped; a claim that fails is tried again at the next tick."""
        while not self._stopping:
            self._looked = self._seconds()
            self._wake.clear()
            asked, self._asked = self._asked, []
            try:
                claimed = await self._claim()
            except Exception as error:  # noqa: BLE001 - guard: one delivery; the database may be away for a while
                self._telemetry.guarded("delivery")
                log.warning("claim_failed", error=str(error)[:300])
                claimed = []
            for row in claimed:
                task = asyncio.create_task(self._carry(row))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            if claimed or self._running:
                self._asked = asked + self._asked
            else:
                _tell(asked)
            if not claimed:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), TICK)
            if not self._asked:  # who waits for us to be done wants nothing to join
                await asyncio.sleep(PAUSE)

    async def stop(self, within: float = 10.0) -> None:
        """Claim nothing more, and let what is in flight end."""
        self._stopping = True
        self._wake.set()
        _tell(self._asked)
        if self._running:
            await asyncio.wait(self._running, timeout=within)

    async def _claim(self) -> list[Row]:
        room = IN_FLIGHT - len(self._running)
        if room <= 0 or self._store.snapshot.held:
            return []
        if not await self._store.view(outbox.has_due):
            return []
        chat = self._ports.chat is not None
        began = time.monotonic()
        slack_room = max(0, SLACK_IN_FLIGHT - self._to_slack)
        rows = await self._store.write(
            claim, self._instance, room, LEASE_FOR, slack_limit=slack_room, chat=chat
        )
        self._claimed.update((row.id, began) for row in rows)
        if rows:
            self._at(FaultPoint.AFTER_CLAIM)
        return rows

    async def _carry(self, row: Row) -> None:
        to_slack = row.destination.startswith(outbox.SLACK)
        self._to_slack += to_slack
        try:
            await self._work(row)
        finally:
            self._to_slack -= to_slack

    async def _work(self, row: Row) -> None:
        try:
            done = await self._send(row)
        except DeliveryError as error:
            done = _Done(_failed(error))
        except Exception as error:  # noqa: BLE001 - guard: one delivery
            self._telemetry.guarded("delivery")
            log.error("delivery_failed", outbox_id=row.id, kind=row.kind, error=str(error)[:500])
            answer = f"{type(error).__name__}: {error}"[:300]
            done = _Done(Fate("failed", answer=answer, permanent=not is_away(error)))
        await self._finish(row, done)

    async def _is_mine(self, row: Row) -> bool:
        """Whether nobody took the message over while this process stood still; asked only when it may have been."""
        if time.monotonic() - self._claimed[row.id] < SURE_FOR_S:
            return True
        return await self._store.view(outbox.holds, row.id, self._instance)

    async def _finish(self, row: Row, done: _Done) -> None:
        """Write the fate; while the database is away it is kept and written when it is back.

        When what should follow from it cannot be written, the fate alone is: else the message would be sent for ever.
        """
        self._at(FaultPoint.BEFORE_FINISH)
        self._claimed.pop(row.id, None)
        given_up_at, refused = time.monotonic() + FINISH_FOR, 0
        while True:
            try:
                if refused < FINISH_TRIES:
                    finished = Finished(row.id, self._instance, done.fate, done.drawn, done.place)
                    weight = self._store.weight_of(FINISHED_TOGETHER)
                    await self._store.share(delivered_all, finished, weight)
                else:
                    await self._store.write(fate_alone, row.id, self._instance, done.fate)
                break
            except Exception as error:  # noqa: BLE001 - guard: one delivery; its lease ends if this never works
                self._telemetry.guarded("delivery")
                log.warning("finish_failed", outbox_id=row.id, error=str(error)[:300])
                if self._stopping or time.monotonic() > given_up_at:
                    return
                refused += not is_away(error)
                await asyncio.sleep(FINISH_EVERY)
        self._count(row, done.fate)
        self._wake.set()

    def _count(self, row: Row, fate: Fate) -> None:
        if row.page_id is None:
            return
        self._telemetry.pages.labels(str(row.payload.get("road", "slack")), fate.outcome).inc()
        if fate.outcome == "sent":
            late = (self._now() - row.next_attempt_at).total_seconds()
            self._telemetry.page_lateness_seconds.observe(max(0.0, late))

    # --- kinds --------------------------------------------------------------------------------------------------

    async def _send(self, row: Row) -> _Done:
        kinds: Mapping[str, Callable[[Row], Awaitable[_Done]]] = {
            "message": self._message,
            "notice": self._notice,
            "loud": self._loud,
            "draft": self._draft,
            "ask_source": self._ask_source,
            "picture": self._look,
            "query": self._look,
        }
        return await kinds[row.kind](row)

    async def _look(self, row: Row) -> _Done:
        look = self._ports.looks.get(row.kind)
        return _Done(await look(row) if look else Fate("skipped", answer="no Prometheus is named"))

    async def _message(self, row: Row) -> _Done:
        message_id = int(row.payload["message_id"])
        prepared = await self._store.view(_prepare_message, row)
        if prepared is None:
            return _Done(
                Fate("outdated", answer="nothing to show"), (message_id, row.generation, "")
            )
        if prepared.thread_ts == "":
            wait = Fate("failed", answer="waits for the card", retry_after=THREAD_WAITS)
            return _Done(wait, (message_id, prepared.generation, ""))
        return await self._post(row, prepared)

    async def _notice(self, row: Row) -> _Done:
        prepared = await self._store.view(_prepare_notice, row)
        if prepared is None:
            return _Done(Fate("outdated", answer="nothing to say any more"))
        return await self._post(row, prepared)

    async def _post(self, row: Row, prepared: _Slack) -> _Done:
        """Draw and put it; what would look the same is not sent."""
        content = self._linked(prepared)
        text, blocks = self._ports.render(content, self._now())
        sha256 = hashlib.sha256(json.dumps([text, blocks]).encode()).hexdigest()
        drawn = None
        if prepared.message_id is not None:
            drawn = (prepared.message_id, prepared.generation, sha256)
        here = (prepared.channel, prepared.ts) if prepared.ts else None
        if prepared.ts is not None and sha256 == prepared.drawn_sha256:
            return _Done(Fate("unchanged", answer="looks the same"), drawn, here)
        if self._ports.chat is None:
            return _Done(Fate("skipped", answer="Slack is not connected"), drawn, here)
        message = ChatMessage(
            key=prepared.key,
            channel=prepared.channel,
            text=text,
            blocks=blocks,
            thread_ts=prepared.thread_ts,
            ts=prepared.ts,
        )
        tried_at = row.first_tried_at if row.attempts > 1 else None
        if not await self._is_mine(row):
            return _LOST
        sent = await self._ports.chat.put(message, first_tried_at=tried_at)
        self._at(FaultPoint.AFTER_SEND)
        place = (sent.channel or prepared.channel, sent.provider_id)
        if sent.answer == "adopted" and drawn is not None:
            drawn = (drawn[0], SHOWS_AN_EARLIER_STATE, "")
        return _Done(_sent(sent, SLACK_PACE), drawn, place)

    async def _loud(self, row: Row) -> _Done:
        page = await self._store.view(loud_page, row, self._links)
        if page is None:
            return _Done(Fate("outdated", answer="the page is gone"))
        if self._ports.pager is None:
            return _Done(Fate("skipped", answer="no road"))
        if not await self._is_mine(row):
            return _LOST
        sent = await self._ports.pager().page(page)
        self._at(FaultPoint.AFTER_SEND)
        return _Done(_sent(sent, timedelta(0)))

    async def _draft(self, row: Row) -> _Done:
        """Ask the model for prose. Whatever goes wrong costs the prose and nothing else."""
        drafter = self._ports.drafter
        if drafter is None:
            return _Done(Fate("skipped", answer="no model is named"))
        draft = await self._store.view(drafts.get, int(row.payload["draft_id"]))
        if draft is None:
            return _Done(Fate("outdated", answer="the draft is gone"))
        disclosure = await self._store.view(views.disclosure, draft.incident_id, drafter.model_name)
        assignment = Assignment(
            parse_record(draft.facts), draft.kind, disclosure, draft.incident_id, draft.id
        )
        prose = await asyncio.to_thread(_written, drafter, assignment)
        kept = await self._store.write(drafting.add_narrative, draft.id, prose)
        answer = f"{kept} of {len(prose.claims)} sentences kept. {prose.missing}".strip()
        return _Done(Fate("sent" if prose.claims else "skipped", answer=answer[:300]))

    async def _ask_source(self, row: Row) -> _Done:
        source, wanted = str(row.payload["source"]), str(row.payload["fingerprint"])
        listed = await self._listed(source, wanted)
        await self._store.write(reconcile.confirmed, int(row.payload["occurrence_id"]), listed)
        answer = {True: "listed", False: "not listed", None: "no answer"}[listed]
        return _Done(Fate("sent", answer=answer))

    async def _listed(self, source: str, fingerprint: str) -> bool | None:
        """Whether any address lists the alert; None when none answered."""
        port, addresses = self._ports.source, self._ports.addresses(source)
        if port is None or not addresses:
            return None
        asked = await asyncio.gather(
            *(asyncio.to_thread(port.list_alerts, address, timeout=3.0) for address in addresses),
            return_exceptions=True,
        )
        lists = [one for one in asked if not isinstance(one, BaseException)]
        if any(alert.fingerprint == fingerprint for one in lists for alert in one.alerts):
            return True
        return False if len(lists) == len(addresses) else None

    def _linked(self, prepared: _Slack) -> Content:
        """The same content with the addresses of its incident: page and card, as far as there are any."""
        content = prepared.content
        link = self._ports.chat_link(*prepared.card) if prepared.card is not None else None
        if isinstance(content, Situation):
            near = [
                replace(one, link=self._ports.chat_link(*one.place)) if one.place else one
                for one in content.beside
            ]
            linked = views.with_links(content, link, self._links.public_url)
            return replace(linked, beside=near)
        if isinstance(content, BundleNotice):
            pages = [self._linked_page(one, prepared.cards) for one in content.pages]
            return replace(content, pages=pages)
        if isinstance(content, PageNotice | RunbookNotice | DraftNotice | UpdateNotice):
            linked = views.with_links(content.situation, link, self._links.public_url)
            return replace(content, situation=linked)
        if isinstance(content, WorkLog):
            url = views.incident_address(self._links.public_url, content.incident_id)
            return replace(content, url=url)
        return content

    def _linked_page(self, notice: PageNotice, cards: Mapping[int, tuple[str, str]]) -> PageNotice:
        card = cards.get(notice.situation.incident_id)
        link = self._ports.chat_link(*card) if card is not None else None
        linked = views.with_links(notice.situation, link, self._links.public_url)
        return replace(notice, situation=linked)


def _written(drafter: Drafter, assignment: Assignment) -> Prose:
    """The prose, with a line of the log about its tokens before and after. Blocking."""
    about = {"incident": assignment.incident_id, "draft": assignment.draft_id}
    log.info("draft_asked", at_most_tokens=drafter.estimate(assignment).tokens, **about)
    prose = drafter.draft(assignment)
    log.info("draft_answered", tokens=prose.used_tokens, missing=prose.missing, **about)
    return prose


def _tell(asked: Sequence[asyncio.Future[None]]) -> None:
    for one in asked:
        if not one.done():
            one.set_result(None)


def _failed(error: DeliveryError) -> Fate:
    after = timedelta(seconds=error.retry_after) if error.retry_after is not None else None
    return Fate(
        "failed",
        answer=str(error)[:300],
        permanent=error.permanent,
        retry_after=after,
        rate_limited=error.rate_limited,
        blame=error.blame,
    )


def _sent(sent: Sent, pace: timedelta) -> Fate:
    return Fate("sent", provider_id=sent.provider_id, answer=sent.answer[:300], pace=pace)


def _prepare_message(reader: Reader, row: Row) -> _Slack | None:
    """What the message must show now; `thread_ts` is empty while its card is not posted."""
    together = outbox.carried(reader, row)
    if len(together) > 1:
        return _prepare_bundle(reader, together)
    message = messages.get(reader, int(row.payload["message_id"]))
    if message is None:
        return None
    content = _content(reader, message)
    if content is None:
        return None
    if isinstance(content, PageNotice) and message.ts is None:
        content = replace(content, late=views.late_by(reader, together))
    thread_ts: str | None = None
    channel = message.channel_id or message.channel
    card = views.thread_of(reader, message.incident_id) if message.incident_id is not None else None
    if message.role not in ("root", "page", "bundle") and message.incident_id is not None:
        channel, thread_ts = card or (channel, "")
    ready = _slack_of(message, bundling.key_of([row]), content, channel, thread_ts)
    return replace(ready, card=card, cards=_cards(reader, content))


def _prepare_bundle(reader: Reader, together: Sequence[Row]) -> _Slack | None:
    """The one message that tells a person of several incidents; None when nobody has to answer any of them."""
    page = runs.page(reader, together[0].page_id)
    message = messages.get(reader, page.bundle_id) if page and page.bundle_id else None
    content = views.bundle_now(reader, together)
    if message is None or content is None:
        return None
    key = bundling.key_of(bundling.members(reader, together[0].bundle_id))
    shown = replace(content, bundle_id=message.id)
    ready = _slack_of(message, key, shown, message.channel, None)
    return replace(ready, cards=_cards(reader, shown))


def _cards(reader: Reader, content: Content) -> dict[int, tuple[str, str]]:
    """Where the cards of a bundle's incidents lie, of those that are posted."""
    if not isinstance(content, BundleNotice):
        return {}
    numbers = [one.situation.incident_id for one in content.pages]
    found = {number: views.thread_of(reader, number) for number in numbers}
    return {number: card for number, card in found.items() if card is not None}


def _slack_of(
    message: Row, key: str, content: Content, channel: str, thread_ts: str | None
) -> _Slack:
    return _Slack(
        key=key,
        content=content,
        channel=channel,
        ts=message.ts,
        thread_ts=thread_ts,
        message_id=message.id,
        generation=message.generation,
        drawn_sha256=message.rendered_sha256,
    )


def _content(reader: Reader, row: Row) -> Content | None:
    if row.role == "page":
        return views.page_notice(reader, row.page_id)
    if row.role == "bundle":
        return views.bundle_of_message(reader, row.id)
    if row.role.startswith(messages.COVER):
        return views.cover_notice(reader, row.role)
    if row.role == "work_log":
        return views.work_log(reader, row.incident_id)
    shown = views.situation(reader, row.incident_id)
    if shown is None or row.role == "root":
        return shown
    if row.role == "runbook":
        if shown.runbook is None:
            said = shown.possible or shown.judged
            return RunbookNotice(shown, None) if said else None
        count, readings = views.checks(reader, row.incident_id)
        return RunbookNotice(shown, shown.runbook, count, readings)
    what, _, which = row.role.partition(":")
    if what == "update":
        return views.update_notice(reader, int(which))
    return views.suggestion(reader, row.incident_id, which)


def _prepare_notice(reader: Reader, row: Row) -> _Slack | None:
    payload: Mapping[str, Any] = row.payload
    channel = str(payload["channel"])
    content: Content | None = None
    if payload["what"] == "text":
        content = TextNotice(str(payload["text"]))
    elif payload["what"] == "test":
        reach = reader.snapshot.reach.get(str(payload["person"]))
        roads = [c.kind for c in reach.contacts] if reach else []
        content = TestNotice(
            reader.snapshot.name(str(payload["person"])), reader.now, ["slack", *roads]
        )
    elif payload["what"] == "hand_off":
        content = views.hand_off(reader, payload)
    return _Slack(row.dedupe_key, content, channel, None, None) if content is not None else None
