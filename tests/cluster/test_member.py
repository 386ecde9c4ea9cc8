"""A worker's view of the whole: real channels on socket pairs, to a house as the supervisor keeps
it or to nobody who answers."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from structlog.testing import capture_logs

from exobridge.admission import Admission
from exobridge.cluster.channel import MAX_WAITING, Channel
from exobridge.cluster.house import House
from exobridge.cluster.member import ANSWER_SECONDS, Member
from exobridge.cluster.messages import (
    AskCalls,
    Calls,
    FromWorker,
    Hold,
    Release,
    Start,
    Take,
    ToWorker,
    from_worker,
)
from tests.server import until


@dataclass(slots=True)
class Office:
    """A supervisor without processes.

    Attributes:
        answers: Whether it does anything at all; what came before is taken up when it does again.
    """

    workers: int
    max_calls: int
    answers: bool = True
    kept: list[tuple[int, FromWorker]] = field(default_factory=list[tuple[int, FromWorker]])
    lines: dict[int, Channel[FromWorker]] = field(default_factory=dict[int, Channel[FromWorker]])
    house: House = field(init=False)

    def __post_init__(self) -> None:
        self.house = House(self.workers, self.max_calls, 0.2, self._tell)

    def _tell(self, worker: int, message: ToWorker) -> bool:
        self.lines[worker].send(message)
        return True

    def wake(self) -> None:
        """Answer again, and first of all what was asked meanwhile."""
        self.answers = True
        kept, self.kept = self.kept, []
        for worker, message in kept:
            self.receive(worker, message)

    def receive(self, worker: int, message: FromWorker) -> None:
        """A message came."""
        if not self.answers:
            self.kept.append((worker, message))
            return
        match message:
            case Take():
                self._tell(worker, self.house.take(worker, message))
            case Hold():
                self.house.hold(worker, message)
            case Release():
                self.house.release(worker, message)
            case AskCalls(ask=ask):
                self._tell(worker, Calls(ask, self.house.calls))
            case _:
                pass

    async def join(self, worker: int) -> Joined:
        """A worker that has joined."""
        ours, its = socket.socketpair()
        self.lines[worker] = Channel(
            from_worker(), lambda message: self.receive(worker, message), lambda: None
        )
        await self.lines[worker].open(ours)
        start = Start(worker, self.workers, {}, "127.0.0.1", 0, "key", [])
        joined = Joined(Member(start, self.max_calls))
        await joined.member.join(its)
        return joined


@dataclass(slots=True)
class Joined:
    """A worker, and what its desk was told."""

    member: Member
    unused: list[str] = field(default_factory=list[str])
    replaced: list[str] = field(default_factory=list[str])
    slots: Admission = field(init=False)

    def __post_init__(self) -> None:
        self.slots = self.member.admission(self.unused.append, self.replaced.append)


@asynccontextmanager
async def office(
    workers: int = 2, max_calls: int = 4
) -> AsyncGenerator[tuple[Office, list[Joined]]]:
    """A supervisor and its workers, until the end of the block."""
    desk = Office(workers, max_calls)
    joined = [await desk.join(index) for index in range(workers)]
    try:
        yield desk, joined
    finally:
        desk.house.close()
        for each in joined:
            each.member.leave()
        for line in desk.lines.values():
            line.close()
        await asyncio.sleep(0)


async def test_the_slots_are_shared() -> None:
    """What one worker has taken the other cannot; both count the whole alike, and their own."""
    async with office(max_calls=2) as (_, (one, other)):
        assert await one.slots.take("a")
        assert await other.slots.take("b", stream_sid="s1")
        assert not await one.slots.take("c")
        assert (await one.slots.total(), await other.slots.total()) == (2, 2)
        assert (one.slots.calls, one.slots.waiting) == (1, 1)
        assert (other.slots.calls, other.slots.waiting) == (1, 0)
        other.slots.release("b")
        assert await one.slots.take("c")
        assert await one.slots.take("spoken", refusal=True)
        assert (one.slots.calls, one.slots.waiting) == (2, 3)


async def test_an_answer_here_and_its_stream_there() -> None:
    """The slot moves along, and the whole counts one call throughout."""
    async with office() as (_, (one, other)):
        assert await one.slots.take("a")
        assert await other.slots.take("a", stream_sid="s1")
        await until(lambda: one.slots.calls == 0)
        assert (other.slots.calls, await one.slots.total()) == (1, 1)
        assert await other.slots.take("a")  # Exotel asks once more
        assert other.slots.waiting == 0
        other.slots.release("a")
        assert await one.slots.total() == 0
        assert one.replaced == []


async def test_a_newer_stream_there_hangs_up_the_one_here() -> None:
    """Back and forth; each time the older one is told, and only it."""
    async with office() as (_, (one, other)):
        assert await one.slots.take("a", stream_sid="s1")
        assert await other.slots.take("a", stream_sid="s2")
        await until(lambda: one.replaced == ["a"])
        one.slots.release("a")
        assert await one.slots.take("a", stream_sid="s3")
        await until(lambda: other.replaced == ["a"])
        other.slots.release("a")
        assert one.replaced == ["a"]
        assert await other.slots.total() == 1
        one.slots.release("a")
        assert await other.slots.total() == 0


async def test_no_stream_came() -> None:
    """The worker that answered learns so, once."""
    async with office() as (_, (one, other)):
        assert await one.slots.take("a")
        await until(lambda: one.unused == ["a"])
        assert (one.slots.calls, await one.slots.total()) == (0, 0)
        assert other.unused == []


async def test_a_call_that_hangs_up_while_it_waits_holds_nothing() -> None:
    """Whether the answer had come or not."""
    async with office() as (desk, (one, other)):
        for number, wait in enumerate((0, 0.0001, 0.001, 0.002, 0.005)):
            taking = asyncio.create_task(one.slots.take(f"c{number}", stream_sid="s"))
            await asyncio.sleep(wait)
            if taking.done():
                one.slots.release(f"c{number}")
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)
        desk.answers = False
        taking = asyncio.create_task(one.slots.take("silent", stream_sid="s"))
        await asyncio.sleep(0.02)
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
        desk.wake()
        await until(lambda: desk.house.calls == 0)
        assert (one.slots.calls, await other.slots.total()) == (0, 0)


async def test_without_an_answer_a_worker_decides_by_itself() -> None:
    """It gives out its share of the slots, waits once only, and says so in the log; when the
    supervisor is back, the book is right: late answers change nothing."""
    async with office(max_calls=4) as (desk, (one, other)):
        assert await one.slots.take("before", stream_sid="s0")
        desk.answers = False
        loop = asyncio.get_running_loop()
        begun = loop.time()
        with capture_logs() as log:
            first = [asyncio.create_task(one.slots.take(f"c{n}", stream_sid="s")) for n in (1, 2)]
            assert await asyncio.gather(*first) == [True, False]
            assert loop.time() - begun >= ANSWER_SECONDS
            waited = loop.time()
            assert not await one.slots.take("c3")
            assert await one.slots.take("c4", again=True, stream_sid="s")
            one.slots.release("c4")
            assert await one.slots.take("before")
            assert await one.slots.total() == 2
            assert loop.time() - waited < ANSWER_SECONDS
        told = [(entry["event"], entry["call_sid"], entry["taken"]) for entry in log]
        assert told == [
            ("supervisor did not answer", call_sid, taken)
            for call_sid, taken in (
                ("c1", True),
                ("c2", False),
                ("c3", False),
                ("c4", True),
                ("before", True),
            )
        ]
        desk.wake()
        await until(lambda: desk.house.calls == 2)
        assert await other.slots.total() == 2
        assert await one.slots.total() == 2
        assert await one.slots.take("c3", stream_sid="s")
        for call_sid in ("before", "c1", "c3"):
            one.slots.release(call_sid)
        await until(lambda: desk.house.calls == 0)


async def test_a_worker_without_its_supervisor_stops() -> None:
    """As by SIGTERM; and nobody waits for an answer any more."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    try:
        async with office() as (desk, (one, _)):
            desk.answers = False
            taking = asyncio.create_task(one.slots.take("a"))
            await asyncio.sleep(0.02)
            with capture_logs() as log:
                desk.lines[0].close()
                assert await taking
                await asyncio.wait_for(stopped.wait(), 5)
            assert log[0]["event"] == "the supervisor is gone"
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


async def test_an_other_side_that_does_not_read_is_given_up() -> None:
    """What waits for it is bounded."""
    ours, its = socket.socketpair()
    lost = asyncio.Event()
    channel = Channel(from_worker(), lambda _: None, lost.set)
    await channel.open(ours)
    with its, capture_logs() as log:
        for _ in range(MAX_WAITING // 1_000_000 + 1):
            channel.send(Release("a", "x" * 1_000_000))
        await asyncio.wait_for(lost.wait(), 5)
    assert [entry["why"] for entry in log] == ["the other side does not read"]
    channel.send(Release("after"))


async def test_rubbish_ends_the_channel() -> None:
    """And nothing else."""
    ours, its = socket.socketpair()
    lost = asyncio.Event()
    channel = Channel(from_worker(), lambda _: None, lost.set)
    await channel.open(ours)
    with its, capture_logs() as log:
        its.sendall(b"\x00\x00\x00\x02{]")
        await asyncio.wait_for(lost.wait(), 5)
    assert log[0]["event"] == "control channel given up"
