"""The language in which the stories of the tests are told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exobridge_codecs.g711 import mulaw_to_pcm, pcm_to_mulaw
from tests.stories.letters import CHARACTERS, spoken, understood

WORDS = st.lists(st.text(CHARACTERS[1:], min_size=1, max_size=8), max_size=6).map(" ".join)


@given(words=WORDS, samples=st.integers(0, 200))
def test_what_is_spoken_is_understood(words: str, samples: int) -> None:
    """Wherever the audio begins, and after μ-law."""
    audio = bytes(2 * samples) + spoken(words) + bytes(80)
    assert understood(audio) == words
    assert understood(mulaw_to_pcm(pcm_to_mulaw(audio))) == words


def test_what_is_cut_short_is_not_heard() -> None:
    """Of an interrupted line the words so far."""
    audio = spoken("good morning")
    assert "good morning".startswith(understood(audio[: len(audio) // 2]))
