"""Recordings in a folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from exobridge.recordings.errors import StorageError
from exobridge.recordings.folder import FolderStorage
from exobridge.recordings.storage import open_storage
from tests.recordings.storages import KEY, check_storage, put, whole


async def test_a_folder_is_a_storage(tmp_path: Path) -> None:
    """It does all that a storage must."""
    await check_storage(FolderStorage(tmp_path / "kept"), tmp_path)


async def test_the_folder_may_be_moved(tmp_path: Path) -> None:
    """Locations do not hold its path."""
    location = await put(FolderStorage(tmp_path / "kept"), tmp_path, b"abc")
    os.rename(tmp_path / "kept", tmp_path / "moved")
    assert await whole(FolderStorage(tmp_path / "moved"), location) == b"abc"


def one_file_system(one: Path, other: Path) -> bool:
    """Whether a file can be renamed from one folder into the other."""
    return not one.is_dir() or one.stat().st_dev == other.stat().st_dev


async def test_from_another_file_system(tmp_path: Path) -> None:
    """The file is copied beside its place first; nothing else is left."""
    elsewhere = Path("/dev/shm")
    if one_file_system(elsewhere, tmp_path):
        pytest.skip("there is only one file system")
    source = elsewhere / f"exobridge-test-{os.getpid()}"
    source.write_bytes(b"abc")
    storage = FolderStorage(tmp_path / "kept")
    location = await storage.put(source, KEY, "audio/mpeg")
    assert await whole(storage, location) == b"abc"
    assert not source.exists()
    (kept,) = [path for path in (tmp_path / "kept").rglob("*") if path.is_file()]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


async def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    """The folders are ours alone."""
    storage = FolderStorage(tmp_path / "kept")
    await put(storage, tmp_path, b"abc")
    for folder in (tmp_path / "kept", (tmp_path / "kept" / KEY).parent):
        assert stat.S_IMODE(folder.stat().st_mode) & 0o007 == 0
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o700


async def test_empty_folders_go(tmp_path: Path) -> None:
    """With the last file, up to the storage's own."""
    storage = FolderStorage(tmp_path / "kept")
    location = await put(storage, tmp_path, b"abc")
    await storage.delete(location)
    assert list((tmp_path / "kept").iterdir()) == []


async def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """The error is the storage's own."""
    (tmp_path / "kept").write_bytes(b"a file")
    with pytest.raises(StorageError):
        await put(FolderStorage(tmp_path / "kept"), tmp_path, b"abc")


async def test_the_storage_that_the_setting_names(tmp_path: Path) -> None:
    """The data directory's folder, or another one, spaces and all."""
    await put(open_storage(None, tmp_path / "data"), tmp_path, b"abc")
    assert (tmp_path / "data" / "recordings" / KEY).read_bytes() == b"abc"
    await put(open_storage(f"file://{tmp_path}/my%20calls", tmp_path / "data"), tmp_path, b"xyz")
    assert (tmp_path / "my calls" / KEY).read_bytes() == b"xyz"
