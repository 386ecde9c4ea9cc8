"""Exotel's recordings of calls: heard of, fetched once they are there, checked, stored, told."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, Self

import structlog

from exobridge.call.events import CallEvent
from exobridge.call.events import recording as recording_event
from exobridge.exotel.api import ExotelApi, ExotelError, NotFoundError
from exobridge.jobs import GiveUp, JobRunner, Later
from exobridge.recordings.audio import Audio, inspect
from exobridge.recordings.errors import (
    BrokenError,
    NotReadyError,
    RefusedError,
    StorageError,
    TooLargeError,
)
from exobridge.recordings.fetch import Fetched, Fetcher, FetchOptions
from exobridge.recordings.keys import key_of
from exobridge.recordings.schedule import (
    AT_SECONDS,
    GIVE_UP_SECONDS,
    UNHEARD_SECONDS,
    next_look,
)
from exobridge.recordings.storage import Storage, open_storage
from exobridge.settings import Settings
from exobridge.store import Store, StoreRefusedError
from exobridge.store.jobs import Job
from exobridge.store.recordings import Recording

KIND = "recording"
"""Of these jobs."""

SOURCE = "exotel"
"""Of these recordings."""

FETCH_SECONDS = 600.0
"""How long one try may take, of whatever size the recording is."""

AT_ONCE = 4
"""Most recordings that a process fetches at a time."""

_STALE_SECONDS = 3600.0

_log = structlog.stdlib.get_logger("exobridge.recordings")


class EventRecorder(Protocol):
    """Keeps a call's facts, and tells them to all who watch."""

    async def append(self, event: CallEvent) -> None:
        """Keep one; raises :class:`StoreError` if it is not kept."""
        ...


@dataclass(frozen=True, slots=True)
class _Found:
    """A recording in a file of ours."""

    path: Path
    fetched: Fetched
    audio: Audio


class Recordings:
    """Fetches recordings, by jobs.

    Args:
        api: Where a recording's URL is asked for; ``None``: only URLs that Exotel sends are known.
        folder: For files that are on their way; on the storage's own disk where that is a folder.
    """

    def __init__(
        self,
        *,
        store: Store,
        recorder: EventRecorder,
        storage: Storage,
        fetcher: Fetcher,
        api: ExotelApi | None,
        folder: Path,
        clock: Callable[[], datetime],
    ) -> None:
        self.storage = storage
        self._store = store
        self._recorder = recorder
        self._fetcher = fetcher
        self._api = api
        self._folder = folder
        self._clock = clock

    @classmethod
    def of(
        cls,
        settings: Settings,
        store: Store,
        recorder: EventRecorder,
        api: ExotelApi | None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Self:
        """As the settings say.

        Raises:
            ConfigError: The storage they name cannot be used.
        """
        key, token = settings.exotel_api_key, settings.exotel_api_token
        options = FetchOptions(
            rules=settings.recording_hosts,
            max_bytes=settings.recording_max_mb * 1_000_000,
            credentials=(
                (key.get_secret_value(), token.get_secret_value()) if key and token else None
            ),
        )
        return cls(
            store=store,
            recorder=recorder,
            storage=open_storage(settings.recordings_url, settings.data_dir),
            fetcher=Fetcher(options),
            api=api,
            folder=settings.data_dir / "fetching",
            clock=clock,
        )

    async def note(self, call_sid: str, url: str = "", *, name: str = "") -> None:
        """A call may have a recording: fetch it when it is there. It will be done, whatever happens
        to this process, once this has returned; asked again for the same one, it is done once.

        Args:
            url: Where it is or will be, as Exotel told; empty: not told.
            name: Which of the call's, where there may be several; a stream's is its ``StreamSID``.

        Raises:
            StoreError: It was not noted.
        """
        if not url and self._api is None:
            return  # there is nobody to ask for it
        key = f"{call_sid}:{name}" if name else call_sid
        payload = {"name": name, "url": url}
        due_at = self._clock() + timedelta(seconds=AT_SECONDS[0])
        is_new = await self._store.jobs.add(KIND, key, payload, call_sid=call_sid, due_at=due_at)
        if not is_new and url:
            await self._store.jobs.amend(KIND, key, payload, due_at=due_at)

    def register(self, runner: JobRunner) -> None:
        """Have a runner do the work."""
        runner.register(KIND, self.fetch, limit_seconds=FETCH_SECONDS, concurrency=AT_ONCE)

    async def fetch(self, job: Job) -> None:
        """Do a job: get the recording if it is there.

        Raises:
            Later: It is not there yet.
            GiveUp: It will never be.
            ExobridgeError: Something failed that may pass.
        """
        name = str(job.payload.get("name", ""))
        known = await self._store.recordings.get(job.call_sid, SOURCE, name)
        if known is not None:
            return await self._tell(known)  # a crash may have come between the row and its event
        age = (self._clock() - job.created_at).total_seconds()
        if await self._store.call(job.call_sid) is None:
            if age >= UNHEARD_SECONDS:
                return  # it was erased
            raise Later(next_look(age), "the call is not in the record yet, or not any more")
        urls = await self._urls(job, name)
        if not urls and age >= UNHEARD_SECONDS:
            return  # the call was not recorded
        if not urls:
            raise Later(next_look(age), "Exotel tells of no recording")
        async with self._file() as path:
            try:
                found = await self._first(urls, path)
            except NotReadyError as error:
                if age < GIVE_UP_SECONDS:
                    raise Later(next_look(age), str(error)) from None
                raise GiveUp(str(error)) from None
            except (RefusedError, TooLargeError) as error:
                raise GiveUp(str(error)) from None
            else:
                await self._keep(job, name, found)

    # -------------------------------------------------------------- where it is

    async def _urls(self, job: Job, name: str) -> list[str]:
        """Where to look, the best first: a presigned URL needs no credentials."""
        urls: list[str] = []
        if self._api is not None and not name:  # call details tell of the call's own one only
            try:
                details = await self._api.call_details(job.call_sid)
                urls += [details.presigned_url, details.recording_url]
            except NotFoundError:
                pass
            except ExotelError:
                if not job.payload.get("url"):
                    raise
        urls.append(str(job.payload.get("url", "")))
        return list(dict.fromkeys(filter(None, urls)))

    async def _first(self, urls: list[str], path: Path) -> _Found:
        """The first one that can be had. Of the failures of all, the most hopeful is raised."""
        failures: list[NotReadyError | RefusedError | BrokenError] = []
        for url in urls:
            try:
                fetched = await self._fetcher.fetch(url, path)
                return _Found(path, fetched, await asyncio.to_thread(inspect, path))
            except (NotReadyError, RefusedError, BrokenError) as error:
                failures.append(error)
        hopes = (NotReadyError, BrokenError, RefusedError)
        raise min(failures, key=lambda failure: hopes.index(type(failure)))

    # -------------------------------------------------------------- where it goes

    async def _keep(self, job: Job, name: str, found: _Found) -> None:
        """Put it away. Each step may be done twice: after a crash all of them are."""
        audio, size = found.audio, found.fetched.bytes
        key = key_of(job.call_sid, SOURCE, name, audio.suffix, job.created_at)
        location = await self.storage.put(found.path, key, audio.media_type)
        recording = Recording(
            call_sid=job.call_sid,
            source=SOURCE,
            name=name,
            location=location,
            media_type=audio.media_type,
            bytes=size,
            sha256=found.fetched.sha256,
            duration_ms=audio.duration_ms,
            channels=audio.channels,
            sample_rate=audio.sample_rate,
            created_at=self._clock(),
        )
        try:
            await self._store.recordings.add(recording)
        except StoreRefusedError:  # the call was erased meanwhile
            return await self.storage.delete(location)
        await self._tell(recording)
        seconds = round(audio.duration_ms / 1000, 1)
        _log.info("recording stored", call_sid=job.call_sid, bytes=size, seconds=seconds)

    async def _tell(self, recording: Recording) -> None:
        """Keep that there is one; told again, it counts once."""
        await self._recorder.append(
            recording_event(
                recording.call_sid,
                recording.created_at,
                source=recording.source,
                name=recording.name,
                duration_ms=recording.duration_ms,
                size=recording.bytes,
            )
        )

    @asynccontextmanager
    async def _file(self) -> AsyncGenerator[Path]:
        """A new file of ours alone, which does not outlive this."""
        try:
            path = await asyncio.to_thread(self._make_file)
        except OSError as error:
            raise StorageError(f"it cannot be written ({error.strerror})") from error
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _make_file(self) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sweep()
        descriptor, name = tempfile.mkstemp(prefix="fetch-", suffix=".part", dir=self._folder)
        with open(descriptor, "wb"):
            return Path(name)

    def _sweep(self) -> None:
        """Remove what a process that was killed has left."""
        for path in self._folder.glob("fetch-*.part"):
            try:
                if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                    path.unlink()
            except FileNotFoundError:  # another process has just done so
                continue
