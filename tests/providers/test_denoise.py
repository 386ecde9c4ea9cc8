"""Noise taken out of the caller's audio."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from exobridge_codecs.pcm import gain, rms_dbfs
from exobridge_codecs.tones import tone
from exobridge_providers.denoise import (
    CLEAN,
    PACKAGE,
    WebrtcDenoiser,
    denoiser,
    is_installed,
)
from exobridge_providers.errors import ProviderConfigError

if not is_installed():
    pytest.skip("webrtc-noise-gain is not installed", allow_module_level=True)

FRAME = CLEAN.frame_bytes


def _clean(pcm: bytes) -> bytes:
    clean = WebrtcDenoiser()
    whole = len(pcm) // FRAME * FRAME
    return b"".join(clean(pcm[at : at + FRAME]) for at in range(0, whole, FRAME))


def _noise(seconds: float) -> bytes:
    rng = np.random.default_rng(1)
    return (rng.standard_normal(int(seconds * CLEAN.sample_rate)) * 1000).astype("<i2").tobytes()


def test_steady_noise_grows_softer() -> None:
    """By 6 dB or more once it has been heard for a second; no byte more or less."""
    noise = _noise(3)
    cleaned = _clean(noise)
    assert len(cleaned) == len(noise)
    assert rms_dbfs(cleaned[-FRAME * 50 :]) < rms_dbfs(noise[-FRAME * 50 :]) - 6


def test_a_voice_stays_as_loud() -> None:
    """What comes and goes is kept, within 4 dB."""
    burst = tone(440, 300, CLEAN.sample_rate) + bytes(CLEAN.bytes_per_ms * 300)
    speech = gain(burst * 5, -6)
    assert rms_dbfs(_clean(speech)) == pytest.approx(rms_dbfs(speech), abs=4)


def test_silence_stays_silent() -> None:
    """Nothing is put into it."""
    assert rms_dbfs(_clean(bytes(FRAME * 50))) < -70


def test_two_calls_share_nothing() -> None:
    """The noise that one has learnt is not taken from the other."""
    one, other = WebrtcDenoiser(), WebrtcDenoiser()
    noise = _noise(3)
    for at in range(0, len(noise), FRAME):
        one(noise[at : at + FRAME])
    first = noise[:FRAME]
    assert other(first) == WebrtcDenoiser()(first)


def test_a_missing_package_is_told_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that installs it."""
    monkeypatch.setitem(sys.modules, PACKAGE, None)
    assert not is_installed()
    with pytest.raises(ProviderConfigError, match=r"pip install 'exobridge\[denoise\]'"):
        denoiser("webrtc")


def test_none_is_no_denoiser() -> None:
    """Nothing is taken out."""
    assert denoiser("none") is None
