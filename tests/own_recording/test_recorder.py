"""The thread that writes: what a bad disk costs, and what it does not."""

from __future__ import annotations

import asyncio
import resource
import threading
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import structlog

from exobridge.call.events import EventKind
from exobridge.call.state import Outcome
from exobridge.call.tape import Tape
from exobridge.own_recording.recorder import OwnRecorder
from exobridge.own_recording.spool import Spool
from exobridge.simulator import CallPlan, Exotel, Say
from exobridge_codecs.formats import pcm16
from exobridge_codecs.resample import resample
from exobridge_codecs.tones import tone
from exobridge_codecs.wav import read_wav
from tests.own_recording.sound import parts
from tests.server import LINE, QUICK, bot, serving, until

FRAME = tone(330, 20, 8000)


class Stuck(Spool):
    """A spool on a disk that answers when it is let go. Unlike a real one, it is stuck in one
    place alone."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.go_on = threading.Event()

    def free_bytes(self) -> int:
        """As :meth:`Spool.free_bytes`, after a while."""
        assert self.go_on.wait(30)
        return super().free_bytes()


@asynccontextmanager
async def recorder(spool: Spool, min_free: int = 0) -> AsyncGenerator[OwnRecorder]:
    """A recorder that looks a hundred times a second."""
    made = OwnRecorder(spool, lambda: None, time.time, min_free, look_s=0.01)
    try:
        yield made
    finally:
        await made.aclose()


def begin(recorder: OwnRecorder, rate: int = 8000) -> Tape:
    """A stream that began a second ago, with as much of the caller's audio."""
    now = asyncio.get_running_loop().time()
    tape = Tape(rate, now - 1, now - 1)
    recorder.open(tape, "call", "stream")
    for _ in range(50):
        tape.hear(FRAME if rate == 8000 else resample(FRAME, 8000, rate))
    return tape


def end(recorder: OwnRecorder, tape: Tape) -> None:
    """It ends now."""
    recorder.close(tape, asyncio.get_running_loop().time())


def files(folder: Path) -> list[str]:
    """What is in a folder."""
    return [path.name for path in folder.iterdir()]


@contextmanager
def files_up_to(size: int) -> Generator[None]:
    """No file may grow beyond this, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_process_that_ends_keeps_what_it_has(tmp_path: Path) -> None:
    """Streams that are open when it stops are written to that moment."""
    spool = Spool(tmp_path)
    async with recorder(spool) as recording:
        begin(recording)
    (path,) = spool.paths()
    with spool.claim(path) as waiting:
        assert waiting is not None
        assert waiting.duration_ms >= 1000


async def test_a_full_disk_costs_the_recording(tmp_path: Path) -> None:
    """What was written of it goes, too; the next one is tried anew."""
    spool = Spool(tmp_path)
    async with recorder(spool) as recording:
        with files_up_to(10_000), structlog.testing.capture_logs() as entries:
            end(recording, begin(recording, 16_000))
            await until(lambda: recording.dropped == 1)
        assert [(e["event"], e["why"]) for e in entries] == [
            ("recording dropped", "File too large")
        ]
        end(recording, begin(recording, 16_000))
    (path,) = spool.paths()
    assert read_wav(path).sample_rate == 16_000
    assert len(files(tmp_path)) == 2


async def test_the_databases_room_is_not_for_recordings(tmp_path: Path) -> None:
    """Below that much, nothing is recorded."""
    async with recorder(Spool(tmp_path), min_free=1 << 62) as recording:
        tape = begin(recording)
        await until(lambda: recording.dropped == 1)
        end(recording, tape)
    assert files(tmp_path) == []


async def test_a_disk_that_is_stuck_holds_a_bounded_lot(tmp_path: Path) -> None:
    """After so many looks the recording is given up, and its tape is emptied all the same."""
    spool = Stuck(tmp_path)
    async with recorder(spool) as recording:
        tape = begin(recording)
        await until(lambda: recording.dropped == 1)
        for _ in range(3):
            tape.hear(FRAME)
            await until(lambda: tape.waiting == 0)
        spool.go_on.set()
        end(recording, tape)
    assert files(tmp_path) == []


async def test_a_line_that_changes_its_format_goes_on(tmp_path: Path) -> None:
    """What is sent at another rate is put at the recording's."""
    spool = Spool(tmp_path)
    async with recorder(spool) as recording:
        tape = begin(recording)
        wide = pcm16(16_000)
        tape.sent(tape.started_at + 0.2, tone(440, 400, 16_000), wide)
        end(recording, tape)
    (path,) = spool.paths()
    ((start, stop),) = parts(read_wav(path).channels[1])
    assert abs(start - 200) <= 10
    assert abs(stop - 600) <= 10


async def test_a_call_goes_on_without_its_recording(tmp_path: Path) -> None:
    """Where nothing can be written at all, it is held, ends well, and says once what is wrong."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "own-recordings").write_text("in the way")
    template = bot(recording={"own": True})
    async with serving(tmp_path, {"default": template}) as server, Exotel() as exotel:
        plan = CallPlan(url=server.url, script=(Say(LINE),), patience=QUICK)
        report = await exotel.call(plan)
        call = await server.until_over(report.call_sid)
        assert report.problems == ()
        assert call.outcome is Outcome.COMPLETED
        await until(lambda: bool(server.log("recording dropped", call_sid=report.call_sid)))
        assert len(server.log("recording dropped", call_sid=report.call_sid)) == 1
        kinds = [event.kind for event in await server.bridge.store.events(report.call_sid)]
        assert EventKind.RECORDING not in kinds


async def test_a_disk_that_stays_stuck_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """The process ends; what was not written is not there."""
    spool = Stuck(tmp_path)
    recording = OwnRecorder(spool, lambda: None, time.time, 0, close_s=0.1)
    begin(recording)
    async with asyncio.timeout(5):
        await recording.aclose()
    spool.go_on.set()
    assert recording.dropped == 0
