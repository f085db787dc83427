"""Text messages and calls by Twilio, or by a server that speaks its API (2010-04-01).

Knows how a message and a call are asked for, what a refusal means, and how what Twilio posts back is signed and read.
Refuses to know what an answer does (flows.phone_answers) and routes (web). Serves `roads` and `callbacks` of this room.

Quirks, with their source (twilio.com/docs unless said otherwise):
- No idempotency key: "messaging/api/message-resource" has none. After a try that may have gone through, the list of
  messages to that number is searched for the reply code; calls cannot be told apart, so a call is repeated.
- A call is "answered" when a voicemail picks up ("What do the call statuses mean"): only a key pressed counts.
- Callbacks come in any order and may repeat ("messaging/guides/track-outbound-message-status").
- Its error codes change ("Updates to the error code dictionary", July 2024: do not base logic on them): those that
  name a bad number only set a road aside, never take the last one that can wake.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit
from xml.sax.saxutils import escape, quoteattr

import httpx2
import structlog

from oncall_bot.core import phone_numbers
from oncall_bot.core.replies import KEYS, TEXT_MAX, Verb
from oncall_bot.paging.addresses import TO, Address
from oncall_bot.paging.answers import WHOLE_EXCHANGE_SECONDS, Answer, exchange, refused
from oncall_bot.paging.words import MAX_TEXT, spoken_of, text_of, title_of
from oncall_bot.ports import Blame, DeliveryError, LoudPage, Sent

log = structlog.get_logger(__name__)

SCHEMES: Final = frozenset({"twilio", "twilio+http", "twilio+https"})
CLOUD: Final = "https://api.twilio.com"
RING_SECONDS: Final = 45
"""Shorter than most voicemails wait, which would "answer" and end the ringing."""
LISTEN_SECONDS: Final = 12
LOOKUP_SECONDS: Final = 4.0
LOOKUP_BYTES: Final = 262_144
TWIML_MAX: Final = 4_000  # of the parameter Twiml ("voice/api/call-resource")
BAD_NUMBER: Final = frozenset({21211, 21610, 21614, 13223, 13224, 30005, 30006})
"""Invalid, opted out, no mobile, unknown, landline: the number will not work until its owner does something."""
_KEY_FOR: Final = {verb: key for key, verb in KEYS.items()}


@dataclass(frozen=True, slots=True)
class Account:
    """Who calls: where the API is, the account, its token, our own number, and whether we call or text."""

    api: str
    sid: str
    token: str
    number: str
    calls: bool


class TwilioPager:
    """One road of this brand.

    Its address: `twilio://SID:TOKEN@+15005550006/{to}`, with `?method=call` for calls; for another server
    `twilio+https://SID:TOKEN@host/+15005550006/{to}`.
    """

    def __init__(
        self,
        address: Address,
        client: httpx2.AsyncClient,
        whole_seconds: float = WHOLE_EXCHANGE_SECONDS,
    ) -> None:
        self._address = address
        self._client = client
        self._whole_seconds = whole_seconds

    async def page(self, page: LoudPage) -> Sent:
        account = account_of(page.channel, self._address.template())
        to = phone_numbers.normal(page.address)
        if to is None:
            raise DeliveryError(
                f"The address for {page.channel} is no telephone number with its country code.",
                permanent=True,
                blame=Blame.ADDRESS,
            )
        if account.calls:
            return await self._ask(page, account, "Calls", _call(page, account, to))
        if page.first_tried_at is not None:
            found = await self._sent_before(page, account, to)
            if found is not None:
                return Sent(found, channel=page.channel, answer="adopted")
        return await self._ask(page, account, "Messages", _message(page, account, to))

    async def _ask(
        self, page: LoudPage, account: Account, what: str, form: Sequence[tuple[str, str]]
    ) -> Sent:
        answer = await self._exchange(page.channel, account, "POST", what, form)
        sid = answer.field("sid")
        return Sent(sid or page.key, channel=page.channel, answer=answer.field("status") or "taken")

    async def _exchange(
        self, road: str, account: Account, method: str, what: str, form: Sequence[tuple[str, str]]
    ) -> Answer:
        url = f"{account.api}/2010-04-01/Accounts/{quote(account.sid, safe='')}/{what}.json"
        posted = method == "POST"
        return await exchange(
            self._client,
            road,
            method,
            url if posted else f"{url}?{urlencode(form)}",
            headers={"Content-Type": "application/x-www-form-urlencoded"} if posted else {},
            login=(account.sid, account.token),
            content=urlencode(form).encode() if posted else None,
            whole_seconds=self._whole_seconds if posted else LOOKUP_SECONDS,
            **({} if posted else {"most_bytes": LOOKUP_BYTES}),
            means=_meaning,
        )

    async def _sent_before(self, page: LoudPage, account: Account, to: str) -> str | None:
        """The message with this page's code, when an earlier try went through. No answer is no reason to hold back."""
        if page.reply_code is None or page.first_tried_at is None:
            return None
        day = page.first_tried_at.astimezone(UTC).date().isoformat()
        asked = [("To", to), ("From", account.number), ("DateSent>", day), ("PageSize", "50")]
        try:
            answer = await self._exchange(page.channel, account, "GET", "Messages", asked)
        except DeliveryError as error:
            log.warning("twilio_lookup_failed", key=page.key, error=str(error)[:200])
            return None
        return _holding(answer.body, offer(page.reply_code))


def account_of(road: str, template: str) -> Account:
    """The parts of the road's address, or a DeliveryError that says which is missing."""
    parts = urlsplit(template)
    scheme, _, transport = parts.scheme.casefold().partition("+")
    path = [unquote(one) for one in parts.path.strip("/").split("/") if one and one != TO]
    host = parts.netloc.rpartition("@")[2]
    if transport:
        api, number = f"{transport}://{host}", path[0] if path else ""
    else:
        api, number = CLOUD, unquote(host)
    ours = phone_numbers.normal(number if number.startswith("+") else f"+{number}")
    sid, token = unquote(parts.username or ""), unquote(parts.password or "")
    if scheme != "twilio" or not sid or not token or ours is None:
        raise DeliveryError(
            f"The road {road} wants twilio://ACCOUNT:TOKEN@NUMBER/{{to}}, its own number with country code.",
            permanent=True,
            blame=Blame.ROAD,
        )
    method = dict(parse_qsl(parts.query)).get("method", "sms").casefold()
    return Account(api, sid, token, ours, calls=method.startswith("c"))


def _message(page: LoudPage, account: Account, to: str) -> list[tuple[str, str]]:
    form = [("To", to), ("From", account.number), ("Body", body_of(page))]
    if page.receipt_url:
        form.append(("StatusCallback", page.receipt_url))
    return form


def body_of(page: LoudPage) -> str:
    """The words of the text message: what is wrong, how to answer, the link; cut before those two, never in them."""
    tail = [offer(page.reply_code)] if page.reply_code else []
    tail += [page.ack_url] if page.ack_url else []
    ending = "".join(f"\n{line}" for line in tail)
    words = f"{title_of(page)}\n{text_of(page)}"
    room = min(TEXT_MAX - len(ending), MAX_TEXT)
    return (words if len(words) <= room else f"{words[: room - 1].rstrip()}…") + ending


def offer(code: str) -> str:
    """How to answer by text; the same words each time, so that a message can be found by them."""
    return f"Reply A{code} I have it, E{code} next person, R{code} resolved"


def _call(page: LoudPage, account: Account, to: str) -> list[tuple[str, str]]:
    form = [
        ("To", to),
        ("From", account.number),
        ("Twiml", _spoken(page)),
        ("Timeout", str(RING_SECONDS)),
    ]
    if page.receipt_url:
        form.append(("StatusCallback", page.receipt_url))
        form += [
            ("StatusCallbackEvent", event)
            for event in ("initiated", "ringing", "answered", "completed")
        ]
    return form


def _spoken(page: LoudPage) -> str:
    """What the voice reads; without an address to send a key to it says where to answer."""
    words = spoken_of(page)
    if page.keys_url is None:
        return twiml([f"{words} Answer in Slack.", words])
    for room in (len(words), 900, 400):
        read = asks_for_a_key(words[:room], page.keys_url)
        if len(read) <= TWIML_MAX:
            return read
    return asks_for_a_key(words[:200], page.keys_url)


def asks_for_a_key(words: str, keys_url: str) -> str:
    """Read the words, say what each key does, wait for one; all of it twice."""
    keys = (
        f"Press {_KEY_FOR[Verb.ACKNOWLEDGE]} to take it, {_KEY_FOR[Verb.ESCALATE]} for the next person,"
        f" {_KEY_FOR[Verb.RESOLVE]} if it is resolved, star to hear it again."
    )
    said = f"<Say>{_xml(words)} {keys}</Say>"
    gather = (
        f'<Gather input="dtmf" numDigits="1" timeout="{LISTEN_SECONDS}" method="POST"'
        f' action={quoteattr(keys_url)}>{said}<Pause length="1"/>{said}</Gather>'
    )
    rest = "<Say>No key was pressed. The page goes on.</Say>"
    return f"<Response>{gather}{rest}</Response>"


def twiml(sentences: Sequence[str]) -> str:
    """Read these and hang up."""
    return f"<Response>{''.join(f'<Say>{_xml(one)}</Say>' for one in sentences)}</Response>"


def text_back(words: str | None) -> str:
    """The answer to a text message; None answers nothing."""
    said = f"<Message>{_xml(words[:TEXT_MAX])}</Message>" if words else ""
    return f"<Response>{said}</Response>"


def _xml(text: str) -> str:
    return escape("".join(c for c in text if c.isprintable() or c == "\n"))


def _meaning(road: str, answer: Answer, retry_after: str | None) -> DeliveryError:
    """What a refusal means: by its code where that names a bad number, else by the status alone."""
    code = _code(answer.body)
    if code in BAD_NUMBER:
        return DeliveryError(
            f"{road} says that this number cannot be reached ({code}: {WHY[code]}).",
            permanent=True,
            blame=Blame.ADDRESS,
        )
    error = refused(road, answer.status, retry_after)
    if code is None:
        return error
    return DeliveryError(
        f"{str(error).rstrip('.')} (code {code}).",
        permanent=error.permanent,
        retry_after=error.retry_after,
        rate_limited=error.rate_limited,
    )


WHY: Final[Mapping[int, str]] = {
    21211: "it is no valid number",
    21610: "its owner texted STOP; START takes that back",
    21614: "it takes no text messages",
    13223: "it is no valid number",
    13224: "it is no valid number",
    30003: "the phone is off or out of reach",
    30004: "its owner or carrier blocks us",
    30005: "the number is unknown",
    30006: "it is a landline or its carrier cannot be reached",
    30007: "the carrier filtered it",
    30008: "the carrier does not say why",
}
"""In our words; the codes are those of Twilio's error dictionary."""


def _code(body: bytes) -> int | None:
    try:
        content: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    code = content.get("code") if isinstance(content, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _holding(body: bytes, words: str) -> str | None:
    try:
        content: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    messages = content.get("messages") if isinstance(content, dict) else None
    for one in messages if isinstance(messages, list) else ():
        failed = isinstance(one, dict) and one.get("status") in {"failed", "undelivered"}
        if isinstance(one, dict) and not failed and words in str(one.get("body", "")):
            return str(one.get("sid") or "")[:200] or None
    return None


# --- what is posted back ------------------------------------------------------------------------------------------


def is_genuine(token: str, url: str, form: Sequence[tuple[str, str]], signature: str) -> bool:
    """Whether Twilio signed this post ("usage/webhooks/webhooks-security").

    Base64 of HMAC-SHA1 with the account's token over the address as it was called and every parameter, sorted. The port
    of the address is with it or not, so both are tried.
    """
    values: dict[str, set[str]] = {}
    for name, value in form:
        values.setdefault(name, set()).add(value)
    tail = "".join(name + value for name in sorted(values) for value in sorted(values[name]))
    given = signature.encode("utf-8", "replace")
    found = [hmac.compare_digest(_signed(token, one + tail), given) for one in _spellings(url)]
    return any(found)


def _signed(token: str, text: str) -> bytes:
    mac = hmac.new(token.encode(), text.encode("utf-8", "replace"), hashlib.sha1)
    return base64.b64encode(mac.digest())


def _spellings(url: str) -> tuple[str, ...]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = {"https": 443, "http": 80}.get(parts.scheme)
    if parts.port is not None:
        return url, parts._replace(netloc=host).geturl()
    return (url, parts._replace(netloc=f"{host}:{port}").geturl()) if port else (url,)


@dataclass(frozen=True, slots=True)
class Told:
    """What a status callback says: of which message, what happened to it, and why not."""

    sid: str
    state: str
    why: str | None = None
    bad_number: bool = False


_STATES: Final[Mapping[str, str]] = {
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "ringing": "rang",
    "in-progress": "picked up",
    "answered": "picked up",
    "busy": "missed",
    "no-answer": "missed",
    "canceled": "failed",
}
_MISSED: Final = {"busy": "the line was busy", "no-answer": "nobody picked up"}


def told(form: Mapping[str, str]) -> Told | None:
    """The callback in our words; None for a state that says nothing new (queued, sent, completed)."""
    said = (form.get("MessageStatus") or form.get("CallStatus") or "").casefold()
    state = _STATES.get(said)
    sid = form.get("MessageSid") or form.get("CallSid") or ""
    if state is None or not sid.isalnum() or len(sid) > 64:
        return None
    given = form.get("ErrorCode", "")
    code = int(given) if given.isascii() and given.isdigit() and len(given) < 8 else None
    why = _MISSED.get(said) or (_why(code) if state == "failed" else None)
    return Told(sid, state, why, bad_number=state == "failed" and code in BAD_NUMBER)


def _why(code: int | None) -> str:
    if code is None:
        return "the provider does not say why"
    return f"{WHY.get(code, 'the provider gave it up')} ({code})"
