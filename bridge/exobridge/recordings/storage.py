"""Where recordings are kept, as one interface: a folder, or a bucket that speaks S3."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from exobridge.errors import ConfigError
from exobridge.recordings.folder import FolderStorage

VARIABLE = "RECORDINGS_URL"


class Storage(Protocol):
    """Keeps files. Each method raises :class:`~exobridge.recordings.errors.StorageError`."""

    async def put(self, file: Path, key: str, media_type: str) -> str:
        """Put a file away under a key, in place of what is there. All of it is there afterwards, or
        nothing has changed. The file itself may be gone then.

        Returns:
            Where it is, for the methods below.
        """
        ...

    async def size(self, location: str) -> int:
        """How many bytes it has.

        Raises:
            MissingError: There is no such file.
        """
        ...

    def read(self, location: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Its bytes from ``start`` on, up to before ``end``; ``None``: to its last.

        Raises:
            MissingError: There is no such file.
        """
        ...

    async def delete(self, location: str) -> None:
        """Delete it. That it is gone already is as good."""
        ...


def open_storage(url: str | None, data_dir: Path) -> Storage:
    """The storage that ``RECORDINGS_URL`` names.

    Args:
        url: ``file:///path`` or ``s3://bucket/prefix``; ``None``: ``recordings`` in the data
            directory.

    Raises:
        ConfigError: It cannot be used.
    """
    if url is None:
        return FolderStorage(data_dir / "recordings")
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FolderStorage(Path(unquote(parts.path)))
    try:
        from exobridge.recordings.bucket import BucketStorage  # needs an extra
    except ImportError:
        raise ConfigError(
            VARIABLE,
            "names a bucket, for which the package obstore is missing",
            "Install it with pip install 'exobridge[s3]', or name a folder: file:///path.",
        ) from None
    return BucketStorage.of(parts.netloc, parts.path.strip("/"))
