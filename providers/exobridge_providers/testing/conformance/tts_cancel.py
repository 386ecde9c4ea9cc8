"""Text-to-speech: what was cancelled is not heard, neither by its own name nor by another's."""

from __future__ import annotations

import asyncio

from exobridge_providers.testing.conformance.calls import TtsCall
from exobridge_providers.testing.conformance.stage import Stage
from exobridge_providers.testing.conformance.tts_words import same
from exobridge_providers.testing.contract.promises import promise

FIRST, SECOND, THIRD = "quartz violet quartz violet", "hazel onyx", "jade ruby"

INTERRUPTIONS = 20
"""In quick succession: a caller who does not let the bot speak."""

LATE_SECONDS = 0.03
"""From text to audio."""
PACE = 0.2
"""Seconds in which a second of audio is made."""


class _Cancelled:
    """An utterance that was cancelled: nothing of it may come from now on."""

    def __init__(self, call: TtsCall, utterance_id: str) -> None:
        self._call = call
        self._id = utterance_id
        self._before = len(call.events)

    @classmethod
    async def at(cls, call: TtsCall, utterance_id: str) -> _Cancelled:
        """Cancel it now."""
        await call.cancel(utterance_id)
        return cls(call, utterance_id)

    def check(self) -> None:
        """Promise that nothing has."""
        late = [each for each in self._call.events[self._before :] if each.utterance_id == self._id]
        promise(not late, f"nothing of {self._id!r} comes after cancel() has returned")


async def _next_is_whole(call: TtsCall, cancelled: _Cancelled | None = None) -> None:
    await call.say("next", SECOND)
    same(await call.spoken("next"), SECOND, "the utterance after a cancelled one is its own text")
    await call.say("last", THIRD)
    same(await call.spoken("last"), THIRD, "and so is the one after it")
    await call.settle(2 * LATE_SECONDS)
    if cancelled is not None:
        cancelled.check()
    await call.aclose()


async def before_audio(stage: Stage) -> None:
    """The vendor has the text and has said nothing yet."""
    stage.vendor.first_audio_seconds = LATE_SECONDS
    call = await stage.speak()
    await call.say("first", FIRST)
    await _next_is_whole(call, await _Cancelled.at(call, "first"))


async def on_its_way(stage: Stage) -> None:
    """As before, but the vendor has begun to make it."""
    stage.vendor.first_audio_seconds = LATE_SECONDS
    call = await stage.speak()
    await call.say("first", FIRST)
    await call.settle(LATE_SECONDS / 2)
    await _next_is_whole(call, await _Cancelled.at(call, "first"))


async def in_the_middle(stage: Stage) -> None:
    """Some of it was heard, and the vendor goes on."""
    stage.vendor.pace = PACE
    call = await stage.speak()
    await call.say("first", FIRST)
    await call.begun("first")
    await _next_is_whole(call, await _Cancelled.at(call, "first"))


async def text_unfinished(stage: Stage) -> None:
    """More text of it was to come, and comes late."""
    call = await stage.speak()
    await call.say("first", FIRST, last=False)
    await call.settle()
    cancelled = await _Cancelled.at(call, "first")
    await call.say("first", THIRD)
    await _next_is_whole(call, cancelled)


async def after_its_end(stage: Stage) -> None:
    """All of it has been said; and one that nobody knows, and one twice."""
    call = await stage.speak()
    await call.say("first", FIRST)
    same(await call.spoken("first"), FIRST, "an utterance is spoken whole")
    cancelled = await _Cancelled.at(call, "first")
    await call.cancel("never begun")
    await call.cancel("first")
    await _next_is_whole(call, cancelled)


async def one_that_waits(stage: Stage) -> None:
    """The one before it is being said, and is not touched."""
    stage.vendor.first_audio_seconds = LATE_SECONDS
    call = await stage.speak()
    await call.say("before", THIRD)
    await call.say("first", FIRST)
    cancelled = await _Cancelled.at(call, "first")
    await call.say("next", SECOND)
    heard = await call.spoken("before")
    same(heard, THIRD, "cancelling one that waits leaves the one before it whole")
    same(await call.spoken("next"), SECOND, "the utterance after a cancelled one is its own text")
    cancelled.check()
    await call.aclose()


async def one_before_another(stage: Stage) -> None:
    """The one behind it, which the vendor may be making already, is spoken whole."""
    stage.vendor.first_audio_seconds = LATE_SECONDS
    call = await stage.speak()
    await call.say("first", FIRST)
    await call.say("next", SECOND)
    cancelled = await _Cancelled.at(call, "first")
    same(await call.spoken("next"), SECOND, "the utterance behind a cancelled one is whole")
    cancelled.check()
    await call.aclose()


async def again_and_again(stage: Stage) -> None:
    """Utterances begun and cancelled in quick succession keep the vendor's limits, and the last
    is spoken."""
    stage.vendor.first_audio_seconds = LATE_SECONDS
    call = await stage.speak()
    cancelled: list[_Cancelled] = []
    for number in range(INTERRUPTIONS):
        utterance_id = f"u{number}"
        await call.say(utterance_id, FIRST, last=number % 2 == 0)
        if number % 3 == 0:
            await asyncio.sleep(0.002)
        cancelled.append(await _Cancelled.at(call, utterance_id))
    await call.say("kept", SECOND)
    same(await call.spoken("kept"), SECOND, f"after {INTERRUPTIONS} interruptions the bot speaks")
    for each in cancelled:
        each.check()
    await call.aclose()
