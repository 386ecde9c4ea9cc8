"""The caller's voice, window by window."""

from __future__ import annotations

from exobridge.call.turns.voice import ONSET_MS, Activity, Voice

WINDOW_MS = 20.0


def hear(voice: Voice, milliseconds: float, probability: float = 0.9) -> bool:
    """Windows of it; whether speech begins in them."""
    begins = False
    for _ in range(int(milliseconds / WINDOW_MS)):
        voice.hear(voice.position_ms + WINDOW_MS, probability)
        begins |= voice.begins()
    return begins


def test_speech_begins_after_a_little_voice() -> None:
    """It is told once, and counts from the first window."""
    voice = Voice(0.5, 0.35)
    hear(voice, 200, 0.1)
    assert not hear(voice, ONSET_MS - WINDOW_MS)
    assert voice.activity is Activity.ONSET
    assert hear(voice, WINDOW_MS)
    assert (voice.speaking, voice.uttering, voice.onset_ms) == (True, True, 200)
    assert not hear(voice, 500)
    assert voice.voiced_ms == ONSET_MS + 500


def test_an_utterance_goes_on_through_a_pause() -> None:
    """Its voice adds up; after a rest another begins."""
    voice = Voice(0.5, 0.35)
    hear(voice, 300)
    hear(voice, 200, 0.1)
    assert voice.silent_ms == 200
    voice.pause()
    assert not voice.speaking
    assert hear(voice, 100)
    assert (voice.onset_ms, voice.voiced_ms, voice.silent_ms) == (0, 400, 0)
    assert voice.gap_ms == 200
    voice.rest()
    assert not voice.uttering
    hear(voice, 100)
    assert (voice.onset_ms, voice.voiced_ms) == (600, 100)


def test_a_restart_counts_from_here() -> None:
    """The speech goes on."""
    voice = Voice(0.5, 0.35)
    hear(voice, 300)
    voice.restart()
    assert not hear(voice, 100)
    assert (voice.speaking, voice.onset_ms, voice.voiced_ms) == (True, 300, 100)


def test_speech_ends_at_a_lower_probability() -> None:
    """0.4 does not begin it, and does not end it."""
    voice = Voice(0.5, 0.35)
    assert not voice.hear(20, 0.4)
    hear(voice, 100)
    assert voice.hear(voice.position_ms + 20, 0.35)
    assert not voice.hear(voice.position_ms + 20, 0.34)


def test_a_window_that_comes_twice_counts_once() -> None:
    """Nor does one from before."""
    voice = Voice(0.5, 0.35)
    voice.hear(100, 0.9)
    voice.hear(100, 0.9)
    voice.hear(60, 0.9)
    assert (voice.voiced_ms, voice.position_ms) == (100, 100)
