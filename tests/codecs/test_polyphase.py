"""The filter behind the resampler."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from exobridge_codecs.polyphase import UNITY, polyphase

RATIOS = [(8000, 16000), (8000, 24000), (16000, 24000), (24000, 16000), (24000, 8000)]


@pytest.mark.parametrize(("from_rate", "to_rate"), [*RATIOS, (44100, 8000), (8000, 11025)])
def test_coefficients_are_whole_numbers_that_keep_a_level(from_rate: int, to_rate: int) -> None:
    """Each phase adds up to unity exactly, and no sum can leave the exact range of a double."""
    phases = polyphase(from_rate, to_rate).phases
    assert (phases == np.rint(phases)).all()
    assert (phases.sum(axis=1) == UNITY).all()
    assert np.abs(phases).sum(axis=1).max() * 2**15 < 2**53


@pytest.mark.parametrize(("from_rate", "to_rate"), RATIOS)
def test_both_ways_of_computing_agree(from_rate: int, to_rate: int) -> None:
    """By period and by output the same numbers come out; the first gives whole periods only."""
    by_period = polyphase(from_rate, to_rate)
    by_output = replace(by_period, period=None)
    assert by_period.period is not None
    for length in (0, 1, by_period.taps, 200, 201, 202, 203):
        samples = np.rint(np.random.default_rng(length).uniform(-32768, 32767, length))
        some = by_period.apply(samples, by_period.first_phase)
        every = by_output.apply(samples, by_output.first_phase)
        assert 0 <= len(every) - len(some) < by_period.up
        assert (every[: len(some)] == some).all()
        assert (len(every) > 0) == (length >= by_period.taps)


def test_filters_of_one_ratio_are_shared() -> None:
    """8 to 16 kHz and 24 to 48 kHz are the same object; a huge one is not kept."""
    assert polyphase(8000, 16000) is polyphase(24000, 48000)
    assert polyphase(8009, 16000) is not polyphase(8009, 16000)
