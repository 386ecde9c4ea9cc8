"""The way out: lines to audio to chunks, on a loop whose clock jumps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from exobridge.call.playout import MARK_GRACE_S, PlayoutOptions
from exobridge.call.speaking import Speaking, Utterance
from exobridge.call.wheel import Wheel
from exobridge.exotel.stream import ExotelStream
from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_codecs.g711 import mulaw_to_pcm
from exobridge_codecs.pcm import rms_dbfs
from exobridge_codecs.tones import tone
from exobridge_providers.base import TtsAudio, TtsDone, TtsEvent, TtsTrouble
from exobridge_providers.errors import ProviderError, ProviderUnavailableError
from exobridge_providers.events import EventStream
from tests.virtual_time import virtual_time

PCM_8K = pcm16(8000)
DEAD = ProviderUnavailableError("the line broke", provider="script")
TEXT = "I can book a table for you. Which day is it?"


class ScriptedTts:
    """A text-to-speech session that notes what it is asked; the test hands out its audio.

    Unrealistic in that nothing comes unless the test says so, and ``events`` never gives any.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bool]] = []
        self.cancelled: list[str] = []
        self.dead = False

    async def say(self, utterance_id: str, text: str, *, last: bool = True) -> None:
        if self.dead:
            raise DEAD
        self.asked.append((utterance_id, text, last))

    async def cancel(self, utterance_id: str) -> None:
        if self.dead:
            raise DEAD
        self.cancelled.append(utterance_id)

    def events(self) -> AsyncIterator[TtsEvent]:
        return aiter(EventStream[TtsEvent]())

    async def aclose(self) -> None: ...


class Call:
    """One call's way out, and who is told of it."""

    def __init__(
        self, line: AudioFormat = PCM_8K, tts_rate: int = 8000, *, max_chars: int = 1000
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.frames: list[tuple[float, dict[str, Any]]] = []
        self.told: list[tuple[str, str]] = []
        stream = ExotelStream()
        stream.receive('{"event":"start","stream_sid":"S","start":{"call_sid":"C"}}')
        self.line = line
        self.tts = ScriptedTts()
        self.speaking = Speaking(stream, self._sent, Wheel(self.loop), self.loop.time)
        self.speaking.listener = self
        self.speaking.open_line(line, PlayoutOptions())
        self.speaking.use(self.tts, tts_rate, max_chars)
        self.begun = self.loop.time()

    def _sent(self, text: str) -> None:
        self.frames.append((self.loop.time(), msgspec.json.decode(text, type=dict[str, Any])))

    def started(self, utterance: Utterance) -> None:
        self.told.append(("started", utterance.id))

    def played(self, utterance: Utterance) -> None:
        self.told.append(("played", utterance.id))

    def failed(self, utterance: Utterance, error: ProviderError) -> None:
        self.told.append((f"failed: {error}", utterance.id))

    def audio(self, utterance_id: str, pcm: bytes) -> None:
        self.speaking.take(TtsAudio(utterance_id, pcm))

    def done(self, utterance_id: str) -> None:
        self.speaking.take(TtsDone(utterance_id))

    @property
    def events(self) -> list[str]:
        return [frame["event"] for _, frame in self.frames]

    @property
    def marks(self) -> list[str]:
        return [frame["mark"]["name"] for _, frame in self.frames if frame["event"] == "mark"]

    @property
    def payload(self) -> bytes:
        return b"".join(
            msgspec.convert(frame["media"]["payload"], type=bytes)
            for _, frame in self.frames
            if frame["event"] == "media"
        )

    @property
    def since(self) -> float:
        return self.loop.time() - self.begun


async def say(call: Call, utterance_id: str, text: str) -> Utterance:
    """Begin a line and have its audio made."""
    line = call.speaking.begin(utterance_id, text)
    await call.speaking.say(line)
    return line


def hum(milliseconds: float, rate: int = 8000) -> bytes:
    return tone(440, milliseconds, rate)


# ------------------------------------------------------------------ a line


@virtual_time
async def test_a_line_is_asked_for_sent_and_played() -> None:
    """Text to the provider, its audio to Exotel, the mark back to the listener; with every time."""
    call = Call()
    line = await say(call, "u1", TEXT)
    assert call.tts.asked == [("u1", TEXT, True)]
    assert not call.speaking.silent
    await asyncio.sleep(0.3)
    call.audio("u1", hum(500))
    assert line.first_audio_at == pytest.approx(call.begun + 0.3)
    await asyncio.sleep(0.1)
    assert call.told == [("started", "u1")]
    assert line.first_sent_at == pytest.approx(call.begun + 0.3, abs=0.006)
    call.done("u1")
    await asyncio.sleep(0.5)
    assert call.payload == hum(500)
    assert call.marks == ["u1"]
    call.speaking.mark_played("u1")
    assert call.told[1:] == [("played", "u1")]
    assert call.speaking.silent
    assert (line.heard, line.heard_ms, line.done_at) == (TEXT, pytest.approx(500), call.loop.time())


@virtual_time
async def test_a_line_whose_audio_is_there_needs_no_provider() -> None:
    """It goes out at once, before any time-to-speech session."""
    call = Call()
    line = call.speaking.say_audio("u1", "Hello.", hum(250))
    await asyncio.sleep(2)
    assert call.tts.asked == []
    assert call.payload == hum(250) + bytes(-len(hum(250)) % 320)
    assert call.told == [("started", "u1"), ("played", "u1")]
    assert line.done_at == pytest.approx(call.begun + 0.25 + MARK_GRACE_S, abs=0.03)


@virtual_time
async def test_a_long_text_is_handed_over_in_pieces() -> None:
    """Each short enough; joined again they are the text."""
    call = Call(max_chars=30)
    await say(call, "u1", TEXT)
    assert call.tts.asked == [
        ("u1", "I can book a table for you. ", False),
        ("u1", "Which day is it?", True),
    ]


@virtual_time
async def test_lines_are_heard_in_the_order_they_were_said() -> None:
    """One that is ready waits for the one before it, whose audio is still to come."""
    call = Call()
    await say(call, "u1", "Let me see.")
    call.speaking.say_audio("u2", "One moment.", hum(100))
    await asyncio.sleep(1)
    assert call.frames == []
    call.audio("u1", hum(200))
    call.done("u1")
    await asyncio.sleep(2)
    assert call.marks == ["u1", "u2"]
    assert [name for event, name in call.told if event == "played"] == ["u1", "u2"]


@virtual_time
async def test_a_line_without_audio_is_played_without_being_started() -> None:
    """A provider that had nothing to say for it does not wedge the call."""
    call = Call()
    await say(call, "u1", "...")
    call.done("u1")
    await asyncio.sleep(1)
    assert call.told == [("played", "u1")]
    assert call.speaking.silent


@virtual_time
@pytest.mark.parametrize("rate", [16000, 24000])
async def test_another_rate_is_resampled_as_one_stream(rate: int) -> None:
    """As long as it was, to the sample, however it came cut."""
    call = Call(tts_rate=rate)
    await say(call, "u1", "Hello.")
    sound = hum(501, rate)
    for start in range(0, len(sound), 1778):
        call.audio("u1", sound[start : start + 1778])
    call.done("u1")
    await asyncio.sleep(2)
    whole = 501 * 16
    assert len(call.payload) == whole + -whole % 320
    assert rms_dbfs(call.payload[:whole]) == pytest.approx(rms_dbfs(hum(501)), abs=0.2)


@virtual_time
@pytest.mark.parametrize("rate", [8000, 24000])
async def test_half_a_sample_is_no_noise(rate: int) -> None:
    """A provider that cuts samples in two loses them, and nothing else."""
    call = Call(AudioFormat(Encoding.MULAW, 8000), rate)
    await say(call, "u1", "Hello.")
    for _ in range(5):
        call.audio("u1", hum(100, rate) + b"\x7f")
    call.done("u1")
    await asyncio.sleep(2)
    heard = mulaw_to_pcm(call.payload)[: 500 * 16]
    assert rms_dbfs(heard) == pytest.approx(rms_dbfs(hum(500)), abs=0.5)
    assert call.told[-1] == ("played", "u1")


# ------------------------------------------------------------------ failures


@virtual_time
async def test_a_line_that_fails_before_its_audio_is_given_up() -> None:
    """The listener is told, and the next line is not held up."""
    call = Call()
    await say(call, "u1", "Hello.")
    call.speaking.say_audio("u2", "Sorry.", hum(100))
    call.speaking.take(TtsTrouble("u1", DEAD))
    await asyncio.sleep(2)
    assert call.told == [("failed: the line broke", "u1"), ("started", "u2"), ("played", "u2")]


@virtual_time
@pytest.mark.parametrize("rate", [8000, 24000])
async def test_a_line_that_fails_half_way_is_played_as_far_as_it_goes(rate: int) -> None:
    """It counts as played; nothing of it is left for the next line."""
    call = Call(tts_rate=rate)
    await say(call, "u1", "Hello there.")
    call.audio("u1", hum(300, rate))
    call.speaking.take(TtsTrouble("u1", DEAD))
    await asyncio.sleep(2)
    assert call.told == [("started", "u1"), ("played", "u1")]
    assert len(call.payload) == 4800
    call.frames.clear()
    await say(call, "u2", "Again.")
    call.audio("u2", bytes(len(hum(300, rate))))
    call.done("u2")
    await asyncio.sleep(2)
    assert call.payload == bytes(4800)


@virtual_time
async def test_a_dead_session_leaves_no_line_behind() -> None:
    """``say`` raises, and what is said after it is heard."""
    call = Call()
    call.tts.dead = True
    with pytest.raises(ProviderUnavailableError):
        await say(call, "u1", "Hello.")
    assert call.speaking.silent
    call.speaking.say_audio("u2", "Sorry.", hum(100))
    await asyncio.sleep(1)
    assert call.told == [("started", "u2"), ("played", "u2")]


@virtual_time
async def test_audio_that_nobody_asked_for_is_dropped() -> None:
    """Of an unknown line, and of one that has ended."""
    call = Call()
    call.audio("nobody", hum(300))
    call.done("nobody")
    call.speaking.take(TtsTrouble("nobody", DEAD))
    line = await say(call, "u1", "Hello.")
    call.audio("u1", hum(300))
    call.done("u1")
    call.audio("u1", hum(300))
    call.speaking.take(TtsTrouble("u1", DEAD))
    await asyncio.sleep(3)
    assert call.payload == hum(300)
    assert line.heard_ms == pytest.approx(300)
    assert call.told == [("started", "u1"), ("played", "u1")]


# ------------------------------------------------------------------ what is overdue


@virtual_time
async def test_first_audio_that_does_not_come_is_overdue() -> None:
    """After the limit, not before."""
    call = Call()
    line = await say(call, "u1", "Hello.")
    assert call.speaking.overdue(call.begun + 8, 8.0) is None
    assert call.speaking.overdue(call.begun + 8.1, 8.0) is line
    await asyncio.sleep(8.1)
    call.audio("u1", hum(100))
    assert call.speaking.overdue(call.loop.time(), 8.0) is None


@virtual_time
async def test_a_line_waits_for_those_before_it() -> None:
    """A provider that makes them one by one is not late with the second."""
    call = Call()
    await say(call, "u1", "A long story.")
    second = await say(call, "u2", "And its end.")
    for _ in range(20):
        await asyncio.sleep(1)
        call.audio("u1", hum(1000))
        assert call.speaking.overdue(call.loop.time(), 8.0) is None
    call.done("u1")
    await asyncio.sleep(7.9)
    assert call.speaking.overdue(call.loop.time(), 8.0) is None
    await asyncio.sleep(0.2)
    assert call.speaking.overdue(call.loop.time(), 8.0) is second


@virtual_time
async def test_audio_that_stops_half_way_is_overdue() -> None:
    """Not while what there is of it is played."""
    call = Call()
    line = await say(call, "u1", "A long story.")
    call.speaking.say_audio("u2", "And its end.", hum(1000))
    call.audio("u1", hum(20_000))
    await asyncio.sleep(20)
    assert call.speaking.overdue(call.loop.time(), 8.0) is None
    await asyncio.sleep(8)
    assert call.speaking.overdue(call.loop.time(), 8.0) is line


@virtual_time
async def test_a_line_whose_audio_is_all_there_is_never_overdue() -> None:
    """However long it waits for its turn."""
    call = Call()
    call.speaking.say_audio("u1", "", hum(30_000))
    call.speaking.say_audio("u2", "", b"")
    assert call.speaking.overdue(call.begun + 25, 8.0) is None


# ------------------------------------------------------------------ barge-in


@virtual_time
async def test_a_cut_tells_what_was_heard() -> None:
    """Exotel is told to clear, and the text is cut to the words that were played."""
    call = Call()
    line = call.speaking.say_audio("u1", TEXT, hum(4400))
    await asyncio.sleep(2.0)
    assert call.speaking.cut() == [line]
    assert call.events[-1] == "clear"
    assert line.heard_ms == pytest.approx(2000, abs=6)
    assert line.heard == "I can book a table"
    assert line.done_at == call.loop.time()
    assert call.speaking.silent
    frames = len(call.frames)
    await asyncio.sleep(5)
    assert len(call.frames) == frames
    assert call.told == [("started", "u1")]


@virtual_time
async def test_late_audio_of_a_cut_line_is_dropped_by_its_id() -> None:
    """The next line is heard without it, resampled or not."""
    for rate in (8000, 24000):
        call = Call(tts_rate=rate)
        cut = await say(call, "u1", TEXT)
        call.audio("u1", hum(1000, rate))
        await asyncio.sleep(0.5)
        assert call.speaking.cut() == [cut]
        await call.speaking.cancel([cut])
        assert call.tts.cancelled == ["u1"]
        call.frames.clear()
        call.audio("u1", hum(1000, rate))
        await say(call, "u2", "Yes?")
        call.audio("u1", hum(1000, rate))
        call.audio("u2", bytes(len(hum(200, rate))))
        call.done("u1")
        call.done("u2")
        await asyncio.sleep(2)
        assert call.payload == bytes(3200)
        assert call.marks == ["u2"]


@virtual_time
async def test_of_a_line_without_audio_nothing_was_heard() -> None:
    """And Exotel, which holds nothing, is not told to clear."""
    call = Call()
    line = await say(call, "u1", TEXT)
    ready = call.speaking.say_audio("u2", "Bye.", hum(300))
    assert call.speaking.cut() == [line, ready]
    assert (line.heard, line.heard_ms, ready.heard) == ("", 0.0, "")
    assert call.events == []


@virtual_time
async def test_a_line_whose_audio_is_not_whole_is_measured_by_its_text() -> None:
    """A second of audio so far is not the whole line: about 15 characters were said in it."""
    call = Call()
    line = await say(call, "u1", TEXT)
    call.audio("u1", hum(1000))
    await asyncio.sleep(0.99)
    call.speaking.cut()
    assert line.heard == "I can book a"


@virtual_time
async def test_several_lines_are_cut_in_order() -> None:
    """One was played, one half, one not at all."""
    call = Call()
    lines = [call.speaking.say_audio(f"u{n}", f"Line {n} it is.", hum(1000)) for n in range(3)]
    await asyncio.sleep(1.505)
    call.speaking.mark_played("u0")
    assert call.speaking.cut() == lines[1:]
    assert [line.heard for line in lines] == ["Line 0 it is.", "Line 1", ""]


@virtual_time
async def test_a_pause_holds_back_and_a_resume_goes_on() -> None:
    """Not a sample is lost."""
    call = Call()
    call.speaking.say_audio("u1", TEXT, hum(1000))
    await asyncio.sleep(0.25)
    call.speaking.pause()
    sent = len(call.frames)
    await asyncio.sleep(3)
    assert len(call.frames) == sent
    call.speaking.resume()
    await asyncio.sleep(2)
    assert call.payload == hum(1000)
    assert call.told == [("started", "u1"), ("played", "u1")]


@virtual_time
async def test_cancelling_on_a_dead_session_is_an_error() -> None:
    """The caller of ``cancel`` ends the call."""
    call = Call()
    line = await say(call, "u1", TEXT)
    call.tts.dead = True
    with pytest.raises(ProviderUnavailableError):
        await call.speaking.cancel([line])


@virtual_time
async def test_before_the_line_is_open_nothing_is_said_or_cut() -> None:
    """Interruptions and marks may come first, and are harmless."""
    loop = asyncio.get_running_loop()
    frames: list[str] = []
    speaking = Speaking(ExotelStream(), frames.append, Wheel(loop), loop.time)
    speaking.pause()
    speaking.resume()
    speaking.mark_played("u1")
    assert speaking.cut() == []
    assert speaking.overdue(loop.time() + 100, 1.0) is None
    await asyncio.sleep(1)
    assert frames == []


# ------------------------------------------------------------------ the line


@virtual_time
@pytest.mark.parametrize("tts_rate", [8000, 16000, 24000])
async def test_a_format_that_proves_wrong_is_corrected_on_the_way(tts_rate: int) -> None:
    """The line goes on at the new rate; its length in milliseconds stays, and so does its count."""
    call = Call(tts_rate=tts_rate)
    line = await say(call, "u1", TEXT)
    call.audio("u1", hum(600, tts_rate))
    await asyncio.sleep(0.1)
    sent_ms = PCM_8K.duration_ms(len(call.payload))
    call.frames.clear()
    call.speaking.open_line(pcm16(16000), PlayoutOptions())
    call.audio("u1", hum(600, tts_rate))
    call.done("u1")
    await asyncio.sleep(3)
    rest_ms = pcm16(16000).duration_ms(len(call.payload))
    assert sent_ms + rest_ms == pytest.approx(1200, abs=11)
    assert rms_dbfs(call.payload[: 900 * 32]) == pytest.approx(rms_dbfs(hum(900)), abs=0.3)
    assert line.heard_ms == pytest.approx(1200, abs=1)


@virtual_time
async def test_audio_of_no_line_is_played_as_it_comes() -> None:
    """Speech to speech: any rate in, the line's out, also after the line was corrected."""
    call = Call()
    play = call.speaking.player(24000)
    for _ in range(50):
        play(hum(20, 24000) + b"\x7f")
        await asyncio.sleep(0.02)
    await asyncio.sleep(1)
    assert PCM_8K.duration_ms(len(call.payload)) == pytest.approx(1000, abs=25)
    call.frames.clear()
    call.speaking.open_line(pcm16(16000), PlayoutOptions())
    for _ in range(50):
        play(hum(20, 24000))
        await asyncio.sleep(0.02)
    await asyncio.sleep(1)
    assert pcm16(16000).duration_ms(len(call.payload)) == pytest.approx(1000, abs=25)
    assert call.told == []


@virtual_time
async def test_a_line_that_is_gone_gets_nothing() -> None:
    """After ``mute`` no timer sends, and a cut is not told to Exotel."""
    call = Call()
    line = call.speaking.say_audio("u1", TEXT, hum(5000))
    await asyncio.sleep(1)
    call.speaking.mute()
    frames = len(call.frames)
    await asyncio.sleep(1)
    assert call.speaking.cut() == [line]
    assert line.heard_ms > 0
    await asyncio.sleep(1)
    assert len(call.frames) == frames
