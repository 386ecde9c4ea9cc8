"""Exotel's recordings are fetched once they are there, whatever comes between.

The clock is the test's own: it is set to when a look is due. The account, the network and the
database are real.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs

from exobridge.call.events import EventKind
from exobridge.exotel.api import ExotelApi
from exobridge.exotel.api.retry import RequestKind
from exobridge.jobs import JobRunner, RunnerOptions
from exobridge.recorder import StoreRecorder
from exobridge.recordings.schedule import UNHEARD_SECONDS
from exobridge.recordings.service import KIND, Recordings
from exobridge.settings import Settings
from exobridge.store import Store
from exobridge.store.jobs import Job, JobState
from exobridge.store.recordings import Recording as Kept
from tests.database import migrated
from tests.exotel_account import (
    FakeAccount,
    FakeCall,
    Fault,
    Recording,
    exotel_account,
    silent_mp3,
)
from tests.recordings.storages import whole
from tests.server import until
from tests.store.samples import answered

BODY = silent_mp3(7.2)
PAGE = b"<html><body>Please wait</body></html>"
QUICK = RequestKind(seconds=2, tries=1, total_seconds=2)
POLLING = RunnerOptions(poll=0.01, jitter=0, backoff=(5, 5, 5))


@dataclass
class Bench:
    """Recordings of an account, with a clock that is set."""

    account: FakeAccount
    folder: Path
    store: Store
    variables: dict[str, str] = field(default_factory=dict[str, str])
    begun: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self.now = self.begun
        given = {
            **self.account.variables,
            "EXOBRIDGE_DATA_DIR": str(self.folder),
            "RECORDING_HOSTS": urlsplit(self.account.url).netloc,
            **self.variables,
        }
        self.settings = Settings.read({name: value for name, value in given.items() if value})
        self.api = ExotelApi.of(self.settings, read=QUICK)
        recorder = StoreRecorder(self.store)
        self.recordings = Recordings.of(
            self.settings, self.store, recorder, self.api, lambda: self.now
        )
        self.runner = JobRunner(self.store.jobs, POLLING, lambda: self.now)
        self.recordings.register(self.runner)

    async def start(self) -> None:
        """Begin to work."""
        self.runner.start()

    async def aclose(self) -> None:
        """Stop, and close everything."""
        await self.runner.aclose()
        if self.api is not None:
            await self.api.aclose()

    async def look(self, seconds: float) -> Job:
        """Set the clock to so long after the start, or a little more, when a look is due; the job
        after it."""
        self.now = self.begun + timedelta(seconds=seconds + 0.5)
        looks = sum(self.runner.outcomes.values())
        await until(lambda: sum(self.runner.outcomes.values()) > looks)
        (job,) = await self.store.jobs.listed()
        return job

    async def kept(self) -> Kept:
        """The only recording there is, whose file is what its row says."""
        (kept,) = await self.store.recordings.of_call("c1")
        content = await whole(self.recordings.storage, kept.location)
        assert (len(content), hashlib.sha256(content).hexdigest()) == (kept.bytes, kept.sha256)
        assert content == BODY
        return kept

    def files(self) -> list[Path]:
        """All files but the database's."""
        found = self.folder.rglob("*")
        return [path for path in found if path.is_file() and "sqlite3" not in path.name]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An open store, which knows the call."""
    migrated(tmp_path / "calls.sqlite3")
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'calls.sqlite3'}")
    await store.append(answered())
    yield store
    await store.aclose()


@pytest.fixture
async def account() -> AsyncIterator[FakeAccount]:
    """An account with one call, whose recording is there."""
    async with exotel_account() as account:
        account.calls["c1"] = FakeCall(recording=Recording(body=BODY), presigned=True)
        yield account


@pytest.fixture
async def bench(account: FakeAccount, store: Store, tmp_path: Path) -> AsyncIterator[Bench]:
    """It, at work."""
    bench = Bench(account, tmp_path, store)
    await bench.start()
    yield bench
    await bench.aclose()


def recording(account: FakeAccount) -> Recording:
    """The call's."""
    found = account.calls["c1"].recording
    assert found is not None
    return found


def day(bench: Bench) -> str:
    """Today, as folders are named after it."""
    return f"{bench.begun:%Y/%m/%d}"


async def test_a_recording_is_fetched_and_kept(bench: Bench) -> None:
    """Five seconds after the first word of it: one file, one row with what the file tells, one
    event; and one line in the log."""
    with capture_logs() as log:
        await bench.recordings.note("c1")
        job = await bench.look(5)
    assert job.state is JobState.DONE
    kept = await bench.kept()
    assert (kept.source, kept.name, kept.media_type) == ("exotel", "", "audio/mpeg")
    assert (kept.channels, kept.sample_rate, kept.duration_ms) == (1, 8000, 7200)
    assert kept.location == f"file:{day(bench)}/c1/exotel.mp3"
    (path,) = bench.files()
    assert path.relative_to(bench.folder) == Path(f"recordings/{day(bench)}/c1/exotel.mp3")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (event,) = [e for e in await bench.store.events("c1") if e.kind is EventKind.RECORDING]
    assert event.data == {"source": "exotel", "name": "", "duration_ms": 7200, "bytes": len(BODY)}
    (line,) = [line for line in log if line["event"] == "recording stored"]
    assert (line["call_sid"], line["bytes"], line["seconds"]) == ("c1", len(BODY), 7.2)


async def test_404_for_two_minutes_then_401_then_there(bench: Bench) -> None:
    """Each look comes at its time, and none counts as a failure."""
    recording(bench.account).unready = 6  # two URLs a look
    recording(bench.account).refused = 2
    await bench.recordings.note("c1")
    looks = ((5, 404, 15), (15, 404, 60), (60, 404, 180), (180, 401, 600))
    for seconds, status, next_look in looks:
        job = await bench.look(seconds)
        assert (job.state, job.attempts) == (JobState.WAITING, 0)
        assert job.error == f"HTTP {status}"
        assert abs((job.due_at - bench.begun).total_seconds() - next_look) < 1
    assert (await bench.look(600)).state is JobState.DONE
    await bench.kept()
    assert not any(asked.credentials for asked in bench.account.asked if "/v1/" not in asked.path)


@pytest.mark.parametrize("body", [b"", PAGE, BODY[:2]])
async def test_what_is_no_audio_is_not_kept(bench: Bench, body: bytes) -> None:
    """A page with status 200, or nothing, is waited out."""
    recording(bench.account).body = body
    await bench.recordings.note("c1")
    assert (await bench.look(5)).state is JobState.WAITING
    assert bench.files() == []
    recording(bench.account).body = BODY
    assert (await bench.look(15)).state is JobState.DONE
    await bench.kept()


async def test_a_presigned_url_that_expired_is_asked_for_anew(bench: Bench) -> None:
    """Each look asks the call's details again."""
    recording(bench.account).presigned_uses = 0
    await bench.recordings.note("c1", bench.account.presigned_url("c1"))
    assert (await bench.look(5)).error in ("HTTP 403", "HTTP 401")
    recording(bench.account).presigned_uses = 1
    assert (await bench.look(15)).state is JobState.DONE


async def test_a_recording_that_never_comes_is_given_up(bench: Bench) -> None:
    """After a day, with an error in the log."""
    recording(bench.account).unready = 1000
    await bench.recordings.note("c1")
    assert (await bench.look(23 * 3600)).state is JobState.WAITING
    with capture_logs() as log:
        assert (await bench.look(24 * 3600)).state is JobState.FAILED
    assert [line["error"] for line in log if line["event"] == "job given up"] == ["HTTP 404"]


async def test_a_call_that_was_not_recorded(bench: Bench) -> None:
    """Once Exotel has told of none for half an hour, there is none: that is no failure, and is not
    logged as one."""
    bench.account.calls["c1"].recording = None
    await bench.recordings.note("c1")
    assert (await bench.look(5)).error == "Exotel tells of no recording"
    assert (await bench.look(1200)).state is JobState.WAITING
    with capture_logs() as log:
        assert (await bench.look(1800)).state is JobState.DONE
    assert not [line for line in log if line["log_level"] in ("warning", "error")]
    assert await bench.store.recordings.of_call("c1") == []


async def test_a_recording_that_is_told_of_late(bench: Bench) -> None:
    """After it was taken that there is none: it is fetched all the same."""
    recorded, bench.account.calls["c1"].recording = recording(bench.account), None
    await bench.recordings.note("c1")
    assert (await bench.look(1800)).state is JobState.DONE
    bench.account.calls["c1"].recording = recorded
    await bench.recordings.note("c1", bench.account.presigned_url("c1"))
    assert (await bench.look(2000)).state is JobState.DONE
    await bench.kept()


async def test_a_call_that_exotel_does_not_know(bench: Bench) -> None:
    """Likewise; its details may come late."""
    known = bench.account.calls.pop("c1")
    await bench.recordings.note("c1")
    assert (await bench.look(5)).state is JobState.WAITING
    bench.account.calls["c1"] = known
    assert (await bench.look(15)).state is JobState.DONE
    await bench.kept()


async def test_an_api_that_fails_is_asked_again(bench: Bench) -> None:
    """It counts as a failure, as nobody knows yet whether there is a recording."""
    bench.account.fail(*(Fault(500) for _ in range(20)), where="/v1/")
    await bench.recordings.note("c1")
    job = await bench.look(5)
    assert (job.state, job.attempts) == (JobState.WAITING, 1)


async def test_the_url_that_exotel_sent_is_enough(bench: Bench) -> None:
    """Where the API does not answer."""
    bench.account.fail(*(Fault(500) for _ in range(20)), where="/v1/")
    await bench.recordings.note("c1", bench.account.presigned_url("c1"))
    assert (await bench.look(5)).state is JobState.DONE
    await bench.kept()


async def test_without_an_account_only_urls_are_known(
    account: FakeAccount, store: Store, tmp_path: Path
) -> None:
    """A call without one is not even noted; with one it is fetched."""
    bench = Bench(account, tmp_path, store, {"EXOTEL_API_KEY": "", "EXOTEL_API_TOKEN": ""})
    await bench.start()
    await bench.recordings.note("c1")
    assert await store.jobs.listed() == []
    await bench.recordings.note("c1", account.presigned_url("c1"))
    assert (await bench.look(5)).state is JobState.DONE
    await bench.kept()
    await bench.aclose()


async def test_a_url_that_comes_later_is_added(
    account: FakeAccount, store: Store, tmp_path: Path
) -> None:
    """The callback may bring what the Passthru did not, even once the job was given up."""
    bench = Bench(account, tmp_path, store, {"EXOTEL_API_KEY": "", "EXOTEL_API_TOKEN": ""})
    await bench.start()
    await bench.recordings.note("c1", "https://evil.example/a.mp3")
    assert (await bench.look(5)).state is JobState.FAILED
    await bench.recordings.note("c1", account.presigned_url("c1"))
    assert (await bench.look(10)).state is JobState.DONE
    await bench.kept()
    await bench.aclose()


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest", "https://recordings.exotel.com.evil.example/", "file:///etc"],
)
async def test_an_address_outside_the_rules_is_given_up(bench: Bench, url: str) -> None:
    """At once, and it stands in no error."""
    bench.account.calls["c1"].recording = None
    await bench.recordings.note("c1", url)
    job = await bench.look(5)
    assert job.state is JobState.FAILED
    assert url not in job.error


async def test_the_hosts_that_the_account_names_keep_to_the_rules(bench: Bench) -> None:
    """Call details come from outside, too; the URL that is allowed is fetched."""
    bench.account.calls["c1"].fields["PreSignedRecordingUrl"] = "https://evil.example/a.mp3"
    bench.account.calls["c1"].presigned = False
    await bench.recordings.note("c1", bench.account.presigned_url("c1"))
    assert (await bench.look(5)).state is JobState.DONE
    await bench.kept()


async def test_a_recording_that_is_too_large(
    account: FakeAccount, store: Store, tmp_path: Path
) -> None:
    """Nothing of it is kept, and it is not tried again."""
    recording(account).endless = True
    bench = Bench(account, tmp_path, store, {"RECORDING_MAX_MB": "1"})
    await bench.start()
    await bench.recordings.note("c1")
    job = await bench.look(5)
    assert (job.state, job.error) == (JobState.FAILED, "it is larger than RECORDING_MAX_MB")
    assert bench.files() == []
    await bench.aclose()


async def test_asked_again_and_again_it_is_fetched_once(bench: Bench) -> None:
    """Callback, Passthru and details may all tell of it, before and after."""
    await asyncio.gather(*(bench.recordings.note("c1") for _ in range(5)))
    await bench.recordings.note("c1", bench.account.presigned_url("c1"))
    await bench.look(5)
    await bench.recordings.note("c1", bench.account.presigned_url("c1"))
    await bench.recordings.note("c1")
    await bench.look(60)
    assert len(await bench.store.jobs.listed()) == 1
    assert bench.account.count("presigned") == 1
    await bench.kept()


async def test_a_job_that_is_done_twice_keeps_one_recording(bench: Bench) -> None:
    """As after a crash between the steps: one file, one row, one event."""
    await bench.recordings.note("c1")
    await bench.look(5)
    job = (await bench.store.jobs.listed())[0]
    kept = await bench.kept()
    await bench.recordings.fetch(job)
    assert bench.account.count("presigned") == 1
    await bench.store.recordings.delete(kept)  # the crash was before the row was written
    await bench.recordings.fetch(job)
    assert len(bench.files()) == 1
    assert len([e for e in await bench.store.events("c1") if e.kind is EventKind.RECORDING]) == 1
    await bench.kept()


async def test_several_recordings_of_a_call(bench: Bench) -> None:
    """A stream's own is another than the call's; only its URL tells where it is."""
    await bench.recordings.note("c1", bench.account.presigned_url("c1"), name="s1")
    await bench.recordings.note("c1")
    bench.now = bench.begun + timedelta(seconds=6)
    await until(lambda: bench.runner.outcomes[KIND, "done"] == 2)
    found = await bench.store.recordings.of_call("c1")
    assert {kept.location for kept in found} == {
        f"file:{day(bench)}/c1/exotel.mp3",
        f"file:{day(bench)}/c1/exotel-s1.mp3",
    }
    assert bench.account.count("/Calls/") == 1


async def test_a_call_that_is_not_known_yet(bench: Bench) -> None:
    """Its first event may still wait to be written."""
    bench.account.calls["c2"] = bench.account.calls["c1"]
    await bench.recordings.note("c2")
    waiting = await bench.look(5)
    assert (waiting.state, waiting.error[:27]) == (JobState.WAITING, "the call is not in the reco")
    assert bench.account.asked == []
    await bench.store.append(answered("c2"))
    assert (await bench.look(15)).state is JobState.DONE
    assert len(await bench.store.recordings.of_call("c2")) == 1


async def test_an_erased_call_stays_so(bench: Bench) -> None:
    """What is still told of its recording is done with after half an hour, and fetches nothing."""
    await bench.store.keeping.forget("c1")
    await bench.recordings.note("c1", bench.account.recording_url("c1"))
    assert (await bench.look(UNHEARD_SECONDS)).state is JobState.DONE
    assert bench.account.asked == []
    assert await bench.store.call("c1") is None


async def test_a_call_that_is_erased_during_the_download(bench: Bench) -> None:
    """The file goes again, and nothing tells of it."""
    recording = bench.account.calls["c1"].recording
    assert recording is not None
    recording.pause_seconds = 0.2
    await bench.recordings.note("c1")
    looking = asyncio.create_task(bench.look(5))
    await until(lambda: bench.account.count("c1.mp3") == 1)
    await bench.store.keeping.forget("c1")
    await until(lambda: sum(bench.runner.outcomes.values()) > 0)
    looking.cancel()
    await asyncio.wait([looking])
    assert await bench.store.call("c1") is None
    assert await bench.store.events("c1") == []
    assert [path for path in (bench.folder / "recordings").rglob("*") if path.is_file()] == []


async def test_a_crash_between_the_row_and_its_event(bench: Bench) -> None:
    """The event follows when the job is done again, and the recording is not fetched twice."""
    at = bench.begun
    row = Kept("c1", "exotel", "", "l", "audio/mpeg", 9, "0", 1000, 1, 8000, at)
    await bench.store.recordings.add(row)
    await bench.recordings.note("c1")
    assert (await bench.look(5)).state is JobState.DONE
    told = [e for e in await bench.store.events("c1") if e.kind is EventKind.RECORDING]
    assert [event.at for event in told] == [at]
    assert bench.account.asked == []


async def test_what_a_killed_process_left_is_removed(bench: Bench) -> None:
    """Parts of files, once they are old; not those of another process that is at work."""
    folder = bench.folder / "fetching"
    await asyncio.to_thread(folder.mkdir)
    for name in ("fetch-old.part", "fetch-new.part"):
        await asyncio.to_thread((folder / name).write_bytes, b"a part")
    long_ago = 1_000_000_000
    await asyncio.to_thread(os.utime, folder / "fetch-old.part", (long_ago, long_ago))
    await bench.recordings.note("c1")
    await bench.look(5)
    assert [path.name for path in folder.iterdir()] == ["fetch-new.part"]


async def test_a_disk_that_cannot_be_written(bench: Bench) -> None:
    """It may be emptied: tried again, and counted as a failure, wherever it stops."""
    await bench.recordings.note("c1")
    for tries, (name, seconds) in enumerate((("fetching", 5), ("recordings", 11)), start=1):
        await asyncio.to_thread((bench.folder / name).write_bytes, b"in the way")
        job = await bench.look(seconds)
        assert (job.state, job.attempts) == (JobState.WAITING, tries)
        assert job.error.startswith("it cannot be")
        await asyncio.to_thread((bench.folder / name).unlink)
    assert (await bench.look(20)).state is JobState.DONE
    await bench.kept()
