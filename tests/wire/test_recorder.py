"""What is kept of the wire when all goes wrong: bounds in memory, a disk that sticks, a crash."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from pathlib import Path

from structlog.testing import capture_logs

from exobridge.wire import Side, WireRecorder, read_wire, wire_recorder
from exobridge.wire.folder import Bounds, WireFolder
from exobridge.wire.recorder import MAX_BEHIND, MAX_WAITING_BYTES
from exobridge.wire.records import Record


async def test_a_flood_costs_the_file_and_no_memory(tmp_path: Path) -> None:
    """More than can be a call's, between two looks, is not kept; the file ends there."""
    with capture_logs() as log:
        async with wire_recorder(tmp_path, Side.SERVER, time.time) as wire:
            tap = wire.stream()
            tap.named("call", "default")
            for _ in range(20):
                tap.frame(Side.EXOTEL, b"x" * (MAX_WAITING_BYTES // 10))
            assert tap.flooded
    assert [(entry["event"], entry["call_sid"]) for entry in log] == [("wire cut", "call")]
    assert not (tmp_path / "call.wire.gz").exists()


async def test_a_full_file_is_told_once(tmp_path: Path) -> None:
    """And nothing more is written to it."""
    bounds = Bounds(file_bytes=1000)
    with capture_logs() as log:
        async with wire_recorder(tmp_path, Side.SERVER, time.time, bounds=bounds) as wire:
            tap = wire.stream()
            tap.named("call", "default")
            for _ in range(5):
                tap.frame(Side.EXOTEL, os.urandom(600).hex())
                wire.look()
    assert [entry["event"] for entry in log] == ["wire cut"]
    assert read_wire(tmp_path / "call.wire.gz").cut


class _Stuck(WireFolder):
    """A folder on a disk that does not answer until ``answers`` is set."""

    answers = threading.Event()

    def append(self, name: str, call_sid: str, records: Sequence[Record]) -> bool:
        """Wait."""
        self.answers.wait(10)
        return super().append(name, call_sid, records)


async def test_a_disk_that_is_too_slow_costs_the_file(tmp_path: Path) -> None:
    """So many batches wait for it, and no more."""
    folder = _Stuck(tmp_path, Side.SERVER)
    with capture_logs() as log:
        wire = WireRecorder(folder, (), time.time)
        tap = wire.stream()
        tap.named("call", "default")
        for number in range(MAX_BEHIND + 2):
            tap.frame(Side.EXOTEL, str(number))
            wire.look()
        folder.answers.set()
        await wire.aclose()
    assert [(entry["event"], entry["why"]) for entry in log] == [
        ("wire cut", "the disk is too slow")
    ]
    (stream,) = read_wire(tmp_path / "call.wire.gz").streams
    assert [frame.text for frame in stream.frames] == [str(n) for n in range(MAX_BEHIND)]


async def test_a_stream_that_has_ended_is_forgotten(tmp_path: Path) -> None:
    """Once what is left of it has been handed on; a late frame changes nothing."""
    async with wire_recorder(tmp_path, Side.SERVER, time.time) as wire:
        tap = wire.stream()
        tap.named("call", "default")
        tap.closed(Side.EXOTEL, 1006)
        tap.closed(Side.SERVER, 1000)
        tap.frame(Side.SERVER, "late")
        assert wire.streams == 1
        wire.look()
        assert wire.streams == 0
    (stream,) = read_wire(tmp_path / "call.wire.gz").streams
    assert stream.frames == ()
    assert stream.closed is not None
    assert (stream.closed.by, stream.closed.code) == (Side.EXOTEL, 1006)


_WRITER = """
import asyncio, sys, time
from pathlib import Path
from exobridge.wire import Side, wire_recorder

async def main():
    async with wire_recorder(Path(sys.argv[1]), Side.SERVER, time.time) as wire:
        tap = wire.stream()
        tap.named("call", "default")
        for number in range(100_000):
            tap.frame(Side.EXOTEL, str(number))
            await asyncio.sleep(0.001)
            if number == 1500:
                print("kept", flush=True)

asyncio.run(main())
"""


async def test_a_process_that_is_killed_leaves_a_file_that_can_be_read(tmp_path: Path) -> None:
    """All but the last second of it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WRITER, str(tmp_path), stdout=PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            await process.stdout.readline()
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    (stream,) = read_wire(tmp_path / "call.wire.gz").streams
    assert [frame.text for frame in stream.frames] == [str(n) for n in range(len(stream.frames))]
    assert len(stream.frames) > 100
    assert stream.closed is None
