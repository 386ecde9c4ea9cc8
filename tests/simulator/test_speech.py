"""The caller's voice and ear, with the real local models."""

from __future__ import annotations

import pytest

from exobridge.simulator.ear import voiced_span
from exobridge.simulator.speech import Ears, SpeechError, Voice


@pytest.mark.speech
async def test_what_is_said_is_understood() -> None:
    """A line made from text comes back as its words, at a telephone's rate."""
    async with Voice() as voice, Ears() as ears:
        clip = await voice.clip("When are you open on Monday?")
        assert clip.text == "When are you open on Monday?"
        span = voiced_span(clip.pcm, clip.sample_rate)
        assert span is not None
        assert 800 < span[1] - span[0] < 4000
        text = await ears.text(clip.pcm, clip.sample_rate)
    assert "open on monday" in text.lower()


@pytest.mark.parametrize("kind", [Voice, Ears])
async def test_a_missing_provider_names_the_cure(kind: type[Voice] | type[Ears]) -> None:
    """What to install is in the message."""
    with pytest.raises(SpeechError, match=r"pip install 'exobridge\[local\]'"):
        async with kind("no-such-provider"):
            raise AssertionError("it was entered")


async def test_closed_speech_is_not_used() -> None:
    """Both are used with ``async with``."""
    with pytest.raises(RuntimeError):
        await Voice().clip("x")
    with pytest.raises(RuntimeError):
        await Ears().text(b"", 8000)
