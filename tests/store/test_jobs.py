"""Jobs are kept, leased once at a time, and settled by who holds the lease."""

from __future__ import annotations

import asyncio
import sys

import pytest

from exobridge.store import Store
from exobridge.store.jobs import MAX_ERROR_CHARS, MAX_PAGE, Job, JobState
from tests.store.samples import ROOT, T0, at


async def leased(
    store: Store, kind: str = "fetch", seconds: float = 0, limit: int = 10
) -> list[Job]:
    """What is due so long after ``T0``, taken for a minute."""
    now = at(seconds)
    return await store.jobs.lease(kind, now=now, until=at(seconds + 60), limit=limit)


async def add(store: Store, *keys: str, due: float = 0) -> None:
    """Jobs that are due so long after ``T0``."""
    for key in keys:
        assert await store.jobs.add("fetch", key, {"url": key}, call_sid="c1", due_at=at(due))


async def one(store: Store) -> Job:
    """The only job there is."""
    (job,) = await store.jobs.listed()
    return job


async def test_a_job_survives_the_process(url: str) -> None:
    """What was added is there when the database is opened again, with all that it was given."""
    store = await Store.open(url)
    await add(store, "a", due=5)
    await store.aclose()
    store = await Store.open(url)
    (job,) = await leased(store, seconds=5)
    assert (job.kind, job.key, job.call_sid, job.payload) == ("fetch", "a", "c1", {"url": "a"})
    assert (job.state, job.attempts, job.due_at) == (JobState.RUNNING, 1, at(5))
    assert job.leased_until == at(65)
    await store.aclose()


async def test_a_key_is_added_once(store: Store) -> None:
    """A second job of the same kind and key changes nothing, even once the first is done."""
    assert await store.jobs.add("fetch", "a", {"n": 1}, due_at=T0)
    assert not await store.jobs.add("fetch", "a", {"n": 2}, due_at=T0)
    assert await store.jobs.add("other", "a", {"n": 3}, due_at=T0)
    (job,) = await leased(store)
    assert job.payload == {"n": 1}
    assert await store.jobs.done(job, now=at(1))
    assert not await store.jobs.add("fetch", "a", {"n": 4}, due_at=T0)
    assert await leased(store, seconds=100) == []


async def test_several_add_one_key_at_once(store: Store) -> None:
    """One of them is told that it was new."""
    told = await asyncio.gather(*(store.jobs.add("fetch", "a", {}) for _ in range(8)))
    assert sorted(told) == [False] * 7 + [True]


async def test_who_waits_for_work_is_told(store: Store) -> None:
    """The event is set by what is new, and not by what was there."""
    await add(store, "a")
    assert store.jobs.added.is_set()
    store.jobs.added.clear()
    await store.jobs.add("fetch", "a", {})
    assert not store.jobs.added.is_set()


async def test_jobs_are_taken_when_they_are_due(store: Store) -> None:
    """The longest due first, not before their time, and no more than were asked for."""
    await add(store, "late", due=30)
    await add(store, "second", due=10)
    await add(store, "first", due=5)
    assert await leased(store, seconds=4) == []
    assert [job.key for job in await leased(store, seconds=20, limit=1)] == ["first"]
    assert [job.key for job in await leased(store, seconds=20)] == ["second"]
    assert await leased(store, "other", seconds=40) == []


async def test_a_leased_job_is_nobody_elses(store: Store) -> None:
    """Until its lease runs out; then the next holder may settle it, and the first may not."""
    await add(store, "a")
    (mine,) = await leased(store)
    assert await leased(store, seconds=59) == []
    (yours,) = await leased(store, seconds=60)
    assert (yours.id, yours.attempts) == (mine.id, 2)
    assert not await store.jobs.renew(mine, until=at(500))
    assert not await store.jobs.done(mine, now=at(61))
    assert not await store.jobs.retry(mine, at=at(61), error="late")
    assert not await store.jobs.fail(mine, now=at(61), error="late")
    assert await store.jobs.done(yours, now=at(62))
    assert not await store.jobs.done(yours, now=at(63))
    assert (await one(store)).done_at == at(62)


async def test_a_renewed_lease_lasts(store: Store) -> None:
    """It runs out later, by as much."""
    await add(store, "a")
    (job,) = await leased(store)
    assert await store.jobs.renew(job, until=at(100))
    assert await leased(store, seconds=99) == []
    assert len(await leased(store, seconds=100)) == 1


async def test_a_job_is_tried_again(store: Store) -> None:
    """At the time that was said, with the reason kept; a mere wait does not count as a try."""
    await add(store, "a")
    (job,) = await leased(store)
    assert await store.jobs.retry(job, at=at(30), error="busy " * 200)
    kept = await one(store)
    assert (kept.state, kept.attempts, kept.lease) == (JobState.WAITING, 1, "")
    assert len(kept.error) == MAX_ERROR_CHARS
    assert await leased(store, seconds=29) == []
    (job,) = await leased(store, seconds=30)
    assert job.attempts == 2
    assert await store.jobs.retry(job, at=at(40), error="not there", counted=False)
    assert (await one(store)).attempts == 1


async def test_a_job_that_is_done_forgets_its_payload(store: Store) -> None:
    """A URL that it held is not kept for ever."""
    await add(store, "a")
    (job,) = await leased(store)
    await store.jobs.done(job, now=at(1))
    kept = await one(store)
    assert (kept.state, kept.payload, kept.error) == (JobState.DONE, {}, "")


async def test_a_job_that_failed_is_revived_when_asked(store: Store) -> None:
    """Until then nobody tries it; afterwards it is as new. One that runs is left alone."""
    await add(store, "a")
    (job,) = await leased(store)
    assert not await store.jobs.revive(job.id, now=at(1))
    await store.jobs.fail(job, now=at(1), error="no use")
    assert await leased(store, seconds=1000) == []
    assert await store.jobs.revive(job.id, now=at(2))
    (job,) = await leased(store, seconds=2)
    assert (job.attempts, job.payload, job.done_at) == (1, {"url": "a"}, None)


async def test_a_job_that_waits_is_hurried_when_asked(store: Store) -> None:
    """It is due at once; one that is done is not done again."""
    await add(store, "a")
    (job,) = await leased(store)
    await store.jobs.retry(job, at=at(3600), error="HTTP 401")
    assert await leased(store, seconds=60) == []
    assert await store.jobs.revive(job.id, now=at(60))
    (job,) = await leased(store, seconds=60)
    await store.jobs.done(job, now=at(61))
    assert not await store.jobs.revive(job.id, now=at(62))


async def test_more_is_learned_of_a_job(store: Store) -> None:
    """It is laid over what it has, and it is tried then; also if it was given up, or done."""
    assert not await store.jobs.amend("fetch", "a", {"more": 1}, due_at=T0)
    await add(store, "a", due=100)
    assert await store.jobs.amend("fetch", "a", {"more": 1}, due_at=at(10))
    (job,) = await leased(store, seconds=10)
    assert job.payload == {"url": "a", "more": 1}
    assert await store.jobs.amend("fetch", "a", {"more": 2}, due_at=at(11))
    await store.jobs.fail(job, now=at(12), error="no use")
    assert (await one(store)).payload == {"url": "a", "more": 2}
    assert await store.jobs.amend("fetch", "a", {"more": 3}, due_at=at(20))
    (job,) = await leased(store, seconds=20)
    assert (job.attempts, job.payload) == (1, {"url": "a", "more": 3})
    await store.jobs.done(job, now=at(21))
    assert await store.jobs.amend("fetch", "a", {"more": 4}, due_at=at(22))
    (job,) = await leased(store, seconds=22)
    assert (job.attempts, job.payload) == (1, {"more": 4})


async def test_when_the_next_one_is_due(store: Store) -> None:
    """The first waiting job's time or the first lease's end, of the kinds that were asked for."""
    assert await store.jobs.next_due(["fetch"]) == {}
    await add(store, "a", due=5)
    await add(store, "b", due=90)
    await store.jobs.add("other", "a", {}, due_at=at(7))
    assert await store.jobs.next_due(["fetch", "other", "more"]) == {"fetch": at(5), "other": at(7)}
    assert await store.jobs.next_due(["other"]) == {"other": at(7)}
    assert await store.jobs.next_due([]) == {}
    assert len(await leased(store, seconds=5)) == 1
    assert await store.jobs.next_due(["fetch"]) == {"fetch": at(65)}


async def test_many_are_settled_at_once(store: Store) -> None:
    """Those that are still held; one that is another's by now stays the other's."""
    await add(store, "a", "b", "c")
    a, b, c = await leased(store)
    assert [job.key for job in (a, b, c)] == ["a", "b", "c"]
    assert await store.jobs.renew(a, c, until=at(500)) == {a.id, c.id}
    (theirs,) = await leased(store, seconds=61)
    assert theirs.id == b.id
    assert await store.jobs.done(a, b, now=at(62)) == {a.id}
    assert await store.jobs.retry(b, c, at=at(62), error="no") == {c.id}
    assert await store.jobs.fail(theirs, now=at(63), error="no") == {b.id}
    assert await store.jobs.done(a, b, c, now=at(64)) == set()
    assert await store.jobs.done(now=at(64)) == set()
    states = [job.state for job in await store.jobs.listed()]
    assert states == [JobState.WAITING, JobState.FAILED, JobState.DONE]


async def test_what_is_left_to_do(store: Store) -> None:
    """Waiting and running ones, those given up, and since when the oldest has waited."""
    await add(store, "a", "b", "c", due=5)
    await add(store, "d", due=1000)
    first, second = await leased(store, seconds=5, limit=2)
    await store.jobs.fail(first, now=at(6), error="no use")
    await store.jobs.done(second, now=at(6))
    backlog = await store.jobs.backlog(at(20))
    assert (backlog.waiting, backlog.failed, backlog.oldest_due_at) == (2, 1, at(5))
    assert (await store.jobs.backlog(at(1))).oldest_due_at is None


async def test_jobs_are_listed(store: Store) -> None:
    """The newest first; by state or by call."""
    await add(store, "a", "b")
    await store.jobs.add("fetch", "c", {}, call_sid="c2", due_at=at(100))
    (job,) = await leased(store, limit=1)
    await store.jobs.fail(job, now=at(1), error="no use")
    assert [job.key for job in await store.jobs.listed()] == ["c", "b", "a"]
    assert [job.key for job in await store.jobs.listed(JobState.FAILED)] == ["a"]
    assert [job.key for job in await store.jobs.listed(call_sid="c2")] == ["c"]
    assert [job.key for job in await store.jobs.listed(limit=1)] == ["c"]
    for limit in (0, MAX_PAGE + 1):
        with pytest.raises(ValueError, match="1 to"):
            await store.jobs.listed(limit=limit)


async def test_old_jobs_are_forgotten(store: Store) -> None:
    """Those that are over since then; never one that is not."""
    await add(store, "done", "failed", "new", "waiting")
    done, failed, new = await leased(store, limit=3)
    await store.jobs.done(done, now=at(1))
    await store.jobs.fail(failed, now=at(1), error="no use")
    await store.jobs.done(new, now=at(10))
    assert await store.jobs.forget(at(10)) == 2
    assert [job.key for job in await store.jobs.listed()] == ["waiting", "new"]


COMPETITOR = """
import asyncio, sys
from exobridge.store import Store
from tests.store.samples import at

async def main():
    store = await Store.open(sys.argv[1])
    while jobs := await store.jobs.lease("fetch", now=at(0), until=at(60), limit=3):
        print(*(job.key for job in jobs))
    await store.aclose()

asyncio.run(main())
"""


async def test_processes_share_the_jobs(url: str) -> None:
    """Each of many jobs is taken by one of several processes that ask at once."""
    store = await Store.open(url)
    keys = [str(number) for number in range(60)]
    await add(store, *keys)
    await store.aclose()
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", COMPETITOR, url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(3)
    ]
    async with asyncio.timeout(30):
        outputs = [(await process.communicate())[0].decode().split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    taken = [key for output in outputs for key in output]
    assert sorted(taken, key=int) == keys
