"""What one draft may still use: asked before each call with what it may cost, told after it what it did cost.

Knows tokens and money as one allowance. Refuses to call anything. Serves the drafter; its windows run in threads.
"""

from __future__ import annotations

import threading

from oncall_bot.core.spending import Allowance, Usage


class Budget:
    """An allowance that shrinks; safe for several threads."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._lock = threading.Lock()
        self._tokens = 0
        self._money = 0.0
        self.exhausted = False

    def reserve(self, most: Usage) -> bool:
        """Whether a call that uses at most so much may go out; then that much is set aside."""
        cost = self._allowance.cost(most)
        with self._lock:
            too_many = self._tokens + most.tokens > self._allowance.tokens
            money = self._allowance.money
            if too_many or (money is not None and self._money + cost > money):
                self.exhausted = True
                return False
            self._tokens += most.tokens
            self._money += cost
            return True

    def settle(self, most: Usage, used: Usage) -> None:
        """The call ended: what was set aside and not used is free again."""
        with self._lock:
            self._tokens += used.tokens - most.tokens
            self._money += self._allowance.cost(used) - self._allowance.cost(most)

    @property
    def tokens(self) -> int:
        """Used so far, with what is set aside."""
        return self._tokens

    @property
    def money(self) -> float:
        return self._money
