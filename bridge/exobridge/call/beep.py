"""Hears the beep after which an answering machine records.

A beep is one steady tone of 350 to 2600 Hz and 150 to 1500 ms, with nothing behind it. Speech and
music move, DTMF has two tones, a melody and the special information tones (ITU-T E.180: three
rising tones) change from one tone to another, ringing and busy tones come again. Pure; the clock is
the audio itself, in milliseconds since the first frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from exobridge_codecs.formats import FRAME_MS
from exobridge_codecs.pcm import FloatArray, to_float

LOWEST_HZ, HIGHEST_HZ = 340, 2620
LEAST_MS, LONGEST_MS = 130, 1540
"""As measured: a tone's first and last frame are cut by its edges."""

LEAST_DBFS = -45.0
"""A softer tone is none; beeps are loud."""

LEAST_SHARE = 0.7
"""Of the power between 200 and 3500 Hz, in one tone: its level is 4 dB above the noise."""

SECOND_DB = -12.0
"""A second tone above this, against the first, makes it no beep. In DTMF they differ by 8 dB at
most (ITU-T Q.24)."""

LEVEL_SPREAD_DB, PITCH_SPREAD_HZ = 3.0, 20.0
"""Between any two frames of a steady tone."""

QUIET_DB = 5.0
"""Behind a beep it is softer by this."""

QUIET_MS = 240
"""Quiet behind a tone that makes it a beep."""

NETWORK_HZ = (300.0, 510.0)
NETWORK_QUIET_MS = 1200
NETWORK_REPEAT_MS = 5000
"""Ringing, busy and congestion tones lie here (ITU-T E.180: 400 to 450 Hz in most countries, 400 Hz
in India) and come again within these times; a beep does not."""

MELODY_MS = 200
"""A tone so soon after another one of another pitch is part of a melody."""

MISSES = 2
"""Frames in a row that a tone may lack, drowned by noise."""

UNSTEADY_MS = (MISSES + 1) * FRAME_MS
"""A tone that begins so soon after another one is the rest of it: it fades, or warbles."""

_BIN_HZ = 25
_BAND = slice(200 // _BIN_HZ, 3500 // _BIN_HZ + 1)
_LOBE = 2
"""Bins on each side of a peak that hold its power (Hann window)."""


class _Tone(NamedTuple):
    hertz: float
    dbfs: float


@dataclass(slots=True)
class _Run:
    """A tone that goes on: the first and the last of its frames, by their ends in ms."""

    first_ms: float
    last_ms: float
    low: _Tone
    high: _Tone
    frames: int = 1
    misses: int = 0

    @classmethod
    def of(cls, tone: _Tone, at_ms: float) -> _Run:
        return cls(at_ms, at_ms, tone, tone)

    @property
    def length_ms(self) -> float:
        return self.last_ms - self.first_ms + FRAME_MS

    @property
    def hertz(self) -> float:
        return (self.low.hertz + self.high.hertz) / 2

    def take(self, tone: _Tone | None, at_ms: float) -> bool:
        """Whether it goes on with this frame."""
        if tone is not None and self._fits(tone):
            self.last_ms = at_ms
            self.frames += 1
            self.misses = 0
            return True
        self.misses += 1
        return self.misses <= MISSES and self.frames > 1

    def _fits(self, tone: _Tone) -> bool:
        if self.frames == 1 and tone.dbfs > self.high.dbfs:
            self.low = self.high = tone  # the first frame held only some of it
        low = _Tone(min(self.low.hertz, tone.hertz), min(self.low.dbfs, tone.dbfs))
        high = _Tone(max(self.high.hertz, tone.hertz), max(self.high.dbfs, tone.dbfs))
        steady = high.dbfs - low.dbfs <= LEVEL_SPREAD_DB
        if not steady or high.hertz - low.hertz > PITCH_SPREAD_HZ:
            return False
        self.low, self.high = low, high
        return True


class BeepDetector:
    """The audio of one call.

    Args:
        sample_rate: Of the frames, in hertz, 8000 or more.
    """

    def __init__(self, sample_rate: int) -> None:
        size = sample_rate // _BIN_HZ
        self._window = np.hanning(size + 1)[:size].astype(np.float32)
        self._full_scale = float(self._window.sum() / 2) ** 2
        self._samples: FloatArray = np.zeros(size, np.float32)
        self._at_ms = 0.0
        self._run: _Run | None = None
        self._before: _Run | None = None
        self._maybe: _Run | None = None

    @property
    def undecided(self) -> bool:
        """A tone goes on, or has just ended, that may prove to be a beep."""
        return self._run is not None or self._maybe is not None

    def skip(self) -> None:
        """One frame of 20 ms that nobody wants to be judged."""
        self._at_ms += FRAME_MS
        self._run = self._maybe = None

    def push(self, pcm: bytes) -> float | None:
        """One frame of 20 ms.

        Returns:
            Where a beep ended, in ms, as soon as the quiet behind it makes it certain.
        """
        self._at_ms += FRAME_MS
        frame = to_float(pcm)
        self._samples = np.concatenate((self._samples[len(frame) :], frame))
        level = _dbfs(float(frame @ frame) * 2 / max(1, len(frame)))
        tone = self._tone() if level >= LEAST_DBFS else None
        self._follow(tone)
        return self._certain(tone, level)

    def _tone(self) -> _Tone | None:
        """The one tone of the last 40 ms, if that is what they are."""
        spectrum = np.fft.rfft(self._samples * self._window)
        power = np.square(np.abs(spectrum[_BAND]))
        peak = int(power.argmax())
        low, high = max(0, peak - _LOBE), peak + _LOBE + 1
        in_lobe = float(power[low:high].sum())
        if in_lobe < LEAST_SHARE * float(power.sum()):
            return None
        hertz = (_BAND.start + peak + _offset(power, peak)) * _BIN_HZ
        strongest = float(power[peak])
        power[max(0, low - 1) : high + 1] = 0.0
        if float(power.max()) > strongest * 10 ** (SECOND_DB / 10):
            return None
        # Hann spreads a sine's power over its lobe by 1.5.
        return _Tone(hertz, _dbfs(in_lobe / 1.5 / self._full_scale))

    def _follow(self, tone: _Tone | None) -> None:
        run = self._run
        if run is not None and run.take(tone, self._at_ms):
            return
        if run is not None and run.frames > MISSES:
            self._maybe = run if self._may_be_a_beep(run) else None
            self._before = run
        self._run = _Run.of(tone, self._at_ms) if tone is not None else None

    def _may_be_a_beep(self, run: _Run) -> bool:
        if not LEAST_MS <= run.length_ms <= LONGEST_MS:
            return False
        if not LOWEST_HZ <= run.hertz <= HIGHEST_HZ:
            return False
        if self._before is None:
            return True
        gap_ms = run.first_ms - self._before.last_ms
        if gap_ms <= UNSTEADY_MS:
            return False
        if abs(run.hertz - self._before.hertz) > PITCH_SPREAD_HZ:
            return gap_ms > MELODY_MS
        return not _of_the_network(run) or gap_ms > NETWORK_REPEAT_MS

    def _certain(self, tone: _Tone | None, level: float) -> float | None:
        beep = self._maybe
        if beep is None:
            return None
        if tone is not None or level > beep.high.dbfs - QUIET_DB:
            self._maybe = None
            return None
        quiet_ms = NETWORK_QUIET_MS if _of_the_network(beep) else QUIET_MS
        if self._at_ms - beep.last_ms < quiet_ms:
            return None
        self._maybe = None
        return beep.last_ms


def _of_the_network(run: _Run) -> bool:
    return NETWORK_HZ[0] <= run.hertz <= NETWORK_HZ[1]


def _offset(power: FloatArray, peak: int) -> float:
    """How far the true peak is from its bin, in bins: a parabola through three logarithms."""
    if not 0 < peak < len(power) - 1:
        return 0.0
    left, middle, right = (math.log(float(each) + 1e-12) for each in power[peak - 1 : peak + 2])
    curve = left - 2 * middle + right
    return (left - right) / (2 * curve) if curve < 0 else 0.0


def _dbfs(power: float) -> float:
    """A sine's power, against one at full scale."""
    return 10 * math.log10(power) if power > 0 else -math.inf
