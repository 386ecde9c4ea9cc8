"""Sends the webhooks that facts have left: jobs, done at least once and in order for each call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from exobridge.jobs import Care, Failed, JobRunner, Later
from exobridge.store.jobs import Job
from exobridge.webhooks.circuit import Circuit
from exobridge.webhooks.messages import KIND
from exobridge.webhooks.sender import Sender, UnansweredError, body_of

AT_ONCE = 8
"""Most webhooks that a process sends at a time, each of another call."""

BATCH = 128
"""Most that it takes at a time: many come, and a transaction for each would hold up the calls'."""

PACE_SECONDS = 0.01
"""Least time from one to the next: at most 100 a second, so that they do not hold up the calls, nor
overrun the receiver when it is back."""

LIMIT_SECONDS = 15.0
"""Of one try; the sender's own limit is shorter."""

BACKOFF = (
    *(5.0, 15.0, 30.0, 60.0, 120.0, 240.0, 480.0, 900.0, 1800.0),
    *(3600.0, 7200.0, 14_400.0, 28_800.0, 43_200.0, 57_600.0, 86_400.0),
)
"""Waits after a refusal, in seconds: doubled, so that who refuses for a time is asked again within
about as long; two days and 20 hours in all."""

EXPIRE_SECONDS = 3 * 86_400.0
"""A webhook that was not taken by then is given up, tried or not."""

DAY = 86_400.0

_OVERLOADED = 429

_log = structlog.stdlib.get_logger("exobridge.webhooks")


class Delivery:
    """Does the jobs.

    Attributes:
        sent: How many were sent, by their type and what became of them: ``taken``, ``refused``
            (another status), ``down`` (429, 5xx or no answer).
    """

    def __init__(
        self, sender: Sender, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._sender = sender
        self._clock = clock
        self._circuit = Circuit()
        self.sent: Counter[tuple[str, str]] = Counter()

    @property
    def is_held(self) -> bool:
        """The receiver counts as down, and is only probed."""
        return self._circuit.is_down

    def room(self) -> int:
        """How many webhooks may be in hand now."""
        return self._circuit.room(self._clock(), BATCH)

    def register(self, runner: JobRunner, keep_days: int) -> None:
        """Have a runner do the work.

        Args:
            keep_days: How long what is over can be listed, and sent again.
        """
        care = Care(
            backoff=BACKOFF,
            keep=keep_days * DAY,
            expire=EXPIRE_SECONDS,
            room=self.room,
        )
        runner.register(
            KIND,
            self.deliver,
            limit_seconds=LIMIT_SECONDS,
            concurrency=AT_ONCE,
            batch=BATCH,
            pace_seconds=PACE_SECONDS,
            care=care,
        )

    async def deliver(self, job: Job) -> None:
        """Do a job: send the webhook.

        Raises:
            Later: The receiver is down; that is not this webhook's fault, and does not count.
            Failed: It was not taken.
        """
        if wait := self._circuit.enter(self._clock()):
            raise Later(wait, "the receiver is down")
        probe, kind = self._circuit.probe, str(job.payload.get("type"))
        try:
            answer = await self._sender.send(job.key, body_of(job.key, job.id, job.payload))
        except UnansweredError as error:
            raise self._down(kind, str(error)) from None
        finally:
            self._circuit.leave(probe)
        if answer.status == _OVERLOADED or answer.status >= 500:
            raise self._down(kind, f"status {answer.status}", answer.retry_after or 0.0)
        self._is_back()
        self.sent[kind, "taken" if answer.is_taken else "refused"] += 1
        if not answer.is_taken:
            raise Failed(f"status {answer.status}", answer.retry_after or 0.0)

    def _down(self, kind: str, why: str, hold: float = 0.0) -> Later | Failed:
        """The receiver did not work. Until that is known to be so in general, it counts."""
        self.sent[kind, "down"] += 1
        was_down, now = self._circuit.is_down, self._clock()
        self._circuit.failed(now, hold)
        if not self._circuit.is_down:
            return Failed(why)
        if not was_down:
            shown = self._sender.receiver.shown
            _log.warning("webhooks held back", receiver=shown, error=why)
        return Later(self._circuit.wait(now), why)

    def _is_back(self) -> None:
        if self._circuit.is_down:
            _log.info("webhooks go out again", receiver=self._sender.receiver.shown)
        self._circuit.answered()
