"""Recordings in a bucket that speaks S3, by obstore. Needs the extra ``s3``.

Keys, region and another endpoint are taken from the process's environment: ``AWS_ACCESS_KEY_ID``,
``AWS_SECRET_ACCESS_KEY``, ``AWS_REGION``, ``AWS_ENDPOINT``, ``AWS_ALLOW_HTTP`` and the rest of what
obstore reads.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Self

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, S3Store

from exobridge.errors import ConfigError
from exobridge.recordings.errors import MissingError, StorageError


class BucketStorage:
    """A :class:`~exobridge.recordings.storage.Storage`.

    Args:
        store: Of obstore.
        base: What a location begins with, ``s3://bucket/prefix/``.
    """

    def __init__(self, store: ObjectStore, base: str) -> None:
        self._store = store
        self._base = base

    @classmethod
    def of(cls, bucket: str, prefix: str) -> Self:
        """A bucket of the environment's account.

        Raises:
            ConfigError: What the environment says of it cannot be used.
        """
        try:
            store = S3Store(
                bucket,
                prefix=prefix or None,
                client_options={
                    "connect_timeout": "10s",
                    "timeout": "120s",
                    # Options that are given hide those of the environment.
                    "allow_http": os.environ.get("AWS_ALLOW_HTTP", "").lower() == "true",
                },
                retry_config={"max_retries": 2},
            )
        except BaseError as error:
            raise ConfigError(
                "RECORDINGS_URL",
                f"the bucket cannot be used ({type(error).__name__})",
                "Check the AWS_… variables of the process's environment.",
            ) from None
        return cls(store, f"s3://{bucket}/{prefix}/" if prefix else f"s3://{bucket}/")

    async def put(self, file: Path, key: str, media_type: str) -> str:
        """As :meth:`Storage.put`. The file stays."""
        try:
            await obstore.put_async(self._store, key, file, attributes={"Content-Type": media_type})
        except (BaseError, OSError) as error:
            raise _failure("put away", error) from None
        return self._base + key

    async def size(self, location: str) -> int:
        """As :meth:`Storage.size`."""
        try:
            return (await obstore.head_async(self._store, self._key(location)))["size"]
        except (BaseError, OSError) as error:
            raise _failure("read", error) from None

    async def read(
        self, location: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes]:
        """As :meth:`Storage.read`."""
        if end is not None and end <= start:
            return
        try:
            got = await obstore.get_async(
                self._store,
                self._key(location),
                options={"range": {"offset": start} if end is None else (start, end)},
            )
            async for chunk in got.stream():
                yield bytes(chunk)
        except (BaseError, OSError) as error:
            raise _failure("read", error) from None

    async def delete(self, location: str) -> None:
        """As :meth:`Storage.delete`."""
        # S3 says of what was not there that it is deleted, so "not found" means the bucket.
        try:
            await obstore.delete_async(self._store, self._key(location))
        except (BaseError, OSError) as error:
            raise StorageError(f"it cannot be deleted ({type(error).__name__})") from None

    def _key(self, location: str) -> str:
        if not location.startswith(self._base):
            raise MissingError("it is in another storage")
        return location.removeprefix(self._base)


def _failure(what: str, error: Exception) -> StorageError:
    """Only the error's type is told: its words may hold a signed URL."""
    if isinstance(error, FileNotFoundError):
        return MissingError("there is no such file")
    return StorageError(f"it cannot be {what} ({type(error).__name__})")
