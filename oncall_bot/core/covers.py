"""The life of a cover request: asked, answered, taken back; the first yes wins and nothing happens twice.

Knows who may do what to a request in which state, and when it is over. Refuses to know rotas, rows and words.
Serves flows.answer_cover; a swap is a request as well, put to one person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    COVER = "cover"
    SWAP = "swap"


class State(StrEnum):
    OPEN = "open"
    TAKEN = "taken"
    DECLINED = "declined"  # by everybody who was asked
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"  # nobody said yes in time
    UNDONE = "undone"  # taken, and given back


class Act(StrEnum):
    ACCEPT = "accept"
    DECLINE = "decline"
    WITHDRAW = "withdraw"
    UNDO = "undo"
    EXPIRE = "expire"


class Why(StrEnum):
    """Why an act changes nothing."""

    IS_OVER = "is_over"  # the request is in another state already
    TOO_LATE = "too_late"
    TOO_EARLY = "too_early"  # to expire
    NOT_ASKED = "not_asked"
    NOT_YOURS = "not_yours"
    HAS_BEGUN = "has_begun"
    ANSWERED = "answered"  # the same answer was given before


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it stands. `asked`: whom, and their answer; None while they have given none."""

    kind: Kind
    asker: str
    starts_at: datetime
    ends_at: datetime
    expires_at: datetime
    asked: Mapping[str, str | None]
    state: State = State.OPEN
    taken_by: str | None = None
    back_starts_at: datetime | None = None
    trusted: frozenset[str] = field(default_factory=frozenset)  # may withdraw and undo beside them


YES, NO = "yes", "no"


def expiry(starts_at: datetime, ends_at: datetime, now: datetime) -> datetime:
    """A request waits until its shift begins; one for a shift that runs already, until that ends."""
    return starts_at if starts_at > now else ends_at


def act(request: Request, what: Act, by: str, now: datetime) -> Request | Why:
    """The request after `by` did this at `now`, or why it stays as it is."""
    if what is Act.UNDO:
        return _undone(request, by, now)
    if request.state is not State.OPEN:
        return Why.IS_OVER
    if what is Act.EXPIRE:
        return replace(request, state=State.EXPIRED) if now >= request.expires_at else Why.TOO_EARLY
    if what is Act.WITHDRAW:
        may = by == request.asker or by in request.trusted
        return replace(request, state=State.WITHDRAWN) if may else Why.NOT_YOURS
    if now >= request.expires_at:
        return Why.TOO_LATE
    if by not in request.asked:
        return Why.NOT_ASKED
    return _answered(request, what, by)


def _answered(request: Request, what: Act, by: str) -> Request | Why:
    """Whoever declined may still accept while it is open."""
    answer = YES if what is Act.ACCEPT else NO
    if request.asked[by] == answer:
        return Why.ANSWERED
    asked = {**request.asked, by: answer}
    if what is Act.ACCEPT:
        return replace(request, asked=asked, state=State.TAKEN, taken_by=by)
    all_declined = all(one == NO for one in asked.values())
    return replace(request, asked=asked, state=State.DECLINED if all_declined else State.OPEN)


def _undone(request: Request, by: str, now: datetime) -> Request | Why:
    """Before it begins either side may; then only the asker, who is on call again from now on. A swap that has
    begun stays: one of the two has served already."""
    if request.state is not State.TAKEN:
        return Why.IS_OVER
    if by not in {request.asker, request.taken_by} | request.trusted:
        return Why.NOT_YOURS
    if now >= request.ends_at:
        return Why.TOO_LATE
    begins = min(request.starts_at, request.back_starts_at or request.starts_at)
    if now >= begins and (request.kind is Kind.SWAP or by == request.taken_by):
        return Why.HAS_BEGUN
    return replace(request, state=State.UNDONE)
