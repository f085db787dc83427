"""Pictures into Slack: uploaded once and shown by their id in messages, never posted by themselves.

Knows the three steps of an upload (an address, the bytes, the end), each bounded in time. Refuses to draw and to know
incidents. Serves the engine as `ports.Album`, and `/oncall metric`. Not tried with real Slack: there a file may be
processed for a moment before a block may name it, and then the message goes without it (sender).
"""

from __future__ import annotations

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from oncall_bot.slack.escape import plain
from oncall_bot.slack.refusals import NETWORK, delivery_error


class SlackAlbum:
    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def keep(self, png: bytes, name: str, alt: str) -> str:
        """The file's id, for an image block. It is shared with nobody until a message shows it."""
        try:
            call = self._client.files_upload_v2(content=png, filename=name, title=plain(alt))
            answer: Any = await call
            return str(answer["files"][0]["id"])
        except NETWORK as error:
            raise delivery_error(error) from error
