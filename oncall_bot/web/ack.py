"""The page behind the link of a page, or of several in one message: what fires, and one button that says "I have it".

Knows how a link becomes a person and an act, and that only POST acts: mail scanners and previews
send GET and HEAD. Refuses to decide anything: `flows.acknowledge` does. Serves people with a phone
at night and `web.app`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from oncall_bot.core.ack_links import AckClaim, Refusal, make_token, read_token
from oncall_bot.core.outcomes import Actor, Outcome
from oncall_bot.core.situation import BundleNotice, PageNotice, Situation, State
from oncall_bot.flows import inbound
from oncall_bot.flows.acknowledge import acknowledge, acknowledge_all
from oncall_bot.store import views
from oncall_bot.store.db import Store
from oncall_bot.store.transactions import Reader, Tx
from oncall_bot.web import phrases
from oncall_bot.web.html import Pages

BEGIN_WITHIN_SECONDS: Final = 3.0
_BEFORE_ANY_EXPIRY: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Gone(Enum):
    """Why there is nothing to show although the link is genuine."""

    NO_PAGE = "no page"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the link leads to, as of `now`. `used`: it has acknowledged once, and does so no second time."""

    notice: PageNotice
    claim: AckClaim
    now: datetime
    used: bool = False


@dataclass(frozen=True, slots=True)
class SeenBundle:
    """The pages of one message that the link leads to, as of `now`.

    `asked` and `older` are the incidents that its owner may acknowledge: at once, or after a second look; none once
    the link was used.
    """

    notice: BundleNotice
    claim: AckClaim
    asked: Sequence[int]
    older: Sequence[int]
    now: datetime
    used: bool = False


@dataclass(frozen=True, slots=True)
class Pressed:
    """What became of the button. `outcome` is None when the page is older than what fires now."""

    seen: Seen | SeenBundle
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Line:
    """One incident of a bundle, on one line."""

    title: str
    what: str
    people: str
    link: str | None


@dataclass(frozen=True, slots=True)
class Said:
    """The answer to a press, above everything else."""

    good: bool
    first: str
    then: str = ""


class AckDoor:
    """GET shows, POST acknowledges as the person the page went to."""

    def __init__(self, store: Store, secret: bytes, pages: Pages) -> None:
        self._store = store
        self._secret = secret
        self._pages = pages

    async def show(self, token: str) -> Response:
        if self._foreign(token):
            return self._refuse(Refusal.NOT_OURS)
        seen = await self._store.view(look, self._secret, token)
        if isinstance(seen, Refusal | Gone):
            return self._refuse(seen)
        return self._draw(seen, None)

    async def press(self, token: str, request: Request) -> Response:
        if self._foreign(token):
            return self._refuse(Refusal.NOT_OURS)
        again = request.query_params.get("again") == "1"
        pressed = await self._store.press(
            BEGIN_WITHIN_SECONDS, acknowledge_by_link, self._secret, token, again=again
        )
        if not isinstance(pressed, Pressed):
            return self._refuse(pressed)
        seen = await self._store.view(look, self._secret, token)
        # the link may have run out within this second; what was just done is answered all the same
        return self._draw(pressed.seen if isinstance(seen, Refusal | Gone) else seen, pressed)

    def _foreign(self, token: str) -> bool:
        """Whether the token is not ours at all: told without asking the database."""
        return not isinstance(read_token(self._secret, token, _BEFORE_ANY_EXPIRY), AckClaim)

    def _refuse(self, why: Refusal | Gone) -> Response:
        if why is Refusal.EXPIRED:
            return self._pages.message(
                410,
                "This link has expired.",
                ["Nothing was changed. Acknowledge in Slack, or open your newest page."],
            )
        if why is Refusal.NOT_OURS:
            return self._pages.message(
                404,
                "This link is not complete.",
                ["Open it again from the page you were sent, or acknowledge in Slack."],
            )
        return self._pages.message(
            404, "This page is no longer kept.", ["Look in Slack for what is open now."]
        )

    def _draw(self, seen: Seen | SeenBundle, pressed: Pressed | None) -> Response:
        if isinstance(seen, SeenBundle):
            return self._draw_bundle(seen, pressed)
        notice, now = seen.notice, seen.now
        s = notice.situation
        answer = said(pressed, s, notice.person_key) if pressed else None
        people = phrases.people_line(s, notice.person_key, now)
        older = is_older(notice)
        return self._pages.draw(
            "page.html",
            409 if pressed and pressed.outcome is None else 200,
            s=s,
            said=answer,
            people=None if answer and answer.first == people else people,
            what=phrases.what_and_whose(s),
            when=phrases.when(s, now),
            button=s.state is State.FIRING and not (seen.used and older),
            older=older,
            over=s.state is State.RESOLVED,
            promise=_promise(notice, older=older),
            next=phrases.next_line(s, now),
            alerts_title=phrases.alerts_title(s),
            paged=phrases.paged_lines(s, now),
            foot=f"as of {phrases.clock(now, now)}, shown to {notice.person_name[:60]}",
        )

    def _draw_bundle(self, seen: SeenBundle, pressed: Pressed | None) -> Response:
        notice, now = seen.notice, seen.now
        one = notice.pages[0]
        count = len(seen.asked) or len(seen.older)
        older = not seen.asked and bool(seen.older)
        return self._pages.draw(
            "pages.html",
            409 if pressed and pressed.outcome is None else 200,
            title=f"{notice.incidents} incidents for {one.person_name[:60]}",
            said=said_of_all(pressed) if pressed else None,
            button=f"Acknowledge {f'all {count}' if count > 1 else 'it'}" if count else None,
            older=older,
            promise=_promise(one, older=older),
            rows=[self._line(page, seen) for page in notice.pages],
            more=notice.more,
            foot=f"as of {phrases.clock(now, now)}, shown to {one.person_name[:60]}",
        )

    def _line(self, page: PageNotice, seen: SeenBundle) -> Line:
        """One incident of several; its own link works as long as the link of all."""
        s, claim = page.situation, seen.claim
        token = make_token(self._secret, page.page_id, claim.contact_ref, claim.expires_at)
        return Line(
            title=s.title,
            what=f"{phrases.what_and_whose(s)} · {phrases.when(s, seen.now)}",
            people=phrases.people_line(s, page.person_key, seen.now),
            link=token if s.state is State.FIRING else None,
        )


def look(reader: Reader, secret: bytes, token: str) -> Seen | SeenBundle | Refusal | Gone:
    """What the link leads to now."""
    claim = read_token(secret, token, reader.now)
    if isinstance(claim, Refusal):
        return claim
    used = views.link_used(reader, _digest(token))
    if claim.bundle:
        return _look_at_all(reader, claim, used=used)
    notice = views.page_notice(reader, claim.page_id)
    return Gone.NO_PAGE if notice is None else Seen(notice, claim, reader.now, used)


def _look_at_all(reader: Reader, claim: AckClaim, *, used: bool) -> SeenBundle | Gone:
    notice = views.bundle_of_row(reader, claim.page_id)
    if notice is None:
        return Gone.NO_PAGE
    asked, older = views.asked_in_bundle(reader, claim.page_id)
    return SeenBundle(notice, claim, asked, () if used else older, reader.now, used)


def _digest(token: str) -> str:
    """What is kept of a link that was used: nothing that could be used again."""
    return hashlib.sha256(token.encode()).hexdigest()


def acknowledge_by_link(
    tx: Tx, secret: bytes, token: str, *, again: bool
) -> Pressed | Refusal | Gone:
    """Acknowledge as the person of the link, in one transaction with the look at it.

    A link acknowledges once. One of an earlier page acknowledges what fires now only when asked `again`, after its
    owner was shown it.
    """
    seen = look(tx, secret, token)
    if isinstance(seen, Refusal | Gone):
        return seen
    pressed = _act(tx, seen, again=again)
    if pressed.outcome is not None and pressed.outcome.done:
        inbound.seen(tx, views.LINK_USED, _digest(token))
    return pressed


def _act(tx: Tx, seen: Seen | SeenBundle, *, again: bool) -> Pressed:
    if isinstance(seen, SeenBundle):
        return _acknowledge_all(tx, seen, again=again)
    if is_older(seen.notice) and (seen.used or not again):
        return Pressed(seen, None)
    actor = _whose(tx, seen.notice, seen.claim)
    return Pressed(seen, acknowledge(tx, seen.notice.situation.incident_id, actor))


def _acknowledge_all(tx: Tx, seen: SeenBundle, *, again: bool) -> Pressed:
    """All that the message asked for; what is older than what fires now only when asked `again`."""
    if not seen.asked and seen.older and not again:
        return Pressed(seen, None)
    actor = _whose(tx, seen.notice.pages[0], seen.claim)
    return Pressed(seen, acknowledge_all(tx, [*seen.asked, *(seen.older if again else ())], actor))


def _whose(reader: Reader, page: PageNotice, claim: AckClaim) -> Actor:
    """The person the link was sent to, and by which road: `push link`."""
    reach = reader.snapshot.reach.get(page.person_key)
    kinds = [one.kind for one in (reach.contacts if reach else ()) if one.ref == claim.contact_ref]
    by = f"{kinds[0]} link" if kinds else "link"
    return Actor("person", page.person_key, page.person_name, by=by)


def is_older(notice: PageNotice) -> bool:
    """Whether this page was answered or overtaken, and yet its incident fires and nobody has it."""
    return notice.epoch_over and notice.situation.state is State.FIRING


def said(pressed: Pressed, s: Situation, person_key: str) -> Said:
    """The answer to the one who pressed, in words that leave nothing to wonder about."""
    if pressed.outcome is None and pressed.seen.used:
        return Said(
            good=False,
            first="This link was used already, and it fires again.",
            then="Open your newest page, or answer in Slack.",
        )
    if pressed.outcome is None:
        return Said(
            good=False,
            first="This page is older than what fires now.",
            then="Look below and press Acknowledge again to take it.",
        )
    if pressed.outcome.done:
        return Said(good=True, first="You have it.", then="Nobody else is paged for it now.")
    if s.state is State.RESOLVED:
        return Said(good=True, first="It is over.", then="Nothing for you to do.")
    if s.state is State.ACKNOWLEDGED and phrases.has_it(s, person_key):
        return Said(good=True, first="You have it already.", then="Nothing was changed.")
    if s.state is State.ACKNOWLEDGED:
        who = s.acked_by or pressed.outcome.winner or "Somebody"
        return Said(good=True, first=f"{who} has it.", then="Nothing for you to do.")
    return Said(good=False, first=pressed.outcome.reason)


def said_of_all(pressed: Pressed) -> Said:
    """The answer to one press for several incidents."""
    if pressed.outcome is None:
        return Said(
            good=False,
            first="These pages are older than what fires now.",
            then="Look below and press again to take what fires.",
        )
    if pressed.outcome.done:
        return Said(good=True, first=pressed.outcome.reason)
    return Said(good=True, first="Nothing is left to do.", then="Each is answered or over.")


def _promise(notice: PageNotice, *, older: bool) -> str:
    if older:
        return (
            f"{notice.person_name[:60]}, your page was answered or overtaken, and it fires again."
        )
    return f"{notice.person_name[:60]}, this says that you have it, and stops the paging."
