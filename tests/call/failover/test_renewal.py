"""Sessions that their vendor would end after a time, in virtual time: the next is there before."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from exobridge.call.failover.relay import EARLY_S, LOOK_S
from exobridge_providers.registry import Kind
from exobridge_providers.testing.fakes import FakeStt
from tests.call.failover import test_stt, test_tts
from tests.call.failover.house import LONGEST_S, mortal, second
from tests.virtual_time import virtual_time

EARLY = min(EARLY_S, LONGEST_S / 2)
LATEST = LONGEST_S - EARLY / 4
SOON = 3 * LOOK_S


@virtual_time
async def test_a_silent_caller_gets_a_new_ear_before_the_old_one_ends() -> None:
    """In silence at once, when it is old enough; what is said next the new one hears, and only
    that."""
    choice = mortal(Kind.STT, script=["one"])
    async with test_stt.call(choice, speaking=False) as c:
        c.say(5)
        await asyncio.sleep(LONGEST_S - EARLY - SOON)
        assert await c.heard_frames() == [5]
        await asyncio.sleep(2 * SOON)
        assert await c.heard_frames() == [5, 0]
        c.say(7)
        await asyncio.sleep(SOON)
        assert c.texts == ["one", "one"]
        assert await c.heard_frames() == [5, 7]
        assert c.house.logged("session lost") == []
        assert len(c.house.logged("session replaced")) == 1


@virtual_time
async def test_an_ear_is_not_changed_in_the_middle_of_a_sentence() -> None:
    """The new one takes over when the caller has stopped and the text is there."""
    async with test_stt.call(mortal(Kind.STT, script=["one"], delay_ms=500)) as c:
        await asyncio.sleep(LONGEST_S - EARLY + SOON)
        c.say(5)
        await asyncio.sleep(0.4)
        assert len(await c.sessions()) == 1
        c.speaking = False
        await asyncio.sleep(0.2 + SOON)
        assert c.texts == ["one"]
        assert await c.heard_frames() == [5, 0]


@virtual_time
async def test_who_never_stops_is_heard_by_the_new_ear_from_the_start_of_the_sentence() -> None:
    """Late, but before the vendor would end the session; no word is lost."""
    async with test_stt.call(mortal(Kind.STT, script=["one"])) as c:
        for _ in range(9):
            c.relay.send(test_stt.FRAME)
        await asyncio.sleep(LATEST - SOON)
        assert len(await c.sessions()) == 1
        await asyncio.sleep(2 * SOON)
        c.relay.finalize()
        await asyncio.sleep(SOON)
        assert await c.heard_frames() == [9, 9]
        assert c.texts == ["one"]


@virtual_time
async def test_an_ear_that_cannot_be_renewed_goes_on() -> None:
    """The call is no worse off than before."""
    async with test_stt.call(mortal(Kind.STT, script=["one"]), speaking=False) as c:
        provider = await c.house.provider(Kind.STT, c.choices[0], FakeStt)
        provider.capabilities = replace(provider.capabilities, languages=frozenset({"xx"}))
        await asyncio.sleep(LONGEST_S - 1)
        c.say(5)
        await asyncio.sleep(SOON)
        assert c.texts == ["one"]
        assert c.house.failures == []
        assert len(c.house.logged("session not renewed")) == 1


@virtual_time
async def test_a_voice_is_renewed_between_two_lines() -> None:
    """The line under way is said to its end by the one that began it."""
    async with test_tts.call(mortal(Kind.TTS, pace=1.0, ms_per_char=1000)) as c:
        await asyncio.sleep(LONGEST_S - EARLY - 5)
        await c.relay.say("u0", "ten chars.")
        await asyncio.sleep(8)
        assert len(await c.sessions()) == 1
        await asyncio.sleep(3)
        await c.relay.say("u1", "more")
        await asyncio.sleep(6)
        assert await c.texts() == [{"u0": "ten chars."}, {"u1": "more"}]
        assert c.done == ["u0", "u1"]
        assert [c.audio_ms("u0"), c.audio_ms("u1")] == [10_000, 4000]


@virtual_time
async def test_a_session_that_ends_before_its_time_is_not_renewed() -> None:
    """Its timer ends with it; who took over has all the time it declares."""
    dying = mortal(Kind.STT, fault="die")
    async with test_stt.call(dying, second(Kind.STT, script=["one"]), speaking=False) as c:
        c.say(5)
        await asyncio.sleep(2 * LONGEST_S)
        assert c.texts == ["one"]
        assert [len(await c.sessions(0)), len(await c.sessions(1))] == [1, 1]
