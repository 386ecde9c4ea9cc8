"""The work beside the calls is done, again if it must be, and given up when it is no use.

The database is real, so that time is too; the runner's waits are shortened.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from exobridge.errors import ExobridgeError
from exobridge.jobs import GiveUp, Handler, JobRunner, Later, RunnerOptions
from exobridge.store import Store
from exobridge.store.jobs import Job, JobState
from tests.database import migrated, rename
from tests.server import until

QUICK = RunnerOptions(
    backoff=(0.01, 0.01), jitter=0.0, lease=0.6, poll=0.05, gather=0.05, drain=0.05, count=0.01
)
"""Waits that a test can wait for."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An open store."""
    migrated(tmp_path / "calls.sqlite3")
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'calls.sqlite3'}")
    yield store
    await store.aclose()


@asynccontextmanager
async def running(
    store: Store,
    handler: Handler,
    *,
    options: RunnerOptions = QUICK,
    limit_seconds: float = 5.0,
    concurrency: int = 1,
    batch: int = 0,
    pace_seconds: float = 0.0,
) -> AsyncGenerator[JobRunner]:
    """A runner that does jobs of the kind ``work``."""
    runner = JobRunner(store.jobs, options)
    runner.register(
        "work",
        handler,
        limit_seconds=limit_seconds,
        concurrency=concurrency,
        batch=batch,
        pace_seconds=pace_seconds,
    )
    runner.start()
    try:
        yield runner
    finally:
        async with asyncio.timeout(10):
            await runner.aclose()


async def state(store: Store, *states: JobState) -> bool:
    """Whether the jobs, the oldest first, stand so."""
    return [job.state for job in reversed(await store.jobs.listed())] == list(states)


async def reach(store: Store, *states: JobState) -> Job:
    """Wait until the jobs stand so; the newest."""
    await until(lambda: state(store, *states))
    return (await store.jobs.listed())[0]


class Worker:
    """Fails as it is told, then works."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.done: list[Job] = []

    async def __call__(self, job: Job) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.done.append(job)


async def test_a_job_is_done_when_it_is_added(store: Store) -> None:
    """At once, without waiting for the next look."""
    worker = Worker()
    async with running(store, worker, options=replace(QUICK, poll=3600)) as runner:
        await until(lambda: not store.jobs.added.is_set())
        await store.jobs.add("work", "a", {"n": 1}, call_sid="c1")
        await reach(store, JobState.DONE)
    assert [(job.key, job.payload, job.call_sid) for job in worker.done] == [("a", {"n": 1}, "c1")]
    assert runner.outcomes == {("work", "done"): 1}


async def test_a_job_is_done_when_it_is_due(store: Store) -> None:
    """Not before; what is due later is slept for, not looked for."""
    worker = Worker()
    due_at = datetime.now(UTC) + timedelta(seconds=0.1)
    async with running(store, worker, options=replace(QUICK, poll=3600)):
        await store.jobs.add("work", "a", {}, due_at=due_at)
        job = await reach(store, JobState.DONE)
    assert job.done_at is not None
    assert job.done_at >= due_at


async def test_jobs_of_another_process_are_found(store: Store, tmp_path: Path) -> None:
    """By looking now and then."""
    worker = Worker()
    other = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'calls.sqlite3'}")
    async with running(store, worker):
        await until(lambda: not store.jobs.added.is_set())
        await other.jobs.add("work", "a", {})
        await reach(store, JobState.DONE)
    await other.aclose()


async def test_a_kind_without_handler_is_left_alone(store: Store) -> None:
    """Another process may know it."""
    worker = Worker()
    async with running(store, worker):
        await store.jobs.add("other", "a", {})
        await store.jobs.add("work", "a", {})
        await reach(store, JobState.WAITING, JobState.DONE)


async def test_a_failure_is_tried_again(store: Store) -> None:
    """After the wait that the table has for it, and with the error kept meanwhile."""
    worker = Worker(ExobridgeError("the line is busy"))
    options = replace(QUICK, backoff=(0.2,))
    with capture_logs() as log:
        async with running(store, worker, options=options) as runner:
            await store.jobs.add("work", "a", {}, call_sid="c1")
            await until(lambda: runner.outcomes["work", "retried"] == 1)
            (job,) = await store.jobs.listed()
            assert (job.state, job.error) == (JobState.WAITING, "the line is busy")
            assert timedelta(seconds=0.15) < job.due_at - job.created_at < timedelta(seconds=5)
            await reach(store, JobState.DONE)
    (line,) = (line for line in log if line["event"] == "job to be tried again")
    assert (line["error"], line["attempts"], line["seconds"]) == ("the line is busy", 1, 0.2)
    assert [job.attempts for job in worker.done] == [2]


async def test_a_job_that_always_fails_is_given_up(store: Store) -> None:
    """After as many waits as the table has, with an error in the log."""
    worker = Worker(*(ExobridgeError("no") for _ in range(10)))
    with capture_logs() as log:
        async with running(store, worker) as runner:
            await store.jobs.add("work", "a", {})
            job = await reach(store, JobState.FAILED)
    assert (job.attempts, job.error) == (3, "no")
    assert runner.outcomes == {("work", "retried"): 2, ("work", "failed"): 1}
    assert [line["log_level"] for line in log if line["event"] == "job given up"] == ["error"]


async def test_a_job_may_wait_as_often_as_it_likes(store: Store) -> None:
    """Waiting for something outside is no failure."""
    worker = Worker(*(Later(0.0, "not there yet") for _ in range(8)))
    async with running(store, worker) as runner:
        await store.jobs.add("work", "a", {})
        await reach(store, JobState.DONE)
    assert runner.outcomes == {("work", "later"): 8, ("work", "done"): 1}
    assert worker.done[0].attempts == 1


async def test_a_job_may_give_itself_up(store: Store) -> None:
    """At once, for the reason that it says."""
    async with running(store, Worker(GiveUp("forbidden"))):
        await store.jobs.add("work", "a", {})
        job = await reach(store, JobState.FAILED)
    assert job.error == "forbidden"


async def test_a_bug_is_logged_and_its_words_are_not_kept(store: Store) -> None:
    """They may hold anything; the type says enough in the record."""
    with capture_logs() as log:
        async with running(store, Worker(ValueError("a caller's words"))) as runner:
            await store.jobs.add("work", "a", {})
            await until(lambda: runner.outcomes["work", "retried"] == 1)
            await reach(store, JobState.DONE)
    assert [line["error"] for line in log if line["event"] == "job to be tried again"] == [
        "ValueError"
    ]
    assert len([line for line in log if line["event"] == "job crashed"]) == 1


async def test_a_try_has_a_limit(store: Store) -> None:
    """What takes longer is stopped and counts as failed."""
    stopped = asyncio.Event()

    async def hang(job: Job) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.set()

    async with running(store, hang, limit_seconds=0.02) as runner:
        await store.jobs.add("work", "a", {})
        await stopped.wait()
        job = await reach(store, JobState.FAILED)
    assert job.error == "not done within 0.02 s"
    assert runner.outcomes["work", "retried"] == 2


async def test_a_time_out_of_the_handlers_own(store: Store) -> None:
    """It is not taken for the runner's limit."""
    async with running(store, Worker(*(TimeoutError() for _ in range(9)))):
        await store.jobs.add("work", "a", {})
        assert (await reach(store, JobState.FAILED)).error == "TimeoutError"


async def test_so_many_at_once(store: Store) -> None:
    """As many as were said, of a kind; the others wait their turn, and all are done."""
    now = most = 0
    three = asyncio.Event()

    async def work(job: Job) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        if now == 3:
            three.set()
        await three.wait()
        await asyncio.sleep(0.01)
        now -= 1

    async with running(store, work, concurrency=3):
        for number in range(10):
            await store.jobs.add("work", str(number), {})
        await reach(store, *[JobState.DONE] * 10)
    assert most == 3


async def test_a_batch_is_taken_and_settled_together(store: Store) -> None:
    """In one transaction each, though no more are done at once than were said."""
    now = most = done = 0
    leases: set[str] = set()

    async def work(job: Job) -> None:
        nonlocal now, most, done
        now += 1
        most = max(most, now)
        leases.add(job.lease)
        await asyncio.sleep(0.001)
        now -= 1
        done += 1

    for number in range(20):
        await store.jobs.add("work", str(number), {}, call_sid=str(number))
    patient = replace(QUICK, lease=60, poll=3600, gather=3600, count=3600)
    async with running(store, work, options=patient, concurrency=3, batch=20) as runner:
        await until(lambda: done == 20)
        assert await state(store, *[JobState.RUNNING] * 20)
    jobs = await store.jobs.listed(JobState.DONE)
    assert len({job.done_at for job in jobs}) == len(leases) == 1
    assert most == 3
    assert runner.outcomes == {("work", "done"): 20}


async def test_more_than_a_batch_are_all_done(store: Store) -> None:
    """The next is taken as soon as there is room, without waiting for the next look."""
    worker = Worker()
    for number in range(50):
        await store.jobs.add("work", str(number), {}, call_sid=str(number))
    options = replace(QUICK, poll=3600)
    async with running(store, worker, options=options, concurrency=2, batch=8) as runner:
        await until(lambda: runner.outcomes["work", "done"] == 50)
    assert sorted(int(job.key) for job in worker.done) == list(range(50))


async def test_one_of_a_batch_that_fails_is_tried_again_alone(store: Store) -> None:
    """What was done beside it is done once."""
    tried: list[str] = []

    async def work(job: Job) -> None:
        tried.append(job.key)
        if job.key == "b" and job.attempts == 1:
            raise ExobridgeError("no")

    for key in "abcd":
        await store.jobs.add("work", key, {}, call_sid=key)
    async with running(store, work, concurrency=2, batch=10) as runner:
        await reach(store, *[JobState.DONE] * 4)
    assert sorted(tried) == ["a", "b", "b", "c", "d"]
    assert runner.outcomes == {("work", "retried"): 1, ("work", "done"): 4}


async def test_the_leases_of_a_batch_are_renewed(store: Store) -> None:
    """What waits for its turn longer than its lease is not another's, and is done once."""
    begun: list[str] = []

    async def work(job: Job) -> None:
        begun.append(job.key)
        await asyncio.sleep(0.5 * QUICK.lease)

    for key in "abcd":
        await store.jobs.add("work", key, {}, call_sid=key)
    async with running(store, work, batch=4) as one, running(store, work, batch=4) as other:
        await reach(store, *[JobState.DONE] * 4)
    assert sorted(begun) == ["a", "b", "c", "d"]
    assert not one.outcomes["work", "lost"] + other.outcomes["work", "lost"]


async def test_a_batch_keeps_each_calls_order(store: Store) -> None:
    """Of one call the next begins when the one before is over; other calls do not wait for it."""
    told: list[tuple[str, str]] = []
    other_is_told = asyncio.Event()

    async def work(job: Job) -> None:
        if job.key == "c1 0":
            async with asyncio.timeout(5):
                await other_is_told.wait()
        elif job.call_sid == "c2":
            other_is_told.set()
        told.append((job.call_sid, job.key))

    for number in range(4):
        await store.jobs.add("work", f"c1 {number}", {}, call_sid="c1")
    await store.jobs.add("work", "c2 0", {}, call_sid="c2")
    async with running(store, work, concurrency=4, batch=10):
        await reach(store, *[JobState.DONE] * 5)
    assert told == [("c2", "c2 0"), *(("c1", f"c1 {number}") for number in range(4))]


async def test_a_kind_has_a_pace(store: Store) -> None:
    """However many are taken, so much time is between the beginnings of two."""
    begun: list[float] = []

    async def work(job: Job) -> None:
        begun.append(asyncio.get_running_loop().time())

    for number in range(6):
        await store.jobs.add("work", str(number), {})
    async with running(store, work, concurrency=3, batch=10, pace_seconds=0.02):
        await reach(store, *[JobState.DONE] * 6)
    assert begun[-1] - begun[0] >= 0.099  # the clock's grain


async def test_one_of_a_batch_that_is_anothers_is_not_settled(store: Store) -> None:
    """It is the other's to settle; those beside it are done."""
    worker = Worker()
    await store.jobs.add("work", "a", {}, call_sid="a")
    await store.jobs.add("work", "b", {}, call_sid="b")
    patient = replace(QUICK, lease=60, poll=3600, gather=3600, count=3600)
    async with running(store, worker, options=patient, batch=10) as runner:
        await until(lambda: len(worker.done) == 2)
        far = datetime.now(UTC) + timedelta(days=1)
        (theirs,) = await store.jobs.lease("work", now=far, until=far, limit=1)
    assert runner.outcomes == {("work", "lost"): 1, ("work", "done"): 1}
    assert await store.jobs.done(theirs, now=far)


async def test_what_cannot_be_settled_is_done_again(store: Store, tmp_path: Path) -> None:
    """Once its lease has run out; the log says so."""
    worker = Worker()
    await store.jobs.add("work", "a", {}, call_sid="a")
    patient = replace(QUICK, lease=60, poll=3600, gather=3600, count=3600)
    database = tmp_path / "calls.sqlite3"
    with capture_logs() as log:
        async with running(store, worker, options=patient, batch=10):
            await until(lambda: len(worker.done) == 1)
            await rename(database, "jobs", "away")
        await rename(database, "away", "jobs")
    assert [line for line in log if line["event"] == "job not settled"]
    far = datetime.now(UTC) + timedelta(days=1)
    runner = JobRunner(store.jobs, QUICK, lambda: far)
    runner.register("work", worker, limit_seconds=5)
    runner.start()
    await reach(store, JobState.DONE)
    await runner.aclose()
    assert [job.attempts for job in worker.done] == [1, 2]


async def test_a_lease_that_cannot_be_renewed_ends(store: Store, tmp_path: Path) -> None:
    """Work goes on without the database until another may have taken it, and not longer."""
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def work(job: Job) -> None:
        try:
            begun.set()
            await asyncio.sleep(3600)
        finally:
            stopped.set()

    database = tmp_path / "calls.sqlite3"
    async with running(store, work, limit_seconds=3600) as runner:
        await store.jobs.add("work", "a", {})
        await begun.wait()
        await rename(database, "jobs", "away")
        await stopped.wait()
        assert runner.outcomes == {("work", "lost"): 1}
        await rename(database, "away", "jobs")


async def test_a_lease_is_renewed_while_the_work_goes_on(store: Store) -> None:
    """A job that takes longer than its lease is done once."""
    begun = 0

    async def work(job: Job) -> None:
        nonlocal begun
        begun += 1
        await asyncio.sleep(1.5 * QUICK.lease)

    async with running(store, work), running(store, work):
        await store.jobs.add("work", "a", {})
        await reach(store, JobState.DONE)
    assert begun == 1


async def test_a_lease_that_is_lost_stops_the_work(store: Store) -> None:
    """Another holds it then, and settles it."""
    stopped = asyncio.Event()

    async def work(job: Job) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.set()

    async with running(store, work, limit_seconds=3600) as runner:
        await store.jobs.add("work", "a", {})
        await reach(store, JobState.RUNNING)
        far = datetime.now(UTC) + timedelta(days=1)
        (theirs,) = await store.jobs.lease("work", now=far, until=far, limit=1)
        await stopped.wait()
        await until(lambda: runner.outcomes["work", "lost"] == 1)
    assert await store.jobs.done(theirs, now=far)


async def test_a_job_whose_process_dies_each_time_is_given_up(store: Store) -> None:
    """It is not what kills every process for ever."""
    worker = Worker()
    await store.jobs.add("work", "a", {})
    past = datetime.now(UTC) - timedelta(days=1)
    for _ in range(3):
        now = datetime.now(UTC)
        assert await store.jobs.lease("work", now=now, until=past, limit=1)
    async with running(store, worker):
        job = await reach(store, JobState.FAILED)
    assert job.error == "its process died each time"
    assert not worker.done


async def test_stopping_gives_running_work_a_moment(store: Store) -> None:
    """What ends within it is done; what does not is free for the next start at once."""

    stopping = asyncio.Event()

    async def work(job: Job) -> None:
        await (stopping.wait() if job.key == "short" else asyncio.sleep(3600))

    options = replace(QUICK, drain=0.5)
    async with running(store, work, options=options, limit_seconds=3600, concurrency=2):
        await store.jobs.add("work", "short", {})
        await store.jobs.add("work", "long", {})
        await reach(store, JobState.RUNNING, JobState.RUNNING)
        asyncio.get_running_loop().call_later(0.05, stopping.set)
    assert await state(store, JobState.DONE, JobState.WAITING)
    (job,) = await store.jobs.listed(JobState.WAITING)
    assert (job.attempts, job.error) == (0, "the server stopped")
    worker = Worker()
    async with running(store, worker):
        await reach(store, JobState.DONE, JobState.DONE)
    assert [job.key for job in worker.done] == ["long"]


async def test_a_database_that_fails_is_asked_again(store: Store, tmp_path: Path) -> None:
    """What cannot be read now is logged; the runner goes on when the database is back."""
    worker = Worker()
    database = tmp_path / "calls.sqlite3"
    with capture_logs() as log:
        async with running(store, worker):
            await rename(database, "jobs", "away")
            await until(lambda: any(line["event"] == "jobs not read" for line in log))
            await rename(database, "away", "jobs")
            await store.jobs.add("work", "a", {})
            await reach(store, JobState.DONE)
    assert len(worker.done) == 1


async def test_jobs_that_are_long_over_are_forgotten(store: Store) -> None:
    """So that the table does not grow for ever; what is not over stays, however old."""
    long_ago = datetime.now(UTC) - timedelta(days=31)
    for key in ("old", "new", "waiting"):
        await store.jobs.add("other", key, {}, due_at=long_ago)
    old, new = await store.jobs.lease("other", now=long_ago, until=long_ago, limit=2)
    await store.jobs.done(old, now=long_ago)
    await store.jobs.fail(new, now=long_ago + timedelta(days=2), error="no")
    async with running(store, Worker()):
        await until(lambda: state(store, JobState.FAILED, JobState.WAITING))


async def test_what_is_left_is_counted(store: Store) -> None:
    """For the metrics: how many wait, how many were given up, how late the oldest is."""
    long_ago = datetime.now(UTC) - timedelta(seconds=100)
    await store.jobs.add("other", "a", {}, due_at=long_ago)
    async with running(store, Worker(GiveUp("no"))) as runner:
        assert runner.late_seconds() == 0.0
        await store.jobs.add("work", "a", {})
        await until(lambda: runner.backlog.failed == 1)
        assert runner.backlog.waiting == 1
        assert 100 <= runner.late_seconds() < 200
