"""What a page outside Slack carries: its words, its key, the signed link, and how it can be answered.

Knows the texts of a page and of several in one message, and the addresses that lead back to us. Refuses to know roads
and to send. Serves `engine.delivery`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import quote

from oncall_bot.core import page_words
from oncall_bot.core.ack_links import make_token
from oncall_bot.core.replies import reply_code
from oncall_bot.core.situation import BundleNotice, PageNotice
from oncall_bot.ports import LoudPage
from oncall_bot.store import bundling, outbox, views
from oncall_bot.store.statements import Row
from oncall_bot.store.transactions import Reader

LINK_LASTS = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Links:
    """Where links of pages lead, and what they are signed with: by default the key kept in the database."""

    public_url: str | None
    key: bytes = b""


@dataclass(frozen=True, slots=True)
class Ways:
    """How the receiver of a page can answer it outside Slack."""

    ack_url: str | None = None
    reply_code: str | None = None
    keys_url: str | None = None


def loud_page(reader: Reader, row: Row, links: Links) -> LoudPage | None:
    """What the road outside Slack carries; None when nobody has to answer any more."""
    payload = row.payload
    key, title, text = row.dedupe_key, payload.get("title"), payload.get("text")
    ways = Ways()
    if row.page_id is not None:
        together = outbox.carried(reader, row)
        notice = _page_or_bundle(reader, together)
        if notice is None:
            return None
        title, text = _words(notice)
        key = bundling.key_of(bundling.members(reader, row.bundle_id) or [row])
        ways = _ways(reader, row, notice, links)
    return LoudPage(
        key=key,
        channel=str(payload["road"]),
        address=str(payload["address"]),
        title=str(title),
        text=str(text),
        ack_url=ways.ack_url,
        urgent=bool(payload.get("urgent")),
        first_tried_at=row.first_tried_at if row.attempts > 1 else None,
        reply_code=ways.reply_code,
        keys_url=ways.keys_url,
        receipt_url=_outside(links, f"phone/{quote(str(payload['road']))}/receipt/{row.id}"),
    )


def _page_or_bundle(reader: Reader, together: Sequence[Row]) -> PageNotice | BundleNotice | None:
    if len(together) == 1:
        notice = views.page_notice(reader, together[0].page_id, to_speak=True)
        return replace(notice, late=views.late_by(reader, together)) if notice else None
    bundle = views.bundle_now(reader, together, to_speak=True)
    if bundle is not None and bundle.incidents == 1:
        return replace(bundle.pages[0], late=bundle.late)
    return bundle


def _words(notice: PageNotice | BundleNotice) -> tuple[str, str]:
    if isinstance(notice, BundleNotice):
        return page_words.bundle_title_of(notice), page_words.bundle_text_of(notice)
    return page_words.title_of(notice), page_words.text_of(notice)


def _ways(reader: Reader, row: Row, notice: PageNotice | BundleNotice, links: Links) -> Ways:
    """Link, code of a text message, and where a key goes; none without an address or a key to sign with."""
    secret = links.key or reader.snapshot.signing_key
    if not links.public_url or not secret:
        return Ways()
    contact, ends = str(row.payload.get("contact", "")), reader.now + LINK_LASTS
    if isinstance(notice, BundleNotice):
        token = make_token(secret, notice.bundle_id, contact, ends, bundle=True)
    else:
        token = make_token(secret, notice.page_id, contact, ends)
    return Ways(
        _outside(links, f"ack/{token}"),
        reply_code(secret, row.bundle_id or row.id, contact),
        _outside(links, f"phone/{quote(str(row.payload['road']))}/key/{token}"),
    )


def _outside(links: Links, path: str) -> str | None:
    """The address of ours that others call, when there is one."""
    return f"{links.public_url.rstrip('/')}/{path}" if links.public_url else None
