"""When the bot is audible."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.simulator.ear import Ear, voiced_span
from exobridge.simulator.playout import Heard
from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_codecs.g711 import pcm_to_mulaw
from exobridge_codecs.pcm import gain
from exobridge_codecs.tones import tone

BEEP = tone(440, 200, 8000)


def spans(ear: Ear) -> list[tuple[float, float]]:
    """The utterances as pairs."""
    return [(utterance.start_ms, utterance.end_ms) for utterance in ear.utterances]


def at(milliseconds: float, audio: bytes = BEEP) -> Heard:
    """Audio heard from then on, PCM16 at 8 kHz."""
    return Heard(round(milliseconds * 8), audio)


def test_a_voiced_span_is_found_within_a_window() -> None:
    """Silence around a tone is left out, to 10 ms; a softer sound than -45 dBFS is silence."""
    pcm = bytes(1600) + BEEP + bytes(4800)
    assert voiced_span(pcm, 8000) == pytest.approx((100, 300), abs=10)
    assert voiced_span(gain(pcm, -50), 8000) is None
    assert voiced_span(b"", 8000) is None


def test_a_short_silence_stays_inside_an_utterance() -> None:
    """600 ms part two utterances, less does not."""
    ear = Ear(pcm16(8000))
    for start in (0, 700, 1500):
        ear.hear(at(start))
    assert spans(ear) == [(0, 900), (1500, 1700)]
    assert ear.audible_until_ms == 1700


def test_a_cut_parts_at_a_short_silence() -> None:
    """The answer to an interruption is not the rest of what was interrupted."""
    ear = Ear(pcm16(8000))
    ear.hear(at(0))
    ear.cut(250)
    ear.hear(at(400))
    ear.cut(450)  # inside sound: no silence, no cut
    ear.hear(at(600))
    assert spans(ear) == [(0, 200), (400, 800)]


def test_mulaw_is_decoded() -> None:
    """The level is the sound's, not the code's; μ-law silence is silent."""
    audio = AudioFormat(Encoding.MULAW, 8000)
    ear = Ear(audio)
    ear.hear(Heard(0, audio.silence(800) + pcm_to_mulaw(BEEP)))
    assert spans(ear) == [(100, 300)]
    assert not ear.is_audible(audio.silence(160))


@given(st.lists(st.integers(1, 900), min_size=1, max_size=30))
def test_chunking_does_not_matter(sizes: list[int]) -> None:
    """However the audio is cut, the same is audible."""
    pcm = bytes(320) + BEEP + bytes(1600) + BEEP
    whole, parts = Ear(pcm16(8000)), Ear(pcm16(8000))
    whole.hear(Heard(0, pcm))
    sample = 0
    for size in [*sizes, math.ceil(len(pcm) / 2)]:
        piece = pcm[2 * sample : 2 * (sample + size)]
        if piece:
            parts.hear(Heard(sample, piece))
        sample += len(piece) // 2
    whole.flush()
    parts.flush()
    assert spans(parts) == spans(whole)
