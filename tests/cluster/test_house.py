"""The slots of the whole server, on a loop whose clock jumps."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from exobridge.cluster.house import REMEMBERED, House
from exobridge.cluster.messages import Heed, Hold, Moved, Release, Take, ToWorker, Unused
from tests.virtual_time import virtual_time

UNUSED = 30.0


@dataclass(slots=True)
class Workers:
    """Three workers' view of a house.

    Attributes:
        here: Which of them are there.
        told: What each was told.
    """

    max_calls: int = 2
    here: set[int] = field(default_factory=lambda: {0, 1, 2})
    told: list[tuple[int, ToWorker]] = field(default_factory=list[tuple[int, ToWorker]])
    house: House = field(init=False)

    def __post_init__(self) -> None:
        self.house = House(3, self.max_calls, UNUSED, self._tell)

    def _tell(self, worker: int, message: ToWorker) -> bool:
        if worker in self.here:
            self.told.append((worker, message))
        return worker in self.here

    def take(self, worker: int, call_sid: str, stream_sid: str = "") -> bool:
        """Ask for a slot; whether it was given."""
        return self.house.take(worker, Take(1, call_sid, False, stream_sid)).granted

    def release(self, worker: int, call_sid: str, stream_sid: str = "") -> None:
        """A stream is over."""
        self.house.release(worker, Release(call_sid, stream_sid))


@virtual_time
async def test_a_call_that_comes_back_has_a_slot_above_the_limit() -> None:
    """To whichever worker its stream comes."""
    at = Workers()
    assert at.take(0, "a", "s1")
    assert at.take(1, "b", "s1")
    at.release(0, "a", "s1")
    assert at.take(1, "c")
    assert not at.take(2, "a", "s2")
    assert at.house.take(2, Take(1, "a", stream_sid="s2", again=True)).granted
    assert at.house.calls == 3
    at.house.close()


@virtual_time
async def test_the_limit_is_of_all_workers_together() -> None:
    """Whoever asks; a call that is known keeps its one slot, at whichever worker it asks again."""
    at = Workers()
    assert at.take(0, "a")
    assert at.take(1, "b")
    assert not at.take(2, "c")
    assert at.take(2, "a")
    assert at.house.calls == 2
    at.release(0, "a")
    assert at.take(2, "c")
    at.house.close()


@virtual_time
async def test_what_exotel_says_holds_for_all_workers() -> None:
    """A call whose stream is there it has let in."""
    at = Workers(max_calls=9)
    assert at.take(0, "a", "s1")
    at.house.heed(Heed(2, 2, 90.0))
    assert not at.take(1, "b")
    assert at.take(1, "b", "s2")
    at.house.heed(Heed(2, 4, 90.0))
    assert at.take(0, "c")
    at.house.close()


@virtual_time
async def test_a_call_counts_as_one_workers() -> None:
    """Who answered it first, until a stream opens; then who has the stream."""
    at = Workers()
    assert at.house.take(0, Take(1, "a")).yours
    assert not at.house.take(1, Take(1, "a")).yours
    assert at.house.take(1, Take(1, "a", stream_sid="s1")).yours
    assert at.told == [(0, Moved("a"))]
    assert not at.house.take(0, Take(1, "a")).yours
    at.house.close()


@virtual_time
async def test_a_newer_stream_takes_the_call_over() -> None:
    """The worker that held the older one is told, and its end frees nothing."""
    at = Workers()
    at.take(0, "a", "s1")
    at.take(1, "a", "s2")
    assert at.told == [(0, Moved("a", "s1"))]
    at.release(0, "a", "s1")
    assert at.house.calls == 1
    at.take(0, "a", "s3")
    at.release(1, "a", "s2")
    assert at.house.calls == 1
    at.release(0, "a", "s3")
    assert at.house.calls == 0


@virtual_time
async def test_a_newer_stream_of_the_same_worker_is_its_own_affair() -> None:
    """It hangs up the older one by itself."""
    at = Workers()
    at.take(0, "a", "s1")
    at.take(0, "a", "s2")
    assert at.told == []
    at.release(0, "a", "s1")
    assert at.house.calls == 1


@virtual_time
async def test_a_slot_without_a_stream_is_freed_and_told_once() -> None:
    """To the worker that answered; if it is not there, to one that is."""
    at = Workers()
    at.take(1, "a")
    at.take(2, "b")
    at.here.discard(2)
    await asyncio.sleep(UNUSED + 1)
    assert at.told == [(1, Unused("a")), (0, Unused("b"))]
    assert at.house.calls == 0
    await asyncio.sleep(1000)
    assert len(at.told) == 2


@virtual_time
async def test_nobody_need_be_there() -> None:
    """The slot is freed all the same."""
    at = Workers(here=set())
    at.take(1, "a")
    await asyncio.sleep(UNUSED + 1)
    assert at.house.calls == 0


@virtual_time
async def test_a_stream_is_waited_for_no_longer() -> None:
    """Once it is there the slot is kept however long the call lasts, whoever answered."""
    at = Workers()
    at.take(0, "a")
    at.take(1, "a", "s1")
    await asyncio.sleep(3600)
    assert at.house.calls == 1


@virtual_time
async def test_a_dead_workers_calls_are_freed_and_known() -> None:
    """Its open streams, and those that ended lately and may not be in the record yet; the others'
    stay."""
    at = Workers(max_calls=5)
    at.take(0, "ended", "s0")
    at.release(0, "ended", "s0")
    at.take(0, "open", "s1")
    at.take(0, "replaced", "s2")
    at.take(1, "replaced", "s3")
    at.take(1, "other", "s4")
    assert at.house.bury(0) == {("ended", "s0"), ("open", "s1"), ("replaced", "s2")}
    assert at.house.calls == 2
    assert at.house.bury(0) == set()
    assert at.house.calls == 2


@virtual_time
async def test_a_call_that_a_dead_worker_answered_is_still_expected() -> None:
    """Exotel opens its stream with another worker; if it does not, the slot is freed."""
    at = Workers()
    at.take(0, "a")
    at.take(0, "b")
    at.here.discard(0)
    assert at.house.bury(0) == set()
    assert not at.take(1, "c")
    assert at.take(1, "a", "s1")
    assert at.told == []
    await asyncio.sleep(UNUSED + 1)
    assert at.told == [(1, Unused("b"))]
    assert at.house.calls == 1


@virtual_time
async def test_what_a_worker_took_by_itself_is_counted() -> None:
    """Above the limit, too; the next one is refused until there is room again."""
    at = Workers(max_calls=1)
    at.take(0, "a", "s1")
    at.house.hold(1, Hold("b", False, "s2"))
    assert at.house.calls == 2
    at.release(0, "a", "s1")
    assert not at.take(0, "c")
    at.release(1, "b", "s2")
    assert at.take(0, "c")
    at.house.close()


@virtual_time
async def test_a_release_of_what_is_not_held_is_harmless() -> None:
    """A call that nobody knows, another's, or the same twice."""
    at = Workers()
    at.release(0, "nobody")
    at.take(0, "a")
    at.release(1, "a")
    at.release(0, "a", "s1")
    assert at.house.calls == 1
    at.release(0, "a")
    at.release(0, "a")
    assert at.house.calls == 0


@virtual_time
async def test_what_is_remembered_is_bounded() -> None:
    """Of a worker that has held thousands of calls the last ones are known."""
    at = Workers()
    for number in range(REMEMBERED + 10):
        at.take(0, f"c{number}", "s")
        at.release(0, f"c{number}", "s")
    lost = at.house.bury(0)
    assert len(lost) == REMEMBERED
    assert (f"c{REMEMBERED + 9}", "s") in lost
