"""What telephone providers post to us: a text somebody sent, a key somebody pressed, what became of a message.

Knows that each post is signed with the token of the road it names, over the address as people outside call it. Refuses
to know HTTP servers (web hands over what was posted) and what an answer does (flows). Serves `web.phone`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Concatenate, Final, ParamSpec, TypeVar

import structlog

from oncall_bot.core import phone_numbers
from oncall_bot.core.config import Channel
from oncall_bot.core.errors import OncallError
from oncall_bot.flows.phone_answers import Spoken, answer_by_key, answer_by_text
from oncall_bot.flows.receipts import take_receipt
from oncall_bot.paging import twilio
from oncall_bot.paging.addresses import Address
from oncall_bot.paging.roads import read_secret_file
from oncall_bot.ports import DeliveryError, Posted, Returned
from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Tx

log = structlog.get_logger(__name__)

BEGIN_WITHIN_SECONDS: Final = 5.0  # Twilio waits 15 s for an answer
ROW_DIGITS_MAX: Final = 18
NO_ROAD: Final = Returned(404, "There is no such road.\n")
FORGED: Final = Returned(403, "The signature does not fit.\n")
BUSY: Final = "That was not stored: the database is busy. Answer again, or in Slack."

P = ParamSpec("P")
T = TypeVar("T")
Answer = Callable[[twilio.Account, str, str, Posted], Awaitable[Returned]]


class Callbacks:
    """The doors of one installation. Nothing is done for a post whose signature does not fit its road."""

    def __init__(
        self,
        store: Store,
        *,
        secret: Callable[[], bytes],
        public_url: str | None,
        read_file: Callable[[str], str] = read_secret_file,
        begin_within: float = BEGIN_WITHIN_SECONDS,
    ) -> None:
        self._store = store
        self._secret = secret
        self._public_url = (public_url or "").rstrip("/")
        self._read_file = read_file
        self._begin_within = begin_within
        self._doors: Mapping[str, Answer] = {
            "text": self._text,
            "key": self._key,
            "receipt": self._receipt,
        }

    async def take(self, road: str, what: str, about: str, posted: Posted) -> Returned:
        """Answer a post. `what`: text, key or receipt; `about`: the call's key or the message's number."""
        account, door = self._account(road), self._doors.get(what)
        if account is None or door is None or not self._public_url:
            return NO_ROAD
        url = f"{self._public_url}{posted.address}"
        if not twilio.is_genuine(account.token, url, posted.form, posted.signature):
            log.warning("callback_forged", road=road, what=what)
            return FORGED
        return await door(account, road, about, posted)

    def _account(self, road: str) -> twilio.Account | None:
        return self._account_of(self._store.snapshot.config.channels.get(road))

    def _account_of(self, channel: Channel | None) -> twilio.Account | None:
        if channel is None:
            return None
        try:
            template = Address(channel, self._read_file).template()
            return twilio.account_of(channel.key, template)
        except DeliveryError:
            return None

    def _roads_of(self, number: str) -> list[str]:
        """The roads that text from this number of ours: an answer may be to any of them."""
        channels = self._store.snapshot.config.channels
        found = {key: self._account_of(channel) for key, channel in channels.items()}
        return [key for key, one in found.items() if one and not one.calls and one.number == number]

    async def _text(
        self, account: twilio.Account, road: str, about: str, posted: Posted
    ) -> Returned:
        form = posted.fields
        number, sid = phone_numbers.normal(form.get("From", "")), form.get("MessageSid", "")
        if number is None or not sid.isalnum() or len(sid) > 64:
            return _xml(twilio.text_back(None))
        roads, words = self._roads_of(account.number), form.get("Body", "")
        try:
            said = await self._stored(answer_by_text, self._secret(), roads, number, words, sid)
        except OncallError:
            said = BUSY
        return _xml(twilio.text_back(said))

    async def _key(
        self, account: twilio.Account, road: str, about: str, posted: Posted
    ) -> Returned:
        form = posted.fields
        sid = form.get("CallSid", "")
        if not sid.isalnum() or len(sid) > 64:
            return _xml(twilio.twiml(["That was not understood. Answer in Slack."]))
        key = form.get("Digits", "")[:8]
        try:
            said = await self._stored(answer_by_key, self._secret(), about, key, sid)
        except OncallError:
            said = Spoken(BUSY, again=True)
        if not said.again:
            return _xml(twilio.twiml([said.words]))
        url = f"{self._public_url}{posted.address}"
        return _xml(twilio.asks_for_a_key(said.words, url))

    async def _stored(
        self, flow: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """What the flow says; that nothing was stored is logged, for nobody posts an answer twice by itself."""
        try:
            return await self._store.press(self._begin_within, flow, *args, **kwargs)
        except OncallError as error:
            log.warning("phone_answer_not_stored", why=str(error)[:200])
            raise

    async def _receipt(
        self, account: twilio.Account, road: str, about: str, posted: Posted
    ) -> Returned:
        told = twilio.told(posted.fields)
        if (
            told is not None
            and about.isascii()
            and about.isdigit()
            and len(about) <= ROW_DIGITS_MAX
        ):
            await self._store.write(
                take_receipt,
                int(about),
                told.sid,
                told.state,
                told.why,
                bad_address=told.bad_number,
            )
        return Returned(204)


def _xml(text: str) -> Returned:
    return Returned(200, f'<?xml version="1.0" encoding="UTF-8"?>{text}', "text/xml")
