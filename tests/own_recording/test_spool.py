"""Where recordings wait: who holds them, and what is left of those whose writer died."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.own_recording.spool import STALE_S, Note, Spool
from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_codecs.wav import read_wav

NOTE = Note("call", "stream", pcm16(8000), 1000.0)


def begun(folder: Path, note: Note = NOTE) -> tuple[Spool, Path, BinaryIO]:
    """A spool with a recording that is being written."""
    spool = Spool(folder / "spool")
    return spool, *spool.begin(note)


def test_a_recording_is_held_until_its_writer_lets_go(tmp_path: Path) -> None:
    """Nobody else gets it before, and only one at a time after."""
    spool, path, sound = begun(tmp_path)
    with spool.claim(path) as waiting:
        assert waiting is None
    sound.close()
    with spool.claim(path) as waiting, spool.claim(path) as other:
        assert waiting is not None
        assert waiting.note == NOTE
        assert other is None


@pytest.mark.parametrize(
    "audio", [pcm16(8000), pcm16(24000), AudioFormat(Encoding.MULAW, 8000)], ids=str
)
def test_what_was_cut_off_can_be_read(tmp_path: Path, audio: AudioFormat) -> None:
    """As it was left, and after it was mended, without the half sample at its end."""
    note = Note("call", "stream", audio, 0.0)
    spool, path, sound = begun(tmp_path, note)
    frame = 2 * audio.sample_bytes
    sound.write(b"\x01" * frame * 100)
    sound.flush()
    assert len(read_wav(path).channels) == 2
    sound.write(b"\x01" * (frame - 1))
    sound.close()
    with spool.claim(path) as waiting:
        assert waiting is not None
        assert waiting.data_bytes == frame * 100
        assert waiting.duration_ms == round(100_000 / audio.sample_rate)
    wav = read_wav(path)
    assert (wav.sample_rate, len(wav.channels)) == (audio.sample_rate, 2)
    assert len(wav.channels[0]) == 200


def test_a_file_that_was_cut_off_in_its_header_is_an_empty_one(tmp_path: Path) -> None:
    """And is none that can be stored."""
    spool, path, sound = begun(tmp_path)
    sound.close()
    os.truncate(path, 3)
    with spool.claim(path) as waiting:
        assert waiting is not None
        assert waiting.data_bytes == 0


def test_files_are_for_our_eyes_only(tmp_path: Path) -> None:
    """They hold what callers say."""
    spool, path, sound = begun(tmp_path)
    sound.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.with_suffix(".json").stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert spool.free_bytes() > 0


def test_halves_are_swept_when_they_are_old(tmp_path: Path) -> None:
    """A writer that has just begun has one half, too."""
    spool, path, sound = begun(tmp_path)
    sound.close()
    path.unlink()
    half = path.with_suffix(".json")
    assert spool.paths() == []
    assert half.exists()
    long_ago = time.time() - STALE_S - 1
    os.utime(half, (long_ago, long_ago))
    assert spool.paths() == []
    assert not half.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"call_sid": 1}'])
def test_a_note_that_cannot_be_read_is_passed_over(tmp_path: Path, content: bytes) -> None:
    """It ends no look at the spool."""
    spool, path, sound = begun(tmp_path)
    sound.close()
    path.with_suffix(".json").write_bytes(content)
    with spool.claim(path) as waiting:
        assert waiting is None
    assert spool.of_call("call") == []


@given(st.text(), st.text())
def test_no_name_leads_out_of_the_folder(
    tmp_path_factory: pytest.TempPathFactory, call_sid: str, stream_sid: str
) -> None:
    """Whatever Exotel calls a call."""
    folder = tmp_path_factory.mktemp("named")
    spool, path, sound = begun(folder, Note(call_sid, stream_sid, pcm16(8000), 0.0))
    sound.close()
    assert path.parent == folder / "spool"
    assert spool.of_call(call_sid) == [path]
