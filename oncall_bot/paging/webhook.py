"""Pages as a plain JSON POST to somebody's own receiver:

`webhook+https://...`, or the http(s) address itself.

Knows the body (docs/reference/page-webhook.md) and that a page sent twice carries the same
`Idempotency-Key`. Refuses redirects and proxies of the environment. Serves `paging.roads`.
"""

from __future__ import annotations

import json
from typing import Final

import httpx2

from oncall_bot.paging.addresses import Address, without_login
from oncall_bot.paging.answers import WHOLE_EXCHANGE_SECONDS, exchange
from oncall_bot.paging.words import text_of, title_of
from oncall_bot.ports import DeliveryError, LoudPage, Sent

SCHEMES: Final = frozenset({"http", "https", "webhook+http", "webhook+https"})
FORMAT: Final = "oncall-page/1"


class WebhookPager:
    """One road of this brand. A login in the address becomes basic authentication."""

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
        url, user, password = without_login(
            self._address.filled(page.address).removeprefix("webhook+")
        )
        answer = await exchange(
            self._client,
            page.channel,
            "POST",
            url,
            headers={"Content-Type": "application/json", "Idempotency-Key": _header(page)},
            login=(user or "", password or "") if user or password else None,
            content=json.dumps(_body(page), ensure_ascii=False).encode(),
            whole_seconds=self._whole_seconds,
        )
        return Sent(answer.field("id") or page.key, channel=page.channel, answer=str(answer.status))


def _body(page: LoudPage) -> dict[str, object]:
    return {
        "format": FORMAT,
        "key": page.key,
        "to": page.address,
        "title": title_of(page),
        "text": text_of(page),
        "ack_url": page.ack_url,
        "urgent": page.urgent,
    }


def _header(page: LoudPage) -> str:
    """The key as a header; ours are short and plain, so anything else is a fault of ours."""
    if not page.key.isascii() or not page.key.isprintable() or not 0 < len(page.key) <= 200:
        raise DeliveryError("The key of this page cannot be a header.", permanent=True)
    return page.key
