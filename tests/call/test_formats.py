"""Which format a provider is asked for."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.call.formats import choose_format
from exobridge_codecs.formats import AudioFormat, Encoding, pcm16

MULAW_8K, ALAW_8K = AudioFormat(Encoding.MULAW, 8000), AudioFormat(Encoding.ALAW, 8000)
PCM_8K = pcm16(8000)


@pytest.mark.parametrize(
    ("line", "offered", "chosen"),
    [
        (MULAW_8K, (pcm16(16000), pcm16(8000), MULAW_8K), MULAW_8K),
        (MULAW_8K, (ALAW_8K, pcm16(16000), pcm16(8000)), pcm16(8000)),
        (PCM_8K, (pcm16(16000), PCM_8K), PCM_8K),
        (PCM_8K, (MULAW_8K, pcm16(16000)), MULAW_8K),
        (PCM_8K, (pcm16(24000), pcm16(16000)), pcm16(16000)),
        (pcm16(24000), (PCM_8K, pcm16(16000)), pcm16(16000)),
        (pcm16(16000), (PCM_8K, pcm16(48000), pcm16(24000)), pcm16(24000)),
    ],
)
def test_the_nearest_format_is_chosen(
    line: AudioFormat, offered: tuple[AudioFormat, ...], chosen: AudioFormat
) -> None:
    """The line's own, else PCM16 at its rate, else the lowest rate that loses nothing, else the
    highest there is."""
    assert choose_format(offered, line) == chosen


rates = st.sampled_from([8000, 16000, 24000, 48000])
formats = st.builds(AudioFormat, st.sampled_from(Encoding), rates)


@given(st.lists(formats, min_size=1, unique=True), formats)
def test_no_better_format_is_passed_over(offered: list[AudioFormat], line: AudioFormat) -> None:
    """What is chosen is offered, and loses band only where every offer does."""
    chosen = choose_format(tuple(offered), line)
    assert chosen in offered
    if line in offered:
        assert chosen == line
    if any(offer.sample_rate >= line.sample_rate for offer in offered):
        assert chosen.sample_rate >= line.sample_rate
    for cheaper, dearer in pairwise(sorted({offer.sample_rate for offer in offered})):
        if cheaper >= line.sample_rate:
            assert chosen.sample_rate != dearer
