"""G.711 against an independent implementation of ITU-T G.191."""

from __future__ import annotations

import struct
import subprocess
import sys

import pytest

from exobridge_codecs.codec import Transcode
from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_codecs.g711 import alaw_to_pcm, mulaw_to_pcm, pcm_to_alaw, pcm_to_mulaw
from tests.codecs import g191

CODES = bytes(range(256))
SAMPLES = range(-32768, 32768)
EVERY_SAMPLE = struct.pack("<65536h", *SAMPLES)


def _decoded(pcm: bytes) -> list[int]:
    return [sample for (sample,) in struct.iter_unpack("<h", pcm)]


def test_every_mulaw_code_decodes_as_the_standard_says() -> None:
    """All 256 codes give the reference's linear value."""
    assert _decoded(mulaw_to_pcm(CODES)) == [g191.mulaw_decode(code) for code in CODES]


def test_every_alaw_code_decodes_as_the_standard_says() -> None:
    """All 256 codes give the reference's linear value."""
    assert _decoded(alaw_to_pcm(CODES)) == [g191.alaw_decode(code) for code in CODES]


def test_every_sample_is_encoded_in_alaw_as_the_standard_says() -> None:
    """All 65,536 samples give the reference's code."""
    assert pcm_to_alaw(EVERY_SAMPLE) == bytes(map(g191.alaw_encode, SAMPLES))


def _is_loudest_of_a_negative_step(sample: int) -> bool:
    """Whether one more in 14 bits would be the next step, which is not beyond the last."""
    if sample >= 0:
        return False
    next_louder = (~sample >> 2) + 33 + 1
    step = 2 << (next_louder >> 6).bit_length()
    return next_louder <= 0x1FFF and next_louder % step == 0


def test_mulaw_encoding_differs_from_the_standard_where_documented() -> None:
    """The code is the next louder one for the 508 loudest samples of the negative steps only."""
    encoded = pcm_to_mulaw(EVERY_SAMPLE)
    other: set[int] = set()
    for sample, code in zip(SAMPLES, encoded, strict=True):
        expected = g191.mulaw_encode(sample)
        if code != expected:
            other.add(sample)
            assert code == expected - 1
    assert other == {sample for sample in SAMPLES if _is_loudest_of_a_negative_step(sample)}
    assert len(other) == 508


def test_the_other_mulaw_code_is_heard_within_one_step() -> None:
    """Where the codes differ, what is decoded differs by at most a step of the louder code."""
    for sample in filter(_is_loudest_of_a_negative_step, SAMPLES):
        (code,) = pcm_to_mulaw(struct.pack("<h", sample))
        step = 8 << ((~code >> 4) & 7)
        other = g191.mulaw_decode(g191.mulaw_encode(sample))
        assert 0 < abs(g191.mulaw_decode(code) - other) <= step


@pytest.mark.parametrize(
    ("encode", "decode", "codes"),
    [(pcm_to_mulaw, mulaw_to_pcm, set(CODES) - {0x7F}), (pcm_to_alaw, alaw_to_pcm, set(CODES))],
)
def test_a_code_survives_the_round_trip(
    encode: Transcode, decode: Transcode, codes: set[int]
) -> None:
    """Decoded and encoded again a code is itself; only μ-law's second zero becomes the first."""
    again = encode(decode(CODES))
    assert {code for code in CODES if again[code] == code} == codes


def test_silence_is_the_byte_the_formats_name() -> None:
    """Silence is 0xFF in μ-law, 0xD5 in A-law, and comes back as (nearly) zero."""
    silence = bytes(320)
    assert pcm_to_mulaw(silence) == b"\xff" * 160
    assert pcm_to_alaw(silence) == b"\xd5" * 160
    for encoding, encode in ((Encoding.MULAW, pcm_to_mulaw), (Encoding.ALAW, pcm_to_alaw)):
        assert AudioFormat(encoding, 8000).silence(160) == encode(silence)
    assert mulaw_to_pcm(b"\xff\xff") == bytes(4)
    assert alaw_to_pcm(b"\xd5") == b"\x08\x00"


def test_known_bytes() -> None:
    """The extremes and the smallest values have the codes of the standard's tables."""
    pcm = struct.pack("<4h", 32767, -32768, 0, 1000)
    assert pcm_to_mulaw(pcm) == bytes([0x80, 0x00, 0xFF, 0xCE])
    assert pcm_to_alaw(pcm) == bytes([0xAA, 0x2A, 0xD5, 0xFA])


@pytest.mark.parametrize("encode", [pcm_to_mulaw, pcm_to_alaw])
def test_half_a_sample_at_the_end_is_left_out(encode: Transcode) -> None:
    """An odd number of bytes is no error."""
    assert encode(b"\x00\x10\x7f") == encode(b"\x00\x10")
    assert encode(b"\x01") == b""


def test_importing_it_warns_nobody() -> None:
    """A program run with warnings as errors can import it."""
    command = [sys.executable, "-W", "error", "-c", "import exobridge_codecs.g711"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
