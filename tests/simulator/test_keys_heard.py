"""Keys that a bot sends as tones."""

from __future__ import annotations

import pytest

from exobridge.simulator.keys_heard import keys_heard
from exobridge_codecs.codec import decoder, encoder
from exobridge_codecs.formats import Encoding
from exobridge_codecs.tones import DTMF_DIGITS, dtmf, tone


@pytest.mark.parametrize("sample_rate", [8000, 16000, 24000])
def test_every_key_is_heard_with_its_time(sample_rate: int) -> None:
    """Also the same one twice; a silence before them counts into the times."""
    pcm = bytes(2 * sample_rate) + dtmf(f"{DTMF_DIGITS}55", sample_rate)
    keys = keys_heard(pcm, sample_rate)
    assert "".join(key for _, key in keys) == f"{DTMF_DIGITS}55"
    assert [at for at, _ in keys] == pytest.approx(
        [1000 + 150 * number for number in range(len(keys))], abs=20
    )


def test_keys_survive_mulaw_and_a_low_level() -> None:
    """What a telephone line does to them."""
    pcm = dtmf("041#", 8000, tone_ms=60, gap_ms=50, level_dbfs=-26)
    line = decoder(Encoding.MULAW)(encoder(Encoding.MULAW)(pcm))
    assert "".join(key for _, key in keys_heard(line, 8000)) == "041#"


@pytest.mark.parametrize(
    "pcm",
    [
        b"",
        bytes(16000),
        tone(697, 300, 8000),
        tone(1000, 300, 8000),
        dtmf("5", 8000, tone_ms=25),
        dtmf("5", 8000, level_dbfs=-60),
    ],
    ids=["nothing", "silence", "one tone of a pair", "another tone", "too short", "too quiet"],
)
def test_what_is_no_key_is_none(pcm: bytes) -> None:
    """A pair, long enough and loud enough, is a key; nothing else is."""
    assert keys_heard(pcm, 8000) == ()
