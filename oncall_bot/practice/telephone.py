"""The telephone network of the practice: text messages and calls, asked for as Twilio's API has them (2010-04-01).

Knows how a message and a call are ordered, what is posted back while they go their way, and how that is signed. Refuses
to know who orders them. Serves the practice phones, where they ring, and tests. Nothing but loopback is ever called.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
from aiohttp import web

from oncall_bot.practice.phone import LOOPBACK, Action, NotPressed, Phones

ACCOUNT, TOKEN, NUMBER = "ACpractice", "practice-token", "+15005550006"
ANSWER_WITHIN = aiohttp.ClientTimeout(total=15)  # as long as Twilio waits
BODY_MAX = 64 * 1024
KEEP_MAX = 500
BEFORE_AN_ANSWER = ("queued", "initiated", "ringing")
_OFFER = re.compile(r"\b([AER])([0-9]{4}) ([^,\n]+)")
_KEY = re.compile(r"[Pp]ress ([0-9]) ([^,.]+)|([0-9]) (for the next person|if it is resolved)")


@dataclass(slots=True)
class Line:
    """One message or call: what was ordered, and where its receipts and keys go."""

    sid: str
    to: str
    form: Mapping[str, str]
    status: str = "queued"
    gather: str = ""
    heard: list[str] = field(default_factory=list)

    @property
    def is_call(self) -> bool:
        return self.sid.startswith("CA")


class TelephoneNetwork:
    """Takes orders on `app()`, lets the phones ring, and posts back what people do.

    `text_url` is where text messages to `number` are handed on, as it would be set in Twilio's console. `refuse` maps
    a number to the code its orders are refused with, `undelivered` to the code told afterwards; `silent`: no receipts.
    """

    def __init__(
        self,
        phones: Phones,
        *,
        wait: Callable[[float], Awaitable[object]] = asyncio.sleep,
        number: str = NUMBER,
    ) -> None:
        self._phones = phones
        self._wait = wait
        self.number = number
        self.text_url: Callable[[], str | None] = lambda: None
        self.refuse: dict[str, int] = {}
        self.undelivered: dict[str, int] = {}
        self.silent = False
        self.lines: dict[str, Line] = {}
        self._rang: dict[str, Line] = {}
        self._answers: dict[str, str] = {}
        self._count = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        phones.answer = self.answer

    def reset(self) -> None:
        self.lines.clear()
        self._rang.clear()
        self.refuse.clear()
        self.undelivered.clear()
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        self.reset()
        for task in list(self._tasks):
            with suppress(asyncio.CancelledError):
                await task

    # --- orders ---------------------------------------------------------------------------------------------------

    def add_routes(self, app: web.Application) -> None:
        base = "/2010-04-01/Accounts/{account}"
        app.router.add_post(f"{base}/Messages.json", self._message)
        app.router.add_get(f"{base}/Messages.json", self._messages)
        app.router.add_post(f"{base}/Calls.json", self._call)

    async def _message(self, request: web.Request) -> web.Response:
        return await self._order(request, "SM", ("To", "From", "Body"))

    async def _call(self, request: web.Request) -> web.Response:
        return await self._order(request, "CA", ("To", "From", "Twiml"))

    async def _order(self, request: web.Request, kind: str, needed: Sequence[str]) -> web.Response:
        if not _is_ours(request):
            return _problem(401, 20003, "Authenticate")
        if self._phones.down:
            return _problem(503, 20503, "The telephone network is down (practice).")
        pairs = parse_qsl(await request.text(), keep_blank_values=True)
        form = dict(pairs)
        if missing := [name for name in needed if not form.get(name)]:
            return _problem(400, 21604, f"The parameter {missing[0]} is required.")
        if re.fullmatch(r"\+[1-9][0-9]{6,14}", form["To"]) is None:
            return _problem(400, 21211, "The 'To' number is not a valid phone number.")
        if len(form.get("Body", "")) > 1600:
            return _problem(400, 21617, "The message body exceeds 1600 characters.")
        if code := self.refuse.get(form["To"]):
            return _problem(400, code, "refused (practice)")
        line = Line(f"{kind}{next(self._count):032x}", form["To"], form)
        self._keep(line)
        self._ring(line)
        self._soon(self._goes_its_way(line))
        return web.json_response({"sid": line.sid, "status": "queued", "to": line.to}, status=201)

    async def _messages(self, request: web.Request) -> web.Response:
        """The list one looks through after a try that may have gone through."""
        if not _is_ours(request):
            return _problem(401, 20003, "Authenticate")
        to = request.query.get("To")
        found = [
            {"sid": one.sid, "to": one.to, "status": one.status, "body": one.form.get("Body")}
            for one in reversed(self.lines.values())
            if not one.is_call and to in (None, one.to)
        ]
        return web.json_response({"messages": found[: int(request.query.get("PageSize", 50))]})

    def _keep(self, line: Line) -> None:
        self.lines[line.sid] = line
        while len(self.lines) > KEEP_MAX:
            del self.lines[next(iter(self.lines))]

    def _ring(self, line: Line) -> None:
        if line.is_call:
            words, line.gather = _read(line.form["Twiml"])
            keys = dict(_keys(words)) if line.gather else {}
            title, message = "Incoming call", words
            actions = [_press(f"{key}  {label}", "key", key) for key, label in keys.items()]
        else:
            title, _, message = line.form["Body"].partition("\n")
            actions = [
                _press(label.strip(), "reply", f"{verb}{code}")
                for verb, code, label in _OFFER.findall(line.form["Body"])
            ]
        given = {"topic": line.to, "title": title, "message": message, "actions": actions}
        ring = self._phones.take({**given, "priority": 5 if line.is_call else 4}, line.sid)
        self._rang[ring.id] = line

    # --- what becomes of them -------------------------------------------------------------------------------------

    async def _goes_its_way(self, line: Line) -> None:
        code = self.undelivered.get(line.to)
        if not line.is_call:
            await self._receipt(line, "sent")
            if code:
                await self._receipt(line, "undelivered", ErrorCode=str(code))
            else:
                await self._receipt(line, "delivered")
            return
        await self._receipt(line, "initiated")
        if code:
            await self._receipt(line, "failed", ErrorCode=str(code))
            return
        if line.status != "initiated":
            return  # somebody was quick
        await self._receipt(line, "ringing")
        await self._wait(float(line.form.get("Timeout", "60")))
        if line.status == "ringing":
            self._phones.over(line.sid, line.to, "missed")
            await self._receipt(line, "no-answer")

    async def _receipt(self, line: Line, status: str, **more: str) -> None:
        line.status = status
        url = line.form.get("StatusCallback")
        if url is None or self.silent:
            return
        names = ("CallSid", "CallStatus") if line.is_call else ("MessageSid", "MessageStatus")
        form = {names[0]: line.sid, names[1]: status, "To": line.to, "From": self.number, **more}
        with suppress(NotPressed):
            await self.post(url, form)

    async def answer(self, ring_id: str, action: Action) -> str:
        """Press a key during the call, or send the reply; what the other side said to it."""
        line = self._rang.get(ring_id)
        if line is None:
            raise NotPressed("That line is gone.")
        if action.kind == "reply":
            return await self.text(line.to, action.body or "")
        return await self.press_key(line, action.body or "")

    async def text(self, number: str, words: str) -> str:
        """Somebody texts our number; the words that come back."""
        url = self.text_url()
        if url is None:
            raise NotPressed("Nobody takes text messages at that number.")
        sid = f"SM{next(self._count):032x}"
        form = {"MessageSid": sid, "From": number, "To": self.number, "Body": words}
        status, body = await self.post(url, form)
        if status != 200:
            raise NotPressed(f"The text message was refused ({status}).")
        return _read(body)[0]

    async def press_key(self, line: Line, key: str) -> str:
        """Pick up, if it still rings, and press a key; what the voice says then."""
        if line.status not in (*BEFORE_AN_ANSWER, "in-progress") or not line.gather:
            raise NotPressed("That call is over.")
        if line.status in BEFORE_AN_ANSWER:
            await self._receipt(line, "in-progress")
        status, body = await self.post(line.gather, {"CallSid": line.sid, "Digits": key})
        if status != 200:
            raise NotPressed(f"The key was refused ({status}).")
        words, line.gather = _read(body)
        line.heard.append(words)
        if not line.gather:
            await self._receipt(line, "completed")
        return words

    async def post(
        self, url: str, form: Mapping[str, str], *, signature: str | None = None
    ) -> tuple[int, str]:
        """Post a signed form to somebody on this machine; status and body of the answer."""
        if urlsplit(url).hostname not in LOOPBACK:
            raise NotPressed("The practice calls nobody outside this machine.")
        headers = {"X-Twilio-Signature": signature or sign(TOKEN, url, form)}
        try:
            async with (
                aiohttp.ClientSession(timeout=ANSWER_WITHIN, trust_env=False) as session,
                session.post(
                    url, data=dict(form), headers=headers, allow_redirects=False
                ) as answer,
            ):
                return answer.status, await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NotPressed(f"Nobody answered ({type(error).__name__}).") from None

    def _soon(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def sign(token: str, url: str, form: Mapping[str, str]) -> str:
    """The signature of a post, as "usage/webhooks/webhooks-security" at twilio.com/docs has it."""
    text = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def _is_ours(request: web.Request) -> bool:
    wanted = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    given = request.headers.get("Authorization", "")
    return request.match_info["account"] == ACCOUNT and hmac.compare_digest(given, wanted)


def _problem(status: int, code: int, message: str) -> web.Response:
    return web.json_response({"code": code, "message": message, "status": status}, status=status)


def _press(label: str, kind: str, body: str) -> dict[str, Any]:
    return {"label": label, "action": kind, "body": body, "url": ""}


def _read(twiml: str) -> tuple[str, str]:
    """The sentences that are said, each once, and where a key goes; without a key what comes first is all there is."""
    found = _Twiml()
    found.feed(twiml)
    found.close()
    return " ".join(dict.fromkeys(found.said)), found.gather


class _Twiml(HTMLParser):
    """Say, Message and Gather; everything else of TwiML is passed over."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.gather = ""
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._within.append(tag)
        if tag == "gather":
            self.gather = dict(attrs).get("action") or ""

    def handle_endtag(self, tag: str) -> None:
        if self._within and self._within[-1] == tag:
            self._within.pop()

    def handle_data(self, data: str) -> None:
        speaks = {"say", "message"} & set(self._within)
        if speaks and (not self.gather or "gather" in self._within):
            self.said.append(data)


def _keys(words: str) -> list[tuple[str, str]]:
    found = []
    for key, label, other, meaning in _KEY.findall(words):
        found.append((key or other, (label or meaning).strip()))
    return found
