"""Files in the practice Slack: announced, uploaded, shared; and how Slack describes one.

Knows sizes and media types. Refuses to know channels. Serves `files.*`, people's uploads and the page.
"""

from __future__ import annotations

import mimetypes
import secrets
from dataclasses import dataclass

from oncall_bot.practice.slack.answers import Json
from oncall_bot.practice.slack.app import DOMAIN

FILES_MAX = 500
FILE_MAX = 32 * 1024 * 1024


@dataclass(slots=True)
class File:
    """`secret` is part of its address, so that nobody can guess it; `content` is None until uploaded."""

    id: str
    name: str
    title: str
    size: int
    owner: str
    at: int
    secret: str
    content: bytes | None = None
    alt_text: str = ""
    shared: bool = False

    @property
    def mimetype(self) -> str:
        known = {".md": "text/markdown", ".yaml": "text/yaml", ".yml": "text/yaml"}
        dot = self.name.rfind(".")
        own = known.get(self.name[dot:].lower()) if dot >= 0 else None
        return own or mimetypes.guess_type(self.name)[0] or "application/octet-stream"

    def path(self) -> str:
        return f"/files/{self.id}/{self.secret}"


class Files:
    def __init__(self) -> None:
        self._files: dict[str, File] = {}

    def announce(
        self, file_id: str, name: str, size: int, owner: str, at: int, alt_text: str = ""
    ) -> File:
        file = File(file_id, name, name, size, owner, at, secrets.token_urlsafe(12))
        file.alt_text = alt_text
        self._files[file_id] = file
        while len(self._files) > FILES_MAX:
            del self._files[next(iter(self._files))]
        return file

    def find(self, file_id: object) -> File | None:
        return self._files.get(str(file_id))


def shown(file: File, base_url: str) -> Json:
    """The file object of the Web API."""
    suffix = file.name.rpartition(".")[2].lower() if "." in file.name else "binary"
    said: Json = {
        "id": file.id,
        "created": file.at,
        "timestamp": file.at,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "filetype": suffix,
        "user": file.owner,
        "size": file.size,
        "mode": "hosted",
        "is_external": False,
        "is_public": False,
        "url_private": base_url + file.path(),
        "url_private_download": base_url + file.path(),
        "permalink": f"https://{DOMAIN}.slack.com/files/{file.owner}/{file.id}",
    }
    if file.alt_text:
        said["alt_txt"] = file.alt_text
    return said


def for_page(said: Json) -> Json:
    """What the page draws of a file object."""
    file = {
        "id": said["id"],
        "name": said["name"],
        "title": said["title"],
        "mimetype": said["mimetype"],
        "url": said["url_private"],
    }
    if said["mimetype"].startswith("image/"):
        file["thumb"] = said["url_private"]
    if "alt_txt" in said:
        file["alt_txt"] = said["alt_txt"]
    return file
