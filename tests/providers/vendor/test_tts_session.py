"""A session of text-to-speech when its connections come and go at bad moments."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar

import pytest

from exobridge_providers.base import TtsAudio, TtsConfig, TtsDone
from exobridge_providers.registry import Kind
from exobridge_providers.testing.cases import VendorCase
from exobridge_providers.testing.conformance.calls import TtsCall
from exobridge_providers.testing.conformance.stage import Stage
from exobridge_providers.testing.faults import Fault, FaultKind
from exobridge_providers.testing.vendors.cartesia_tts import CASE as CARTESIA
from exobridge_providers.testing.vendors.cartesia_tts import PATH, FakeCartesia
from exobridge_providers.testing.vendors.deepgram_aura import CASE as AURA
from exobridge_providers.testing.vendors.smallest_tts import CASE as SMALLEST
from exobridge_providers.tts.cartesia import CartesiaProtocol, CartesiaTts
from exobridge_providers.vendor import TtsProtocol, tts_session

TEXT, NEXT, LATER = "quartz violet hazel", "onyx jade", "ruby"
SOON = {"connect_seconds": 1.0}


class TwoContexts(CartesiaProtocol):
    """Makes two utterances at once."""

    contexts: ClassVar[int] = 2


class TwoTts(CartesiaTts):
    """With that."""

    def protocol(self, config: TtsConfig, key: str) -> TtsProtocol:
        return TwoContexts(self.options, config, key)


TWO = VendorCase(Kind.TTS, f"{__name__}:TwoTts", FakeCartesia, PATH)


async def until(enough: Callable[[], bool]) -> None:
    """Wait for something at the vendor's, for two seconds at most."""
    for _ in range(1000):
        if enough():
            return
        await asyncio.sleep(0.002)
    pytest.fail("it did not come about")


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every connection has lasted for long."""
    monkeypatch.setattr(tts_session, "SETTLED_SECONDS", 0.0)


async def test_each_utterance_has_a_connection_where_the_vendor_closes_it() -> None:
    """And another is ready, always."""
    async with Stage.of_case(SMALLEST) as stage:
        call = await stage.speak()
        await until(lambda: stage.vendor.open_connections == 2)
        for name, text in (("a", TEXT), ("b", NEXT), ("c", LATER)):
            await call.say(name, text)
        assert [await call.spoken(name) for name in "abc"] == [TEXT, NEXT, LATER]
        assert [number for number, _ in stage.vendor.received] == [1, 2, 3]
        # Two are open again, but for a slow one that was not there yet when the third was left.
        await until(lambda: len(stage.vendor.connections) > 3)
        await call.aclose()


async def test_a_spare_that_dies_while_it_waits_is_replaced(settled: None) -> None:
    """At once, before it is needed; nobody hears of it."""
    async with Stage.of_case(SMALLEST) as stage:
        vendor, call = stage.vendor, await stage.speak()
        await until(lambda: vendor.open_connections == 2)
        vendor.cut()
        await until(lambda: len(vendor.connections) == 3)
        await call.say("a", TEXT)
        assert await call.spoken("a") == TEXT
        await call.aclose()


@pytest.mark.parametrize("kind", [FaultKind.REFUSE, FaultKind.HANG])
async def test_a_spare_that_cannot_be_had_is_tried_again_when_it_is_needed(
    kind: FaultKind,
) -> None:
    """However it fails."""
    async with Stage.of_case(SMALLEST, SOON) as stage:
        stage.vendor.faults = [Fault(kind, connection=2)]
        call = await stage.speak()
        await call.say("a", TEXT)
        await call.cancel("a")
        await call.say("b", NEXT)
        assert await call.spoken("b") == NEXT
        assert call.error is None
        await call.aclose()


async def test_what_is_cancelled_while_a_connection_is_made_is_not_said() -> None:
    """Cancelling does not wait for the connection."""
    async with Stage.of_case(SMALLEST, SOON) as stage:
        stage.vendor.faults = [Fault(FaultKind.HANG, connection=2)]
        call = await stage.speak()
        await call.say("a", TEXT)
        await call.cancel("a")
        saying = asyncio.create_task(call.say("b", NEXT))
        await asyncio.sleep(0.01)
        await call.cancel("b")
        assert not saying.done()
        await call.say("c", LATER)
        assert await call.spoken("c") == LATER
        await saying
        assert not call.audio("b")
        assert not call.is_done("b")
        await call.aclose()


async def test_cancelling_one_with_another_behind_it_does_not_wait_for_a_connection() -> None:
    """The caller has interrupted: the call has other things to do."""
    async with Stage.of_case(SMALLEST, SOON) as stage:
        stage.vendor.faults = [Fault(FaultKind.HANG, connection=2)]
        stage.vendor.first_audio_seconds = 0.05
        call = await stage.speak()
        await call.say("a", TEXT)
        await call.say("b", NEXT)
        attempts = stage.vendor.attempts
        await call.cancel("a")
        assert stage.vendor.attempts == attempts
        assert await call.spoken("b") == NEXT
        await call.aclose()


async def test_a_session_that_is_closed_while_it_connects_leaves_nothing() -> None:
    """The stage looks for tasks and connections."""
    async with Stage.of_case(SMALLEST, SOON) as stage:
        stage.vendor.faults = [Fault(FaultKind.HANG, connection=2)]
        call = await stage.speak()
        await call.say("a", TEXT)
        await call.cancel("a")
        saying = asyncio.create_task(call.say("b", NEXT))
        await asyncio.sleep(0.01)
        await call.cancel("b")
        await call.aclose()
        async with asyncio.timeout(2):
            await saying


@pytest.mark.parametrize("case", [CARTESIA, SMALLEST], ids=lambda case: case.name)
async def test_an_idle_connection_that_closes_just_then_costs_no_utterance(
    case: VendorCase, settled: None
) -> None:
    """Its text, of which nothing was heard, is given to another."""
    async with Stage.of_case(case) as stage:
        stage.vendor.faults = [Fault(FaultKind.DROP_IN, 1, connection=1)]
        call = await stage.speak()
        await call.say("a", TEXT)
        await call.say("b", NEXT)
        assert await call.spoken("a") == TEXT
        assert await call.spoken("b") == NEXT
        assert call.error is None
        await call.aclose()


async def test_what_has_been_heard_in_part_is_not_begun_again(settled: None) -> None:
    """The host knows what was heard, and has the rest said."""
    async with Stage.of_case(CARTESIA) as stage:
        stage.vendor.faults = [Fault(FaultKind.DROP_OUT, 2)]
        call = await stage.speak()
        await call.say("a", TEXT)
        assert not await call.done("a")
        assert call.audio("a")
        assert getattr(call.error, "retryable", False)
        await call.aclose()


async def test_a_connection_that_breaks_at_once_is_told() -> None:
    """A vendor that is down is left, not asked again and again."""
    async with Stage.of_case(CARTESIA) as stage:
        stage.vendor.faults = [Fault(FaultKind.DROP_IN, 1)]
        call = await stage.speak()
        await call.say("a", TEXT)
        assert not await call.done("a")
        assert getattr(call.error, "retryable", False)
        assert len(stage.vendor.connections) == 1
        await call.aclose()


async def test_of_two_that_are_made_at_once_the_first_can_be_cancelled() -> None:
    """The second is heard whole, and a third when the vendor has ended the first."""
    async with Stage.of_case(TWO) as stage:
        stage.vendor.first_audio_seconds = 0.03
        call = await stage.speak()
        for name, text in (("a", TEXT), ("b", NEXT), ("c", LATER)):
            await call.say(name, text)
        await call.cancel("a")
        assert await call.spoken("b") == NEXT
        assert await call.spoken("c") == LATER
        assert not call.audio("a")
        assert len(stage.vendor.connections) == 1
        await call.aclose()


async def test_a_vendor_that_does_not_say_that_it_has_stopped_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What comes next is said on another connection."""
    monkeypatch.setattr(tts_session, "LEAVING_SECONDS", 0.05)
    async with Stage.of_case(AURA) as stage:
        stage.vendor.faults = [Fault(FaultKind.SILENCE, 2, connection=1)]
        call = await stage.speak()
        await call.say("a", TEXT)
        await call.cancel("a")
        await call.say("b", NEXT)
        assert await call.spoken("b") == NEXT
        assert not call.audio("a")
        assert len(stage.vendor.connections) == 2
        await call.aclose()


async def test_cancelling_what_nobody_reads_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """The vendor, which had to wait, speaks on."""
    monkeypatch.setattr(tts_session, "MAX_UNREAD", 2)
    async with Stage.of_case(CARTESIA) as stage:
        session = await stage.open_unread()
        await session.say("a", TEXT)
        await asyncio.sleep(0.05)
        await session.cancel("a")
        await session.say("b", NEXT)
        call = TtsCall(session, TtsConfig(stage.tts.capabilities.formats[0], "en"), [], 5.0)
        assert await call.spoken("b") == NEXT
        assert {each.utterance_id for each in call.events} == {"b"}
        await call.aclose()


async def test_words_are_kept_apart_by_white_space_that_comes_alone() -> None:
    """As a language model may write it."""
    async with Stage.of_case(CARTESIA) as stage:
        call = await stage.speak()
        for piece in ("quartz", " ", "violet", "\n"):
            await call.say("a", piece, last=False)
        await call.say("a", "hazel", last=True)
        assert await call.spoken("a") == TEXT
        kinds = {type(each) for each in call.events}
        assert kinds == {TtsAudio, TtsDone}
        await call.aclose()
