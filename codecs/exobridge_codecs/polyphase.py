"""The filter behind the resampler: a windowed-sinc low-pass, cut into phases.

To go from one rate to another in the ratio ``up / down``, think of ``up - 1`` zeros put between
the samples, a low-pass over the result, and every ``down``-th value kept. A polyphase filter
computes just the kept values from just the non-zero ones: output ``n`` is the product of
``taps`` input samples with phase ``(n * down) % up`` of the filter.

Two ways of computing give the same numbers: small ratios (8, 16, 24, 48 kHz among themselves)
take a whole period of ``up`` outputs from ``down`` inputs as one matrix product, others (44.1 kHz)
look up a row of the filter for each output.

Coefficients are integers, held as doubles. Every product and every sum of them with 16-bit samples
stays below 2**53 and is exact, so neither the order of the additions nor the size of the chunks
can change a result: joints cannot be heard because they cannot be found.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]
"""16-bit samples, held as doubles."""

PASS_BAND = 0.85
"""Up to this part of the lower rate's half the gain is 1 (3,400 Hz at 8 kHz)."""
STOP_BAND = 1.10
"""From this part of the lower rate's half nothing passes (4,400 Hz at 8 kHz)."""
STOP_BAND_DB = 75.0
"""How far down the stop band is designed to be."""

UNITY = 2.0**24
"""What the coefficients of a phase add up to."""

_MAX_PERIOD = 8
"""Largest ``up`` or ``down`` for which one matrix holds a whole period."""
_MAX_CACHED = 1 << 17
"""Coefficients above which a filter is not kept (rates without a common divisor)."""


@dataclass(frozen=True, slots=True, eq=False)
class Polyphase:
    """A resampling filter; it has no state and is shared by all streams of one ratio.

    Attributes:
        up, down: The ratio of the rates, in lowest terms.
        delay: Steps of 1 / (``up`` x input rate) that an output looks into the future.
        phases: One row of ``taps`` coefficients a phase, oldest sample first.
        period: The rows of one period side by side, each at its place, or ``None``.
    """

    up: int
    down: int
    delay: int
    phases: Samples
    period: Samples | None

    @property
    def taps(self) -> int:
        """Input samples in one output."""
        return int(self.phases.shape[1])

    @property
    def lead_in(self) -> int:
        """Samples of silence that stand before the first sample of a stream."""
        return self.taps - 1 - self.delay // self.up

    @property
    def first_phase(self) -> int:
        """The phase of a stream's first output."""
        return self.delay % self.up

    def apply(self, samples: Samples, phase: int) -> Samples:
        """Every output for which the samples suffice, scaled by ``UNITY``.

        Args:
            samples: Contiguous input; the first output's window starts at the first one.
            phase: Phase of the first output: ``first_phase``, or for filters without a
                ``period`` whatever came next.
        """
        if self.period is None:
            return self._by_output(samples, phase)
        return self._by_period(samples, self.period)

    def _by_period(self, samples: Samples, period: Samples) -> Samples:
        width = period.shape[0]
        count = (len(samples) - width) // self.down + 1
        if count <= 0:
            return np.empty(0)
        # Overlapping windows over the same memory; as_strided() costs more than the product.
        windows: Samples = np.ndarray((count, width), np.float64, samples, 0, (8 * self.down, 8))
        periods: Samples = np.dot(windows, period)
        return periods.reshape(-1)

    def _by_output(self, samples: Samples, phase: int) -> Samples:
        starts = len(samples) - self.taps + 1
        count = -((phase - starts * self.up) // self.down) if starts > 0 else 0
        if count <= 0:
            return np.empty(0)
        position = phase + self.down * np.arange(count)
        windows: Samples = np.ndarray((starts, self.taps), np.float64, samples, 0, (8, 8))
        chosen = windows[position // self.up]
        outputs: Samples = np.einsum("ij,ij->i", chosen, self.phases[position % self.up])
        return outputs


def polyphase(from_rate: int, to_rate: int) -> Polyphase:
    """The filter between two different rates, in hertz; those of small ratios are kept."""
    divisor = math.gcd(from_rate, to_rate)
    up, down = to_rate // divisor, from_rate // divisor
    if max(up, down) * _taps_at_lower_rate() > _MAX_CACHED:
        return _design(up, down)
    return _kept(up, down)


def _taps_at_lower_rate() -> float:
    """Kaiser's estimate of the filter's length, in samples of the lower rate."""
    transition = math.pi * (STOP_BAND - PASS_BAND)
    return (STOP_BAND_DB - 7.95) / (2.285 * transition)


def _design(up: int, down: int) -> Polyphase:
    longer = max(up, down)
    delay = math.ceil(longer * _taps_at_lower_rate() / 2)
    taps = -(-(2 * delay + 1) // up)
    response = np.zeros(up * taps)
    response[: 2 * delay + 1] = _low_pass(delay, (PASS_BAND + STOP_BAND) / 2 / longer)
    phases = _whole_numbers(response.reshape(taps, up).T[:, ::-1])
    period = _side_by_side(phases, down, delay % up) if longer <= _MAX_PERIOD else None
    return Polyphase(up, down, delay, phases, period)


_kept = functools.lru_cache(maxsize=32)(_design)


def _low_pass(half: int, cutoff: float) -> Samples:
    """A Kaiser-windowed sinc of ``2 * half + 1`` values; ``cutoff`` is a part of half the rate."""
    beta = 0.1102 * (STOP_BAND_DB - 8.7)
    steps = np.arange(-half, half + 1)
    response = np.asarray(np.sinc(cutoff * steps), np.float64)
    response *= np.kaiser(2 * half + 1, beta)
    return response


def _whole_numbers(phases: Samples) -> Samples:
    """The coefficients as integers; each phase adds up to ``UNITY``, so a level stays exact."""
    whole: Samples = np.rint(phases * (UNITY / phases.sum(axis=1, keepdims=True)))
    rows = np.arange(len(whole))
    whole[rows, whole.argmax(axis=1)] += UNITY - whole.sum(axis=1)
    return whole


def _side_by_side(phases: Samples, down: int, first_phase: int) -> Samples:
    """One column an output of a period, its coefficients where its samples stand."""
    up, taps = phases.shape
    period = np.zeros((taps + (first_phase + (up - 1) * down) // up, up))
    for output in range(up):
        start, phase = divmod(first_phase + output * down, up)
        period[start : start + taps, output] = phases[phase]
    return period
