"""Text-to-speech that changes hands in the middle of a call, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from exobridge.call.failover.lineup import Lineup
from exobridge.call.failover.tts import TtsRelay
from exobridge.templates.provider_table import Choice
from exobridge_codecs.formats import pcm16
from exobridge_providers import base
from exobridge_providers.base import TtsAudio, TtsCapabilities, TtsDone, TtsEvent, TtsTrouble
from exobridge_providers.errors import ProviderUnavailableError
from exobridge_providers.registry import Kind
from exobridge_providers.testing.fakes import FakeTts, FakeTtsSession
from tests.call.failover.house import House, first, house, second
from tests.virtual_time import virtual_time

TTS = Kind.TTS
LONG = "Your balance is low. Please pay, if you can, by Monday. Thank you for calling us."


@dataclass
class Call:
    """A bot before a relay.

    Attributes:
        told: The events that came of it.
    """

    house: House
    choices: tuple[Choice, ...]
    told: list[TtsEvent] = field(default_factory=list[TtsEvent])
    language: str = "en-IN"
    rate: int = 8000

    def __post_init__(self) -> None:
        lineup = Lineup(
            TTS,
            base.TtsProvider,
            self.choices,
            self.house.means,
            self.language,
            lambda provider, language: base.speaks(provider.capabilities.languages, language),
        )
        self.relay = TtsRelay(
            lineup,
            self.house.means,
            self.language,
            "call",
            pcm16(self.rate),
            take=self.told.append,
            fail=self.house.failures.append,
        )

    def audio_ms(self, utterance: str) -> float:
        """Audio of an utterance so far, in milliseconds."""
        audio = [
            each.audio
            for each in self.told
            if isinstance(each, TtsAudio) and each.utterance_id == utterance
        ]
        return len(b"".join(audio)) / 2 / self.relay.sample_rate * 1000

    @property
    def done(self) -> list[str]:
        """The utterances that were made whole, in order."""
        return [event.utterance_id for event in self.told if isinstance(event, TtsDone)]

    async def sessions(self, index: int = 0) -> list[FakeTtsSession]:
        """Those of one of the providers."""
        return (await self.house.provider(TTS, self.choices[index], FakeTts)).sessions

    async def texts(self, index: int = 0) -> list[dict[str, str]]:
        """What each of its sessions was given."""
        return [each.texts for each in await self.sessions(index)]


@asynccontextmanager
async def call(*choices: Choice, **more: Any) -> AsyncGenerator[Call]:
    """A call whose text-to-speech is open."""
    async with house() as around:
        found = Call(around, choices, **more)
        await found.relay.open()
        yield found
        await found.relay.aclose()


@virtual_time
async def test_a_line_without_audio_is_said_whole_by_the_next() -> None:
    """And the lines behind it too; what was said before is not said again."""
    async with call(first(TTS, fault="die", fault_at=2), second(TTS)) as c:
        for number in range(3):
            await c.relay.say(f"u{number}", f"Line {number}.")
        await asyncio.sleep(2)
        assert c.done == ["u0", "u1", "u2"]
        assert await c.texts(1) == [{"u1": "Line 1.", "u2": "Line 2."}]
        assert [c.audio_ms(f"u{number}") for number in range(3)] == [7 * 60] * 3
        assert c.house.failures == []


@virtual_time
async def test_a_line_that_broke_off_goes_on_from_its_clause() -> None:
    """By the share of it that was made, at the speed of the line before; what was made stays."""
    async with call(first(TTS, fault="trouble", fault_at=2), second(TTS)) as c:
        await c.relay.say("before", LONG)
        await c.relay.say("u", LONG)
        await asyncio.sleep(2)
        assert c.done == ["before", "u"]
        rest = "if you can, by Monday. Thank you for calling us."
        assert await c.texts(1) == [{"u": rest}]
        assert c.audio_ms("u") == 2400 + len(rest) * 60


@virtual_time
async def test_a_voice_that_falls_silent_is_replaced() -> None:
    """After its share of the wait, whether it has begun the line or not."""
    for fault in ("hang", "stall"):
        async with call(first(TTS, fault=fault, fault_at=2), second(TTS)) as c:
            await c.relay.say("u0", "Well.")
            await c.relay.say("u1", LONG)
            await asyncio.sleep(c.house.means.waits.tts_first_audio)
            assert c.done == ["u0", "u1"]
            (lost,) = c.house.logged("session lost")
            assert lost["error"] == "no audio in time"


@virtual_time
async def test_a_slow_voice_that_goes_on_is_left_alone() -> None:
    """It is silence that counts, not how long a line takes."""
    async with call(first(TTS, pace=1.5), second(TTS)) as c:
        await c.relay.say("u", LONG * 3)
        await asyncio.sleep(25)
        assert c.done == ["u"]
        assert c.house.logged("session lost") == []


@virtual_time
async def test_the_only_voice_is_opened_anew_once() -> None:
    """When its session dies again, that is told."""
    async with call(first(TTS, fault="die")) as c:
        await c.relay.say("u", "Well.")
        await asyncio.sleep(2)
        assert await c.texts() == [{"u": "Well."}] * 2
        assert [str(error) for error in c.house.failures] == ["the line broke"]


@virtual_time
async def test_where_there_is_no_other_the_trouble_is_told() -> None:
    """The session survives it, and goes on with the next line."""
    async with call(first(TTS, fault="trouble")) as c:
        await c.relay.say("u", LONG)
        await asyncio.sleep(1)
        assert isinstance(c.told[-1], TtsTrouble)
        assert len(await c.sessions()) == 1


@virtual_time
async def test_what_was_cancelled_is_not_said_by_the_next() -> None:
    """Nor by the one at work; late audio of it is dropped."""
    async with call(first(TTS, fault="die", fault_at=2, pace=1), second(TTS)) as c:
        await c.relay.say("u0", "A line of some length.")
        await c.relay.say("u1", "Another one.")
        await asyncio.sleep(0.25)
        await c.relay.cancel("u0")
        await c.relay.cancel("unknown")
        made_ms = c.audio_ms("u0")
        await asyncio.sleep(2)
        assert c.audio_ms("u0") == made_ms
        assert (await c.sessions(0))[0].cancelled == ["u0"]
        assert c.done == ["u1"]
        assert await c.texts(1) == [{"u1": "Another one."}]


@virtual_time
async def test_a_line_is_begun_in_pieces() -> None:
    """What the lost session had of it is given to the next, and then the rest."""
    async with call(first(TTS, fault="die"), second(TTS)) as c:
        await c.relay.say("u", "One, ", last=False)
        await c.relay.say("v", "x")
        await asyncio.sleep(0.01)
        await c.relay.say("u", "two.")
        await asyncio.sleep(1)
        assert c.done == ["u", "v"]
        assert await c.texts(1) == [{"u": "One, two.", "v": "x"}]


@virtual_time
async def test_audio_has_one_rate_whoever_makes_it() -> None:
    """The first voice's; a line of the other is as long, to its last millisecond."""
    narrow = second(TTS, sample_rates=[24000])
    async with call(first(TTS, fault="die", sample_rates=[8000]), narrow) as c:
        for number in range(2):
            await c.relay.say(f"u{number}", "Ten chars.")
        await asyncio.sleep(2)
        assert c.relay.sample_rate == 8000
        assert [c.audio_ms(f"u{number}") for number in range(2)] == [600, 600]


class StubbornTts(FakeTts):
    """Its sessions take no line that is called ``crash`` or ``hang``, and never let go of one nor
    close."""

    async def open(self, config: base.TtsConfig) -> base.TtsSession:
        return StubbornSession(self._options, config)


class StubbornSession(FakeTtsSession):
    """See there."""

    async def say(self, utterance_id: str, text: str, *, last: bool = True) -> None:
        if text == "crash":
            raise ZeroDivisionError
        if text == "hang":
            await asyncio.Event().wait()
        await super().say(utterance_id, text, last=last)

    async def cancel(self, utterance_id: str) -> None:
        raise ProviderUnavailableError("no")

    async def aclose(self) -> None:
        await super().aclose()
        await asyncio.Event().wait()


STUBBORN = Choice("tests.call.failover.test_tts:StubbornTts", {})


@virtual_time
async def test_a_session_that_does_not_take_a_line_is_lost() -> None:
    """Whether it raises or never returns; the line is said by the next."""
    for text, limit_s in (("crash", 0.0), ("hang", 4.0)):
        async with call(STUBBORN, second(TTS)) as c:
            begun = asyncio.get_running_loop().time()
            await c.relay.say("u", text)
            assert asyncio.get_running_loop().time() - begun == limit_s
            await asyncio.sleep(1)
            assert c.done == ["u"]


@virtual_time
async def test_a_line_that_hangs_does_not_hold_up_the_next_session() -> None:
    """Nor does the session, which will not close either."""
    async with call(STUBBORN, second(TTS)) as c:
        await c.relay.say("u0", "A line.")
        hanging = asyncio.create_task(c.relay.say("u1", "hang"))
        await asyncio.sleep(1)
        await c.relay.cancel("u0")
        await c.relay.cancel("u1")
        await c.relay.say("u2", "Well.")
        await asyncio.sleep(0.5)
        assert c.done == ["u0", "u2"]
        await hanging


@virtual_time
async def test_texts_are_cut_to_what_the_voice_takes() -> None:
    """When it takes less than the first."""
    short = Choice("tests.call.failover.test_tts:ShortTts", {})
    async with call(first(TTS, fault="die"), short) as c:
        await c.relay.say("u", LONG)
        await asyncio.sleep(1)
        assert c.relay.max_chars == 1000
        (pieces,) = [each.pieces for each in ShortSession.opened]
        assert all(len(piece) <= 30 for piece in pieces)
        assert "".join(pieces) == LONG
        assert c.done == ["u"]


class ShortSession(FakeTtsSession):
    """Takes little at a time."""

    opened: ClassVar[list[ShortSession]] = []

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.pieces: list[str] = []
        self.opened.append(self)

    async def say(self, utterance_id: str, text: str, *, last: bool = True) -> None:
        self.pieces.append(text)
        await super().say(utterance_id, text, last=last)


class ShortTts(FakeTts):
    """A provider of such sessions."""

    def __init__(self, options: base.Options) -> None:
        super().__init__(options)
        self.capabilities = TtsCapabilities(formats=(pcm16(8000),), max_chars=30)

    async def open(self, config: base.TtsConfig) -> base.TtsSession:
        return ShortSession(self._options, config)


@virtual_time
async def test_lines_begun_before_another_language_are_said_in_theirs() -> None:
    """Those begun after wait for its voice."""
    english, hindi = first(TTS, languages=["en"], pace=1), second(TTS, languages=["hi"])
    async with call(english, hindi) as c:
        await c.relay.say("u0", "Namaste.")
        c.relay.switch_language("hi-IN")
        await c.relay.say("u1", "नमस्ते।")
        await asyncio.sleep(0.1)
        assert await c.texts(1) == [{}]
        await asyncio.sleep(2)
        assert c.done == ["u0", "u1"]
        assert await c.texts(0) == [{"u0": "Namaste."}]
        assert await c.texts(1) == [{"u1": "नमस्ते।"}]


@virtual_time
async def test_a_language_nobody_speaks_changes_nothing() -> None:
    """What waited for it is said in the one before."""
    async with call(first(TTS, languages=["en"])) as c:
        c.relay.switch_language("ta-IN")
        await c.relay.say("u", "Well.")
        await asyncio.sleep(1)
        assert c.done == ["u"]
        assert len(c.house.logged("language not switched")) == 1


@virtual_time
async def test_a_voice_lost_while_the_language_changes_is_not_waited_for() -> None:
    """All that is left is said in the new one."""
    async with call(first(TTS, languages=["en"], fault="stall"), second(TTS)) as c:
        await c.relay.say("u0", LONG)
        c.relay.switch_language("hi-IN")
        await c.relay.say("u1", "Well.")
        await asyncio.sleep(6)
        assert c.done == ["u0", "u1"]


@virtual_time
async def test_a_templates_voice_is_for_its_language() -> None:
    """In another, the provider's default speaks."""
    async with house() as around:
        voiced = Choice("tests.call.failover.test_tts:VoicedTts", {}, "asha")
        c = Call(around, (voiced,))
        await c.relay.open()
        c.relay.switch_language("hi-IN")
        await asyncio.sleep(0.1)
        provider = await around.provider(TTS, voiced, VoicedTts)
        assert provider.asked == [("en-IN", "asha"), ("hi-IN", "")]
        await c.relay.aclose()


class VoicedTts(FakeTts):
    """Remembers what it was asked for."""

    def __init__(self, options: base.Options) -> None:
        super().__init__(options)
        self.asked: list[tuple[str, str]] = []

    async def open(self, config: base.TtsConfig) -> base.TtsSession:
        self.asked.append((config.language, config.voice))
        return await super().open(config)


@virtual_time
async def test_what_each_provider_was_given_is_counted() -> None:
    """In characters."""
    async with call(first(TTS, fault="die"), second(TTS)) as c:
        await c.relay.say("u", "Five.")
        await asyncio.sleep(1)
        assert c.house.means.tally.tts_characters == {choice.name: 5 for choice in c.choices}


@virtual_time
async def test_a_session_that_does_not_close_is_given_up() -> None:
    """Within its limit."""
    async with call(STUBBORN) as c:
        begun = asyncio.get_running_loop().time()
        await c.relay.aclose()
        assert asyncio.get_running_loop().time() - begun == c.house.means.waits.close
        assert len(c.house.logged("session not closed cleanly")) == 1


@virtual_time
async def test_no_voice_at_all_is_told_where_it_is_opened() -> None:
    """By the last one's error."""
    async with house() as around:
        c = Call(around, (first(TTS, fault="open"), second(TTS, fault="open")))
        with pytest.raises(ProviderUnavailableError, match="nobody there"):
            await c.relay.open()


@virtual_time
async def test_of_two_languages_in_a_row_the_last_is_spoken() -> None:
    """The session that waited for its turn in between is closed unused."""
    async with call(first(TTS, pace=1)) as c:
        await c.relay.say("u0", "A line of some length.")
        c.relay.switch_language("hi-IN")
        await asyncio.sleep(0.1)
        c.relay.switch_language("ta-IN")
        await c.relay.say("u1", "Well.")
        await asyncio.sleep(3)
        assert c.done == ["u0", "u1"]
        assert await c.texts() == [{"u0": "A line of some length."}, {}, {"u1": "Well."}]


@virtual_time
async def test_late_audio_of_a_line_that_was_cancelled_is_dropped() -> None:
    """At another rate than the first voice's too, where some of it is held back."""
    late = second(TTS, fault="late", pace=1, sample_rates=[24000])
    async with call(first(TTS, fault="die", sample_rates=[8000]), late) as c:
        await c.relay.say("u0", "A line of some length.")
        await asyncio.sleep(0.5)
        await c.relay.cancel("u0")
        made_ms = c.audio_ms("u0")
        assert made_ms > 0
        await c.relay.say("u1", "Ten chars.")
        await asyncio.sleep(4)
        assert c.audio_ms("u0") == made_ms
        assert c.audio_ms("u1") == 600


class LastWordTts(FakeTts):
    """Its sessions die when all audio of a line was given out, before they say so."""

    async def open(self, config: base.TtsConfig) -> base.TtsSession:
        return LastWordSession(self._options, config)


class LastWordSession(FakeTtsSession):
    """See there."""

    async def events(self) -> AsyncIterator[TtsEvent]:
        async for event in super().events():
            if isinstance(event, TtsDone) and event.utterance_id == "u1":
                raise ProviderUnavailableError("died")
            yield event


@virtual_time
async def test_a_line_that_was_made_whole_is_not_begun_anew() -> None:
    """Only its end had not been told. Where that is not sure, its last clause is said again."""
    for ms_per_char, again in ((80, {}), (60, {"u1": "no."})):
        options = {"ms_per_char": ms_per_char}
        dying = Choice("tests.call.failover.test_tts:LastWordTts", options)
        async with call(dying, second(TTS)) as c:
            await c.relay.say("u1", "Yes. Well, no.")
            await asyncio.sleep(1)
            assert c.done == ["u1"]
            assert await c.texts(1) == [again]


@virtual_time
async def test_when_nobody_can_be_opened_any_more_that_is_told() -> None:
    """Once, by the last one's error."""
    async with call(first(TTS, fault="die"), second(TTS, fault="open")) as c:
        await c.relay.say("u", "Well.")
        await asyncio.sleep(5)
        assert [str(error) for error in c.house.failures] == ["nobody there"]
