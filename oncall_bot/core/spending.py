"""What calls of a model cost, in tokens and in money, and how much of both is left.

Knows prices per million tokens and caps. Refuses to know servers and rows; a model without a price in the file is
counted at a price that is rather too high. Serves the books of calls and whoever asks a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from oncall_bot.core.config import Llm, Price

CAUTIOUS_PRICE = Price(15.0, 60.0)
"""For a model without a price in the file: above what most models cost, so that a cap comes too early, not too late."""

TOKENS_PER_DRAFT = 250_000
TOKENS_PER_INCIDENT = 1_000_000


class Ending(StrEnum):
    """How a call ended: the only words that reach metrics and the audit row."""

    ANSWERED = "answered"
    TRUNCATED = "truncated"  # by max_tokens
    CUT = "cut"  # the line broke in the middle of a stream
    LATE = "late"
    BUSY = "busy"  # 429
    BROKEN = "broken"  # 5xx
    REFUSED = "refused"  # the key, the model or the request
    TOO_LONG = "too_long"
    GARBAGE = "garbage"  # no completion: HTML, no JSON, an empty list
    UNREACHABLE = "unreachable"
    PAUSED = "paused"  # not asked: the server failed too often just now


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the server counted them, or a third of the bytes where it does not say."""

    prompt_tokens: int
    completion_tokens: int
    estimated: bool = False

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call for the books: who was asked, why, how it ended and what it used. Never a word of the text."""

    model: str
    purpose: str
    outcome: Ending
    usage: Usage
    ms: int
    prompt_sha256: str
    redactions: int
    incident_id: int | None = None
    draft_id: int | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What the verifier made of the reply to the prompt with this hash: sentences kept, marked, dropped."""

    prompt_sha256: str
    kept: int
    marked: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used so far: tokens on this incident, money in the last 24 hours."""

    incident_tokens: int = 0
    day_cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much one draft may use. `money` None: no cap is set."""

    tokens: int
    money: float | None
    price: Price

    def cost(self, usage: Usage) -> float:
        return cost_of(usage, self.price)


def price_of(llm: Llm, model: str) -> Price:
    """The price in the file for that model, else the cautious one."""
    return llm.prices.get(model, CAUTIOUS_PRICE)


def cost_of(usage: Usage, price: Price) -> float:
    """In the currency of the prices."""
    total = usage.prompt_tokens * price.input + usage.completion_tokens * price.output
    return total / 1_000_000


def allowance(llm: Llm, model: str, spent: Spent) -> Allowance:
    """What is left for one more draft of this incident."""
    of_incident = (llm.tokens_per_incident or TOKENS_PER_INCIDENT) - spent.incident_tokens
    tokens = max(0, min(llm.tokens_per_draft or TOKENS_PER_DRAFT, of_incident))
    cap = cap_of(llm)
    money = None if cap is None else max(0.0, cap - spent.day_cost)
    return Allowance(tokens, money, price_of(llm, model))


def cap_of(llm: Llm) -> float | None:
    """The amount of `daily_cap`."""
    return float(llm.daily_cap.split()[0]) if llm.daily_cap else None


def currency_of(llm: Llm) -> str:
    """The currency of `daily_cap`, in which prices are read as well."""
    return llm.daily_cap.split()[1] if llm.daily_cap else "USD"


def used_up(llm: Llm, spent: Spent) -> str | None:
    """Why not one more call may go out, in a sentence for the draft; None when some may."""
    cap = cap_of(llm)
    if cap is not None and spent.day_cost >= cap:
        return "what the model may cost in a day (llm.daily_cap) is used up"
    if spent.incident_tokens >= (llm.tokens_per_incident or TOKENS_PER_INCIDENT):
        return (
            "the model has used all the tokens that one incident is given (llm.tokens_per_incident)"
        )
    return None
