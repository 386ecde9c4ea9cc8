"""The language of tones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge_codecs.g711 import mulaw_to_pcm, pcm_to_mulaw
from exobridge_codecs.resample import resample
from exobridge_providers.testing.letters import CHARACTERS, LetterEar, spoken, understood

WORDS = st.lists(st.text(CHARACTERS[1:], min_size=1, max_size=8), max_size=6).map(" ".join)


@given(words=WORDS, samples=st.integers(0, 200), rate=st.sampled_from((8000, 16_000, 24_000)))
def test_what_is_spoken_is_understood(words: str, samples: int, rate: int) -> None:
    """Wherever the audio begins, and after μ-law."""
    audio = bytes(2 * samples) + spoken(words, rate) + bytes(rate // 100)
    assert understood(audio, rate) == words
    assert understood(mulaw_to_pcm(pcm_to_mulaw(audio)), rate) == words


@given(words=WORDS, sizes=st.lists(st.integers(1, 700), min_size=1, max_size=5))
def test_audio_may_come_in_any_pieces(words: str, sizes: list[int]) -> None:
    """Also in half samples."""
    audio = spoken(words) + bytes(80)
    ear = LetterEar()
    at = 0
    while at < len(audio):
        size = sizes[at % len(sizes)]
        ear.hear(audio[at : at + size])
        at += size
    assert ear.text == words


@pytest.mark.parametrize(("made", "heard"), [(24_000, 8000), (8000, 16_000), (8000, 24_000)])
def test_it_bears_another_rate(made: int, heard: int) -> None:
    """Resampled, the words are the same; taken for another rate they are not."""
    words = "the quick brown fox jumps over 13 lazy dogs"
    audio = spoken(words, made)
    assert understood(resample(audio, made, heard), heard) == words
    assert understood(audio, heard) != words


def test_what_is_cut_short_is_not_heard() -> None:
    """Of an interrupted line the words so far."""
    audio = spoken("good morning")
    assert "good morning".startswith(understood(audio[: len(audio) // 2]))


def test_a_word_is_known_when_no_letter_can_follow() -> None:
    """At the next one, or in a pause."""
    ear = LetterEar()
    ear.hear(spoken("good morning"))
    assert ear.words == ["good"]
    ear.hear(bytes(16 * 50))
    assert ear.words == ["good", "morning"]
    assert ear.forget() == "good morning"
    assert ear.text == ""
