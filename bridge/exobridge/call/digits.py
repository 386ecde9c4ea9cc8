"""The keys a caller presses, gathered into numbers: pure, ``now`` in seconds of any steady clock.

Without being asked for, keys are gathered until ``#`` or a pause of 1.5 s. A dialogue that asks for
them (:class:`~exobridge_providers.base.CollectDigits`) says how many it wants, which key ends them,
and how long to wait; its rules hold for one turn.
"""

from __future__ import annotations

from exobridge_providers.base import CollectDigits
from exobridge_providers.errors import ProviderError

UNASKED = CollectDigits(max_digits=64, terminator="#", timeout_seconds=1.5)
"""The rules where nobody asked. There is no wait for a first key, and ``#`` alone is one."""

LATE_S = 3.0
"""For so long after the digits were over, in seconds, their terminator means nothing: it is a habit
to press it, however many digits were wanted, and some press it twice."""

MAX_DIGITS = 64
MAX_TIMEOUT_S = 120.0


class DigitCollector:
    """The keys of one call.

    Attributes:
        digits: Those of the number that is being keyed in, without its terminator.
    """

    def __init__(self) -> None:
        self.digits = ""
        self._rules = UNASKED
        self._until: float | None = None
        self._late: tuple[str, float] | None = None

    @property
    def asked(self) -> bool:
        """The dialogue wants digits, and would be told that none came."""
        return self._rules is not UNASKED

    @property
    def pending(self) -> bool:
        """A number was begun; its next key, or its end, is awaited."""
        return bool(self.digits)

    def collect(self, rules: CollectDigits) -> None:
        """The dialogue asks for digits, until the next turn. The wait for the first key begins
        with :meth:`start`.

        Raises:
            ProviderError: No caller could follow these rules.
        """
        check_rules(rules)
        self._rules = rules

    def start(self, now: float) -> None:
        """The caller may press: the bot has finished, or a noise is over. Once a key was pressed
        this changes nothing."""
        if self.asked and not self.digits:
            self._until = now + self._rules.timeout_seconds

    def superfluous(self, key: str, now: float) -> bool:
        """This key is only the end of the number before, and is to be passed over."""
        if self._late is None or self._late[0] != key or now > self._late[1]:
            self._late = None
        return self._late is not None

    def press(self, key: str, now: float) -> str | None:
        """The caller pressed a key.

        Returns:
            The digits, if they are over, maybe none; else ``None``.
        """
        if key == self._rules.terminator and (self.digits or self.asked):
            return self._over(now)
        self.digits += key
        self._until = now + self._rules.timeout_seconds
        return self._over(now) if len(self.digits) >= self._rules.max_digits else None

    def due(self) -> float | None:
        """When :meth:`tick` wants to be called next."""
        return self._until

    def tick(self, now: float) -> str | None:
        """Time has passed; the result is that of :meth:`press`."""
        return self._over(now) if self._until is not None and now >= self._until else None

    def stop(self) -> str:
        """The number is over, or the turn: what there is of it. From here on nobody asked."""
        digits, self.digits = self.digits, ""
        self._rules = UNASKED
        self._until = None
        return digits

    def _over(self, now: float) -> str:
        terminator = self._rules.terminator
        self._late = (terminator, now + LATE_S) if terminator else None
        return self.stop()


def check_rules(rules: CollectDigits) -> None:
    """Check what a dialogue asks for.

    Raises:
        ProviderError: No caller could follow these rules.
    """
    if not 1 <= rules.max_digits <= MAX_DIGITS:
        raise ProviderError(f"CollectDigits.max_digits is 1 to {MAX_DIGITS}")
    if len(rules.terminator) > 1 or rules.terminator not in "0123456789*#":
        raise ProviderError("CollectDigits.terminator is one of 0-9*#, or empty")
    if not 0 < rules.timeout_seconds <= MAX_TIMEOUT_S:
        raise ProviderError(f"CollectDigits.timeout_seconds is above 0, at most {MAX_TIMEOUT_S:g}")
