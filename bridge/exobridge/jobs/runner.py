"""Takes jobs that are due, and has them done."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from exobridge.jobs.kinds import Care, Doing, Handler, Kind, RunnerOptions
from exobridge.jobs.trying import Trier, Verdict
from exobridge.store import StoreError
from exobridge.store.jobs import Backlog, Job, Jobs

EXPIRED_TOGETHER = 500
"""Most jobs of a kind that are given up in one transaction, as their time is over."""

_log = structlog.stdlib.get_logger("exobridge.jobs")


class JobRunner:
    """Takes jobs that are due and has them done, several at once.

    Attributes:
        outcomes: How often a kind's jobs ended how: ``done``, ``later``, ``retried``, ``failed``,
            or ``lost`` (another has taken the job).
        backlog: What was left to do, of all processes, when it was counted last.
    """

    def __init__(
        self,
        jobs: Jobs,
        options: RunnerOptions | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._jobs = jobs
        self._options = options or RunnerOptions()
        self._clock = clock
        self._trier = Trier(self._options)
        self._kinds: dict[str, Kind] = {}
        self._retired: dict[str, float] = {}
        self._doing: dict[asyncio.Task[None], Doing] = {}
        self._done: list[Job] = []
        self._crowded: set[str] = set()
        self._loop: asyncio.Task[None] | None = None
        self._renew_at = self._count_at = self._forget_at = 0.0
        self._counted = clock()
        self._is_gathered = False
        self._closing = False
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.backlog = Backlog()

    def register(
        self,
        kind: str,
        handler: Handler,
        *,
        limit_seconds: float,
        concurrency: int = 1,
        batch: int = 0,
        pace_seconds: float = 0.0,
        care: Care | None = None,
    ) -> None:
        """Have jobs of a kind done here, from now on.

        Args:
            limit_seconds: How long one try may take; then it has failed.
            concurrency: Most of them at once in this process.
            batch: Most of them that are taken together, for a kind of which many come at a time;
                they are settled together too, and those of one call are done one after another.
                By default none is taken before it can be done.
            pace_seconds: Least time from the beginning of one to that of the next, so that many do
                not hold up the calls.
            care: What else is special about them.
        """
        self._kinds[kind] = Kind(
            handler,
            limit_seconds=limit_seconds,
            concurrency=concurrency,
            batch=batch,
            pace_seconds=pace_seconds,
            care=care or Care(),
        )

    def retire(self, kind: str, expire_seconds: float) -> None:
        """Nobody does jobs of a kind any more: those that wait are given up after so long."""
        self._retired[kind] = expire_seconds

    def start(self) -> None:
        """Begin."""
        self._loop = asyncio.create_task(self._run(), name="exobridge-jobs")

    async def aclose(self) -> None:
        """Take no more. What runs has a few seconds to end; the rest is for another process, or for
        the next start."""
        self._closing = True
        self._jobs.added.set()
        if self._loop is not None:
            # Not cancelled: what it has just leased would wait for the end of its lease.
            await self._loop
        if self._doing:
            _, late = await asyncio.wait(self._doing, timeout=self._options.drain)
            if late:
                await self._give_back(late)
        await self._settle_done()

    def late_seconds(self) -> float:
        """For how long the oldest job that is due had waited when the backlog was counted last."""
        due_at = self.backlog.oldest_due_at
        return 0.0 if due_at is None else max(0.0, (self._counted - due_at).total_seconds())

    async def _run(self) -> None:
        now = asyncio.get_running_loop().time
        while not self._closing:
            self._jobs.added.clear()
            try:
                await self._settle_done()
                await self._renew()
                seconds = await self._take()
                await self._look_after()
            except StoreError as error:
                _log.warning("jobs not read", error=str(error))
                self._drop_expired()
                seconds = self._options.poll
            if self._doing:
                seconds = min(seconds, self._renew_at - now())
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, seconds)):
                    await self._jobs.added.wait()

    async def _look_after(self) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._forget_at:
            self._forget_at = now + self._options.forget
            await self.tidy()
        if now >= self._count_at:
            self._count_at = now + self._options.count
            self._counted = self._clock()
            self.backlog = await self._jobs.backlog(self._counted)

    async def tidy(self) -> None:
        """Delete what was over long ago, and give up what has waited for too long."""
        now = self._clock()
        own = {name: kind.care for name, kind in self._kinds.items()}
        kept = [name for name, care in own.items() if care.keep]
        await self._jobs.forget(now - timedelta(seconds=self._options.keep), but=kept)
        for name in kept:
            await self._jobs.forget(now - timedelta(seconds=own[name].keep), kind=name)
        expiring = {name: care.expire for name, care in own.items() if care.expire}
        for name, seconds in (expiring | self._retired).items():
            await self._expire(name, now - timedelta(seconds=seconds), now)

    async def _expire(self, name: str, before: datetime, now: datetime) -> None:
        gone = 0
        while few := await self._jobs.expire(name, before, now=now, limit=EXPIRED_TOGETHER):
            gone += few
        if gone:
            self.outcomes[name, "failed"] += gone
            _log.error("jobs not done in time", kind=name, jobs=gone)

    # -------------------------------------------------------------- taking

    async def _take(self) -> float:
        """Take what is due.

        Returns:
            How long there is nothing more to do, in seconds.
        """
        room = {
            name: max(0, min(kind.batch, kind.care.room()) - self._held(name))
            for name, kind in self._kinds.items()
        }
        self._crowded = {name for name in room if not self._has_room(name)}
        due = await self._jobs.next_due(room.keys() - self._crowded)
        now = self._clock()
        until = now + timedelta(seconds=self._options.lease)
        has_taken = False
        for name in (name for name, due_at in due.items() if due_at <= now):
            for job in await self._jobs.lease(name, now=now, until=until, limit=room[name]):
                self._begin(self._kinds[name], job)
                has_taken = True
        if has_taken:
            return 0.0  # there may be more
        later = [(due_at - now).total_seconds() for due_at in due.values() if due_at > now]
        return min([self._trier.jittered(self._options.poll), *later])

    def _held(self, name: str) -> int:
        return sum(doing.job.kind == name for doing in self._doing.values())

    def _has_room(self, name: str) -> bool:
        kind = self._kinds[name]
        return self._held(name) < min(kind.concurrency, kind.care.room())

    def _begin(self, kind: Kind, job: Job) -> None:
        if not self._doing:
            self._renew_later()
        earlier = self._of_call(job) if kind.in_batches and job.call_sid else []
        doing = Doing(job)
        task = asyncio.create_task(self._do(kind, doing, earlier))
        self._doing[task] = doing
        task.add_done_callback(self._over)

    def _of_call(self, job: Job) -> list[asyncio.Task[None]]:
        """What is being done of the same kind for the same call."""
        which = (job.kind, job.call_sid)
        doing = self._doing.items()
        return [task for task, other in doing if (other.job.kind, other.job.call_sid) == which]

    def _over(self, task: asyncio.Task[None]) -> None:
        name = self._doing.pop(task).job.kind
        if name in self._crowded and self._has_room(name):
            self._jobs.added.set()  # there is room for more
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("job runner crashed", exc_info=error)

    # -------------------------------------------------------------- holding

    async def _renew(self) -> None:
        """Hold what is being done for longer; stop what another has taken."""
        if asyncio.get_running_loop().time() < self._renew_at:
            return
        self._renew_later()
        trying = [doing for doing in self._doing.values() if not doing.is_tried]
        if not trying:
            return
        until = self._clock() + timedelta(seconds=self._options.lease)
        held = await self._jobs.renew(*(doing.job for doing in trying), until=until)
        for doing in trying:
            doing.job = replace(doing.job, leased_until=until)
        self._stop({doing for doing in trying if doing.job.id not in held})

    def _renew_later(self) -> None:
        self._renew_at = asyncio.get_running_loop().time() + self._options.lease / 3

    def _drop_expired(self) -> None:
        """The database does not answer: what was to be renewed in time is another's now."""
        now = self._clock()
        held = self._doing.values()
        self._stop({doing for doing in held if (doing.job.leased_until or now) < now})

    def _stop(self, lost: set[Doing]) -> None:
        for task, doing in self._doing.items():
            if doing in lost and not doing.is_tried:
                doing.is_tried = True
                task.cancel()
                self._lost(doing.job)

    async def _give_back(self, late: set[asyncio.Task[None]]) -> None:
        jobs = [self._doing[task].job for task in late]
        for task in late:
            task.cancel()
        await asyncio.wait(late)
        with suppress(StoreError):  # their leases run out by themselves
            why = "the server stopped"
            await self._jobs.retry(*jobs, at=self._clock(), error=why, counted=False)

    # -------------------------------------------------------------- doing

    async def _do(self, kind: Kind, doing: Doing, earlier: list[asyncio.Task[None]]) -> None:
        """Do a job that is leased, and settle it."""
        if earlier:
            await asyncio.wait(earlier)
        async with kind.turn():
            verdict = await self._trier.attempt(kind, doing.job)
        doing.is_tried = True
        if verdict.outcome == "done" and kind.in_batches:
            self._settle_soon(doing.job)
        else:
            await self._settle(doing.job, verdict)

    def _settle_soon(self, job: Job) -> None:
        self._done.append(job)
        if len(self._done) == 1:
            asyncio.get_running_loop().call_later(self._options.gather, self._gathered)

    def _gathered(self) -> None:
        self._is_gathered = True
        self._jobs.added.set()

    async def _settle_done(self) -> None:
        """Settle what was done of kinds with batches, once it has waited for others."""
        if not self._done or not (self._is_gathered or self._closing):
            return
        done, self._done, self._is_gathered = self._done, [], False
        try:
            held = await self._jobs.done(*done, now=self._clock())
        except StoreError as error:  # once their leases have run out, they are done again
            for job in done:
                _log.warning("job not settled", kind=job.kind, job=job.id, error=str(error))
            return
        for job in done:
            if job.id in held:
                self.outcomes[job.kind, "done"] += 1
            else:
                self._lost(job)

    async def _settle(self, job: Job, verdict: Verdict) -> None:
        now, error = self._clock(), verdict.error
        next_at = now + timedelta(seconds=verdict.seconds)
        try:
            match verdict.outcome:
                case "done":
                    held = await self._jobs.done(job, now=now)
                case "failed":
                    held = await self._jobs.fail(job, now=now, error=error)
                case outcome:
                    counted = outcome == "retried"
                    held = await self._jobs.retry(job, at=next_at, error=error, counted=counted)
        except StoreError as failure:  # once its lease has run out, it is done again
            _log.warning("job not settled", kind=job.kind, job=job.id, error=str(failure))
            return
        if not held:
            self._lost(job)
            return
        self.outcomes[job.kind, verdict.outcome] += 1
        if verdict.outcome == "retried":
            _log.warning(
                "job to be tried again",
                kind=job.kind,
                job=job.id,
                call_sid=job.call_sid,
                attempts=job.attempts,
                error=verdict.error,
                seconds=round(verdict.seconds, 1),
            )
        elif verdict.outcome == "failed":
            _log.error(
                "job given up",
                kind=job.kind,
                job=job.id,
                call_sid=job.call_sid,
                error=verdict.error,
            )

    def _lost(self, job: Job) -> None:
        self.outcomes[job.kind, "lost"] += 1
        _log.warning("job lost", kind=job.kind, job=job.id)
