"""The folder in which recordings grow, and wait until they are stored.

A recording is two files: ``ID.wav``, and ``ID.json``, which says of which stream. Whoever works on
one holds a lock on the ``.wav``; the system lets go of it when a process dies, however it dies. So
what nobody holds is whole, or as whole as it will ever be: its header, written when its length was
not known yet, is mended before it is stored.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from exobridge_codecs.formats import AudioFormat
from exobridge_codecs.wav import wav_header

CHANNELS = 2

STALE_S = 3600.0
"""A file without its other half is rubbish after so long, in seconds: its writer died between the
two."""


class Note(msgspec.Struct, frozen=True):
    """What ``ID.json`` says.

    Attributes:
        began_at: When the stream began, Unix time in seconds.
    """

    call_sid: str
    stream_sid: str
    audio: AudioFormat
    began_at: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """A recording that nobody works on but whoever was given this.

    Attributes:
        path: The file, with its right header.
        data_bytes: Size of the audio.
    """

    path: Path
    note: Note
    data_bytes: int

    @property
    def duration_ms(self) -> int:
        """Length."""
        return round(self.note.audio.duration_ms(self.data_bytes // CHANNELS))


class Spool:
    """A folder, shared by the processes of one machine. All methods may block on the disk, and
    raise :class:`OSError`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def free_bytes(self) -> int:
        """Room on its disk."""
        self._make()
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize

    def begin(self, note: Note) -> tuple[Path, BinaryIO]:
        """A new recording: its path, and its file, locked and open for appending."""
        self._make()
        sids = f"{note.call_sid}\0{note.stream_sid}\0{note.began_at}"
        name = hashlib.sha256(sids.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        path = self._folder / f"{name}.wav"
        new = path.with_suffix(".new")
        with _private(path.with_suffix(".json")) as file:
            file.write(msgspec.json.encode(note))
        sound = _private(new)
        try:
            fcntl.flock(sound, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sound.write(wav_header(note.audio, CHANNELS))
            sound.flush()
            new.rename(path)  # locked before anybody can find it
        except OSError:
            sound.close()
            _remove(new)
            raise
        return path, sound

    def drop(self, path: Path) -> None:
        """Take a recording away."""
        for suffix in (".wav", ".json", ".new", ".put"):
            _remove(path.with_suffix(suffix))

    @contextmanager
    def claim(self, path: Path) -> Generator[Waiting | None]:
        """Work on a recording that nobody else works on; ``None``: somebody does, or it is none."""
        try:
            file = path.open("r+b")
        except FileNotFoundError:
            yield None
            return
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
                return
            note = _note(path.with_suffix(".json"))
            if note is None or not path.exists():  # stored by another a moment ago
                yield None
                return
            yield Waiting(path, note, _mend(file, note))

    def paths(self) -> list[Path]:
        """The recordings that are there, whether somebody works on them or not."""
        self._sweep()
        return sorted(self._folder.glob("*.wav"))

    def of_call(self, call_sid: str) -> list[Path]:
        """The recordings of one call that are there."""
        found = ((path, _note(path.with_suffix(".json"))) for path in self.paths())
        return [path for path, note in found if note is not None and note.call_sid == call_sid]

    def _make(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _sweep(self) -> None:
        for path in [*self._folder.glob("*.json"), *self._folder.glob("*.wav")]:
            halves = {path.with_suffix(".json"), path.with_suffix(".wav")}
            with suppress(FileNotFoundError):
                is_old = time.time() - path.stat().st_mtime > STALE_S
                if is_old and not all(half.exists() for half in halves):
                    self.drop(path.with_suffix(".wav"))


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _note(path: Path) -> Note | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Note)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _mend(file: BinaryIO, note: Note) -> int:
    """Give a file the header of its length, and leave off half a sample at its end."""
    head = len(wav_header(note.audio, CHANNELS))
    size = max(0, file.seek(0, os.SEEK_END) - head)
    size -= size % (CHANNELS * note.audio.sample_bytes)
    header = wav_header(note.audio, CHANNELS, size)
    file.seek(0)
    if file.read(head) != header:  # once, so that the file's time stays that of its end
        file.truncate(head + size)
        file.seek(0)
        file.write(header)
        file.flush()
    return size
