"""The line to a vendor is cut at messages of a call that are drawn by a seed; ``make boundaries``
cuts it at each of them."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
import pytest_asyncio

from exobridge_providers.registry import Kind
from exobridge_providers.testing.faults import FaultKind
from tests.vendors import boundaries
from tests.vendors.boundaries import Boundary, Result

SEED = 7
LAST = {
    (Kind.STT, FaultKind.DROP_IN): 50,
    (Kind.STT, FaultKind.DROP_OUT): 11,
    (Kind.TTS, FaultKind.DROP_IN): 9,
    (Kind.TTS, FaultKind.DROP_OUT): 14,
}
"""Messages that pass in every such call, and a few more do."""


def drawn(*, reserve: bool) -> list[Boundary]:
    """Two of each direction at speech-to-text, one at text-to-speech."""
    chance = random.Random(SEED + reserve)
    return [
        Boundary(kind, cut, at, reserve)
        for (kind, cut), last in LAST.items()
        for at in chance.sample(range(1, last + 1), 2 if kind is Kind.STT else 1)
    ]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def results(tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    """A call for each that was drawn."""
    folder: Path = tmp_path_factory.mktemp("boundaries")
    async with boundaries.ground(folder, 3) as (callers, lanes):
        alone, spared = await asyncio.gather(
            *(
                boundaries.run(callers, group, drawn(reserve=reserve))
                for reserve, group in lanes.items()
            )
        )
        return alone + spared


def test_no_word_is_lost_and_nobody_waits_for_long(results: list[Result]) -> None:
    """Whatever message of a vendor's is its last: the caller's words are in the record, the bot's
    are heard, the silence has its limit, and the call ends well."""
    assert len(results) == 12
    assert [(str(each.boundary), each.wrong) for each in results if each.wrong] == []


def test_the_lines_were_cut(results: list[Result]) -> None:
    """Each call came so far."""
    assert all(each.reached for each in results)
