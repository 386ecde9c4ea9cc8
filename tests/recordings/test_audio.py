"""What is taken for a recording."""

from __future__ import annotations

import io
import tempfile
import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.recordings.audio import inspect, kind_of
from exobridge.recordings.errors import NotReadyError
from tests.exotel_account import silent_mp3


def wav(seconds: float, channels: int = 2) -> bytes:
    """Silence at 8 kHz."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((channels, 2, 8000, 0, "NONE", ""))
        out.writeframes(bytes(round(seconds * 8000) * 2 * channels))
    return file.getvalue()


ID3 = b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10)


@pytest.mark.parametrize("channels", [1, 2])
def test_an_mp3_tells_its_length(tmp_path: Path, channels: int) -> None:
    """And its channels and rate; also behind a tag."""
    path = tmp_path / "a"
    for before in (b"", ID3):
        path.write_bytes(before + silent_mp3(7.2, channels=channels))
        audio = inspect(path)
        assert (audio.suffix, audio.media_type) == ("mp3", "audio/mpeg")
        assert abs(audio.duration_ms - 7200) <= 100
        assert (audio.channels, audio.sample_rate) == (channels, 8000)


def test_a_wav_tells_its_length(tmp_path: Path) -> None:
    """And its channels and rate."""
    path = tmp_path / "a"
    path.write_bytes(wav(1.5))
    audio = inspect(path)
    assert (audio.suffix, audio.media_type, audio.duration_ms) == ("wav", "audio/wav", 1500)
    assert (audio.channels, audio.sample_rate) == (2, 8000)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"<html><body>Not found</body></html>",
        b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
        b'{"RestException":{"Status":404}}',
        b"OggS" + bytes(100),
        b"MZ" + bytes(100),
        bytes(1000),
        b"\xff" * 1000,
        b"RIFF\x00\x00\x00\x00WAVE",
        wav(0),
        wav(1)[:22],
        ID3,
    ],
)
def test_what_is_no_recording(tmp_path: Path, content: bytes) -> None:
    """Nothing, a page of errors, another kind of file, a file without sound."""
    path = tmp_path / "a"
    path.write_bytes(content)
    with pytest.raises(NotReadyError):
        inspect(path)


@given(
    st.sampled_from(
        [b"", b"ID3", b"ID3\x04\x00", b"RIFF\xff\xff\xff\xffWAVE", b"\xff\xe3\x18\xc0"]
    ),
    st.binary(max_size=400),
)
def test_no_bytes_crash_it(head: bytes, rest: bytes) -> None:
    """Whatever a server sends is audio with a length, or is not ready."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        path.write_bytes(head + rest)
        try:
            audio = inspect(path)
        except NotReadyError:
            return
    assert audio.duration_ms >= 1


def test_kinds_by_their_first_bytes() -> None:
    """A frame of another layer, version or rate is none, nor is a film in RIFF."""
    assert kind_of(b"RIFF\x24\x00\x00\x00WAVEfmt ") == "wav"
    assert kind_of(b"RIFF\x24\x00\x00\x00AVI LIST") is None
    assert kind_of(b"\xff\xfb\x90\x00") == "mp3"
    assert kind_of(b"\xff\xe3\x18\xc0") == "mp3"
    for head in (
        b"\xff\xfd\x90\x00",
        b"\xff\xeb\x90\x00",
        b"\xff\xfb\xf0\x00",
        b"\xff\xfb\x9c\x00",
    ):
        assert kind_of(head) is None
