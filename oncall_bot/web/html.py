"""Pages drawn from templates, with everything from outside escaped, cleaned and cut, and the
headers that go with them.

Knows the templates beside it, the stylesheet inside each page and the content security policy
that names its hash. Refuses to know what a page says. Serves the routes of this room.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

TEMPLATES: Final = Path(__file__).parent / "templates"
STYLES: Final = (("style", "style.css"), ("site_style", "site.css"))
_TURNS: Final = frozenset(
    "\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)


class Pages:
    """The templates, read once. `draw` gives a whole response with its headers.

    `base_path` stands before every path of ours, where a proxy serves us below one.
    """

    def __init__(self, base_path: str = "") -> None:
        styles = {name: (TEMPLATES / file).read_text(encoding="utf-8") for name, file in STYLES}
        allowed = " ".join(f"'sha256-{_digest(style)}'" for style in styles.values())
        self.headers: Mapping[str, str] = {
            **COMMON_HEADERS,
            "Content-Security-Policy": (
                f"default-src 'none'; style-src {allowed}; form-action 'self'; "
                "base-uri 'none'; frame-ancestors 'none'"
            ),
        }
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        for name, style in styles.items():
            self._environment.globals[name] = Markup(style)  # noqa: S704 - our own file
        self._environment.globals["base"] = base_path
        self._environment.filters.update(outside=outside, web_link=web_link, host=host)

    def draw(self, template: str, status: int = 200, **words: object) -> HTMLResponse:
        page = self._environment.get_template(template).render(**words)
        return HTMLResponse(page, status_code=status, headers=dict(self.headers))

    def message(self, status: int, title: str, lines: Sequence[str]) -> HTMLResponse:
        """A small page that says one thing."""
        return self.draw("message.html", status, title=title, lines=lines)


COMMON_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def _digest(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def outside(text: object, limit: int, *, keep_ends: bool = False) -> str:
    """Text from outside on one line: no control or direction characters, no longer than `limit`.

    Escaping is the template's; this gives back plain text. `keep_ends` leaves a space at either end.
    """
    raw = str(text)[: limit * 4]
    clean = "".join(c if c.isprintable() and c not in _TURNS else " " for c in raw)
    line = " ".join(clean.split())
    if keep_ends and line:
        line = f"{' ' * clean[0].isspace()}{line}{' ' * clean[-1].isspace()}"
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def web_link(url: str | None) -> str | None:
    """The address when a browser may be sent there, else None:

    Http and https only, no login inside.
    """
    if not url or len(url) > 2_000 or not url.isprintable() or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    safe = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    return url if safe else None


def host(url: str | None) -> str:
    """Where a link leads, to be read before it is pressed."""
    return outside(urlsplit(url or "").hostname or "", 60)
