"""One try at a job, and what becomes of the job by it."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

import structlog

from exobridge.errors import ExobridgeError
from exobridge.jobs.kinds import Failed, GiveUp, Kind, Later, RunnerOptions
from exobridge.store.jobs import Job

_log = structlog.stdlib.get_logger("exobridge.jobs")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a job.

    Attributes:
        outcome: ``done``, ``later``, ``retried`` or ``failed``.
        seconds: For how long it waits until it is tried next.
    """

    outcome: str
    error: str = ""
    seconds: float = 0.0


class Trier:
    """Has handlers try."""

    def __init__(self, options: RunnerOptions) -> None:
        self._options = options
        self._random = random.Random()

    def jittered(self, seconds: float) -> float:
        """A wait, made longer or shorter at random."""
        return seconds * (1 + self._options.jitter * self._random.uniform(-1, 1))

    async def attempt(self, kind: Kind, job: Job) -> Verdict:
        """Have a job done, once; raises nothing."""
        if job.attempts > len(self._waits(kind)) + 1:
            return Verdict("failed", "its process died each time")
        limit = asyncio.timeout(kind.limit_seconds)
        try:
            async with limit:
                await kind.handler(job)
        except Later as later:
            return Verdict("later", str(later), later.seconds)
        except GiveUp as given_up:
            return Verdict("failed", str(given_up))
        except ExobridgeError as error:
            at_least = error.seconds if isinstance(error, Failed) else 0.0
            return self._failed(kind, job, str(error), at_least)
        except TimeoutError:
            if limit.expired():
                return self._failed(kind, job, f"not done within {kind.limit_seconds:g} s")
            return self._failed(kind, job, "TimeoutError")
        except Exception as error:
            # Its words may hold anything, so that only its type is kept.
            _log.error(
                "job crashed", kind=job.kind, job=job.id, call_sid=job.call_sid, exc_info=error
            )
            return self._failed(kind, job, type(error).__name__)
        return Verdict("done")

    def _waits(self, kind: Kind) -> tuple[float, ...]:
        return kind.care.backoff or self._options.backoff

    def _failed(self, kind: Kind, job: Job, error: str, at_least: float = 0.0) -> Verdict:
        waits = self._waits(kind)
        if job.attempts > len(waits):
            return Verdict("failed", error)
        return Verdict("retried", error, max(at_least, self.jittered(waits[job.attempts - 1])))
