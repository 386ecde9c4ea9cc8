"""The bounded pool of threads."""

from __future__ import annotations

import asyncio
import threading

import pytest

from exobridge_providers.errors import ProviderUnavailableError
from exobridge_providers.workers import WorkerPool


def _threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("exobridge-acme")]


async def test_a_worker_serves_one_job_at_a_time() -> None:
    """Two workers, many jobs: no worker is ever in two hands."""
    busy: set[int] = set()

    def job(worker: int) -> int:
        assert worker not in busy
        busy.add(worker)
        threading.Event().wait(0.001)
        busy.discard(worker)
        return worker

    pool = WorkerPool([1, 2], limit=100, provider="acme")
    used = await asyncio.gather(*(pool.submit(job) for _ in range(50)))
    assert set(used) == {1, 2}
    await pool.aclose()
    assert _threads() == []


async def test_a_full_line_refuses() -> None:
    """One runs, one waits, the third is refused; when they are done there is room again."""
    gate = threading.Event()
    pool = WorkerPool([0], limit=1, provider="acme")
    jobs = [pool.submit(lambda _: gate.wait(10)) for _ in range(2)]
    with pytest.raises(ProviderUnavailableError) as caught:
        pool.submit(lambda _: True)
    assert caught.value.retryable
    gate.set()
    await asyncio.gather(*jobs)
    assert await pool.submit(lambda _: True)
    await pool.aclose()


async def test_a_cancelled_job_that_runs_still_counts() -> None:
    """Its thread is not free yet, so the line is still full."""
    gate = threading.Event()
    started = threading.Event()

    def job(_: int) -> None:
        started.set()
        gate.wait(10)

    pool = WorkerPool([0], limit=0, provider="acme")
    running = pool.submit(job)
    await asyncio.to_thread(started.wait)
    running.cancel()
    await asyncio.sleep(0)
    with pytest.raises(ProviderUnavailableError):
        pool.submit(job)
    gate.set()
    await pool.aclose()


async def test_closing_drops_what_waits_and_waits_for_what_runs() -> None:
    """The job under way ends, the one in line is cancelled, later ones are refused."""
    gate = threading.Event()
    started = threading.Event()

    def job(_: int) -> str:
        started.set()
        gate.wait(10)
        return "done"

    pool = WorkerPool([0], limit=5, provider="acme")
    running, waiting = pool.submit(job), pool.submit(job)
    await asyncio.to_thread(started.wait)
    closing = asyncio.create_task(pool.aclose())
    await asyncio.sleep(0.01)
    assert not closing.done()
    gate.set()
    await closing
    assert await running == "done"
    assert waiting.cancelled()
    assert _threads() == []
    with pytest.raises(ProviderUnavailableError):
        pool.submit(job)


async def test_a_spare_job_waits_for_all_others() -> None:
    """Those that came after it too; it is run when nothing else waits."""
    gate = threading.Event()
    order: list[str] = []

    def job(name: str) -> None:
        gate.wait(10)
        order.append(name)

    pool = WorkerPool(["worker"], limit=10, provider="acme")
    jobs = [
        pool.submit(lambda _: job("first")),
        pool.submit(lambda _: job("spare"), spare=True),
        pool.submit(lambda _: job("second")),
        pool.submit(lambda _: job("third")),
    ]
    gate.set()
    await asyncio.gather(*jobs)
    assert order == ["first", "second", "third", "spare"]
    await pool.aclose()


async def test_spare_jobs_take_nobody_else_s_place() -> None:
    """Their line has an end of its own."""
    gate = threading.Event()
    pool = WorkerPool([0], limit=1, provider="acme")
    jobs = [pool.submit(lambda _: gate.wait(10), spare=True) for _ in range(2)]
    with pytest.raises(ProviderUnavailableError):
        pool.submit(lambda _: True, spare=True)
    jobs += [pool.submit(lambda _: True) for _ in range(2)]
    gate.set()
    assert all(await asyncio.gather(*jobs))
    await pool.aclose()


async def test_a_job_cancelled_in_line_makes_room() -> None:
    """It is not run, and another may wait in its place."""
    gate = threading.Event()
    ran: list[str] = []
    pool = WorkerPool([0], limit=1, provider="acme")
    running = pool.submit(lambda _: gate.wait(10))
    waiting = pool.submit(lambda _: ran.append("cancelled"))
    waiting.cancel()
    await asyncio.sleep(0)
    other = pool.submit(lambda _: ran.append("other"))
    gate.set()
    await asyncio.gather(running, other)
    assert ran == ["other"]
    await pool.aclose()


async def test_a_job_s_error_reaches_its_caller() -> None:
    """And the worker is used again."""

    def fail(_: int) -> None:
        raise ValueError("bad job")

    pool = WorkerPool([7], limit=1, provider="acme")
    with pytest.raises(ValueError, match="bad job"):
        await pool.submit(fail)
    assert await pool.submit(lambda worker: worker) == 7
    await pool.aclose()
