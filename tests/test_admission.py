"""The slots of a process, on a loop whose clock jumps."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.admission import Slots
from tests.virtual_time import virtual_time


def admission(max_calls: int = 2) -> tuple[Slots, list[str]]:
    unused: list[str] = []
    return Slots(max_calls, 60.0, unused.append), unused


@virtual_time
async def test_there_are_as_many_slots_as_calls() -> None:
    """The next call is turned away until one is over."""
    house, _ = admission()
    assert house.take("a")
    assert house.take("b")
    assert not house.take("c")
    assert house.calls == 2
    house.release("a")
    assert house.take("c")
    assert house.calls == 2


@virtual_time
async def test_a_call_that_asks_again_keeps_its_one_slot() -> None:
    """Also in a full house, before and after its stream has come."""
    house, _ = admission(1)
    for _ in range(3):
        assert house.take("a")
    house.stream_opened("a")
    assert house.take("a")
    assert house.calls == 1
    house.release("a")
    assert house.calls == 0


@virtual_time
async def test_a_slot_without_a_stream_is_freed() -> None:
    """After its time, and whoever keeps the record is told once."""
    house, unused = admission(1)
    house.take("a")
    await asyncio.sleep(59.9)
    assert not house.take("b")
    await asyncio.sleep(0.2)
    assert unused == ["a"]
    assert house.calls == 0
    assert house.take("b")
    await asyncio.sleep(1000)
    assert unused == ["a", "b"]


@virtual_time
async def test_a_slot_whose_stream_came_is_kept() -> None:
    """However long the call lasts."""
    house, unused = admission(1)
    house.take("a")
    await asyncio.sleep(59)
    house.stream_opened("a")
    await asyncio.sleep(3600)
    assert not house.take("b")
    assert unused == []


@virtual_time
async def test_a_call_that_comes_back_has_a_slot_in_a_full_house() -> None:
    """It counts like any: nobody else is taken until there is room again."""
    house, _ = admission(1)
    house.take("a")
    assert house.take("b", again=True)
    assert house.calls == 2
    house.release("a")
    assert not house.take("c")
    house.release("b")
    assert house.take("c")


@virtual_time
async def test_a_released_slot_is_not_freed_again() -> None:
    """The time of a call that is over does not end another one of the same name."""
    house, unused = admission(1)
    house.take("a")
    house.release("a")
    house.take("a")
    house.stream_opened("a")
    await asyncio.sleep(1000)
    assert unused == []
    assert house.calls == 1


@virtual_time
@pytest.mark.parametrize(("max_calls", "refusals"), [(0, 2), (1, 2), (8, 2), (12, 3), (100, 25)])
async def test_refusals_have_a_quarter_as_many_slots_beside(max_calls: int, refusals: int) -> None:
    """At least two; they take nothing from the calls, and the calls nothing from them."""
    house, _ = admission(max_calls)
    calls = [house.take(f"call-{n}") for n in range(max_calls + 5)]
    spoken = [house.take(f"refused-{n}", refusal=True) for n in range(refusals + 5)]
    assert sum(calls) == max_calls
    assert sum(spoken) == refusals
    assert house.calls == max_calls


@virtual_time
async def test_a_refusal_without_a_stream_is_freed_too() -> None:
    """Its slot is as short-lived as any."""
    house, unused = admission(1)
    assert house.take("a", refusal=True)
    assert house.take("b", refusal=True)
    assert not house.take("c", refusal=True)
    await asyncio.sleep(61)
    assert unused == ["a", "b"]
    assert house.take("c", refusal=True)


@virtual_time
async def test_unknown_calls_are_harmless() -> None:
    """A static URL's stream, or a release that comes twice."""
    house, unused = admission()
    house.stream_opened("nobody")
    house.release("nobody")
    house.take("a")
    house.release("a")
    house.release("a")
    assert house.calls == 0
    assert unused == []


@virtual_time
async def test_closing_waits_for_nobody() -> None:
    """No timer is left to fire into a process that has ended."""
    house, unused = admission()
    house.take("a")
    house.close()
    await asyncio.sleep(1000)
    assert unused == []


# ------------------------------------------------------------------ Exotel's own limit


@virtual_time
async def test_exotels_own_limit_counts_the_streams_of_others() -> None:
    """Its own calls a server knows; the others' stay as many as Exotel said."""
    house, _ = admission(10)
    house.take("a", is_open=True)
    house.stream_opened("a")
    house.heed(active=6, limit=8, seconds=90.0)  # five of others
    assert house.take("b")
    assert house.take("c")
    assert not house.take("d")
    assert house.calls == 3
    house.release("a")
    assert house.take("d")
    house.close()


@virtual_time
async def test_calls_whose_stream_is_still_to_come_count() -> None:
    """Exotel does not know of them when it is asked."""
    house, _ = admission(10)
    house.take("awaited")
    house.heed(active=1, limit=2, seconds=90.0)
    assert not house.take("b")
    house.release("awaited")
    assert house.take("b")
    house.close()


@virtual_time
async def test_a_full_account_has_no_stream_for_a_refusal_either() -> None:
    """A spoken line would not be heard; whoever has a slot keeps it."""
    house, _ = admission(10)
    house.take("a")
    house.heed(active=9, limit=9, seconds=90.0)
    assert not house.take("b")
    assert not house.take("b", refusal=True)
    assert house.take("a")
    house.close()


@virtual_time
async def test_a_refusals_stream_counts_at_exotel() -> None:
    """As any other of the account."""
    house, _ = admission(10)
    house.heed(active=0, limit=2, seconds=90.0)
    assert house.take("a", refusal=True)
    assert house.take("b")
    assert not house.take("c")
    house.close()


@virtual_time
async def test_a_stream_that_is_there_is_not_counted_against_the_account() -> None:
    """Exotel has let it in."""
    house, _ = admission(1)
    house.heed(active=9, limit=9, seconds=90.0)
    assert house.take("a", is_open=True)
    assert not house.take("b", is_open=True)  # our own limit
    house.close()


@virtual_time
async def test_what_exotel_said_long_ago_is_not_heeded() -> None:
    """Nor a limit that it did not tell."""
    house, _ = admission(10)
    house.heed(active=9, limit=9, seconds=90.0)
    await asyncio.sleep(89.9)
    assert not house.take("a")
    await asyncio.sleep(0.2)
    assert house.take("a")
    house.heed(active=9, limit=9, seconds=90.0)
    assert not house.take("b")
    house.heed(active=9, limit=None, seconds=90.0)
    assert house.take("b")
    house.close()


@virtual_time
async def test_our_own_limit_holds_beside_exotels() -> None:
    """The lower one decides."""
    house, _ = admission(1)
    house.heed(active=0, limit=100, seconds=90.0)
    assert house.take("a")
    assert not house.take("b")
    house.close()


@given(
    st.lists(st.tuples(st.sampled_from(["take", "open", "over"]), st.integers(0, 9)), max_size=60),
    st.integers(0, 10),
    st.integers(1, 10),
)
def test_no_order_of_things_takes_more_than_the_account_has(
    steps: list[tuple[str, int]], others: int, limit: int
) -> None:
    """Whatever calls come and go, between two questions to Exotel."""

    @virtual_time
    async def run() -> None:
        house, _ = admission(100)
        house.heed(active=others, limit=limit, seconds=90.0)
        taken: set[str] = set()
        for step, number in steps:
            call_sid = str(number)
            if step == "take":
                room = len(taken) + others < limit or call_sid in taken
                assert house.take(call_sid) is room
                taken |= {call_sid} if room else set()
            elif step == "open":
                house.stream_opened(call_sid)
            else:
                house.release(call_sid)
                taken.discard(call_sid)
        assert house.calls == len(taken)
        house.close()

    run()
