"""Recordings in a folder of this machine."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

from exobridge.recordings.errors import MissingError, StorageError

SCHEME = "file:"
READ_BYTES = 64 * 1024


class FolderStorage:
    """A :class:`~exobridge.recordings.storage.Storage`. A location is ``file:`` and the key, so
    that the folder may be moved.

    Args:
        root: Made when it is needed, for our eyes only.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, file: Path, key: str, media_type: str) -> str:
        """As :meth:`Storage.put`."""
        try:
            await asyncio.to_thread(self._put, file, self._path(SCHEME + key))
        except OSError as error:
            raise StorageError(f"it cannot be put away ({error.strerror})") from error
        return SCHEME + key

    async def size(self, location: str) -> int:
        """As :meth:`Storage.size`."""
        try:
            return (await asyncio.to_thread(self._path(location).stat)).st_size
        except FileNotFoundError:
            raise MissingError("there is no such file") from None
        except OSError as error:
            raise StorageError(f"it cannot be read ({error.strerror})") from error

    async def read(
        self, location: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes]:
        """As :meth:`Storage.read`."""
        try:
            with await asyncio.to_thread(self._path(location).open, "rb") as file:
                await asyncio.to_thread(file.seek, start)
                left = None if end is None else end - start
                while left is None or left > 0:
                    size = READ_BYTES if left is None else min(READ_BYTES, left)
                    if not (chunk := await asyncio.to_thread(file.read, size)):
                        return
                    left = None if left is None else left - len(chunk)
                    yield chunk
        except FileNotFoundError:
            raise MissingError("there is no such file") from None
        except OSError as error:
            raise StorageError(f"it cannot be read ({error.strerror})") from error

    async def delete(self, location: str) -> None:
        """As :meth:`Storage.delete`. Folders that are empty then go, too."""
        try:
            await asyncio.to_thread(self._delete, self._path(location))
        except OSError as error:
            raise StorageError(f"it cannot be deleted ({error.strerror})") from error

    def _path(self, location: str) -> Path:
        key = location.removeprefix(SCHEME)
        parts = key.split("/")
        if key == location or any(part in ("", ".", "..") or "\0" in part for part in parts):
            raise MissingError("it is in another storage")
        return self._root.joinpath(*parts)

    def _put(self, file: Path, path: Path) -> None:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            os.replace(file, path)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._copy(file, path)

    def _copy(self, file: Path, path: Path) -> None:
        """From another file system: beside the place first, as a rename alone is all or nothing."""
        beside = path.with_name(f".{path.name}.{uuid4().hex}")
        try:
            with file.open("rb") as source, open(beside, "xb", opener=_private) as copy:
                shutil.copyfileobj(source, copy)
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
        file.unlink()

    def _delete(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == self._root:
                return
            try:
                folder.rmdir()
            except OSError:  # something is in it
                return


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
