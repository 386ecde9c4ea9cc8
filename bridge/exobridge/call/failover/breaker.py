"""Whether a provider is worth asking: a circuit breaker. Pure; times are in seconds of any clock.

Closed, it lets everybody ask. When the provider has failed several times it opens: calls go to the
next provider for a while. Then it is half open: one call tries, and what becomes of that decides.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from enum import StrEnum

FAILURES = 3
"""So many, with no success between them, open a circuit."""

WINDOW_S = 60.0
"""How long a failure counts."""

REST_S = 30.0
"""How long a circuit is open the first time; each time that follows twice as long."""

MAX_REST_S = 300.0
"""The longest it is open, the jitter apart."""

JITTER = 0.2
"""Part of a rest by which it is longer or shorter, so that processes do not all try at once."""

TRIAL_S = 30.0
"""A trial of which nothing was heard for so long is over: the next call may try."""


class CircuitState(StrEnum):
    """What a circuit lets through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Circuit:
    """Of one provider.

    Args:
        chance: A number from 0 to 1, anew each time.
    """

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self._opened_at: float | None = None
        self._rest_until = 0.0
        self._trial_until = 0.0
        self._rests = 0

    def state(self, now: float) -> CircuitState:
        """What it is."""
        if self._opened_at is None:
            return CircuitState.CLOSED
        return CircuitState.OPEN if now < self._rest_until else CircuitState.HALF_OPEN

    def admits(self, now: float) -> bool:
        """Whether the provider is worth asking: not while the circuit is open, nor while another
        call tries."""
        match self.state(now):
            case CircuitState.CLOSED:
                return True
            case CircuitState.OPEN:
                return False
            case CircuitState.HALF_OPEN:
                return now >= self._trial_until

    def asked(self, now: float) -> None:
        """A call asks the provider. Of a half-open circuit it is the trial."""
        if self.state(now) is CircuitState.HALF_OPEN:
            self._trial_until = now + TRIAL_S

    def worked(self, asked_at: float) -> bool:
        """The provider did what it was asked for at ``asked_at``. That says nothing of failures
        that came later: sessions which are open may go on where new ones are refused.

        Returns:
            Whether this closed the circuit.
        """
        while self._failures and self._failures[0] <= asked_at:
            self._failures.popleft()
        if self._opened_at is None or asked_at < self._opened_at:
            return False
        self._opened_at = None
        self._rests = 0
        return True

    def failed(self, now: float, *, for_good: bool = False) -> float | None:
        """The provider failed.

        Args:
            for_good: Trying again will not help: a wrong key, say.

        Returns:
            For how long this opened the circuit; ``None``: it did not.
        """
        match self.state(now):
            case CircuitState.OPEN:
                return None
            case CircuitState.HALF_OPEN:
                return self._open(now)
            case CircuitState.CLOSED:
                self._failures.append(now)
                many = len(self._failures) == FAILURES and self._failures[0] > now - WINDOW_S
                return self._open(now) if many or for_good else None

    def _open(self, now: float) -> float:
        jitter = 1 + JITTER * (2 * self._chance() - 1)
        rest_s = min(MAX_REST_S, REST_S * 2.0**self._rests) * jitter
        self._rests = min(self._rests + 1, 16)
        self._failures.clear()
        self._opened_at = now
        self._rest_until = now + rest_s
        self._trial_until = 0.0
        return rest_s
