"""One try at a job, and what becomes of the job by it."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

import structlog

from exobridge.errors import ExobridgeError
from exobridge.jobs.kinds import GiveUp, Kind, Later, RunnerOptions
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
        if job.attempts > len(self._options.backoff) + 1:
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
            return self._failed(job, str(error))
        except TimeoutError:
            if limit.expired():
                return self._failed(job, f"not done within {kind.limit_seconds:g} s")
            return self._failed(job, "TimeoutError")
        except Exception as error:
            # Its words may hold anything, so that only its type is kept.
            _log.error(
                "job crashed", kind=job.kind, job=job.id, call_sid=job.call_sid, exc_info=error
            )
            return self._failed(job, type(error).__name__)
        return Verdict("done")

    def _failed(self, job: Job, error: str) -> Verdict:
        waits = self._options.backoff
        if job.attempts > len(waits):
            return Verdict("failed", error)
        return Verdict("retried", error, self.jittered(waits[job.attempts - 1]))
