"""What a line carries when nobody speaks: made by seed, the same every time. 8 kHz PCM16."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from exobridge_codecs.pcm import from_float
from exobridge_codecs.tones import dtmf

RATE = 8000
"""Hertz."""
LEVELS_DBFS = (-60.0, -45.0, -30.0)
"""A noise is a third of its time at each of these (RMS): a quiet line, a bad, a very bad one."""

Samples = NDArray[np.floating]


def silence(seconds: float) -> bytes:
    """Nothing at all: μ-law's idle code."""
    return bytes(2 * int(seconds * RATE))


def white(seconds: float, seed: int = 1) -> bytes:
    """As loud at every frequency: hiss."""
    return _at_levels(np.random.default_rng(seed).standard_normal(int(seconds * RATE)))


def pink(seconds: float, seed: int = 2) -> bytes:
    """Falls by 3 dB an octave: a fan, a room, traffic far away."""
    return _at_levels(_coloured(seconds, seed, 0.5))


def brown(seconds: float, seed: int = 3) -> bytes:
    """Falls by 6 dB an octave: wind, an engine."""
    return _at_levels(_coloured(seconds, seed, 1.0))


def hum(seconds: float, seed: int = 4) -> bytes:
    """Mains at 50 Hz with its harmonics, on a little hiss."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    tones = [np.sin(2 * np.pi * 50 * n * time + n) / n for n in (1, 2, 3, 4, 5, 7, 9, 11)]
    return _at_levels(np.sum(tones, axis=0) + 0.05 * rng.standard_normal(len(time)))


def clicks(seconds: float, seed: int = 5) -> bytes:
    """Crackle: two clicks a second at random times, 1 to 8 ms long, loud."""
    rng = np.random.default_rng(seed)
    samples = 0.001 * rng.standard_normal(int(seconds * RATE))
    for _ in range(int(2 * seconds)):
        length = int(rng.integers(RATE // 1000, RATE // 125))
        at = int(rng.integers(0, len(samples) - length))
        burst = rng.standard_normal(length) * np.exp(-np.arange(length) / (length / 3))
        samples[at : at + length] += rng.uniform(0.1, 0.7) * burst
    return from_float(samples)


def buzz(seconds: float, seed: int = 6) -> bytes:
    """A mobile telephone beside a wire: its bursts at 217 Hz, on and off each half second."""
    time = np.arange(int(seconds * RATE)) / RATE
    pulses = ((time * 217) % 1 < 0.125) * np.sign(np.sin(2 * np.pi * 1300 * time))
    on = (time * 2) % 2 < 1
    rng = np.random.default_rng(seed)
    return _at_levels(pulses * on + 0.02 * rng.standard_normal(len(time)))


def idle_flicker(seconds: float, seed: int = 7) -> bytes:
    """A line at rest whose lowest bit flickers."""
    rng = np.random.default_rng(seed)
    return rng.integers(-8, 9, int(seconds * RATE)).astype("<i2").tobytes()


def breath(seconds: float, seed: int = 8) -> bytes:
    """Someone breathes into the telephone: hiss that swells every four seconds."""
    time = np.arange(int(seconds * RATE)) / RATE
    swell = np.maximum(0.0, np.sin(2 * np.pi * time / 4)) ** 3
    rng = np.random.default_rng(seed)
    return _at_levels(_band(rng.standard_normal(len(time)), 300, 2000) * swell)


def keys(seconds: float, seed: int = 9) -> bytes:
    """Keys pressed in the audio: one to four, then some seconds of silence."""
    rng = np.random.default_rng(seed)
    pieces: list[bytes] = []
    size = 0
    while size < 2 * int(seconds * RATE):
        pressed = "".join(rng.choice(list("0123456789*#"), int(rng.integers(1, 5))))
        pieces += [dtmf(pressed, RATE), silence(float(rng.uniform(2, 5)))]
        size = sum(map(len, pieces))
    return b"".join(pieces)[: 2 * int(seconds * RATE)]


NOISES: Mapping[str, Callable[[float], bytes]] = {
    "silence": silence,
    "idle flicker": idle_flicker,
    "white noise": white,
    "pink noise": pink,
    "brown noise": brown,
    "mains hum": hum,
    "clicks": clicks,
    "mobile buzz": buzz,
    "breathing": breath,
    "keys": keys,
}
"""By the name in the report; each is given its length in seconds."""


def _spectrum(samples: Samples, shape: Callable[[Samples], Samples]) -> Samples:
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(len(samples), 1 / RATE)
    return np.fft.irfft(spectrum * shape(frequencies), len(samples))


def _coloured(seconds: float, seed: int, power: float) -> Samples:
    white = np.random.default_rng(seed).standard_normal(int(seconds * RATE))
    return _spectrum(white, lambda f: (f >= 60) / np.maximum(f, 60.0) ** power)


def _band(samples: Samples, low: float, high: float) -> Samples:
    return _spectrum(samples, lambda f: ((f >= low) & (f <= high)).astype(np.float64))


def _at_levels(samples: Samples) -> bytes:
    thirds = np.array_split(samples, len(LEVELS_DBFS))
    scaled = [
        third * float(10 ** (level / 20) / np.sqrt(np.mean(third**2)))
        for third, level in zip(thirds, LEVELS_DBFS, strict=True)
    ]
    return from_float(np.concatenate(scaled))


def in_pink_noise(speech: bytes, snr_db: float, seed: int = 10) -> bytes:
    """Speech with pink noise that is ``snr_db`` softer (RMS over all of it)."""
    voice = np.frombuffer(speech, "<i2").astype(np.float64) / 32768
    other = _coloured(len(voice) / RATE, seed, 0.5)
    gain = np.sqrt(np.mean(voice**2) / np.mean(other**2)) * 10 ** (-snr_db / 20)
    return from_float(voice + gain * other)
