"""The sign of life to an outside watcher: one GET, sent only after the auditor passed.

Knows the one address. Refuses to decide when to beat (the auditor does) and to follow redirects,
which a captive portal or a parked domain would answer with success. Serves the engine through
`ports.Heartbeat`.
"""

from __future__ import annotations

from typing import Final

import httpx2

from oncall_bot.paging.addresses import without_login
from oncall_bot.paging.answers import careful_client, exchange

WHOLE_SECONDS: Final = 5.0


class HttpHeartbeat:
    """Calls the watcher's address. Raises DeliveryError when the watcher did not take the beat."""

    def __init__(self, url: str) -> None:
        self._url, self._user, self._password = without_login(url)
        self._client: httpx2.AsyncClient | None = None

    async def beat(self) -> None:
        if self._client is None:
            self._client = careful_client()
        login = (self._user or "", self._password or "") if self._user or self._password else None
        await exchange(
            self._client,
            "The outside heartbeat",
            "GET",
            self._url,
            headers={},
            login=login,
            whole_seconds=WHOLE_SECONDS,
        )

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None
