"""One webhook is sent: signed, within bounds, and what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from exobridge.jobs import Failed, JobRunner, Later, RunnerOptions
from exobridge.store import Store
from exobridge.store.jobs import Job, JobState
from exobridge.webhooks import delivery, sender
from exobridge.webhooks.circuit import FAILURES
from exobridge.webhooks.delivery import BACKOFF, EXPIRE_SECONDS, Delivery
from exobridge.webhooks.messages import KIND
from exobridge.webhooks.outbox import Filter, Outbox
from exobridge_providers.testing.fake_http import FakeHttp, Reply
from tests.server import until
from tests.webhooks.world import CALLER, TOLD, Clock, accepted, opened, put, story
from tests.webhooks.world import sender as sending

PATH = "/hook?key=in-the-query"


@dataclass
class Bench:
    """Webhooks of one call, a receiver, and what sends."""

    store: Store
    crm: FakeHttp
    delivery: Delivery
    jobs: list[Job]
    clock: Clock

    def says(self, *replies: Reply) -> None:
        """What the receiver answers."""
        self.crm.replies[PATH.partition("?")[0]] = list(replies)

    async def sends(self, which: int = 0) -> Exception | None:
        """Send one; what is raised."""
        try:
            await self.delivery.deliver(self.jobs[which])
        except (Failed, Later) as error:
            return error
        return None


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """With the webhooks of one story."""
    clock = Clock()
    async with opened(tmp_path) as store, FakeHttp().listening() as crm:
        put(store, story("c", clock.now))
        await store.flush()
        clock.turn(60)
        jobs = sorted(await store.jobs.found(KIND), key=lambda job: job.id)
        async with sending(crm.url + PATH) as sends:
            yield Bench(store, crm, Delivery(sends, clock), jobs, clock)


async def test_what_is_sent_is_signed_and_the_same_each_time(bench: Bench) -> None:
    """Type, id, time, sequence and data; to the URL's own query; sent again, to the byte."""
    bench.says(Reply(200))
    assert await bench.sends(1) is None
    assert await bench.sends(1) is None
    first, second = bench.crm.received
    assert (first.method, first.path, first.body) == ("POST", PATH, second.body)
    told, _ = accepted(bench.crm)
    job = bench.jobs[1]
    assert (told["type"], told["id"], told["sequence"]) == ("call.turn", job.key, job.id)
    assert told["timestamp"] == job.payload["timestamp"]
    assert told["data"]["turn"]["text"] == "नमस्ते, one order"
    assert told["data"]["call"]["caller"] == CALLER


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 410, 422])
async def test_a_refusal_is_tried_again(status: int, bench: Bench) -> None:
    """It counts for this webhook alone: the receiver works. A redirect is not followed."""
    bench.says(Reply(status, headers={"location": f"{bench.crm.url}/other"}))
    for _ in range(FAILURES + 1):
        error = await bench.sends()
        assert (type(error), str(error)) == (Failed, f"status {status}")
    assert not bench.delivery.is_held
    assert bench.crm.of("/other") == []
    assert bench.delivery.sent == {("call.started", "refused"): FAILURES + 1}


@pytest.mark.parametrize("reply", [Reply(500), Reply(503), Reply(429), Reply(drop="head")])
async def test_a_receiver_that_is_down_is_left_alone(reply: Reply, bench: Bench) -> None:
    """After five failures it is not asked; the first answer opens the way. The log says both, and
    names neither path nor query."""
    bench.says(*[reply] * FAILURES, Reply(200))
    with capture_logs() as log:
        errors = [await bench.sends(n) for n in range(FAILURES)]
        assert [type(error) for error in errors] == [Failed] * (FAILURES - 1) + [Later]
        held = await bench.sends()
        assert isinstance(held, Later)
        assert len(bench.crm.received) == FAILURES
        assert bench.delivery.room() == 0
        bench.clock.turn(held.seconds)
        assert bench.delivery.room() == 1
        assert await bench.sends() is None
    assert not bench.delivery.is_held
    assert [line["event"] for line in log] == ["webhooks held back", "webhooks go out again"]
    assert log[0]["receiver"] == bench.crm.url
    assert "in-the-query" not in repr(log) + repr(bench.delivery) + repr(errors)


async def test_a_receiver_says_when_to_come_again(bench: Bench) -> None:
    """``Retry-After`` of 429 and 503 holds all back at once; of a refusal that webhook alone."""
    bench.says(Reply(429, headers={"retry-after": "77"}), Reply(400, headers={"retry-after": "88"}))
    error = await bench.sends()
    assert isinstance(error, Later)
    assert (error.seconds, bench.delivery.is_held) == (77, True)
    bench.clock.turn(77)
    error = await bench.sends()
    assert isinstance(error, Failed)
    assert (error.seconds, bench.delivery.is_held) == (88, False)


async def test_a_receiver_that_hangs_is_not_waited_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A try has a limit, from connecting to the answer's end."""
    monkeypatch.setattr(sender, "SEND_SECONDS", 0.1)
    for reply in (Reply(delay_seconds=60), Reply(parts=[b"a", 60.0])):
        bench.says(reply)
        error = await bench.sends()
        assert str(error) == "no answer within 0 s"


async def test_an_answer_without_an_end_does_not_matter(bench: Bench) -> None:
    """It is read up to a bound, and the webhook was taken."""
    bench.says(Reply(200, for_ever=b"x" * 5000))
    assert await bench.sends() is None


async def test_who_is_stopped_while_it_probes_leaves_the_way_free(bench: Bench) -> None:
    """The next one is the probe."""
    bench.says(*[Reply(500)] * FAILURES, Reply(delay_seconds=60), Reply(200))
    for _ in range(FAILURES):
        await bench.sends()
    bench.clock.turn(60)
    probe = asyncio.create_task(bench.sends())
    await until(lambda: len(bench.crm.received) == FAILURES + 1)
    probe.cancel()
    with suppress(asyncio.CancelledError):
        await probe
    assert await bench.sends() is None


def test_a_webhook_is_tried_for_about_three_days() -> None:
    """The waits double, and end before it expires."""
    assert EXPIRE_SECONDS == 3 * 86_400
    assert 2.5 * 86_400 < sum(BACKOFF) < EXPIRE_SECONDS
    assert list(BACKOFF) == sorted(BACKOFF)


async def test_what_was_never_taken_is_given_up(bench: Bench, tmp_path: Path) -> None:
    """After three days, tried or not, with a line in the log; and it can be sent again yet."""
    bench.says(Reply(200))
    bench.clock.turn(EXPIRE_SECONDS + 60)
    runner = JobRunner(bench.store.jobs, RunnerOptions(poll=0.05), bench.clock)
    outbox = Outbox(bench.store.jobs)
    with capture_logs() as log:
        # Nothing is sent: whoever finds them first gives them up.
        bench.delivery.register(runner, 7)
        await runner.tidy()
        failed = await outbox.listed(Filter([JobState.FAILED]), 100)
        assert len(failed) == len(TOLD)
    (line,) = [line for line in log if line["event"] == "jobs not done in time"]
    assert (line["kind"], line["jobs"]) == (KIND, len(TOLD))
    assert await outbox.replay_all(Filter(call_sid="c"), bench.clock.now) == len(TOLD)
    await runner.tidy()
    runner.start()
    await until(lambda: len(bench.crm.received) == len(TOLD))
    await runner.aclose()
    assert tuple(told["type"] for told in accepted(bench.crm)) == TOLD


async def test_what_is_over_is_kept_for_a_while(bench: Bench) -> None:
    """So many days as are said, and other jobs for as long as others."""
    runner = JobRunner(bench.store.jobs, RunnerOptions(), bench.clock)
    bench.delivery.register(runner, keep_days=2)
    await bench.store.jobs.add("other", "a", {}, due_at=bench.clock.now)
    for kind in ("other", *[KIND] * 4):
        now = bench.clock.now
        until_ = now + timedelta(seconds=60)
        for job in await bench.store.jobs.lease(kind, now=now, until=until_, limit=1):
            await bench.store.jobs.done(job, now=now)
    for days, left in ((1.9, 5), (0.2, 1), (30, 0)):
        bench.clock.turn(days * delivery.DAY)
        await runner.tidy()
        done = await bench.store.jobs.listed(JobState.DONE)
        assert len(done) == left


async def test_a_host_that_is_no_name_is_not_reached() -> None:
    """It is told as any receiver that cannot be reached."""
    async with sending("https://xn--/hook") as to:
        with pytest.raises(sender.UnansweredError, match="cannot be reached"):
            await to.send("w1", b"{}")
