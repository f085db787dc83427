"""Pages as ntfy messages:

`ntfys://ntfy.example.com/{to}`, with an Acknowledge button on the lock screen.

Knows ntfy's JSON publishing (https://docs.ntfy.sh/publish/#publish-as-json), its limits, and how to
ask a topic what it still holds (https://docs.ntfy.sh/subscribe/api/#poll-for-messages): a retry looks
there first, so that a crash does not ring twice. Apprise can send to ntfy too but gives back no
message id and no reason for a refusal; that is why this is our own. Serves `paging.roads`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx2
import re2
import structlog

from oncall_bot.paging.addresses import TO, Address, checked_to, without_login
from oncall_bot.paging.answers import WHOLE_EXCHANGE_SECONDS, exchange
from oncall_bot.paging.words import text_of, title_of
from oncall_bot.ports import Blame, DeliveryError, LoudPage, Sent

log = structlog.get_logger(__name__)

SCHEMES: Final = frozenset({"ntfy", "ntfys"})
CLOUD: Final = "https://ntfy.sh"
PRIORITIES: Final = {
    "min": 1,
    "low": 2,
    "default": 3,
    "normal": 3,
    "high": 4,
    "max": 5,
    "urgent": 5,
}
URGENT: Final = 5
NORMAL: Final = 3
MAX_MESSAGE_BYTES: Final = 3_500  # ntfy turns a message over 4,096 bytes into an attachment
LOOKUP_SECONDS: Final = 3.0
LOOKUP_BYTES: Final = 262_144
LOOKUP_EARLIER: Final = timedelta(seconds=90)  # the server's clock and ours need not agree
_TOPIC = re2.compile(r"^[-_A-Za-z0-9]{1,64}$")


class NtfyPager:
    """One road of this brand.

    Parameters of the address: `priority` (of urgent pages, default max), `auth=token` or a user
    `tk_...` for an access token, else user and password.
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
        base, topic, options = self._where(page)
        if not _TOPIC.match(topic):
            raise DeliveryError(
                f"The ntfy topic for {page.channel} is not a topic name.",
                permanent=True,
                blame=Blame.ADDRESS,
            )
        url, user, password = without_login(base)
        headers = {"Content-Type": "application/json", "Idempotency-Key": page.key}
        token = _access_token(user, password, options)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        login = None if token or not user else (unquote(user), unquote(password or ""))
        if page.first_tried_at is not None:
            found = await self._sent_before(page, f"{url}{topic}/json", headers, login)
            if found is not None:
                return Sent(found, channel=page.channel, answer="adopted")
        answer = await exchange(
            self._client,
            page.channel,
            "POST",
            url,
            headers=headers,
            login=login,
            content=json.dumps(_message(page, topic, options), ensure_ascii=False).encode(),
            whole_seconds=self._whole_seconds,
        )
        return Sent(answer.field("id") or page.key, channel=page.channel, answer=str(answer.status))

    async def _sent_before(
        self,
        page: LoudPage,
        url: str,
        headers: Mapping[str, str],
        login: tuple[str, str] | None,
    ) -> str | None:
        """The id of the message that carries this key, when the topic still holds one.

        A server that does not let us read is no reason to keep the page back: a doubled page beats none.
        """
        assert page.first_tried_at is not None
        since = int((page.first_tried_at - LOOKUP_EARLIER).timestamp())
        try:
            answer = await exchange(
                self._client,
                page.channel,
                "GET",
                f"{url}?poll=1&since={since}",
                headers={name: headers[name] for name in headers if name == "Authorization"},
                login=login,
                whole_seconds=LOOKUP_SECONDS,
                most_bytes=LOOKUP_BYTES,
            )
        except DeliveryError as error:
            log.warning("ntfy_lookup_failed", key=page.key, error=str(error)[:200])
            return None
        return _holding(answer.body, page.key)

    def _where(self, page: LoudPage) -> tuple[str, str, Mapping[str, str]]:
        """Server, topic, parameters.

        `ntfy://{to}` and `ntfys://{to}` alone mean the topic at ntfy.sh.
        """
        template = self._address.template()
        scheme, _, rest = template.partition("://")
        options = dict(parse_qsl(urlsplit(template).query))
        authority, _, path = rest.partition("?")[0].rstrip("/").partition("/")
        if not path:
            topic = checked_to(page.channel, page.address) if authority == TO else authority
            return CLOUD, topic, options
        filled = urlsplit(self._address.filled(page.address))
        server = f"{'https' if scheme.casefold() == 'ntfys' else 'http'}://{filled.netloc}/"
        folder, _, topic = filled.path.strip("/").rpartition("/")
        return server + (f"{folder}/" if folder else ""), unquote(topic), options


def _access_token(user: str | None, password: str | None, options: Mapping[str, str]) -> str | None:
    if options.get("token"):
        return options["token"]
    login = unquote(password or user or "")
    return login if login.startswith("tk_") or options.get("auth") == "token" else None


def _holding(lines: bytes, key: str) -> str | None:
    """The id of the first message among these lines of JSON that ends with the reference."""
    for line in lines.splitlines():
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(said, dict) and str(said.get("message", "")).endswith(_reference(key)):
            return str(said.get("id") or key)[:200]
    return None


def _reference(key: str) -> str:
    return f"\n\nRef {key}"


def _message(page: LoudPage, topic: str, options: Mapping[str, str]) -> dict[str, object]:
    wanted = options.get("priority", "max")
    urgent = PRIORITIES.get(wanted.casefold()) or (
        int(wanted) if wanted in {"1", "2", "3", "4", "5"} else URGENT
    )
    message: dict[str, object] = {
        "topic": topic,
        "title": title_of(page),
        "message": _fitting(text_of(page), _reference(page.key)),
        "priority": urgent if page.urgent else min(urgent, NORMAL),
        # the same page sent again replaces itself (ntfy 2.16; older servers ignore the field)
        "sequence_id": hashlib.sha256(page.key.encode()).hexdigest()[:32],
    }
    if page.ack_url:
        message["click"] = page.ack_url
        message["actions"] = [
            {
                "action": "http",
                "label": "Acknowledge",
                "method": "POST",
                "url": page.ack_url,
                "clear": True,
            },
            {"action": "view", "label": "Look first", "url": page.ack_url},
        ]
    return message


def _fitting(text: str, reference: str) -> str:
    """The text with its reference, cut in the middle of the text if need be."""
    room = MAX_MESSAGE_BYTES - len(reference.encode())
    data = text.encode()
    if len(data) > room:
        text = data[:room].decode(errors="ignore") + "…"
    return text + reference
