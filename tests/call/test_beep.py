"""The beep of an answering machine, and what only sounds like one."""

from __future__ import annotations

import numpy as np
import pytest

from exobridge.call.beep import BeepDetector
from exobridge_codecs.framing import Reframer
from exobridge_codecs.g711 import mulaw_to_pcm, pcm_to_mulaw
from exobridge_codecs.pcm import FULL_SCALE, saturate, to_int16
from exobridge_codecs.tones import DTMF_DIGITS, dtmf, tone

RATE = 8000


def silence(milliseconds: float, sample_rate: int = RATE) -> bytes:
    return bytes(2 * round(sample_rate * milliseconds / 1000))


def mixed(*parts: bytes) -> bytes:
    """All at once, each as loud as it is."""
    length = max(map(len, parts)) // 2
    total = np.zeros(length)
    for part in parts:
        total[: len(part) // 2] += to_int16(part)
    return saturate(total)


def noisy(pcm: bytes, dbfs: float, seed: int = 7) -> bytes:
    """With white noise, its RMS at ``dbfs``."""
    hiss = np.random.default_rng(seed).normal(0, FULL_SCALE * 10 ** (dbfs / 20), len(pcm) // 2)
    return saturate(to_int16(pcm) + hiss)


def beeps(pcm: bytes, sample_rate: int = RATE) -> list[float]:
    """The end of each beep heard over a μ-law line, in ms."""
    detector = BeepDetector(sample_rate)
    line = mulaw_to_pcm(pcm_to_mulaw(pcm)) if sample_rate == RATE else pcm
    ends = [detector.push(frame) for frame in Reframer(sample_rate // 25).push(line)]
    return [end for end in ends if end is not None]


@pytest.mark.parametrize("milliseconds", [150, 400, 1000, 1500])
@pytest.mark.parametrize("hertz", [350, 440, 620, 1000, 1400, 2600])
@pytest.mark.parametrize("offset_ms", [0, 7, 13])
def test_a_steady_tone_is_a_beep(hertz: int, milliseconds: int, offset_ms: int) -> None:
    """Wherever it lies in the frames, soft or loud; its end is known to a few frames."""
    for level in (-3, -25):
        pcm = silence(500 + offset_ms) + tone(hertz, milliseconds, RATE, level) + silence(1500)
        (end,) = beeps(pcm)
        assert abs(end - (500 + offset_ms + milliseconds)) <= 50


@pytest.mark.parametrize("snr", [20, 10, 8])
def test_a_beep_is_heard_in_noise(snr: int) -> None:
    """Down to where a human would ask for it to be repeated."""
    for seed in [*range(20), 38, 58, 98]:  # in the last three the first frame is nearly full
        begin_ms = 500 + seed % 20
        pcm = silence(begin_ms) + tone(1000, 500, RATE, -12) + silence(1500)
        (end,) = beeps(noisy(pcm, -15 - snr, seed))
        assert abs(end - begin_ms - 500) <= 60


@pytest.mark.parametrize("sample_rate", [16_000, 24_000])
def test_a_wider_band_changes_nothing(sample_rate: int) -> None:
    """Frames of 20 ms at any rate of the line."""
    quiet = silence(1500, sample_rate)
    assert beeps(quiet + tone(1000, 300, sample_rate, -12) + quiet, sample_rate) == [1800]


def test_it_is_known_a_quarter_of_a_second_later() -> None:
    """Not sooner: another tone could follow; nor much later: the machine records."""
    detector = BeepDetector(RATE)
    pcm = silence(500) + tone(1000, 500, RATE) + silence(1000)
    known = [bool(detector.push(frame)) for frame in Reframer(320).push(pcm)].index(True)
    assert 1000 + 200 <= known * 20 <= 1000 + 300


def test_a_tone_that_may_prove_to_be_a_beep_is_undecided() -> None:
    """From its beginning until the quiet behind it; silence is not."""
    detector = BeepDetector(RATE)
    pcm = silence(500) + tone(1000, 500, RATE) + silence(1000)
    undecided = list[bool]()
    for frame in Reframer(320).push(pcm):
        detector.push(frame)
        undecided.append(detector.undecided)
    assert undecided[:24] == [False] * 24
    assert all(undecided[27:60])
    assert undecided[65:] == [False] * len(undecided[65:])


def test_the_last_of_some_pips_is_the_beep() -> None:
    """Machines count down."""
    pips = (tone(1000, 150, RATE) + silence(120)) * 3
    assert beeps(pips + tone(1000, 600, RATE) + silence(1000)) == [pytest.approx(1410, abs=30)]


@pytest.mark.parametrize("digit", DTMF_DIGITS)
def test_a_key_is_no_beep(digit: str) -> None:
    """Two tones, whichever they are and however long."""
    assert beeps(dtmf(digit, RATE, tone_ms=400, gap_ms=1500)) == []


@pytest.mark.parametrize("twist_db", range(0, 9, 2))
def test_a_key_whose_tones_differ_is_no_beep(twist_db: int) -> None:
    """As lines may make them differ."""
    for low, high in ((770, 1336), (1336, 770)):
        key = mixed(tone(low, 300, RATE, -9), tone(high, 300, RATE, -9 - twist_db))
        assert beeps(silence(200) + key + silence(1500)) == []


def cadence(hertz: float, *on_off_ms: int, times: int) -> bytes:
    """A tone of the network: on, off, on, off … ms."""
    pairs = zip(on_off_ms[::2], on_off_ms[1::2], strict=True)
    return b"".join(tone(hertz, on, RATE, -12) + silence(off) for on, off in pairs) * times


@pytest.mark.parametrize(
    "pcm",
    [
        pytest.param(cadence(400, 750, 750, times=6), id="busy in India"),
        pytest.param(cadence(400, 250, 250, times=12), id="congestion in India"),
        pytest.param(cadence(400, 400, 200, 400, 2000, times=4), id="ringing in India"),
        pytest.param(cadence(425, 500, 500, times=8), id="busy in Europe"),
        pytest.param(
            mixed(cadence(400, 400, 200, 400, 2000, times=3), cadence(450, 400, 200, times=10)),
            id="two-tone ringing",
        ),
        pytest.param(
            mixed(cadence(480, 500, 500, times=8), cadence(620, 500, 500, times=8)),
            id="busy in America",
        ),
        pytest.param(
            (tone(950, 330, RATE) + tone(1400, 330, RATE) + tone(1800, 330, RATE) + silence(1000)),
            id="special information tones",
        ),
        pytest.param(tone(2100, 3300, RATE) + silence(1500), id="fax"),
        pytest.param(tone(1000, 90, RATE) + silence(1500), id="click"),
        pytest.param(tone(1000, 400, RATE, -55) + silence(1500), id="crosstalk"),
        pytest.param(tone(250, 400, RATE) + silence(1500), id="hum"),
        pytest.param(tone(200, 400, RATE) + silence(1500), id="low hum"),
        pytest.param(tone(3000, 400, RATE) + silence(1500), id="whistle"),
        pytest.param(
            b"".join(tone(hz, 220, RATE) + silence(30) for hz in (523, 587, 659, 523, 784, 659))
            + silence(1500),
            id="melody",
        ),
        pytest.param(
            b"".join(tone(hz, 220, RATE) + silence(120) for hz in (523, 587, 659, 523, 784, 659))
            + silence(1500),
            id="staccato",
        ),
    ],
)
def test_other_tones_are_no_beeps(pcm: bytes) -> None:
    """What rings, changes, or is of another length, pitch or level."""
    assert beeps(silence(300) + pcm) == []


def test_a_tone_that_fades_or_glides_is_no_beep() -> None:
    """A bell, a plucked string, a whistled call."""
    seconds = np.arange(round(RATE * 0.8)) / RATE
    bell = np.sin(2 * np.pi * 800 * seconds) * 10 ** (-seconds)
    glide = np.sin(2 * np.pi * (800 * seconds + 300 * seconds**2))
    for wave in (bell, glide):
        assert beeps(silence(300) + saturate(wave * 15_000) + silence(1500)) == []


def test_noise_and_silence_are_no_beeps() -> None:
    """A minute of each, and half a frame at the end."""
    assert beeps(noisy(silence(60_000), -30)) == []
    assert beeps(silence(60_000)) == []
    assert BeepDetector(RATE).push(b"\0\0\0") is None


def test_frames_that_are_skipped_count_as_time() -> None:
    """Half a tone is not one with another that comes later, and the clock goes on."""
    detector = BeepDetector(RATE)
    frames = list(Reframer(320).push(silence(200) + tone(1000, 600, RATE) + silence(1000)))
    for frame in frames[:25]:
        detector.push(frame)
    detector.skip()
    assert not detector.undecided
    ends = [detector.push(frame) for frame in frames[26:]]
    assert [end for end in ends if end is not None] == [pytest.approx(800, abs=30)]


def test_words_over_a_tone_are_no_beep() -> None:
    """What is followed by sound at once is part of it."""
    pcm = tone(1000, 400, RATE, -12) + noisy(silence(1500), -18)
    assert beeps(silence(300) + pcm) == []
