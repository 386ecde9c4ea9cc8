"""Changing the sample rate: quality, joints, lengths."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from exobridge_codecs.pcm import from_float, to_float, to_int16
from exobridge_codecs.resample import MAX_RATE, MIN_RATE, Resampler, resample

RATES = (8000, 16000, 24000)
PAIRS = list(itertools.permutations(RATES, 2))
FILE_PAIRS = [(22050, 8000), (44100, 16000), (48000, 8000), (11025, 24000), (8000, 44100)]
Wave = NDArray[np.float64]


def _sine(frequency: float, rate: int, seconds: float = 0.4, amplitude: float = 0.5) -> Wave:
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def _resampled(wave: Wave, from_rate: int, to_rate: int) -> Wave:
    return to_float(resample(from_float(wave), from_rate, to_rate)).astype(np.float64)


def _middle(wave: Wave) -> Wave:
    """Without the tenth at either end, where the sound starts and stops."""
    return wave[len(wave) // 10 : -(len(wave) // 10)]


def _decibels(wave: Wave, reference: Wave) -> float:
    return 10 * math.log10(max(float(np.mean(wave**2)), 1e-20) / float(np.mean(reference**2)))


@pytest.mark.parametrize(("from_rate", "to_rate"), PAIRS + FILE_PAIRS)
def test_a_tone_stays_the_same_tone_at_the_same_time(from_rate: int, to_rate: int) -> None:
    """1 kHz comes out with its level and phase, and all else 75 dB below it."""
    wanted = _sine(1000, to_rate)
    error = _resampled(_sine(1000, from_rate), from_rate, to_rate) - wanted
    assert _decibels(_middle(error), wanted) < -75


@pytest.mark.parametrize(("from_rate", "to_rate"), PAIRS + FILE_PAIRS)
def test_the_pass_band_is_flat(from_rate: int, to_rate: int) -> None:
    """From 50 Hz to 0.85 of the lower rate's half the gain is 0 dB within 0.01."""
    edge = 0.85 * min(from_rate, to_rate) / 2
    for frequency in (50, 300, edge / 2, edge):
        wave = _resampled(_sine(frequency, from_rate), from_rate, to_rate)
        gain = _decibels(_middle(wave), _middle(_sine(frequency, to_rate)))
        assert abs(gain) < 0.01


@pytest.mark.parametrize(("from_rate", "to_rate"), [pair for pair in PAIRS if pair[0] > pair[1]])
def test_what_the_lower_rate_cannot_hold_is_gone(from_rate: int, to_rate: int) -> None:
    """Above 1.1 of its half a loud tone leaves no alias louder than -70 dB."""
    for frequency in np.linspace(1.1 * to_rate / 2, from_rate / 2 - 100, 9):
        loud = _sine(frequency, from_rate, amplitude=0.99)
        assert _decibels(_middle(_resampled(loud, from_rate, to_rate)), loud) < -70


@pytest.mark.parametrize(("from_rate", "to_rate"), [pair for pair in PAIRS if pair[0] < pair[1]])
def test_a_higher_rate_holds_no_images(from_rate: int, to_rate: int) -> None:
    """Of tones up to 0.85 of the lower rate's half nothing above 1.1 of it is over -70 dB."""
    for frequency in np.linspace(200, 0.85 * from_rate / 2, 7):
        wave = _middle(_resampled(_sine(frequency, from_rate, amplitude=0.99), from_rate, to_rate))
        spectrum = np.abs(np.fft.rfft(wave * np.blackman(len(wave))))
        hertz = np.fft.rfftfreq(len(wave), 1 / to_rate)
        image = spectrum[hertz >= 1.1 * from_rate / 2].max()
        assert 20 * math.log10(image / spectrum.max()) < -70


def _in_chunks(pcm: bytes, cuts: list[int], from_rate: int, to_rate: int) -> bytes:
    resampler = Resampler(from_rate, to_rate)
    edges = [0, *sorted(cut % (len(pcm) + 1) for cut in cuts), len(pcm)]
    chunks = [pcm[start:end] for start, end in itertools.pairwise(edges)]
    return b"".join([*map(resampler.process, chunks), resampler.flush()])


@settings(deadline=None)
@given(
    st.sampled_from([*PAIRS, (44100, 8000)]),
    st.integers(0, 2**32 - 1),
    st.integers(0, 900),
    st.lists(st.integers(0, 2000), max_size=30),
)
def test_any_chunking_gives_the_same_samples(
    pair: tuple[int, int], seed: int, samples: int, cuts: list[int]
) -> None:
    """Loud noise cut anywhere, inside samples too, is as if it had come in one piece."""
    pcm = np.random.default_rng(seed).bytes(2 * samples)
    assert _in_chunks(pcm, cuts, *pair) == resample(pcm, *pair)


@pytest.mark.parametrize(("from_rate", "to_rate"), [*PAIRS, (22050, 8000)])
def test_single_bytes_give_the_same_samples(from_rate: int, to_rate: int) -> None:
    """One byte at a time makes no difference."""
    pcm = np.random.default_rng(1).bytes(1200)
    assert _in_chunks(pcm, list(range(1200)), from_rate, to_rate) == resample(
        pcm, from_rate, to_rate
    )


def test_long_audio_is_worked_off_in_pieces() -> None:
    """A minute in one call is the same as in frames."""
    pcm = from_float(_sine(700, 24000, seconds=60))
    frames = list(range(0, len(pcm), 960))
    assert resample(pcm, 24000, 8000) == _in_chunks(pcm, frames, 24000, 8000)


@pytest.mark.parametrize(("from_rate", "to_rate"), PAIRS)
def test_no_click_at_the_joints(from_rate: int, to_rate: int) -> None:
    """A low tone in 20 ms frames never jumps further than its own slope."""
    wave = _sine(100, from_rate, seconds=1)
    frames = list(range(0, 2 * len(wave), from_rate // 25))
    out = to_float(_in_chunks(from_float(wave), frames, from_rate, to_rate)).astype(np.float64)
    steepest = 0.5 * 2 * math.pi * 100 / to_rate
    assert np.abs(np.diff(_middle(out))).max() < steepest * 1.01


@given(
    st.sampled_from([*PAIRS, *FILE_PAIRS, (44101, 8000)]),
    st.integers(0, 700),
    st.booleans(),
)
@settings(deadline=None)
def test_the_length_is_kept(pair: tuple[int, int], samples: int, odd: bool) -> None:
    """As many samples come out as the time takes at the new rate, rounded up."""
    out = resample(bytes(2 * samples + odd), *pair)
    assert len(out) == 2 * -(-samples * pair[1] // pair[0])


@pytest.mark.parametrize("level", [-32768, -1, 1, 12345, 32767])
@pytest.mark.parametrize(("from_rate", "to_rate"), [*PAIRS, (44100, 8000)])
def test_a_constant_stays_exactly_constant(from_rate: int, to_rate: int, level: int) -> None:
    """No ripple and no rounding: each output is the level itself."""
    pcm = np.full(from_rate // 10, level, "<i2").tobytes()
    out = to_int16(resample(pcm, from_rate, to_rate))
    assert (_middle(out.astype(np.float64)) == level).all()


@pytest.mark.parametrize(("from_rate", "to_rate"), PAIRS)
def test_full_scale_never_wraps(from_rate: int, to_rate: int) -> None:
    """A square wave overshoots in any filter: it is clipped, its sign is kept."""
    square = np.tile(np.repeat([32767, -32768], from_rate // 100), 20).astype("<i2").tobytes()
    out = to_int16(resample(square, from_rate, to_rate)).reshape(-1, to_rate // 100)
    middles = out[:, to_rate // 400 : -to_rate // 400].astype(int)
    assert (middles[0::2] > 25000).all()
    assert (middles[1::2] < -25000).all()


@pytest.mark.parametrize(("from_rate", "to_rate"), [*PAIRS, *FILE_PAIRS])
def test_the_delay_is_what_is_held_back(from_rate: int, to_rate: int) -> None:
    """In 20 ms frames the output lags by ``delay_ms``, to within the three samples of a period."""
    resampler = Resampler(from_rate, to_rate)
    frame = bytes(2 * (from_rate // 50))
    given_ms, taken_ms = 0.0, 0.0
    for _ in range(10):
        given_ms += 1000 * (len(frame) // 2) / from_rate
        taken_ms += 1000 * (len(resampler.process(frame)) // 2) / to_rate
        lag = given_ms - taken_ms
        assert abs(lag - resampler.delay_ms) <= 3000 / min(from_rate, to_rate)
    assert 1 < resampler.delay_ms < 2.5


def test_a_click_comes_out_within_the_delay() -> None:
    """The loudest sample stands where it stood."""
    pcm = bytearray(2 * 800)
    pcm[800:802] = b"\xff\x7f"
    assert int(np.argmax(to_int16(resample(bytes(pcm), 8000, 24000)))) == 400 * 3


@pytest.mark.parametrize("rate", RATES)
def test_equal_rates_cost_nothing(rate: int) -> None:
    """The very object comes back, at once."""
    resampler = Resampler(rate, rate)
    pcm = bytes(320)
    assert resampler.process(pcm) is pcm
    assert resampler.flush() == b""
    assert resampler.delay_ms == 0
    assert resample(b"\x01\x02\x03", rate, rate) == b"\x01\x02"


@pytest.mark.parametrize(("from_rate", "to_rate"), [*PAIRS, (22050, 8000)])
def test_after_a_flush_it_starts_anew(from_rate: int, to_rate: int) -> None:
    """Nothing of one stream is heard in the next, half a sample neither."""
    resampler = Resampler(from_rate, to_rate)
    resampler.process(np.random.default_rng(2).bytes(777))
    resampler.flush()
    pcm = np.random.default_rng(3).bytes(600)
    again = resampler.process(pcm) + resampler.flush()
    assert again == resample(pcm, from_rate, to_rate)


@pytest.mark.parametrize("rate", [0, -8000, MIN_RATE - 1, MAX_RATE + 1])
def test_impossible_rates_are_refused(rate: int) -> None:
    """On either side."""
    for pair in ((rate, 8000), (8000, rate)):
        with pytest.raises(ValueError, match="sample rate"):
            Resampler(*pair)
