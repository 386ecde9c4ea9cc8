"""The network itself."""

from __future__ import annotations

import numpy as np
import pytest

from exobridge_codecs.pcm import to_float
from exobridge_codecs.tones import dtmf
from exobridge_providers.vad.silero_model import SileroModel, model_file
from tests.providers.conftest import Speech

pytestmark = pytest.mark.speech


@pytest.mark.parametrize("sample_rate", [8000, 16_000])
def test_speech_is_voice_at_either_rate(
    silero: SileroModel, speech: Speech, sample_rate: int
) -> None:
    """More than half a second of a short question."""
    samples = to_float(speech("Where is my order?", sample_rate))
    assert silero.voiced_ms(samples, sample_rate, enough_ms=10_000) > 500


def test_keys_noise_and_silence_are_no_voice(silero: SileroModel) -> None:
    """Not one window of any of them."""
    noise = np.random.default_rng(0).standard_normal(16_000).astype(np.float32) * 0.1
    for samples in (to_float(dtmf("1590*#", 8000)), noise, np.zeros(16_000, np.float32)):
        assert silero.voiced_ms(samples, 8000, enough_ms=10_000) == 0


def test_counting_stops_when_there_is_enough(silero: SileroModel, speech: Speech) -> None:
    """What is asked for, in whole windows of 32 ms."""
    samples = to_float(speech("Where is my order?", 8000))
    assert silero.voiced_ms(samples, 8000, enough_ms=100) == 128


def test_the_file_is_found_without_its_package() -> None:
    """The package would load a native library of its own."""
    assert model_file().stat().st_size > 2_000_000
