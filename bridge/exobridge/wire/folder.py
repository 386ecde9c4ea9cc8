"""The folder of wire files, one a call: who may grow how large, how many there are, how old.

Lines are written in batches, each a member of the gzip file by itself and appended in one piece: a
crash costs the last batch, and processes that share the folder can write to one call's file. All
methods may block on the disk, and raise :class:`OSError`.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import platform
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import msgspec

from exobridge.wire.records import FORMAT, Cut, Header, Record, Side

SUFFIX = ".wire.gz"

_PLAIN_SID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LEVEL = 1
"""Of compression: audio in base64 gives back its quarter at any."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept.

    Attributes:
        file_bytes: Of one call, compressed; some forty minutes of speech at 8 kHz PCM16.
        files: Of all calls; the oldest gives way.
        age_s: After its last line a file is deleted, in seconds.
        free_bytes: Room on the disk that is left to others.
    """

    file_bytes: int = 64 * 1024 * 1024
    files: int = 200
    age_s: float = 7 * 86_400.0
    free_bytes: int = 200 * 1024 * 1024


class WireFolder:
    """A folder.

    Args:
        kept_by: Which side writes.
    """

    def __init__(self, folder: Path, kept_by: Side, bounds: Bounds | None = None) -> None:
        self._folder = folder
        self._kept_by = kept_by
        self._bounds = bounds or Bounds()

    def path(self, name: str) -> Path:
        """Of the file of a call."""
        if not _PLAIN_SID.fullmatch(name):
            name = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return self._folder / f"{name}{SUFFIX}"

    def append(self, name: str, call_sid: str, records: Sequence[Record]) -> bool:
        """Write records into the file ``name``; a new one begins with its header.

        Returns:
            Whether there is room for more: once a file is full, its last line says so.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        disk = os.statvfs(self._folder)
        if disk.f_bavail * disk.f_frsize < self._bounds.free_bytes:
            raise OSError("the disk is nearly full")
        file = os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(file).st_size
            if size >= self._bounds.file_bytes:
                return False
            batch = list(records)
            if not size:
                self._make_room()
                batch.insert(0, Header(FORMAT, *_versions(), self._kept_by, call_sid))
            member = _member(batch)
            full = size + len(member) >= self._bounds.file_bytes
            if full:
                member += _member([Cut(time.time(), "the file has reached its largest size")])
            _write(file, member)
        finally:
            os.close(file)
        return not full

    def drop(self, name: str) -> None:
        """Delete a call's file, if there is one."""
        self.path(name).unlink(missing_ok=True)

    def _make_room(self) -> None:
        """Delete what is too old, and the oldest of too many; the new file is among them."""
        bounds = self._bounds
        by_age: list[tuple[float, Path]] = []
        for path in self._folder.glob(f"*{SUFFIX}"):
            with suppress(FileNotFoundError):
                by_age.append((path.stat().st_mtime, path))
        by_age.sort()
        now = time.time()
        for number, (changed_at, path) in enumerate(by_age):
            if now - changed_at > bounds.age_s or number < len(by_age) - bounds.files:
                path.unlink(missing_ok=True)


@cache
def _versions() -> tuple[str, str]:
    """Of exobridge and of Python."""
    return version("exobridge"), platform.python_version()


def _member(records: Sequence[Record]) -> bytes:
    lines = b"".join(msgspec.json.encode(record) + b"\n" for record in records)
    return gzip.compress(lines, _LEVEL, mtime=0)


def _write(file: int, data: bytes) -> None:
    """In one piece, if the disk takes it so; else the rest after."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
