"""Where recordings are put. A folder is tried as far as it is there; a bucket, with ``--online``
alone, by a small file that is put there and deleted."""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from pathlib import Path
from urllib.parse import unquote, urlsplit

from exobridge.doctor.aside import aside
from exobridge.doctor.case import Case
from exobridge.doctor.disk import nearest
from exobridge.doctor.finding import Finding, error, ok
from exobridge.errors import ConfigError
from exobridge.recordings.errors import StorageError
from exobridge.recordings.storage import Storage, open_storage

BUCKET_SECONDS = 15.0
"""For the bucket; without keys, obstore looks for some at an address that may not answer."""

ABOUT = "disk.recordings"


async def look(case: Case, bucket_seconds: float = BUCKET_SECONDS) -> list[Finding]:
    """Whether recordings can be put away."""
    return [await _look(case.settings.recordings_url, case, bucket_seconds)]


async def _look(url: str | None, case: Case, bucket_seconds: float) -> Finding:
    try:
        storage = await aside(lambda: open_storage(url, case.settings.data_dir))
    except ConfigError as problem:
        return error(ABOUT, f"{problem.where} {problem.problem}", problem.cure)
    if url is None:
        return ok(ABOUT, "recordings go to the data directory")
    if (parts := urlsplit(url)).scheme == "file":
        return await aside(lambda: _folder(url, Path(unquote(parts.path))))
    if not case.scope.online:
        return ok(ABOUT, f"recordings go to {url}; --online tries whether it takes them")
    return await _bucket(url, storage, bucket_seconds)


def _folder(url: str, folder: Path) -> Finding:
    try:
        with tempfile.TemporaryFile(dir=nearest(folder)):
            return ok(ABOUT, f"recordings go to {url}")
    except OSError as problem:
        found = f"{url} cannot be written ({problem.strerror or type(problem).__name__})"
        cure = "Give it to the user that runs exobridge, or set RECORDINGS_URL to another."
        return error(ABOUT, found, cure)


async def _bucket(url: str, storage: Storage, seconds: float) -> Finding:
    try:
        async with asyncio.timeout(seconds):
            await _probe(storage)
    except (StorageError, TimeoutError) as problem:
        why = str(problem) or f"no answer within {seconds:.0f} s"
        cure = "Check the AWS_… variables, and that their key may write and delete there."
        return error(ABOUT, f"{url} takes no recordings: {why}", cure)
    return ok(ABOUT, f"{url} takes files, and deletes them")


async def _probe(storage: Storage) -> None:
    with tempfile.TemporaryDirectory(prefix="exobridge-doctor-") as folder:
        file = Path(folder) / "probe"
        file.write_bytes(b"exobridge doctor\n")
        location = await storage.put(file, f"exobridge-doctor/{uuid.uuid4().hex}", "text/plain")
    await storage.delete(location)
