"""One vendor dies in the middle of a sentence, and the next goes on, in whole calls."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from exobridge.call.state import Outcome
from exobridge_providers.registry import Kind
from exobridge_providers.testing.faults import FaultKind
from tests.vendors.ground import (
    ANSWERS,
    LINES,
    SILENCE_LIMIT_MS,
    Called,
    Vendor,
    calling,
    heard,
    in_order,
    longest_silence_ms,
    template,
    vendor,
)

STT, TTS = ("sarvam", "deepgram"), ("elevenlabs", "sarvam")
"""The preferred of each kind first."""

Calls = dict[str, Called]


async def _vendors(stack: AsyncExitStack) -> tuple[tuple[Vendor, ...], tuple[Vendor, ...]]:
    stt = [await stack.enter_async_context(vendor(Kind.STT, name)) for name in STT]
    tts = [await stack.enter_async_context(vendor(Kind.TTS, name)) for name in TTS]
    return tuple(stt), tuple(tts)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(tmp_path_factory: pytest.TempPathFactory) -> Calls:
    """Of the first vendor of each kind, the line is cut in the middle of the caller's first
    sentence, or of the bot's first answer."""
    async with AsyncExitStack() as stack:
        deaf, well = await _vendors(stack), await _vendors(stack)
        names = {"ear": (deaf[0], well[1]), "voice": (well[0], deaf[1])}
        templates = {name: template(*kinds) for name, kinds in names.items()}
        callers = await stack.enter_async_context(
            calling(tmp_path_factory.mktemp("failover"), templates)
        )
        deaf[0][0].break_next(FaultKind.DROP_OUT, 4)
        deaf[1][0].break_next(FaultKind.DROP_OUT, 3)
        found = await asyncio.gather(*(callers.call(name, *LINES) for name in names))
        for each in (*deaf[0], *deaf[1], *well[0], *well[1]):
            assert each.fake.violations == []
    return dict(zip(names, found, strict=True))


def test_another_ear_hears_the_sentence_from_its_start(calls: Calls) -> None:
    """Each of the caller's words is in the record, once, and is answered."""
    one = calls["ear"]
    assert one.understood == " ".join(LINES).split()
    assert heard(one.report).replace(" ", "") == "".join(["hello", *ANSWERS]).replace(" ", "")
    assert one.replaced("stt") == [STT[1]]
    assert_well(one)


def test_another_voice_says_the_rest_of_the_line(calls: Calls) -> None:
    """All of it is heard; what was said twice is the clause that broke off."""
    one = calls["voice"]
    assert one.understood == " ".join(LINES).split()
    assert in_order(["hello", *" ".join(ANSWERS).split()], heard(one.report))
    assert one.replaced("tts") == [TTS[1]]
    assert_well(one)


def assert_well(one: Called) -> None:
    """Nobody waited for long, and the caller hung up."""
    assert one.report.problems == ()
    assert one.call.outcome is Outcome.COMPLETED
    assert longest_silence_ms(one.report) < SILENCE_LIMIT_MS
