"""The webhooks that are kept: listed, shown, and sent again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from exobridge.store.jobs import Job, Jobs, JobState
from exobridge.webhooks.messages import KIND

REPLAYED_TOGETHER = 500
"""Most that are put back in one transaction."""

OVER = (JobState.DONE, JobState.FAILED)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which webhooks; what is not said is any.

    Attributes:
        call_sid: Of this call.
        since: Of facts at or after this time, aware.
    """

    states: Collection[JobState] = ()
    call_sid: str = ""
    since: datetime | None = None


class Outbox:
    """Every method raises :class:`StoreUnavailableError` if the database does not answer."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    async def listed(self, which: Filter, limit: int, before: int | None = None) -> list[Job]:
        """Webhooks, the newest first.

        Args:
            limit: 1 to :data:`~exobridge.store.jobs.MAX_PAGE`.
            before: ``id`` of the last of the page before.
        """
        return await self._found(which, limit, before=before)

    async def _found(
        self, which: Filter, limit: int, *, before: int | None = None, after: int | None = None
    ) -> list[Job]:
        return await self._jobs.found(
            KIND,
            states=which.states,
            call_sid=which.call_sid,
            since=which.since,
            before=before,
            after=after,
            limit=limit,
        )

    async def find(self, webhook_id: str) -> Job | None:
        """One by its ``webhook-id``; ``None``: there is none, or none any more."""
        return await self._jobs.get(KIND, webhook_id)

    async def replay(self, webhook_id: str, now: datetime) -> Job | None:
        """Send one again, with the ``webhook-id`` that it had, in the order of its call; one that
        waits is tried at once. One that is queued or under way stays as it is.

        Returns:
            It as it stands then; ``None``: there is none.
        """
        job = await self.find(webhook_id)
        if job is None:
            return None
        if job.state in OVER:
            await self._jobs.again([job.id], now=now)
        elif job.state is JobState.WAITING:
            await self._jobs.revive(job.id, now=now)
        return await self.find(webhook_id)

    async def replay_all(self, which: Filter, now: datetime) -> int:
        """Send all of these again that were taken or given up; how many that were."""
        over = Filter(which.states or OVER, which.call_sid, which.since)
        newest = await self.listed(over, 1)
        end = newest[0].id + 1 if newest else 0  # what is taken meanwhile is not sent again
        count = after = 0
        while page := await self._found(over, REPLAYED_TOGETHER, before=end, after=after):
            count += len(await self._jobs.again([job.id for job in page], now=now))
            after = page[-1].id
        return count
