"""What every storage must do."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from exobridge.recordings.errors import MissingError
from exobridge.recordings.storage import Storage

KEY = "2026/11/21/abc/exotel.mp3"


async def whole(storage: Storage, location: str, start: int = 0, end: int | None = None) -> bytes:
    """What :meth:`Storage.read` gives."""
    return b"".join([chunk async for chunk in storage.read(location, start, end)])


async def put(storage: Storage, folder: Path, content: bytes, key: str = KEY) -> str:
    """Put a file with this content; where it is."""
    path = folder / "new"
    await asyncio.to_thread(path.write_bytes, content)
    return await storage.put(path, key, "audio/mpeg")


async def check_storage(storage: Storage, folder: Path) -> None:
    """Files go in whole, come out in parts, are replaced and deleted."""
    content = bytes(range(256)) * 1000
    location = await put(storage, folder, b"an older one")
    assert await put(storage, folder, content) == location
    assert await storage.size(location) == len(content)
    assert await whole(storage, location) == content
    assert await whole(storage, location, 10, 20) == content[10:20]
    assert await whole(storage, location, 100_000, 200_000) == content[100_000:200_000]
    assert await whole(storage, location, len(content) - 5) == content[-5:]
    assert await whole(storage, location, 20, 20) == b""
    other = await put(storage, folder, b"another", KEY.replace("abc", "xyz"))
    await storage.delete(location)
    await storage.delete(location)
    for reading in (storage.size(location), whole(storage, location)):
        with pytest.raises(MissingError):
            await reading
    assert await whole(storage, other) == b"another"
    for elsewhere in ("", "s3://another/bucket.mp3", "file:../../etc/passwd", "file:/etc/passwd"):
        with pytest.raises(MissingError):
            await storage.size(elsewhere)
