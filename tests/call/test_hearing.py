"""The way in: from payloads of any size to 20 ms frames for everybody."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.call.hearing import MAX_UNJUDGED_MS, PRE_ROLL_MS, Hearing
from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_codecs.g711 import mulaw_to_pcm, pcm_to_mulaw
from exobridge_codecs.pcm import rms_dbfs, to_int16
from exobridge_codecs.tones import tone
from exobridge_providers.base import SttCapabilities, SttEvent
from exobridge_providers.events import EventStream

PCM_8K = pcm16(8000)
MULAW_8K = AudioFormat(Encoding.MULAW, 8000)
ALAW_8K = AudioFormat(Encoding.ALAW, 8000)
FRAME = 320


class Recogniser:
    """A speech-to-text session that only notes what it is given. Unrealistic: it never answers."""

    def __init__(self) -> None:
        self.got: list[bytes | str] = []

    def send(self, audio: bytes) -> None:
        self.got.append(audio)

    def finalize(self) -> None:
        self.got.append("finalize")

    def peek(self) -> None:
        self.got.append("peek")

    def events(self) -> AsyncIterator[SttEvent]:
        return aiter(EventStream[SttEvent]())

    async def aclose(self) -> None: ...

    @property
    def sizes(self) -> list[int | str]:
        return [each if isinstance(each, str) else len(each) for each in self.got]

    @property
    def audio(self) -> bytes:
        return b"".join(each for each in self.got if isinstance(each, bytes))


def hearing(line: AudioFormat = PCM_8K) -> Hearing:
    ear = Hearing()
    ear.set_format(line)
    return ear


def listener(ear: Hearing, wanted: AudioFormat) -> list[bytes]:
    frames: list[bytes] = []
    ear.listen(wanted, frames.append)
    return frames


def sound(frames: int) -> bytes:
    return tone(440, frames * 20, 8000)


# ------------------------------------------------------------------ frames


@given(st.lists(st.integers(1, 2000), max_size=30))
def test_any_chunking_gives_the_same_frames(sizes: list[int]) -> None:
    """20 ms, 100 ms, odd sizes: the same frames come out, and the position counts them."""
    audio = sound(60)
    ear = hearing()
    frames = listener(ear, PCM_8K)
    at = 0
    for size in [*sizes, len(audio)]:
        ear.push(audio[at : at + size])
        at += size
    assert frames == [audio[start : start + FRAME] for start in range(0, len(audio), FRAME)]
    assert ear.position_ms == 1200


def test_an_incomplete_frame_waits_for_its_rest() -> None:
    """It is neither handed on nor counted."""
    ear = hearing()
    frames = listener(ear, PCM_8K)
    ear.push(sound(2)[: FRAME + 100])
    assert len(frames) == 1
    assert ear.position_ms == 20


def test_mulaw_reaches_a_listener_as_pcm() -> None:
    """160 bytes of μ-law are a frame."""
    ear = hearing(MULAW_8K)
    frames = listener(ear, PCM_8K)
    payload = pcm_to_mulaw(sound(5))
    ear.push(payload)
    assert b"".join(frames) == mulaw_to_pcm(payload)
    assert {len(frame) for frame in frames} == {FRAME}


def test_a_listener_may_want_mulaw() -> None:
    """From a PCM line and from a μ-law line: 160 bytes a frame."""
    for line in (PCM_8K, MULAW_8K):
        ear = hearing(line)
        frames = listener(ear, MULAW_8K)
        payload = sound(5) if line == PCM_8K else pcm_to_mulaw(sound(5))
        ear.push(payload)
        assert b"".join(frames) == pcm_to_mulaw(sound(5))
        assert {len(frame) for frame in frames} == {160}


@pytest.mark.parametrize("rate", [16000, 24000])
def test_a_resampled_listener_gets_frames_of_20_ms(rate: int) -> None:
    """Whole frames at its own rate, without a click where they join."""
    ear = hearing()
    frames = listener(ear, pcm16(rate))
    ear.push(sound(50))
    assert {len(frame) for frame in frames} == {pcm16(rate).frame_bytes}
    assert len(frames) >= 49
    steps = np.abs(np.diff(to_int16(b"".join(frames)).astype(int)))
    steepest = 2 * np.pi * 440 / rate * np.abs(to_int16(sound(50)).astype(int)).max()
    assert steps.max() <= steepest * 1.1


def test_listeners_of_all_kinds_hear_the_same() -> None:
    """A listener that comes later hears from then on."""
    ear = hearing()
    pcm, mulaw, wide = (listener(ear, f) for f in (PCM_8K, MULAW_8K, pcm16(16000)))
    ear.push(sound(10))
    late = listener(ear, PCM_8K)
    ear.push(sound(10))
    assert (len(pcm), len(mulaw), len(late)) == (20, 20, 10)
    assert rms_dbfs(b"".join(wide)) == pytest.approx(rms_dbfs(b"".join(pcm)), abs=0.5)


def test_a_format_that_proves_wrong_is_corrected() -> None:
    """The listeners stay; from then on payloads are read anew, and the position goes on."""
    ear = hearing()
    frames = listener(ear, pcm16(16000))
    session = Recogniser()
    ear.transcribe(session, PCM_8K, continuous=True)
    ear.push(pcm_to_mulaw(sound(10)) + b"\xff")  # read as PCM: half as many frames, and noise
    assert ear.position_ms == 100
    frames.clear()
    session.got.clear()
    ear.set_format(MULAW_8K)
    ear.push(pcm_to_mulaw(sound(10)))
    assert ear.position_ms == 300
    assert session.audio == mulaw_to_pcm(pcm_to_mulaw(sound(10)))
    assert {len(frame) for frame in frames} == {640}
    assert rms_dbfs(b"".join(frames)) == pytest.approx(rms_dbfs(sound(10)), abs=0.5)


# ------------------------------------------------------------------ speech-to-text


def test_a_continuous_recogniser_hears_everything() -> None:
    """Silence too; segments only ask for their text."""
    ear, session = hearing(), Recogniser()
    ear.transcribe(session, PCM_8K, continuous=True)
    ear.push(sound(3))
    ear.start_segment()
    ear.push(sound(2))
    assert ear.end_segment()
    ear.push(sound(1))
    assert session.sizes == [FRAME] * 5 + ["finalize", FRAME]


def test_a_segment_is_sent_with_the_audio_before_it() -> None:
    """At most 500 ms; between segments nothing is sent."""
    ear, session = hearing(), Recogniser()
    ear.transcribe(session, PCM_8K, continuous=False)
    audio = tone(300, 2000, 8000)
    ear.push(audio)
    assert session.got == []
    ear.start_segment()
    before = PRE_ROLL_MS // 20
    assert session.audio == audio[-before * FRAME :]
    ear.push(sound(2))
    assert ear.end_segment()
    ear.push(sound(40))
    assert session.sizes == [FRAME] * (before + 2) + ["finalize"]


def test_a_detector_that_is_behind_loses_no_audio() -> None:
    """Three seconds that come at once are judged afterwards: the voice at their beginning is sent,
    with the audio before it."""
    ear, session = hearing(), Recogniser()
    ear.transcribe(session, PCM_8K, continuous=False)
    audio = tone(300, 4000, 8000)
    ear.judged_ms = 0.0
    for at in range(0, 50 * FRAME, FRAME):
        ear.push(audio[at : at + FRAME])
        ear.judged_ms += 20
    ear.push(audio[50 * FRAME :])
    ear.judged_ms += 100  # here it finds a voice
    ear.start_segment()
    before = PRE_ROLL_MS // 20
    assert session.audio == audio[(55 - before) * FRAME :]


def test_a_detector_that_tells_nothing_any_more_holds_no_memory() -> None:
    """Audio is kept for five seconds and the usual half at most."""
    ear, session = hearing(), Recogniser()
    ear.transcribe(session, PCM_8K, continuous=False)
    ear.judged_ms = 0.0
    ear.push(tone(300, 60_000, 8000))
    ear.start_segment()
    assert len(session.audio) == (PRE_ROLL_MS + MAX_UNJUDGED_MS) * 16


def test_two_segments_share_no_audio() -> None:
    """What the first had sent is not sent again with the second."""
    ear, session = hearing(), Recogniser()
    ear.transcribe(session, PCM_8K, continuous=False)
    ear.start_segment()
    ear.push(sound(10))
    ear.end_segment()
    ear.push(sound(3))
    ear.start_segment()
    ear.push(sound(4))
    assert session.sizes == [FRAME] * 10 + ["finalize"] + [FRAME] * 7


def test_the_audio_before_a_segment_is_in_the_recognisers_format() -> None:
    """Frames of 20 ms at its rate."""
    ear, session = hearing(MULAW_8K), Recogniser()
    ear.transcribe(session, pcm16(16000), continuous=False)
    ear.push(pcm_to_mulaw(sound(50)))
    ear.start_segment()
    assert session.sizes == [640] * (PRE_ROLL_MS // 20)


def test_a_dropped_segment_is_closed_where_it_was_sent() -> None:
    """A recogniser of segments answers and is told so; a continuous one was not asked."""
    for continuous, expected in ((False, ["finalize"]), (True, [])):
        ear, session = hearing(), Recogniser()
        ear.transcribe(session, PCM_8K, continuous=continuous)
        ear.start_segment()
        assert ear.drop_segment() is not continuous
        assert session.sizes == expected


def on_demand(*, continuous: bool = False, interims: bool = False) -> SttCapabilities:
    """What a recogniser can do that may be peeked into."""
    return SttCapabilities((PCM_8K,), continuous=continuous, interims=interims, on_demand=True)


def test_one_that_takes_over_and_wants_everything_gets_what_was_held_first() -> None:
    """Not with the next segment, in which it would be an old silence in the middle of a word."""
    ear, session = hearing(), Recogniser()
    ear.transcribe(session, PCM_8K, continuous=False)
    audio = sound(20)
    ear.push(audio[: 10 * FRAME])
    assert session.sizes == []
    ear.suit(SttCapabilities((PCM_8K,)))
    ear.push(audio[10 * FRAME : 15 * FRAME])
    ear.start_segment()
    ear.push(audio[15 * FRAME :])
    assert session.audio == audio


def test_after_a_peek_in_a_pause_only_what_goes_on_is_sent() -> None:
    """The silence is held, and sent before the voice that follows; nothing is lost or sent
    twice."""
    ear, session = hearing(), Recogniser()
    ear.transcribe(session, PCM_8K, continuous=False)
    ear.suit(on_demand())
    ear.start_segment()
    audio = sound(20)
    ear.push(audio[: 10 * FRAME])
    assert ear.peek(settled=True)
    ear.push(audio[10 * FRAME :])
    assert session.sizes == [FRAME] * 10 + ["peek"]
    ear.start_segment()
    assert session.audio == audio
    ear.end_segment()
    assert session.sizes == [FRAME] * 10 + ["peek"] + [FRAME] * 10 + ["finalize"]


def test_a_segment_that_ends_with_its_peek_gets_no_more_audio() -> None:
    """So the recogniser has read all of it."""
    ear, session = hearing(), Recogniser()
    ear.transcribe(session, PCM_8K, continuous=False)
    ear.suit(on_demand())
    ear.start_segment()
    ear.push(sound(10))
    ear.peek(settled=True)
    ear.push(sound(10))
    ear.end_segment()
    assert session.sizes == [FRAME] * 10 + ["peek", "finalize"]


@pytest.mark.parametrize("continuous", [False, True])
def test_a_peek_while_the_voice_goes_on_holds_nothing_back(continuous: bool) -> None:
    """Nor does any peek for a recogniser that wants everything."""
    ear, session = hearing(), Recogniser()
    ear.transcribe(session, PCM_8K, continuous=continuous)
    ear.suit(on_demand(continuous=continuous))
    ear.start_segment()
    assert ear.peek(settled=continuous)
    ear.push(sound(10))
    assert session.sizes == ["peek"] + [FRAME] * 10


def test_who_cannot_be_peeked_into_is_not_asked() -> None:
    """Nor is one that sends partial texts by itself: which of them would be the answer?"""
    ear, session = hearing(), Recogniser()
    assert not ear.peek(settled=True)
    ear.transcribe(session, PCM_8K, continuous=False)
    assert not ear.peek(settled=True)
    ear.suit(on_demand(interims=True))
    assert not ear.peek(settled=True)
    assert session.got == []


def test_noise_is_taken_out_of_what_the_recogniser_hears_alone() -> None:
    """It gets frames of 20 ms at 16 kHz, segments with the audio before them as ever; the others
    hear the line as it is."""
    ear, session = hearing(MULAW_8K), Recogniser()
    assert ear.for_stt == MULAW_8K
    ear.denoise = lambda frame: bytes(len(frame))
    assert ear.for_stt == pcm16(16000)
    ear.transcribe(session, pcm16(16000), continuous=False)
    others = listener(ear, PCM_8K)
    ear.push(pcm_to_mulaw(sound(50)))
    ear.start_segment()
    assert session.sizes == [640] * (PRE_ROLL_MS // 20)
    assert not session.audio.strip(b"\0")
    assert b"".join(others) == mulaw_to_pcm(pcm_to_mulaw(sound(50)))


def test_without_a_recogniser_nobody_answers() -> None:
    """A segment may begin before it is open."""
    ear = hearing()
    ear.push(sound(3))
    ear.start_segment()
    assert not ear.end_segment()
    assert not ear.drop_segment()
