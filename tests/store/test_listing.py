"""Lists of the record: all that fits, once, in order, and along an index however long it is."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

from exobridge.call import events
from exobridge.call.events import CallEvent, Decision, EndedBy
from exobridge.call.state import Call
from exobridge.store import Store
from exobridge.store.listing import (
    After,
    CallFilter,
    call_queries,
    recording_query,
    transfer_query,
)
from tests.store.samples import T0, at

NUMBERS = ("+919811100001", "+919811100002", "+918047112233")


def made(number: int, chance: random.Random) -> list[CallEvent]:
    """A call; several begin at once."""
    call_sid, began = f"c{number:03}", at(number // 4)
    answer = events.answer(
        call_sid,
        began,
        decision=chance.choice([Decision.ACCEPT, Decision.REFUSE]),
        template=chance.choice(["sales", "help"]),
        caller=chance.choice(NUMBERS),
        called=chance.choice(NUMBERS),
        direction=chance.choice(["incoming", "outgoing"]),
    )
    started = events.stream_started(call_sid, began, stream_sid="s")
    ended = events.stream_ended(call_sid, began, stream_sid="s", ended_by=EndedBy.CALLER)
    return [answer, started, ended][: chance.randint(1, 3)]


def fits(call: Call, which: CallFilter) -> bool:
    """Whether a call is meant, said in another way."""
    return (
        (not which.state or call.state == which.state)
        and (not which.direction or call.direction == which.direction)
        and (not which.template or call.template == which.template)
        and (not which.outcome or call.outcome == which.outcome)
        and (not which.number or which.number in (call.caller, call.called))
        and (which.since is None or call.created_at >= which.since)
        and (which.until is None or call.created_at < which.until)
    )


FILTERS = [
    CallFilter(state=state, direction=direction, template=template, number=number, since=since)
    for state, direction, template, number, since in product(
        ("", "ended", "streaming"), ("", "incoming"), ("", "sales"), ("", NUMBERS[0]), (None, at(5))
    )
] + [
    CallFilter(outcome="completed"),
    CallFilter(outcome="refused", template="help", until=at(9)),
    CallFilter(outcome="completed", number=NUMBERS[2]),
]


async def test_pages_hold_all_that_fits_once_and_in_order(store: Store) -> None:
    """For every filter, however many a page has."""
    chance = random.Random(7)
    for number in range(60):
        for event in made(number, chance):
            await store.append(event)
    everything = await store.calls(1000)
    assert len({call.state for call in everything}) > 1
    for which in FILTERS:
        wanted = [call.call_sid for call in everything if fits(call, which)]
        found: list[str] = []
        after: After = None
        size = chance.randint(1, 25)
        while page := await store.listing.calls(which, size, after):
            found += [call.call_sid for call in page]
            after = (page[-1].created_at, page[-1].call_sid)
        assert found == wanted, which


async def test_transfers_of_all_calls_are_read_backwards(store: Store) -> None:
    """The one that was asked for last is the first, and the pages join."""
    for number in range(5):
        call_sid = f"c{number}"
        await store.append(events.stream_started(call_sid, T0, stream_sid="s"))
        await store.append(
            events.transfer_requested(call_sid, T0, stream_sid="s", utterance="u", target="t")
        )
    first = await store.listing.transfers(2)
    second = await store.listing.transfers(9, before=first[-1][0])
    assert [event.call_sid for _, event in first + second] == ["c4", "c3", "c2", "c1", "c0"]
    together = await store.listing.events({"c1", "c3"})
    assert {call_sid: len(of_call) for call_sid, of_call in together.items()} == {"c1": 2, "c3": 2}


AFTER = (T0, "c")
INDEXED: list[tuple[str, list[Select[Any]]]] = [
    *(("ix_calls_created_at", [*call_queries(CallFilter(), after)]) for after in (None, AFTER)),
    ("ix_calls_created_at", [*call_queries(CallFilter(since=T0, until=T0), AFTER)]),
    ("ix_calls_template", [*call_queries(CallFilter(template="t", state="ended"), AFTER)]),
    ("ix_calls_created_at", [*call_queries(CallFilter(state="ended"), AFTER)]),
    ("ix_calls_direction", [*call_queries(CallFilter(direction="d", state="ended"), AFTER)]),
    ("ix_calls_outcome", [*call_queries(CallFilter(outcome="o", template="t"), AFTER)]),
    ("ix_call_events_transfers", [transfer_query(None)]),
    ("ix_call_events_transfers", [transfer_query(7)]),
    ("ix_recordings_created_at", [recording_query("own", T0, T0, (T0, 7))]),
]


@pytest.mark.parametrize(("index", "queries"), INDEXED)
async def test_a_page_is_read_along_an_index(
    store: Store, path: Path, index: str, queries: list[Select[Any]]
) -> None:
    """In the index's order: nothing is gathered first, and sorted."""
    del store
    for query in queries:
        plan = planned(path, query)
        assert index in plan, plan
        assert "TEMP B-TREE" not in plan.replace("LAST TERM OF ORDER BY", ""), plan


async def test_calls_of_a_number_are_read_from_both_ends(store: Store, path: Path) -> None:
    """Each end along its own index; a state of which there are few calls along that of states."""
    del store
    which = CallFilter(number="n", template="t", state="ended")
    plans = [planned(path, query) for query in call_queries(which, AFTER)]
    for plan, index in zip(plans, ("ix_calls_caller", "ix_calls_called"), strict=True):
        assert index in plan
        assert "TEMP B-TREE" not in plan
    (query,) = call_queries(CallFilter(state="streaming", template="t"), None)
    assert "ix_calls_state" in planned(path, query)


def planned(path: Path, query: Select[Any]) -> str:
    """How SQLite would do it."""
    compiled = query.limit(51).compile(dialect=sqlite.dialect())
    names = compiled.positiontup or []
    values = [str(compiled.params[name]) for name in names]
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {compiled}", values).fetchall()
    return "\n".join(str(row[3]) for row in rows)
