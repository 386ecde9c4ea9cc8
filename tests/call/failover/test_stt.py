"""Speech-to-text that changes hands in the middle of a call, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from exobridge.call.failover.circuits import provider_key
from exobridge.call.failover.lineup import Lineup
from exobridge.call.failover.stt import SttRelay
from exobridge.templates.provider_table import Choice
from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_providers import base
from exobridge_providers.base import Final, Partial, SttCapabilities, SttEvent, SttTrouble
from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderUnavailableError,
)
from exobridge_providers.registry import Kind
from exobridge_providers.testing.fakes import FakeStt, FakeSttSession
from tests.call.failover.house import House, first, house, second
from tests.virtual_time import virtual_time

STT = Kind.STT
PCM16 = pcm16(8000)
FRAME = b"\x00\x40" * 160
"""20 ms of something loud, at 8 kHz."""


@dataclass
class Call:
    """A caller before a relay.

    Attributes:
        told: The events that came of it.
        seated: What the providers that were at work can do.
        speaking: Whether the caller is.
    """

    house: House
    choices: tuple[Choice, ...]
    told: list[SttEvent] = field(default_factory=list[SttEvent])
    seated: list[SttCapabilities] = field(default_factory=list[SttCapabilities])
    speaking: bool = True
    language: str = "en-IN"
    line: AudioFormat = PCM16

    def __post_init__(self) -> None:
        lineup = Lineup(
            STT,
            base.SttProvider,
            self.choices,
            self.house.means,
            self.language,
            lambda provider, language: base.speaks(provider.capabilities.languages, language),
        )
        self.relay = SttRelay(
            lineup,
            self.house.means,
            self.language,
            "call",
            self.line,
            take=self.told.append,
            fail=self.house.failures.append,
            speaking=lambda: self.speaking,
            seated=self.seated.append,
        )

    def say(self, frames: int = 10) -> None:
        """Speak, and wait for the text."""
        for _ in range(frames):
            self.relay.send(FRAME)
        self.relay.finalize()

    @property
    def texts(self) -> list[str]:
        """The final texts."""
        return [event.text for event in self.told if isinstance(event, Final)]

    async def sessions(self, index: int = 0) -> list[FakeSttSession]:
        """Those of one of the providers."""
        return (await self.house.provider(STT, self.choices[index], FakeStt)).sessions

    async def heard_frames(self, index: int = 0) -> list[int]:
        """Frames that each of its sessions got."""
        return [each.sent_bytes // len(FRAME) for each in await self.sessions(index)]


@asynccontextmanager
async def call(*choices: Choice, **more: Any) -> AsyncGenerator[Call]:
    """A call whose speech-to-text is open."""
    async with house() as around:
        found = Call(around, choices, **more)
        await found.relay.open()
        yield found
        await found.relay.aclose()


@virtual_time
async def test_the_next_provider_hears_what_was_not_answered() -> None:
    """The segment under way, from its first frame; what was answered before is not said again."""
    dying = first(STT, script=["one"], fault="die", fault_at=2)
    async with call(dying, second(STT, script=["two"])) as c:
        c.say(5)
        await asyncio.sleep(0.1)
        c.say(7)
        await asyncio.sleep(0.1)
        assert c.texts == ["one", "two"]
        assert await c.heard_frames(1) == [7]
        assert c.house.failures == []
        c.say(3)
        await asyncio.sleep(0.1)
        assert await c.heard_frames(1) == [10]


@virtual_time
async def test_what_is_said_while_the_next_one_opens_is_kept() -> None:
    """In its order, each request for a text included."""
    async with call(first(STT, fault="die"), second(STT, script=["a", "b", "c"])) as c:
        c.say(4)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        c.say(5)
        c.relay.send(FRAME)
        await asyncio.sleep(0.1)
        assert c.texts == ["a", "b"]
        c.relay.finalize()
        await asyncio.sleep(0.1)
        assert c.texts == ["a", "b", "c"]
        assert await c.heard_frames(1) == [10]


@virtual_time
async def test_a_long_segment_is_replayed_whole() -> None:
    """While more of it comes."""
    async with call(first(STT, fault="die"), second(STT, script=["a", "b"])) as c:
        c.say(200)
        for _ in range(20):
            await asyncio.sleep(0)
            c.relay.send(FRAME)
        c.relay.finalize()
        await asyncio.sleep(0.1)
        assert c.texts == ["a", "b"]
        assert await c.heard_frames(1) == [220]


@virtual_time
async def test_a_late_answer_goes_to_the_next_after_half_the_wait() -> None:
    """Its own answer, when it comes at last, is nobody's."""
    slow = first(STT, script=["late"], delay_ms=3500)
    async with call(slow, second(STT, script=["soon"])) as c:
        c.say()
        await asyncio.sleep(2.9)
        assert c.texts == []
        await asyncio.sleep(0.2)
        assert c.texts == ["soon"]
        await asyncio.sleep(5)
        assert c.texts == ["soon"]
        (lost,) = c.house.logged("session lost")
        assert (lost["stage"], lost["error"]) == ("stt", "no final text in time")


@virtual_time
async def test_the_only_provider_has_the_whole_wait() -> None:
    """Asked twice, a slow one would only become slower."""
    async with call(first(STT, script=["late"], delay_ms=5500)) as c:
        c.say()
        await asyncio.sleep(6)
        assert c.texts == ["late"]
        assert len(await c.sessions()) == 1


@virtual_time
async def test_the_only_provider_is_opened_anew_once() -> None:
    """When its session dies again within a minute, that is told."""
    async with call(first(STT, fault="die")) as c:
        c.say(6)
        await asyncio.sleep(1)
        assert await c.heard_frames() == [6, 6]
        assert [str(error) for error in c.house.failures] == ["the line broke"]
        assert len(c.house.logged("session lost")) == 1


@virtual_time
async def test_a_session_that_held_for_a_minute_may_die_again() -> None:
    """Some vendors end every session after a while."""
    async with call(first(STT, script=["one"] * 5, fault="die", fault_at=2)) as c:
        for _ in range(4):
            c.say()
            await asyncio.sleep(61)
            c.say()
            await asyncio.sleep(61)
        assert c.house.failures == []
        assert c.texts == ["one"] * 8


@virtual_time
async def test_both_are_tried_twice_before_the_call_is_given_up() -> None:
    """In turn."""
    async with call(first(STT, fault="die"), second(STT, fault="die")) as c:
        c.say()
        await asyncio.sleep(5)
        assert (len(await c.sessions(0)), len(await c.sessions(1))) == (2, 2)
        assert len(c.house.failures) == 1
        assert c.house.failures[0].provider == c.choices[1].name
        names = [entry["provider"] for entry in c.house.logged("session replaced")]
        assert names == [c.choices[1].name, c.choices[0].name, c.choices[1].name]


@virtual_time
async def test_a_provider_that_hangs_while_it_opens_has_its_share_of_the_wait() -> None:
    """Half of it, where there are two."""
    async with house() as around:
        c = Call(around, (Choice("tests.call.failover.test_stt:HangingStt", {}), second(STT)))
        begun = asyncio.get_running_loop().time()
        await c.relay.open()
        assert asyncio.get_running_loop().time() - begun == around.means.waits.open / 2
        assert len(await c.sessions(1)) == 1
        await c.relay.aclose()


class HangingStt(FakeStt):
    """It never opens."""

    async def open(self, config: base.SttConfig) -> base.SttSession:
        await asyncio.Event().wait()
        raise AssertionError(config)


@virtual_time
async def test_a_provider_gets_the_audio_it_takes() -> None:
    """Another rate than the first one's, and all of the call where it wants that."""
    wide = second(STT, sample_rates=[16000], continuous=True, script=["wide"])
    async with call(first(STT, fault="die"), wide) as c:
        c.say(10)
        await asyncio.sleep(0.1)
        assert c.texts == ["wide"]
        assert [each.continuous for each in c.seated] == [False, True]
        (session,) = await c.sessions(1)
        # The resampler holds back the last milliseconds, and so the frame they belong to.
        assert session.sent_bytes == 9 * 640


@virtual_time
async def test_a_line_in_mulaw_is_sent_as_such_where_the_provider_takes_it() -> None:
    """As it was before there could be another."""
    async with call(first(STT), line=AudioFormat(Encoding.MULAW, 8000)) as c:
        c.relay.send(FRAME)
        (session,) = await c.sessions()
        assert session.sent_bytes == len(FRAME)


@virtual_time
async def test_of_the_silence_before_little_is_replayed() -> None:
    """To a provider that gets everything."""
    listening = {"continuous": True}
    async with call(first(STT, fault="die", **listening), second(STT, **listening)) as c:
        c.speaking = False
        for _ in range(1000):
            c.relay.send(FRAME)
        c.speaking = True
        c.say(50)
        await asyncio.sleep(0.1)
        assert await c.heard_frames(1) == [75]


@virtual_time
async def test_a_segment_that_failed_is_heard_by_the_next_provider() -> None:
    """Its words are not lost, and the empty answer is not told."""
    async with call(first(STT, fault="trouble"), second(STT, script=["saved"])) as c:
        c.say()
        await asyncio.sleep(0.1)
        assert c.told == [Final("saved", finalized=True)]


@virtual_time
async def test_where_there_is_no_other_the_trouble_is_told() -> None:
    """The session survives it."""
    async with call(first(STT, fault="trouble", script=["one"])) as c:
        c.say()
        await asyncio.sleep(0.1)
        assert isinstance(c.told[0], SttTrouble)
        assert c.texts == [""]
        assert len(await c.sessions()) == 1


@virtual_time
async def test_partials_and_peeks_are_passed_on() -> None:
    """To and from whoever is at work; who offers no peek is not asked for one."""
    async with call(first(STT, on_demand=True, script=["one"])) as c:
        for _ in range(10):
            c.relay.send(FRAME)
        c.relay.peek()
        await asyncio.sleep(0.1)
        assert c.told == [Partial("one")]
    async with call(first(STT)) as c:
        c.relay.send(FRAME)
        c.relay.peek()
        await asyncio.sleep(0.1)
        assert c.told == []


@virtual_time
async def test_a_circuit_that_is_open_sends_calls_to_the_next_at_once() -> None:
    """The first is asked again when its time is over."""
    async with house() as around:
        choices = (first(STT, fault="open"), second(STT))
        for _ in range(3):
            c = Call(around, choices)
            await c.relay.open()
            await c.relay.aclose()
        assert len(around.logged("circuit opened")) == 1
        lost = len(around.logged("session lost"))
        c = Call(around, choices)
        await c.relay.open()
        await c.relay.aclose()
        assert len(around.logged("session lost")) == lost
        await asyncio.sleep(37)
        c = Call(around, choices)
        await c.relay.open()
        await c.relay.aclose()
        assert len(around.logged("session lost")) == lost + 1


@virtual_time
async def test_where_every_circuit_is_open_the_first_is_asked() -> None:
    """And closes it by an answer."""
    async with house() as around:
        choices = (first(STT, script=["one"]), second(STT, fault="open"))
        for choice in choices:
            key = provider_key(STT, choice.name, choice.options)
            around.means.pool.circuits.failed(key, ProviderAuthError("no"))
        c = Call(around, choices)
        await c.relay.open()
        c.say()
        await asyncio.sleep(0.1)
        assert c.texts == ["one"]
        assert [entry["provider"] for entry in around.logged("circuit closed")] == [choices[0].name]
        await c.relay.aclose()


@virtual_time
async def test_another_language_loses_no_word() -> None:
    """What the old session has not answered, the new one hears."""
    async with call(first(STT, script=["hello"], delay_ms=500)) as c:
        c.say(8)
        c.relay.switch_language("hi-IN")
        await asyncio.sleep(0.1)
        c.relay.send(FRAME)
        await asyncio.sleep(2)
        assert c.texts == ["hello"]
        assert await c.heard_frames() == [8, 9]
        assert c.house.failures == []


@virtual_time
async def test_another_language_is_taken_by_a_provider_that_knows_it() -> None:
    """Which the first need not be."""
    english, hindi = first(STT, languages=["en"]), second(STT, languages=["hi"], script=["haan"])
    async with call(english, hindi) as c:
        c.relay.switch_language("hi-IN")
        await asyncio.sleep(0.1)
        c.say()
        await asyncio.sleep(0.1)
        assert c.texts == ["haan"]
        c.relay.switch_language("en-IN")
        await asyncio.sleep(0.1)
        assert len(await c.sessions(0)) == 2


@virtual_time
async def test_a_language_nobody_knows_changes_nothing() -> None:
    """But the log says so."""
    async with call(first(STT, languages=["en"], script=["one"])) as c:
        c.relay.switch_language("ta-IN")
        await asyncio.sleep(0.1)
        c.say()
        await asyncio.sleep(0.1)
        assert c.texts == ["one"]
        (entry,) = c.house.logged("language not switched")
        assert (entry["stage"], entry["language"]) == ("stt", "ta-IN")
        assert c.house.logged("circuit opened") == []


@virtual_time
async def test_of_two_languages_in_a_row_the_last_counts() -> None:
    """The session of the one between is closed, if it was opened at all."""
    async with call(first(STT, script=["one"])) as c:
        c.relay.switch_language("hi-IN")
        c.relay.switch_language("ta-IN")
        await asyncio.sleep(0.1)
        assert len(await c.sessions()) == 2
        c.say()
        await asyncio.sleep(0.1)
        assert c.texts == ["one"]


@virtual_time
async def test_what_each_provider_was_sent_is_counted() -> None:
    """By its name."""
    async with call(first(STT, fault="die"), second(STT)) as c:
        c.say(50)
        await asyncio.sleep(0.1)
        counted = {name: frames.frames for name, frames in c.house.means.tally.to_stt}
        assert counted == {c.choices[0].name: 50, c.choices[1].name: 50}


@virtual_time
async def test_after_a_language_nobody_knows_a_lost_session_is_replaced_all_the_same() -> None:
    """In the language before, even if it was lost while the other was sought."""
    dying = first(STT, languages=["en"], fault="die")
    async with call(dying, second(STT, languages=["en"], script=["one"])) as c:
        c.relay.switch_language("ta-IN")
        await asyncio.sleep(0.1)
        c.say()
        await asyncio.sleep(0.1)
        assert c.texts == ["one"]
    async with call(dying, second(STT, languages=["en"], script=["one"])) as c:
        c.relay.switch_language("ta-IN")
        c.say()
        await asyncio.sleep(1)
        assert c.texts == ["one"]
        assert c.house.failures == []


class OddStt(FakeStt):
    """Its sessions have a bug in the plain methods that its name says."""

    async def open(self, config: base.SttConfig) -> base.SttSession:
        return OddSession(self._options, config)


class OddSession(FakeSttSession):
    """See there."""

    def finalize(self) -> None:
        raise ZeroDivisionError("secret words")

    peek = finalize


@virtual_time
async def test_a_bug_in_a_plain_method_costs_the_session_alone() -> None:
    """The next one is asked in its place."""
    odd = Choice("tests.call.failover.test_stt:OddStt", {"on_demand": True})
    async with call(odd, second(STT, script=["one"])) as c:
        c.say()
        await asyncio.sleep(0.1)
        assert c.texts == ["one"]
        (lost,) = c.house.logged("session lost")
        assert lost["error"] == "stt failed: ZeroDivisionError"
    async with call(odd, second(STT, script=["one"])) as c:
        c.relay.peek()
        await asyncio.sleep(0.1)
        c.say()
        await asyncio.sleep(0.1)
        assert c.texts == ["one"]


@virtual_time
async def test_when_nobody_can_be_opened_any_more_that_is_told() -> None:
    """Once, by the last one's error."""
    async with call(first(STT, fault="die"), second(STT, fault="open")) as c:
        c.say()
        await asyncio.sleep(5)
        assert [str(error) for error in c.house.failures] == ["nobody there"]


@virtual_time
async def test_a_text_nobody_asked_for_leaves_little_to_replay() -> None:
    """Of a provider that ends turns by itself."""
    own = {"continuous": True, "end_of_turn": True}
    ending = first(STT, script=["one"], fault="die", fault_at=2, **own)
    async with call(ending, second(STT, script=["two"])) as c:
        for frame in (FRAME, bytes(320)) * 2:
            for _ in range(50):
                c.relay.send(frame)
            await asyncio.sleep(0.1)
        c.relay.finalize()
        await asyncio.sleep(0.1)
        assert c.texts == ["one", "two"]
        (frames,) = await c.heard_frames(1)
        assert 100 <= frames <= 160


class ParticularStt(FakeStt):
    """It opens in English alone, though it declares any language, and with no key at all never.

    Attributes:
        opened: The languages it was asked for.
    """

    opened: ClassVar[list[str]] = []

    async def open(self, config: base.SttConfig) -> base.SttSession:
        self.opened.append(config.language)
        if self._options.otherwise == "no key":
            raise ProviderAuthError("no key")
        if not config.language.startswith("en"):
            raise ProviderConfigError("no such language")
        return await super().open(config)


def particular(**options: Any) -> Choice:
    """Such a one, that nobody has asked yet."""
    ParticularStt.opened.clear()
    return Choice("tests.call.failover.test_stt:ParticularStt", options)


@virtual_time
async def test_what_trying_again_will_not_help_is_not_tried_again() -> None:
    """Neither at once nor when the other fails."""
    async with house() as around:
        c = Call(around, (particular(otherwise="no key"), second(STT, fault="die")))
        await c.relay.open()
        c.say()
        await asyncio.sleep(5)
        assert len(ParticularStt.opened) == 1
        assert len(await c.sessions(1)) == 2
        assert len(around.failures) == 1
        await c.relay.aclose()


@virtual_time
async def test_a_language_that_fails_is_not_held_against_a_provider() -> None:
    """Other calls speak another, and so does this one if it has to open it again."""
    async with call(particular(script=["one"])) as c:
        c.relay.switch_language("xx")
        await asyncio.sleep(0.1)
        assert ParticularStt.opened == ["en-IN", "xx"]
        assert len(c.house.logged("language not switched")) == 1
        assert c.house.logged("circuit opened") == []
        assert c.house.logged("session lost") == []


@virtual_time
async def test_a_provider_that_answers_too_often_hears_nothing_twice() -> None:
    """What it has answered is done with, wherever the replay is."""
    async with call(first(STT, fault="die"), second(STT, fault="twice")) as c:
        c.say(60)
        c.say(60)
        for _ in range(100):
            await asyncio.sleep(0)
            c.relay.send(FRAME)
        await asyncio.sleep(0.1)
        (frames,) = await c.heard_frames(1)
        assert frames <= 220


class SlowStt(FakeStt):
    """It takes a second to open.

    Attributes:
        closed: How many of its sessions were.
    """

    closed: ClassVar[list[FakeSttSession]] = []

    async def open(self, config: base.SttConfig) -> base.SttSession:
        await asyncio.sleep(1)
        return SlowSession(self._options, config)


class SlowSession(FakeSttSession):
    """See there."""

    async def aclose(self) -> None:
        await super().aclose()
        SlowStt.closed.append(self)


@virtual_time
async def test_a_session_that_opens_when_the_call_is_over_is_closed() -> None:
    """Nobody would, else."""
    slow = Choice("tests.call.failover.test_stt:SlowStt", {})
    async with house() as around:
        c = Call(around, (first(STT, fault="die"), slow))
        await c.relay.open()
        c.say()
        await asyncio.sleep(0.5)
        await c.relay.aclose()
        await asyncio.sleep(1)
        assert len(SlowStt.closed) == 1
        assert len(c.seated) == 1


@virtual_time
async def test_a_provider_that_does_not_open_in_the_whole_time_is_not_asked_again() -> None:
    """No time is left for it."""
    async with house() as around:
        c = Call(around, (Choice("tests.call.failover.test_stt:HangingStt", {}),))
        begun = asyncio.get_running_loop().time()
        with pytest.raises(ProviderUnavailableError, match="did not open in time"):
            await c.relay.open()
        assert asyncio.get_running_loop().time() - begun == around.means.waits.open
        assert around.log[1:] == []


@virtual_time
async def test_what_is_no_session_is_replaced() -> None:
    """A provider that opens something else has a bug, and the next one hears the caller."""
    broken = Choice("tests.broken:BrokenStt", {"at": "provider.open", "how": "garbage"})
    async with call(broken, second(STT, script=["two"])) as c:
        c.say(5)
        await asyncio.sleep(0.1)
        assert c.texts == ["two"]
        assert c.house.failures == []
        assert [entry["provider"] for entry in c.house.logged("provider crashed")] == [broken.name]


@virtual_time
async def test_a_malformed_text_leaves_the_audio_to_the_next() -> None:
    """It answers nothing, so what was said is not lost with it."""
    options = {"at": "session.events", "how": "malformed", "event": "Final", "script": ["one"]}
    broken = Choice("tests.broken:BrokenStt", options)
    async with call(broken, second(STT, script=["two"])) as c:
        c.say(5)
        await asyncio.sleep(0.1)
        assert c.texts == ["two"]
        assert await c.heard_frames(1) == [5]
