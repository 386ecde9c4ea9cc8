"""Jobs of a line are done one after another, whoever does them, and whatever becomes of one."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections import defaultdict
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exobridge.call.events import CallEvent, Turn
from exobridge.call.state import Call
from exobridge.store import Store
from exobridge.store.jobs import Job, JobState, NewJob
from exobridge.store.transaction import WAKE_SECONDS
from tests.database import migrated
from tests.store.samples import T0, answered, at, ended, started, turn

LINES = ("a", "b", "c")


async def leased(store: Store, seconds: float = 0, limit: int = 10) -> list[Job]:
    """What is due so long after ``T0``, taken for a minute."""
    now = at(seconds)
    return await store.jobs.lease("send", now=now, until=at(seconds + 60), limit=limit)


async def add(store: Store, line: str, *keys: str) -> None:
    """Jobs of a line, due at ``T0``."""
    for key in keys:
        assert await store.jobs.add("send", key, {"n": key}, line=line, due_at=T0)


async def standing(store: Store) -> dict[str, JobState]:
    """How each job stands."""
    return {job.key: job.state for job in await store.jobs.listed()}


async def test_the_next_waits_for_the_one_before(store: Store) -> None:
    """It is not taken while the first is retried or runs; another line's is; once the first is done
    whoever waits for work is told."""
    await add(store, "a", "a1", "a2")
    await add(store, "b", "b1")
    first, other = await leased(store)
    assert (first.key, other.key) == ("a1", "b1")
    assert await leased(store, 59) == []
    await store.jobs.done(other, now=at(59))
    await store.jobs.retry(first, at=at(100), error="no")
    assert await leased(store, 99) == []
    (first,) = await leased(store, 100)
    assert first.key == "a1"
    store.jobs.added.clear()
    assert await store.jobs.done(first, now=at(101))
    assert store.jobs.added.is_set()
    (second,) = await leased(store, 101)
    assert (second.key, second.payload) == ("a2", {"n": "a2"})


async def test_a_lease_that_ran_out_lets_nobody_by(store: Store) -> None:
    """Another takes the same job, not the next."""
    await add(store, "a", "a1", "a2")
    await leased(store)
    assert [job.key for job in await leased(store, 60)] == ["a1"]


async def test_one_that_is_given_up_does_not_block(store: Store) -> None:
    """The next is taken; wanted again, the first takes its place before those that are queued."""
    await add(store, "a", "a1", "a2", "a3")
    (first,) = await leased(store)
    await store.jobs.fail(first, now=at(1), error="no")
    (second,) = await leased(store, 1)
    assert second.key == "a2"
    assert await store.jobs.revive(first.id, now=at(2))
    assert await standing(store) == {
        "a1": JobState.QUEUED,
        "a2": JobState.RUNNING,
        "a3": JobState.QUEUED,
    }
    await store.jobs.done(second, now=at(3))
    (again,) = await leased(store, 3)
    assert (again.key, again.attempts) == ("a1", 1)
    await store.jobs.done(again, now=at(4))
    assert [job.key for job in await leased(store, 4)] == ["a3"]


async def test_what_is_done_can_be_wanted_again(store: Store) -> None:
    """With its payload, in its line's order; one of no line has none left, and stays done."""
    await add(store, "a", "a1", "a2")
    await store.jobs.add("send", "free", {"n": "free"}, due_at=T0)
    for seconds in (1, 2, 3):
        for job in await leased(store, seconds):
            await store.jobs.done(job, now=at(seconds))
    jobs = {job.key: job for job in await store.jobs.listed(JobState.DONE)}
    assert {key: job.payload for key, job in jobs.items()} == {
        "a1": {"n": "a1"},
        "a2": {"n": "a2"},
        "free": {},
    }
    wanted = [jobs["a2"].id, jobs["a1"].id]
    assert await store.jobs.again(wanted, now=at(10)) == set(wanted)
    assert [job.key for job in await leased(store, 10)] == ["a1"]
    assert await store.jobs.again(wanted, now=at(10)) == set()


async def test_what_nobody_is_at_expires(store: Store) -> None:
    """Those added before a time are given up, but for one that runs; the rest of the line goes on.
    One that was wanted again counts from then."""
    await add(store, "a", "a1", "a2")
    await add(store, "b", "b1", "b2")
    (running,) = await leased(store, limit=1)
    for limit, gone in ((2, 2), (2, 1), (2, 0)):
        assert await store.jobs.expire("send", at(1e6), now=at(50), limit=limit) == gone
    states = await standing(store)
    assert states.pop(running.key) is JobState.RUNNING
    assert set(states.values()) == {JobState.FAILED}
    await add(store, "b", "b3")
    assert [job.key for job in await leased(store, 50)] == ["b3"]
    failed = [job.id for job in await store.jobs.listed(JobState.FAILED)]
    assert await store.jobs.again(failed, now=at(2e6)) == set(failed)
    assert await store.jobs.expire("send", at(1e6), now=at(50), limit=9) == 0


async def test_the_database_holds_it_too(store: Store, path: Path) -> None:
    """A second active job of a line is refused, whoever writes it."""
    await add(store, "a", "a1", "a2")

    def break_in() -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE jobs SET state = 'waiting'")

    with pytest.raises(sqlite3.IntegrityError):
        await asyncio.to_thread(break_in)


async def test_long_lines_are_not_looked_through(store: Store, path: Path) -> None:
    """What asks for the next job goes by an index to it."""
    await add(store, "a", "a1")

    def plans() -> list[str]:
        with closing(sqlite3.connect(path)) as connection:
            queries = (
                "SELECT id FROM jobs WHERE kind = 'k' AND state = 'waiting' AND due_at <= '2026' "
                "ORDER BY due_at, id LIMIT 9",
                "SELECT min(due_at) FROM jobs WHERE kind = 'k' AND state = 'waiting'",
                "SELECT min(id) FROM jobs WHERE line IN ('a') AND state = 'queued' GROUP BY line",
            )
            rows = [
                connection.execute(f"EXPLAIN QUERY PLAN {query}").fetchall() for query in queries
            ]
            return [" ".join(row[3] for row in plan) for plan in rows]

    for plan in await asyncio.to_thread(plans):
        assert "SCAN" not in plan
        assert "TEMP B-TREE" not in plan


class Everything:
    """Leaves a job of the call's line for each fact."""

    def of_event(self, event: CallEvent, before: Call | None, call: Call) -> list[NewJob]:
        """One, which tells how the call stood."""
        then = before.state.value if before else None
        told = {"before": then, "now": call.state.value}
        return [NewJob("send", event.key, call.call_sid, told, event.at, call.call_sid)]

    def of_turn(self, turn: Turn, call: Call, at: datetime) -> list[NewJob]:
        """Two."""
        keys = (f"turn{turn.number}", f"more{turn.number}")
        told = {"now": call.state.value}
        return [NewJob("send", key, call.call_sid, told, T0, call.call_sid) for key in keys]


async def test_facts_leave_jobs_in_their_order(store: Store) -> None:
    """Events and turns of one transaction do, in the order in which they were told, with the call
    as it stood; what was known already leaves none."""
    store.leave_all_beside(Everything())
    for _ in range(2):
        store.append_soon(answered())
        store.append_soon(started())
        store.add_turn_soon(turn(1))
        store.append_soon(ended())
        store.add_turn_soon(turn(2))
        await store.flush()
    jobs = sorted(await store.jobs.listed(), key=lambda job: job.id)
    assert [(job.key, *job.payload.values()) for job in jobs] == [
        ("answer", None, "answered"),
        ("stream-started:s1", "answered", "streaming"),
        ("turn1", "streaming"),
        ("more1", "streaming"),
        ("stream-ended:s1", "streaming", "ended"),
        ("turn2", "ended"),
        ("more2", "ended"),
    ]
    assert [job.key for job in await leased(store, 100)] == ["answer"]


async def test_who_does_jobs_is_told_of_those_that_facts_leave(store: Store) -> None:
    """Once they can be done: not of what waits behind another of its line."""
    store.leave_all_beside(Everything())
    await store.append(answered())
    async with asyncio.timeout(5):
        await store.jobs.added.wait()
    store.jobs.added.clear()
    await store.append(started())
    await asyncio.sleep(2 * WAKE_SECONDS)
    assert not store.jobs.added.is_set()
    other = started("c2", "s2")
    await store.counters.first("c2", other.key, lambda count: other)
    async with asyncio.timeout(5):
        await store.jobs.added.wait()


STEP = st.tuples(
    st.sampled_from(["add", "take", "done", "retry", "fail", "drop", "again", "expire"]),
    st.integers(0, 5),
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(STEP, min_size=10, max_size=40))
def test_two_runners_keep_every_line_in_order(steps: list[tuple[str, int]]) -> None:
    """Whatever two processes do, and in whatever order: a line has one job in hand at most, it is
    the first that is not over, and in the end none is left behind."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_play(Path(folder) / "jobs.sqlite3", steps))


async def _play(path: Path, steps: list[tuple[str, int]]) -> None:
    migrated(path)
    stores = [await Store.open(f"sqlite+aiosqlite:///{path}") for _ in range(2)]
    held: list[tuple[Store, Job]] = []
    now = 0.0
    try:
        for index, (step, which) in enumerate(steps):
            now += 1
            store = stores[which % 2]
            match step:
                case "add":
                    await add(store, LINES[which % 3], f"k{index}")
                case "take":
                    held += [(store, job) for job in await leased(store, now, 1 + which)]
                case "drop":
                    now += 61 if which == 0 else 0
                case "again":
                    over = [job.id for job in await store.jobs.listed() if job.done_at]
                    await store.jobs.again(over[:which], now=at(now))
                case "expire":
                    await store.jobs.expire("send", at(1e6), now=at(now), limit=which)
                case _ if held:
                    owner, job = held.pop(which % len(held))
                    await _settle(owner, step, job, now)
                case _:
                    pass
            _check(await store.jobs.listed(), now)
        for _ in range(len(steps) + 10):
            now += 61
            for job in await leased(stores[0], now):
                await stores[0].jobs.done(job, now=at(now))
        states = {job.state for job in await stores[1].jobs.listed()}
        assert states <= {JobState.DONE, JobState.FAILED}
    finally:
        for store in stores:
            await store.aclose()


async def _settle(store: Store, step: str, job: Job, now: float) -> None:
    if step == "done":
        await store.jobs.done(job, now=at(now))
    elif step == "retry":
        await store.jobs.retry(job, at=at(now + 5), error="")
    else:
        await store.jobs.fail(job, now=at(now), error="")


def _check(jobs: list[Job], now: float) -> None:
    lines: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        lines[job.line].append(job)
    for line in lines.values():
        active = [job for job in line if job.state in (JobState.WAITING, JobState.RUNNING)]
        queued = [job for job in line if job.state is JobState.QUEUED]
        assert len(active) <= 1, now
        assert active or not queued, "a line stands still"
        # What was wanted again may be older than the one in hand; what was not may not be.
        fresh = [job for job in queued if job.done_at is None]
        assert all(job.id > each.id for job in fresh for each in active)
