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
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from oncall_bot.core import page_words
from oncall_bot.core.ack_links import make_token
from oncall_bot.core.fault_points import FaultPoint, ignore
from oncall_bot.core.records import parse_record
from oncall_bot.core.situation import (
    Content,
    DraftNotice,
    PageNotice,
    RunbookNotice,
    Situation,
    TestNotice,
    TextNotice,
)
from oncall_bot.engine.jobs import now_utc
from oncall_bot.flows import drafting, reconcile
from oncall_bot.flows.delivered import claim_without_chat, delivered
from oncall_bot.ports import (
    AlertSource,
    Chat,
    ChatMessage,
    DeliveryError,
    Drafter,
    LoudPage,
    Pager,
    Render,
    Sent,
)
from oncall_bot.store import drafts, messages, outbox, views
from oncall_bot.store.db import Reader, Store, is_away
from oncall_bot.store.outbox import Fate
from oncall_bot.store.statements import Row
from oncall_bot.telemetry.metrics import Telemetry

log = structlog.get_logger(__name__)

LEASE_FOR = timedelta(seconds=120)
SURE_FOR_S = 2.0
"""So long after a claim nobody can have taken the message over: the owner's sign of life was fresh then."""
IN_FLIGHT = 32
TICK = 0.5
PAUSE = 0.02
"""Between two claims: what is left within it is claimed together."""
SLACK_PACE = timedelta(seconds=1)
FINISH_EVERY, FINISH_FOR, FINISH_TRIES = 0.5, 1800.0, 5
"""Seconds. Until a fate is written no other message goes to its destination: so it is written as soon as it can be."""
THREAD_WAITS = timedelta(seconds=1)
LINK_LASTS = timedelta(hours=24)
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


@dataclass(frozen=True, slots=True)
class _Slack:
    """A Slack message ready to be drawn: what, where, and what was drawn there last."""

    content: Content
    channel: str
    ts: str | None
    thread_ts: str | None
    message_id: int | None = None
    generation: int = 0
    drawn_sha256: str | None = None
    card: tuple[str, str] | None = None  # where the incident's card lies


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
        at_fault_point: Callable[[FaultPoint], None] = ignore,
        now: Callable[[], datetime] = now_utc,
    ) -> None:
        self._store = store
        self._ports = ports
        self._now = now
        self._instance = instance
        self._telemetry = telemetry
        self._public_url = public_url
        self._at = at_fault_point
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._claimed: dict[int, float] = {}
        self._asked: list[asyncio.Future[None]] = []
        self._stopping = False

    def nudge(self) -> None:
        """Work may be waiting. Call on the loop."""
        self._wake.set()

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
            self._wake.clear()
            asked, self._asked = self._asked, []
            try:
                claimed = await self._claim()
            except Exception as error:  # noqa: BLE001 - guard: one delivery; the database may be away for a while
                self._telemetry.guarded("delivery")
                log.warning("claim_failed", error=str(error)[:300])
                claimed = []
            for row in claimed:
                task = asyncio.create_task(self._work(row))
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
        claim = claim_without_chat if self._ports.chat is None else outbox.claim
        began = time.monotonic()
        rows = await self._store.write(claim, self._instance, room, LEASE_FOR)
        self._claimed.update((row.id, began) for row in rows)
        if rows:
            self._at(FaultPoint.AFTER_CLAIM)
        return rows

    async def _work(self, row: Row) -> None:
        try:
            done = await self._send(row)
        except DeliveryError as error:
            done = _Done(_failed(error))
        except Exception as error:  # noqa: BLE001 - guard: one delivery
            self._telemetry.guarded("delivery")
            log.error("delivery_failed", outbox_id=row.id, kind=row.kind, error=str(error)[:500])
            done = _Done(
                Fate("failed", answer=f"{type(error).__name__}: {error}"[:300], permanent=True)
            )
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
                    await self._store.write(
                        delivered,
                        row.id,
                        self._instance,
                        done.fate,
                        drawn=done.drawn,
                        place=done.place,
                    )
                else:
                    await self._store.write(outbox.finish, row.id, self._instance, done.fate)
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
        }
        return await kinds[row.kind](row)

    async def _message(self, row: Row) -> _Done:
        message_id = int(row.payload["message_id"])
        prepared = await self._store.view(_prepare_message, message_id)
        if prepared is None:
            return _Done(
                Fate("outdated", answer="nothing to show"), (message_id, row.generation, "")
            )
        if prepared.thread_ts == "":
            wait = Fate("failed", answer="waits for the card", retry_after=THREAD_WAITS)
            return _Done(wait, (message_id, prepared.generation, ""))
        return await self._post(row, prepared)

    async def _notice(self, row: Row) -> _Done:
        prepared = await self._store.view(_prepare_notice, row.payload)
        if prepared is None:
            return _Done(Fate("outdated", answer="nothing to say any more"))
        return await self._post(row, prepared)

    async def _post(self, row: Row, prepared: _Slack) -> _Done:
        """Draw and put it; what would look the same is not sent."""
        content = self._linked(prepared.content, prepared.card)
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
            key=row.dedupe_key,
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
        page = await self._store.view(_prepare_loud, row, self._public_url)
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
        try:
            claims = await asyncio.to_thread(drafter.draft, parse_record(draft.facts), draft.kind)
        except DeliveryError as error:
            self._telemetry.llm_calls.labels("failed").inc()
            return _Done(Fate("skipped", answer=str(error)[:300]))
        self._telemetry.llm_calls.labels("answered").inc()
        kept = await self._store.write(drafting.add_narrative, draft.id, claims)
        return _Done(Fate("sent", answer=f"{kept} of {len(claims)} sentences kept"))

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

    def _linked(self, content: Content, card: tuple[str, str] | None) -> Content:
        """The same content with the addresses of its incident: page and card, as far as there are any."""
        link = self._ports.chat_link(*card) if card is not None else None
        if isinstance(content, Situation):
            return views.with_links(content, link)
        if isinstance(content, PageNotice | RunbookNotice | DraftNotice):
            linked = views.with_links(content.situation, link)
            return replace(content, situation=linked)
        return content


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
    )


def _sent(sent: Sent, pace: timedelta) -> Fate:
    return Fate("sent", provider_id=sent.provider_id, answer=sent.answer[:300], pace=pace)


def _prepare_message(reader: Reader, message_id: int) -> _Slack | None:
    """What the message must show now; `thread_ts` is empty while its card is not posted."""
    row = messages.get(reader, message_id)
    if row is None:
        return None
    content = _content(reader, row)
    if content is None:
        return None
    thread_ts: str | None = None
    channel = row.channel_id or row.channel
    card = views.thread_of(reader, row.incident_id) if row.incident_id is not None else None
    if row.role not in ("root", "page"):
        channel, thread_ts = card or (channel, "")
    return _Slack(
        content=content,
        channel=channel,
        ts=row.ts,
        thread_ts=thread_ts,
        message_id=row.id,
        generation=row.generation,
        drawn_sha256=row.rendered_sha256,
        card=card,
    )


def _content(reader: Reader, row: Row) -> Content | None:
    if row.role == "page":
        return views.page_notice(reader, row.page_id)
    if row.role == "work_log":
        return views.work_log(reader, row.incident_id)
    shown = views.situation(reader, row.incident_id)
    if shown is None or row.role == "root":
        return shown
    if row.role == "runbook":
        return RunbookNotice(shown, shown.runbook) if shown.runbook else None
    kind = row.role.partition(":")[2]
    text = views.draft(reader, row.incident_id, kind)
    return DraftNotice(shown, kind, text) if text else None


def _prepare_notice(reader: Reader, payload: Mapping[str, Any]) -> _Slack | None:
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
    return _Slack(content, channel, None, None) if content is not None else None


def _prepare_loud(reader: Reader, row: Row, public_url: str | None) -> LoudPage | None:
    payload = row.payload
    title, text, url = payload.get("title"), payload.get("text"), None
    if row.page_id is not None:
        notice = views.page_notice(reader, row.page_id)
        if notice is None:
            return None
        title, text = page_words.title_of(notice), page_words.text_of(notice)
        if public_url and reader.snapshot.signing_key:
            token = make_token(
                reader.snapshot.signing_key,
                row.page_id,
                str(payload.get("contact", "")),
                reader.now + LINK_LASTS,
            )
            url = f"{public_url.rstrip('/')}/ack/{token}"
    return LoudPage(
        key=row.dedupe_key,
        channel=str(payload["road"]),
        address=str(payload["address"]),
        title=str(title),
        text=str(text),
        ack_url=url,
        urgent=bool(payload.get("urgent")),
        first_tried_at=row.first_tried_at if row.attempts > 1 else None,
    )
