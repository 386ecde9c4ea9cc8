"""WAV files: round trips, every kind that is read, every kind that is refused."""

from __future__ import annotations

import io
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_codecs.g711 import alaw_to_pcm, mulaw_to_pcm
from exobridge_codecs.pcm import to_int16
from exobridge_codecs.wav import Wav, WavError, parse_wav, read_wav, wav_header, write_wav

PCM, FLOAT, ALAW, MULAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) & 1)


def _fmt(tag: int, channels: int, rate: int, bits: int, extra: bytes = b"") -> bytes:
    block = channels * bits // 8
    content = struct.pack("<HHIIHH", tag, channels, rate, rate * block, block, bits)
    return _chunk(b"fmt ", content + extra)


def _riff(*chunks: bytes) -> bytes:
    return _chunk(b"RIFF", b"WAVE" + b"".join(chunks))


def _file(tag: int, channels: int, bits: int, data: bytes, extra: bytes = b"") -> bytes:
    return _riff(_fmt(tag, channels, 8000, bits, extra), _chunk(b"data", data))


MONO = _file(PCM, 1, 16, b"\x01\x00\xff\x7f")


@given(st.sampled_from([8000, 16000, 24000, 44100]), st.binary(max_size=99), st.binary(max_size=99))
def test_stereo_comes_back_as_written(rate: int, left: bytes, right: bytes) -> None:
    """Both channels do; the shorter one is filled with silence, half samples are dropped."""
    file = io.BytesIO()
    write_wav(file, rate, left, right)
    size = max(len(left), len(right)) // 2 * 2
    padded = [channel[: len(channel) // 2 * 2].ljust(size, b"\0") for channel in (left, right)]
    assert parse_wav(file.getvalue()) == Wav(rate, (padded[0], padded[1]))


@given(st.binary(max_size=99))
def test_mono_comes_back_as_written(pcm: bytes) -> None:
    """As one channel, at its rate."""
    file = io.BytesIO()
    write_wav(file, 8000, pcm)
    assert parse_wav(file.getvalue()) == Wav(8000, (pcm[: len(pcm) // 2 * 2],))


def test_files_by_path_and_by_handle(tmp_path: Path) -> None:
    """Paths, their strings and open files will do; an open file stays open."""
    path = tmp_path / "call.wav"
    write_wav(path, 16000, b"\x01\x00")
    assert read_wav(path) == read_wav(str(path)) == Wav(16000, (b"\x01\x00",))
    write_wav(str(path), 8000, b"\x02\x00")
    with path.open("rb") as file:
        assert read_wav(file) == Wav(8000, (b"\x02\x00",))
        assert not file.closed
    with path.open("wb") as file:
        write_wav(file, 8000, b"\x03\x00")
        assert not file.closed
    assert read_wav(path).channels == (b"\x03\x00",)


def test_what_is_written_is_an_ordinary_file() -> None:
    """Another reader finds the channels interleaved, left first."""
    file = io.BytesIO()
    write_wav(file, 24000, b"\x01\x00\x02\x00", b"\x03\x00")
    file.seek(0)
    with wave.open(file) as reader:
        assert (reader.getnchannels(), reader.getsampwidth(), reader.getframerate()) == (
            2,
            2,
            24000,
        )
        assert reader.readframes(9) == b"\x01\x00\x03\x00\x02\x00\x00\x00"


@pytest.mark.parametrize(
    ("bits", "data"),
    [
        (8, bytes([0, 0x80, 0xFF])),
        (16, struct.pack("<3h", -32768, 0, 32512)),
        (24, bytes.fromhex("ff0080 ff0000 ff007f")),
        (32, bytes.fromhex("ffff0080 ffff0000 ffff007f")),
    ],
)
def test_every_depth_becomes_16_bits(bits: int, data: bytes) -> None:
    """8 bits are unsigned; of deeper samples the upper 16 bits are kept."""
    (pcm,) = parse_wav(_file(PCM, 1, bits, data)).channels
    assert to_int16(pcm).tolist() == [-32768, 0, 32512]


def test_stereo_of_other_depths_is_separated() -> None:
    """24-bit channels too."""
    wav = parse_wav(_file(PCM, 2, 24, bytes.fromhex("000100 000200 000300 000400")))
    assert wav.channels == (b"\x01\x00\x03\x00", b"\x02\x00\x04\x00")


@pytest.mark.parametrize("channels", [1, 2])
def test_telephone_recordings_are_decoded(channels: int) -> None:
    """G.711 of both laws, with the format's longer header."""
    codes = bytes(range(256))
    for tag, decode in ((MULAW, mulaw_to_pcm), (ALAW, alaw_to_pcm)):
        data = np.repeat(np.frombuffer(codes, np.uint8), channels).tobytes()
        wav = parse_wav(_file(tag, channels, 8, data, extra=b"\0\0"))
        assert wav.channels == (decode(codes),) * channels


def test_the_extensible_header_is_read() -> None:
    """Its GUID names the encoding; any other GUID is refused."""
    extra = struct.pack("<HHIH", 22, 16, 4, PCM)
    data = b"\x01\x00\x02\x00"
    assert parse_wav(_file(EXTENSIBLE, 1, 16, data, extra + GUID_TAIL)).channels == (data,)
    for wrong in (b"", extra, extra + bytes(14), struct.pack("<HHIH", 22, 16, 4, 3) + GUID_TAIL):
        with pytest.raises(WavError):
            parse_wav(_file(EXTENSIBLE, 1, 16, data, wrong))


def test_other_chunks_are_skipped() -> None:
    """Also one of odd length, whose padding byte is not counted; what follows the data too."""
    wav = parse_wav(
        _riff(
            _chunk(b"LIST", b"odd"),
            _fmt(PCM, 1, 8000, 16),
            _chunk(b"fact", bytes(4)),
            _chunk(b"data", b"\x05\x00"),
            b"rubbish",
        )
    )
    assert wav == Wav(8000, (b"\x05\x00",))


def test_data_of_unknown_size_go_on_to_the_end() -> None:
    """A file written to a pipe names no size."""
    stream = _riff(_fmt(PCM, 1, 8000, 16)) + b"data\xff\xff\xff\xff" + b"\x01\x00\x02\x00"
    assert parse_wav(stream).channels == (b"\x01\x00\x02\x00",)


def test_length_and_mono() -> None:
    """The duration is in milliseconds; mono is the mean, or the one channel there is."""
    stereo = Wav(8000, (struct.pack("<2h", 100, -32768), struct.pack("<2h", 201, -32768)))
    assert stereo.duration_ms == 0.25
    assert to_int16(stereo.mono()).tolist() == [150, -32768]
    mono = parse_wav(MONO)
    assert mono.mono() is mono.channels[0]


REFUSED = {
    "nothing at all": b"",
    "another kind of file": b"ID3\x04" + bytes(60),
    "big-endian": b"RIFX" + MONO[4:],
    "RIFF, but not WAVE": MONO[:8] + b"AVI " + MONO[12:],
    "only the first header": MONO[:12],
    "a cut-off header": MONO[:30],
    "cut-off data": MONO[:-1],
    "no data": _riff(_fmt(PCM, 1, 8000, 16)),
    "no format": _riff(_chunk(b"data", b"\0\0")),
    "a format too short": _riff(_chunk(b"fmt ", bytes(14)), _chunk(b"data", b"\0\0")),
    "floats": _file(FLOAT, 1, 32, bytes(4)),
    "MP3 inside": _file(0x55, 1, 16, bytes(4)),
    "no channels": _file(PCM, 0, 16, bytes(4)),
    "six channels": _file(PCM, 6, 16, bytes(12)),
    "no bits": _file(PCM, 1, 0, bytes(4)),
    "12 bits": _file(PCM, 2, 12, bytes(6)),
    "16 bits of μ-law": _file(MULAW, 1, 16, bytes(4)),
    "half a sample": _file(PCM, 1, 16, bytes(3)),
    "a frame too small": MONO[:32] + b"\x01\x00" + MONO[34:],
    "no sample rate": _riff(_fmt(PCM, 1, 0, 16), _chunk(b"data", b"\0\0")),
    "a sample rate beyond all sense": _riff(_fmt(PCM, 1, 192001, 16), _chunk(b"data", b"\0\0")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_such_file_is_refused(name: str) -> None:
    """With one kind of error, from bytes and from a file alike."""
    with pytest.raises(WavError):
        parse_wav(REFUSED[name])
    with pytest.raises(WavError):
        read_wav(io.BytesIO(REFUSED[name]))


def _readable_or_refused(data: bytes) -> None:
    try:
        wav = parse_wav(data)
    except WavError:
        return
    assert 1 <= len(wav.channels) <= 2
    assert len({len(channel) for channel in wav.channels}) == 1
    assert len(wav.mono()) == len(wav.channels[0])
    assert wav.duration_ms >= 0


@given(st.binary(max_size=200))
@example(MONO)
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    """Neither as a file nor behind a good beginning."""
    _readable_or_refused(data)
    _readable_or_refused(b"RIFF\0\0\0\0WAVE" + data)
    _readable_or_refused(MONO[:36] + data)


@given(st.sampled_from([MONO, _file(MULAW, 2, 8, bytes(8), b"\0\0")]), st.data())
def test_no_damage_raises_anything_else(file: bytes, data: st.DataObject) -> None:
    """Any bytes of a good file changed, any end cut off."""
    damaged = bytearray(file[: data.draw(st.integers(0, len(file)))])
    for at in data.draw(st.lists(st.integers(0, max(len(damaged) - 1, 0)), max_size=6)):
        if damaged:
            damaged[at] = data.draw(st.integers(0, 255))
    _readable_or_refused(bytes(damaged))


def test_a_missing_file_is_not_a_bad_file(tmp_path: Path) -> None:
    """The system's own error says so."""
    with pytest.raises(FileNotFoundError):
        read_wav(tmp_path / "none.wav")


@pytest.mark.parametrize(("rate", "channels"), [(8000, 0), (8000, 3), (0, 1), (192001, 1)])
def test_only_what_can_be_read_is_written(tmp_path: Path, rate: int, channels: int) -> None:
    """Anything else is refused before a file is made."""
    path = tmp_path / "no.wav"
    with pytest.raises(ValueError, match=r"can be written|sample rate"):
        write_wav(path, rate, *[b"\0\0"] * channels)
    assert not path.exists()


@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.parametrize("channels", [1, 2])
def test_a_header_alone_makes_a_file_of_what_follows(encoding: Encoding, channels: int) -> None:
    """Whether the length was known when it was written or not, it is as long, and is read alike."""
    audio = AudioFormat(encoding, 8000)
    data = bytes(range(64)) * channels * audio.sample_bytes
    unknown, known = wav_header(audio, channels), wav_header(audio, channels, len(data))
    assert len(unknown) == len(known)
    wav = parse_wav(known + data)
    assert parse_wav(unknown + data) == wav
    assert (wav.sample_rate, len(wav.channels)) == (8000, channels)
    assert wav.duration_ms == 8


def test_a_header_is_as_others_write_it() -> None:
    """Byte by byte the standard library's, for PCM16."""
    file = io.BytesIO()
    write_wav(file, 16000, bytes(20), bytes(20))
    header = wav_header(AudioFormat(Encoding.PCM16, 16000), 2, 40)
    assert file.getvalue() == header + bytes(40)
