"""Recordings in a bucket that speaks S3."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exobridge.errors import ConfigError
from exobridge.recordings.errors import MissingError, StorageError
from exobridge.recordings.storage import Storage, open_storage
from tests.recordings.s3 import Bucket, bucket
from tests.recordings.storages import KEY, check_storage, put, whole


@pytest.fixture
async def held(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bucket]:
    """A bucket that the environment leads to."""
    async with bucket() as held:
        for name, value in held.environment.items():
            monkeypatch.setenv(name, value)
        yield held


async def test_a_bucket_is_a_storage(held: Bucket, tmp_path: Path) -> None:
    """It does all that a storage must, below the prefix that was said; requests are signed."""
    storage = open_storage("s3://calls/of/acme", tmp_path)
    await check_storage(storage, tmp_path)
    assert set(held.objects) == {f"/calls/of/acme/{KEY.replace('abc', 'xyz')}"}
    assert set(held.types.values()) == {"audio/mpeg"}
    assert all("Credential=key-of-the-bucket/" in signature for signature in held.signatures)


async def test_a_bucket_without_a_prefix(held: Bucket, tmp_path: Path) -> None:
    """Keys stand in it as they are, and a location names them."""
    storage = open_storage("s3://calls", tmp_path)
    location = await put(storage, tmp_path, b"abc")
    assert location == f"s3://calls/{KEY}"
    assert held.objects == {f"/calls/{KEY}": b"abc"}


async def test_another_buckets_files_are_not_read(held: Bucket, tmp_path: Path) -> None:
    """A recording of a former setting is missing, not mixed up with another."""
    location = await put(open_storage("s3://calls/a", tmp_path), tmp_path, b"abc")
    with pytest.raises(MissingError):
        await whole(open_storage("s3://calls/ab", tmp_path), location)


async def test_a_bucket_that_refuses(held: Bucket, tmp_path: Path) -> None:
    """The error is the storage's own, and names no key."""
    storage: Storage = open_storage("s3://calls", tmp_path)
    location = await put(storage, tmp_path, b"abc")
    held.status = 403
    for trying in (
        put(storage, tmp_path, b"abc"),
        storage.size(location),
        whole(storage, location),
        storage.delete(location),
    ):
        with pytest.raises(StorageError) as caught:
            await trying
        assert "key-of-the-bucket" not in str(caught.value)
        assert not isinstance(caught.value, MissingError)


@pytest.mark.parametrize("status", [0, 404])
async def test_what_cannot_be_deleted_is_not_said_to_be(
    held: Bucket, tmp_path: Path, status: int
) -> None:
    """An object that is locked, a bucket that is gone: the row has to stay."""
    storage = open_storage("s3://calls", tmp_path)
    location = await put(storage, tmp_path, b"abc")
    held.is_locked, held.status = True, status
    with pytest.raises(StorageError, match="deleted"):
        await storage.delete(location)


def test_without_obstore_the_cure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "obstore", None)
    monkeypatch.delitem(sys.modules, "exobridge.recordings.bucket", raising=False)
    with pytest.raises(ConfigError, match=r"exobridge\[s3\]"):
        open_storage("s3://calls", tmp_path)
