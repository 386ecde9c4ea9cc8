"""Writes tapes to the spool, once a second, in a thread of its own.

A call costs an append a frame; everything else is done here. A disk that is full, or too slow,
costs the recordings and nothing else: what is not written within ten seconds is dropped with its
recording, and so is every recording when the disk has no room left but what the database needs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import structlog

from exobridge.call.tape import Cut, Sent, Tape
from exobridge.own_recording.mix import Mix
from exobridge.own_recording.spool import Note, Spool
from exobridge_codecs.codec import decoder, encoder
from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_codecs.resample import resample

LOOK_S = 1.0
"""How often the tapes are fetched, in seconds."""

MAX_BEHIND = 10
"""Fetches of one tape that may wait for the disk."""

MIN_FREE_BYTES = 100 * 1024 * 1024
"""Room that is left to the database."""

CLOSE_S = 5.0
"""How long the end of a process waits for the disk."""

NARROW_HZ = 8000
"""What telephones carry is kept as telephones carry it, in μ-law, at half the size of PCM16."""

_log = structlog.stdlib.get_logger("exobridge.recording")


class NoRoomError(OSError):
    """Only what the database needs is free on the disk."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """What came of one tape until ``until_ms``."""

    caller: Sequence[bytes]
    bot: Sequence[Sent | Cut]
    until_ms: float
    is_last: bool


@dataclass(slots=True)
class _Track:
    """One recording, as the loop sees it."""

    tape: Tape
    file: _File
    waiting: int = 0
    dropped: bool = False


@dataclass(slots=True)
class _File:
    """One recording, as the thread sees it."""

    spool: Spool
    note: Note
    tape: Tape
    mix: Mix = field(init=False)
    path: Path | None = None
    sound: BinaryIO | None = None

    def __post_init__(self) -> None:
        heard_from_ms = (self.tape.heard_from - self.tape.started_at) * 1000
        self.mix = Mix(self.tape.sample_rate, heard_from_ms)

    def write(self, batch: _Batch) -> None:
        """Write what is certain.

        Raises:
            OSError: The disk does not take it.
        """
        if self.sound is None:
            self.path, self.sound = self.spool.begin(self.note)
        for pcm in batch.caller:
            self.mix.hear(pcm)
        for what in batch.bot:
            at_ms = (what.at - self.tape.started_at) * 1000
            if isinstance(what, Cut):
                self.mix.cut(at_ms)
            else:
                self.mix.play(at_ms, self._pcm(what))
        make = self.mix.finish if batch.is_last else self.mix.take
        self.sound.write(encoder(self.note.audio.encoding)(make(batch.until_ms)))
        self.sound.flush()
        if batch.is_last:
            self.sound.close()

    def _pcm(self, sent: Sent) -> bytes:
        pcm = decoder(sent.audio.encoding)(sent.payload)
        rate = self.tape.sample_rate
        return (
            pcm if sent.audio.sample_rate == rate else resample(pcm, sent.audio.sample_rate, rate)
        )

    def drop(self) -> None:
        """Take it away."""
        with suppress(OSError):
            if self.sound is not None:
                self.sound.close()
        with suppress(OSError):
            if self.path is not None:
                self.spool.drop(self.path)


class OwnRecorder:
    """The recordings of one process; a :class:`~exobridge.call.tape.Tapes`.

    Args:
        on_written: Told when a recording is whole.
        wall_clock: Unix time, in seconds.
        min_free: Bytes of the disk that are not for recordings.
        look_s: How often the tapes are fetched, in seconds.
        close_s: How long the end waits for the disk.

    Attributes:
        dropped: Recordings given up.
    """

    def __init__(
        self,
        spool: Spool,
        on_written: Callable[[], None],
        wall_clock: Callable[[], float],
        min_free: int = MIN_FREE_BYTES,
        look_s: float = LOOK_S,
        close_s: float = CLOSE_S,
    ) -> None:
        self.dropped = 0
        self._spool = spool
        self._on_written = on_written
        self._wall_clock = wall_clock
        self._min_free = min_free
        self._look_s = look_s
        self._close_s = close_s
        self._loop = asyncio.get_running_loop()
        self._tracks: dict[Tape, _Track] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._writing: set[asyncio.Future[None]] = set()

    # -------------------------------------------------------------- the tapes

    def open(self, tape: Tape, call_sid: str, stream_sid: str) -> None:
        """As :meth:`~exobridge.call.tape.Tapes.open`."""
        narrow = tape.sample_rate == NARROW_HZ
        audio = AudioFormat(Encoding.MULAW, NARROW_HZ) if narrow else pcm16(tape.sample_rate)
        note = Note(call_sid, stream_sid, audio, self._wall_clock())
        self._tracks[tape] = _Track(tape, _File(self._spool, note, tape))
        if self._timer is None:
            self._timer = self._loop.call_later(self._look_s, self._look)

    def close(self, tape: Tape, at: float) -> None:
        """As :meth:`~exobridge.call.tape.Tapes.close`."""
        track = self._tracks.pop(tape, None)
        if track is not None:
            self._fetch(track, at, is_last=True)

    def _look(self) -> None:
        self._timer = None
        now = self._loop.time()
        for track in self._tracks.values():
            self._fetch(track, now)
        if self._tracks:
            self._timer = self._loop.call_later(self._look_s, self._look)

    def _fetch(self, track: _Track, now: float, *, is_last: bool = False) -> None:
        caller, bot = track.tape.take()
        if track.dropped:
            return
        if track.waiting >= MAX_BEHIND:
            self._drop(track, "the disk is too slow")
            return
        batch = _Batch(caller, bot, (now - track.tape.started_at) * 1000, is_last)
        track.waiting += 1
        done = self._in_thread(lambda: self._write(track.file, batch))
        done.add_done_callback(lambda done: self._written(track, done, is_last=is_last))

    def _write(self, file: _File, batch: _Batch) -> None:
        """In the thread."""
        if self._spool.free_bytes() < self._min_free:
            raise NoRoomError("the disk is full but for what the database needs")
        file.write(batch)

    # -------------------------------------------------------------- the thread

    def _in_thread(self, work: Callable[[], None]) -> asyncio.Future[None]:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="exobridge-recorder")
        done = self._loop.run_in_executor(self._thread, work)
        self._writing.add(done)
        done.add_done_callback(self._writing.discard)
        return done

    def _written(self, track: _Track, done: asyncio.Future[None], *, is_last: bool) -> None:
        track.waiting -= 1
        error = None if done.cancelled() else done.exception()
        if error is not None:
            self._drop(track, str(error.strerror or error) if isinstance(error, OSError) else "")
            if not isinstance(error, OSError):
                _log.error("recorder crashed", exc_info=error)
        elif is_last and not track.dropped:
            self._on_written()

    def _drop(self, track: _Track, why: str) -> None:
        if track.dropped:
            return
        track.dropped = True
        self.dropped += 1
        note = track.file.note
        _log.error("recording dropped", call_sid=note.call_sid, stream_sid=note.stream_sid, why=why)
        self._in_thread(track.file.drop)

    async def aclose(self) -> None:
        """Write what is there and stop. What the disk does not take in time stays as it is."""
        if self._timer is not None:
            self._timer.cancel()
        for tape in list(self._tracks):
            self.close(tape, self._loop.time())
        with suppress(TimeoutError):
            async with asyncio.timeout(self._close_s):
                while self._writing:  # what fails is taken away after
                    await asyncio.wait(self._writing)
        if self._thread is not None:
            self._thread.shutdown(wait=not self._writing, cancel_futures=True)
