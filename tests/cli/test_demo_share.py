"""What of an answer's time is exobridge's own."""

from __future__ import annotations

import pytest

from exobridge.demo_share import Delays, delays, percentile, share
from exobridge_providers.testing.fake_http import Received
from exobridge_providers.testing.fake_vendor import Passed

PIECES = ["We", " are", " open.", " Come", " in."]
FIRST = "We are open."


def chat() -> Received:
    """A question at 10 s, answered word by word from 10.4 s on."""
    return Received("POST", "/", {}, b"", 1, 10.0, [10.4, 10.42, 10.44, 10.46, 10.48])


def test_the_delays_are_the_vendors_own() -> None:
    """Of this turn alone: what was asked before and after it is of others."""
    stt = [
        Passed(1.0, 1, False, "flush"),
        Passed(1.5, 1, True, "old"),
        Passed(9.6, 1, False, "flush"),
        Passed(9.95, 1, True, "text"),
        Passed(12.0, 1, False, "flush"),
    ]
    tts = [
        Passed(9.0, 1, True, b"old"),
        Passed(10.5, 1, False, "text"),
        Passed(10.7, 1, True, b"audio"),
        Passed(10.8, 1, True, b"audio"),
    ]
    found = delays(stt, "flush", chat(), PIECES, FIRST, tts)
    measured = (found.stt, found.token, found.words, found.tts)
    assert measured == pytest.approx((350, 400, 40, 200))


def test_a_turn_without_a_vendor_is_none() -> None:
    """Nothing is made up."""
    with pytest.raises(ValueError, match="not asked"):
        delays([], "flush", chat(), PIECES, FIRST, [])


@pytest.mark.parametrize(("end_silence_ms", "silence"), [(400, 160), (600, 250)])
def test_a_silence_that_passes_while_the_text_is_made_counts_once(
    end_silence_ms: float, silence: float
) -> None:
    """The text is asked for after 160 ms of it; the rest of it runs beside the vendor's work."""
    found = share(1300, end_silence_ms, Delays(stt=350, token=400, words=100, tts=200))
    assert found.silence == silence
    assert found.own == 1300 - silence - 1050


def test_a_percentile_is_one_of_the_values() -> None:
    """The least that so many are not above."""
    values = [float(value) for value in range(1, 21)]
    assert (percentile(values, 0.5), percentile(values, 0.95), percentile([7.0], 0.95)) == (
        10,
        19,
        7,
    )
