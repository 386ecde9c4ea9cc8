"""The receiver fails for an hour, in virtual time, and processes die: everything arrives once it is
back, in order for each call."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from exobridge.jobs import JobRunner
from exobridge.store.jobs import JobState
from exobridge.webhooks.delivery import EXPIRE_SECONDS
from exobridge.webhooks.messages import KIND
from exobridge.webhooks.service import retire
from exobridge_providers.testing.fake_http import FakeHttp, Reply
from tests.webhooks.world import (
    CALLER,
    SECRET,
    TOLD,
    Clock,
    Process,
    accepted,
    opened,
    put,
    story,
)

CALLS = 30
STEP = 120.0
FAULTS = [
    Reply(503),
    Reply(drop="head"),
    Reply(500),
    Reply(429, headers={"retry-after": "7"}),
    Reply(502),
    Reply(503),
    Reply(500),
    Reply(drop="head"),
    Reply(503),
]


def by_call(told: list[Any]) -> dict[str, list[Any]]:
    """What was told, call by call, each webhook once."""
    calls: dict[str, dict[str, Any]] = defaultdict(dict)
    for each in told:
        calls[each["data"]["call"]["sid"]].setdefault(each["id"], each)
    return {sid: list(each.values()) for sid, each in calls.items()}


@pytest.mark.parametrize("seed", [None, 1])
async def test_an_hours_outage_costs_nothing(seed: int | None, tmp_path: Path) -> None:
    """Every webhook of all calls is taken within minutes after the receiver is back, exactly
    once, in order for each call; it was not hammered meanwhile. With a seed processes are killed at
    random moments, and an id may come twice, which is the same webhook."""
    chance, clock = random.Random(seed), Clock()
    count = CALLS if seed is None else CALLS // 3
    facts = [story(f"call-{number:02}", clock.now) for number in range(count)]
    rounds = [list(filter(None, each)) for each in zip_longest(*facts)]
    with capture_logs() as log:
        async with opened(tmp_path) as store, FakeHttp().listening() as crm:
            crm.replies["/hook"] = [*FAULTS]
            process = Process(store, f"{crm.url}/hook", clock)
            for step in range(int(3600 / STEP)):
                put(store, rounds[step] if step < len(rounds) else [])
                await store.flush()
                if seed is not None and chance.random() < 0.2:
                    await asyncio.sleep(chance.random() / 100)
                    orphans = await process.kill()
                    process = Process(store, f"{crm.url}/hook", clock, orphans)
                await process.rest()
                clock.turn(STEP)
            tried = len(crm.received)
            if seed is None:
                assert 25 <= tried <= 200
                assert process.delivery.is_held
            crm.replies["/hook"] = [Reply(200)]
            for step in range(5):
                if seed is not None and step in (1, 2):
                    store.jobs.added.set()
                    await asyncio.sleep(chance.random() / 10)
                    orphans = await process.kill()
                    process = Process(store, f"{crm.url}/hook", clock, orphans)
                await process.rest()
                clock.turn(STEP)
            assert not process.delivery.is_held
            jobs = await store.jobs.found(KIND, limit=1000)
            await process.aclose()
    assert {job.state for job in jobs} == {JobState.DONE}
    told = accepted(crm, tried)
    calls = by_call(told)
    assert len(calls) == count
    for each in calls.values():
        assert tuple(webhook["type"] for webhook in each) == TOLD
        sequence = [webhook["sequence"] for webhook in each]
        assert sequence == sorted(sequence)
        assert [w["data"]["turn"]["number"] for w in each if "turn" in w["data"]] == [1, 2, 3]
    if seed is None:
        assert len(told) == len({webhook["id"] for webhook in told}) == count * len(TOLD)
    lines = repr(log)
    for secret in (SECRET, crm.url + "/hook", CALLER, "one order"):
        assert secret not in lines


async def test_without_a_receiver_what_waits_comes_to_an_end(tmp_path: Path) -> None:
    """The log says at once that it waits, and after three days that it was given up."""
    clock = Clock()
    async with opened(tmp_path) as store:
        runner = JobRunner(store.jobs, clock=clock)
        with capture_logs() as log:
            await retire(store, runner)
            assert log == []
            put(store, story("c1", clock.now))
            await store.flush()
            await retire(store, runner)
            clock.turn(EXPIRE_SECONDS - 3600)
            await runner.tidy()
            waiting = await store.jobs.found(KIND)
            assert {job.state for job in waiting} == {JobState.QUEUED, JobState.WAITING}
            clock.turn(2 * 3600)
            await runner.tidy()
        assert {job.state for job in await store.jobs.found(KIND)} == {JobState.FAILED}
        assert [line["event"] for line in log] == [
            "webhooks without a receiver",
            "jobs not done in time",
        ]
        assert log[1]["jobs"] == len(waiting)
