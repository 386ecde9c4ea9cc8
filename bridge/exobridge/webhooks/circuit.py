"""Whether the receiver is asked at all, after it has failed. Pure: times are given.

One receiver serves all calls, so that what it does with one webhook tells of the others. After
``FAILURES`` without an answer that is one, nothing is sent but a probe now and then; the rest stays
where it is, untried. The first that is taken opens the way for all.
"""

from __future__ import annotations

from datetime import datetime, timedelta

FAILURES = 5
"""In a row, before the receiver counts as down."""

SHORTEST_WAIT = 5.0
LONGEST_WAIT = 300.0
"""Between two probes, in seconds. Between these it is a sixtieth of the time since the first
failure: a receiver that was down for an hour is found within a minute."""

LONGEST_HOLD = 3600.0
"""Most that a ``Retry-After`` holds webhooks back, in seconds, whatever it says."""

BESIDE_PROBE = 2.0
"""How long to wait while another webhook is the probe, in seconds."""


class Circuit:
    """Of one receiver, in one process.

    Attributes:
        is_down: Only probes are sent.
        probe: The number of the one that is under way; 0: none is.
    """

    def __init__(self) -> None:
        self.is_down = False
        self._failures = 0
        self._since: datetime | None = None
        self._until: datetime | None = None
        self.probe = self._probes = 0

    def room(self, now: datetime, otherwise: int) -> int:
        """How many webhooks may be in hand.

        Args:
            otherwise: While the receiver answers.
        """
        if not self.is_down:
            return otherwise
        return 0 if self.wait(now) else 1

    def wait(self, now: datetime) -> float:
        """For how long nothing is sent, in seconds; 0: something may be."""
        if self._until is None:
            return 0.0
        left = (self._until - now).total_seconds()
        return left if 0 < left <= LONGEST_HOLD else 0.0  # a clock may have been set back

    def enter(self, now: datetime) -> float:
        """Somebody wants to send: how long to wait first, in seconds; 0: go, as ``probe`` if that
        is set now, and say what became of it."""
        if not self.is_down:
            return 0.0
        if wait := self.wait(now):
            return wait
        if self.probe:
            return BESIDE_PROBE
        self._probes += 1
        self.probe = self._probes
        return 0.0

    def leave(self, probe: int) -> None:
        """Who was let in is gone, whatever became of it.

        Args:
            probe: Which it was. One of before the outage is 0, and makes no room for another.
        """
        if probe == self.probe:
            self.probe = 0

    def answered(self) -> None:
        """The receiver works."""
        self.is_down, self.probe = False, 0
        self._failures, self._since, self._until = 0, None, None

    def failed(self, now: datetime, hold: float = 0.0) -> None:
        """The receiver does not work.

        Args:
            hold: Seconds for which it wants to be left alone; more than 0 counts at once.
        """
        self._failures += 1
        since = self._since = self._since or now
        if self._failures < FAILURES and not hold:
            return
        self.is_down = True
        share = (now - since).total_seconds() / 60
        pause = max(SHORTEST_WAIT, min(LONGEST_WAIT, share), min(LONGEST_HOLD, hold))
        self._until = max(self._until or now, now + timedelta(seconds=pause))
