"""The door of the signed-in pages: who looks, how a link from Slack becomes a session, and how it ends.

Knows the cookie, that GET changes nothing (previews and scanners send it), and that every form proves where it comes
from. Refuses to know what the pages show, and who may act: flows and views do. Serves web.site.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from oncall_bot.core import sign_in as keys
from oncall_bot.core.outcomes import Actor
from oncall_bot.core.sign_in import KEY_BYTES, SESSION_FOR, Refusal, SignedIn
from oncall_bot.flows.sign_in import sign_out, sign_out_everywhere, use_link
from oncall_bot.store import views
from oncall_bot.store.db import Store
from oncall_bot.web.bodies import bounded_body
from oncall_bot.web.html import Pages

FORM_MAX: Final = 4096
BEGIN_WITHIN_SECONDS: Final = 3.0
DEMO: Final = SignedIn(Actor("demo", "", "demo", by="web"), datetime.max.replace(tzinfo=UTC))
_LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Looker:
    """Somebody who is signed in, and the proof their forms carry; the demo on loopback has none to carry."""

    actor: Actor
    proof: str = ""


class SessionDoor:
    """Signs in by a link from Slack, tells who is signed in, signs out.

    `public_url` is where people reach the server; without it no link can be made and nobody signs in. `open_here` lets
    everybody on this machine look, for a demo.
    """

    def __init__(
        self,
        store: Store,
        secret: bytes,
        pages: Pages,
        *,
        public_url: str | None,
        command: str = "/oncall",
        open_here: bool = False,
    ) -> None:
        self._store = store
        self._secret = secret
        self._pages = pages
        self._command = command
        self._open_here = open_here
        self._public_url = public_url
        parts = urlsplit(public_url or "")
        self._origin = f"{parts.scheme}://{parts.netloc}".lower()
        self.base = parts.path.rstrip("/")
        self._https = parts.scheme == "https"
        # a browser takes a __Host- cookie only over TLS, from this very host, and for no other
        self.cookie = "__Host-oncall" if self._https else "oncall"

    # --- who looks ----------------------------------------------------------------------------------------------

    async def looker(self, request: Request) -> Looker | None:
        """Who sent this request, when they are signed in."""
        session = self._session_of(request)
        if session is not None and self._public_url is not None:
            found = await self._store.view(views.signed_in, session)
            if found is not None:
                return Looker(found.actor, keys.form_proof(self._secret, session))
        return Looker(DEMO.actor) if self._open_here and _from_here(request) else None

    def _session_of(self, request: Request) -> str | None:
        """The hash of the session's key, if the cookie can be one."""
        key = request.cookies.get(self.cookie, "")
        return keys.digest(key) if keys.is_key(key) else None

    def turned_away(self, path: str) -> Response:
        """What somebody reads who is not signed in."""
        if self._public_url is None:
            return self._pages.message(
                403,
                "The web pages are off.",
                [
                    "Set ONCALL_PUBLIC_URL to the address under which people reach this server, and start it again.",
                    f"Then {self._command} web in Slack answers with a link that signs you in.",
                ],
            )
        return self._pages.message(
            403,
            "Sign in from Slack.",
            [
                f"Type {self._command} web in Slack: the answer, for you alone, has a link that signs you in.",
                f"Then open {path[:120]} again." if keys.inside(path) else "",
            ],
        )

    # --- signing in ---------------------------------------------------------------------------------------------

    async def show(self, key: str, request: Request) -> Response:
        """A page with one button; it changes nothing, whoever opens it."""
        found = (
            await self._store.view(views.waiting_link, keys.digest(key))
            if self._may(key)
            else Refusal.UNKNOWN
        )
        if isinstance(found, Refusal):
            return self._refused(found)
        return self._pages.draw(
            "sign_in.html", name=found.name, to=keys.inside(request.query_params.get("to"))
        )

    async def press(self, key: str, request: Request) -> Response:
        """Spend the link, begin a session under a new key, and lead to the page that was asked for."""
        self._own_page_only(request)
        form = await _form(request)
        if not self._may(key):
            return self._refused(Refusal.UNKNOWN)
        session = secrets.token_urlsafe(KEY_BYTES)
        done = await self._store.press(
            BEGIN_WITHIN_SECONDS,
            use_link,
            keys.digest(key),
            keys.digest(session),
            self._session_of(request),
        )
        if isinstance(done, Refusal):
            return self._refused(done)
        answer = self._to(keys.inside(form.get("to")) or "/schedules")
        answer.set_cookie(
            self.cookie,
            session,
            max_age=int(SESSION_FOR.total_seconds()),
            path="/",
            secure=self._https,
            httponly=True,
            samesite="lax",
        )
        return answer

    def _may(self, key: str) -> bool:
        return self._public_url is not None and keys.is_key(key)

    def _refused(self, why: Refusal) -> Response:
        status = 404 if why is Refusal.UNKNOWN else 410
        again = f"Type {self._command} web in Slack for a new one."
        return self._pages.message(status, str(why), ["Nobody was signed in.", again])

    def _to(self, path: str) -> Response:
        return RedirectResponse(f"{self.base}{path}", 303, headers=dict(self._pages.headers))

    # --- signing out --------------------------------------------------------------------------------------------

    async def leave(self, request: Request) -> Response:
        """End this session, or all of this person's."""
        self._own_page_only(request)
        form = await _form(request)
        looker, session = await self.looker(request), self._session_of(request)
        if looker is None or session is None or not looker.proof:
            return self._left()
        if not keys.is_proof(self._secret, session, form.get("proof", "")):
            raise HTTPException(403, "the form is not of this session")
        if form.get("everywhere"):
            await self._store.press(BEGIN_WITHIN_SECONDS, sign_out_everywhere, looker.actor)
        else:
            await self._store.press(BEGIN_WITHIN_SECONDS, sign_out, looker.actor, session)
        return self._left()

    def _left(self) -> Response:
        answer = self._pages.message(200, "You are signed out.", [])
        answer.delete_cookie(
            self.cookie, path="/", secure=self._https, httponly=True, samesite="lax"
        )
        return answer

    def _own_page_only(self, request: Request) -> None:
        """A form of another site is refused before it is read, where the browser says whose it is."""
        site = request.headers.get("sec-fetch-site", "same-origin")
        origin = request.headers.get("origin", "null").lower()
        if site != "same-origin" or origin not in {"null", self._origin}:
            raise HTTPException(403, "the form is of another site")


def _from_here(request: Request) -> bool:
    """Whether a browser on this machine asks, under one of this machine's own names: no other site's name will do."""
    try:
        name = urlsplit(f"//{request.headers.get('host', '')}").hostname
        near = request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
    return near and name in _LOCAL_NAMES


async def _form(request: Request) -> Mapping[str, str]:
    """A small form; the first value of each name."""
    body = await bounded_body(request, FORM_MAX)
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=10)
    except ValueError:
        raise HTTPException(400, "the form cannot be read") from None
    return {name: values[0] for name, values in fields.items()}
