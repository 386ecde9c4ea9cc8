"""Facts of which the first stands, counted once each, by however many processes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from exobridge.call.events import CallEvent, dial_asked
from exobridge.store import Store
from exobridge.store.counters import MakeEvent

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)


def numbered(call_sid: str = "c", attempt: int = 1) -> MakeEvent:
    """Makes an event that holds the count."""

    def make(count: int) -> CallEvent:
        return dial_asked(
            call_sid, NOW, transfer="t", attempt=attempt, numbers=[str(count)], contract="json"
        )

    return make


KEY = numbered()(0).key


async def test_the_first_stands(store: Store) -> None:
    """Whoever asks later is given it, and nothing is counted."""
    first, is_new = await store.counters.first("c", KEY, numbered(), counter="n")
    assert (first.data["numbers"], is_new) == (["1"], True)
    again, is_new = await store.counters.first("c", KEY, numbered(), counter="n")
    assert (again, is_new) == (first, False)
    assert await store.events("c") == [first]
    call = await store.call("c")
    assert call is not None
    other, _ = await store.counters.first("d", KEY, numbered("d"), counter="n")
    assert other.data["numbers"] == ["2"]


async def test_without_a_counter_nothing_is_counted(store: Store) -> None:
    """The event alone counts; counters of other names do not feel it."""
    plain, _ = await store.counters.first("c", KEY, numbered())
    assert plain.data["numbers"] == ["0"]
    for name in ("a", "b"):
        event, _ = await store.counters.first(name, KEY, numbered(name), counter=name)
        assert event.data["numbers"] == ["1"]


async def test_two_processes_count_each_fact_once(url: str) -> None:
    """Forty ask at once about each of three calls."""
    one, other = await Store.open(url), await Store.open(url)
    try:
        counts: list[object] = []
        for call_sid in ("a", "b", "c"):
            asked = [
                each.counters.first(call_sid, KEY, numbered(call_sid), counter="n")
                for each in (one, other) * 20
            ]
            told = await asyncio.gather(*asked)
            assert sum(is_new for _, is_new in told) == 1
            assert len({str(event.data) for event, _ in told}) == 1
            counts.append(told[0][0].data["numbers"])
        assert counts == [["1"], ["2"], ["3"]]
    finally:
        await one.aclose()
        await other.aclose()


async def test_what_cannot_be_made_is_not_counted(store: Store) -> None:
    """The transaction is taken back as a whole."""

    def fails(count: int) -> CallEvent:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.counters.first("c", KEY, fails, counter="n")
    event, _ = await store.counters.first("c", KEY, numbered(), counter="n")
    assert event.data["numbers"] == ["1"]
