"""Keeps the wire of calls: the call appends, a thread of its own masks, packs and writes.

A call costs an append a frame; everything else is done once a second, elsewhere. A disk that is
full, or too slow, costs the files and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import structlog

from exobridge.wire.folder import Bounds, WireFolder
from exobridge.wire.masking import Masker
from exobridge.wire.records import Closed, Frame, Named, Opened, Record, Side, Webhook

LOOK_S = 1.0
"""How often what has come is fetched, in seconds."""

MAX_WAITING_BYTES = 8 * 1024 * 1024
"""Frames of one stream between two looks; what comes beyond ends its file."""

MAX_BEHIND = 10
"""Batches of one call that may wait for the disk."""

MAX_CALLS = 1000
"""Calls of which something is remembered: their numbers, their trouble."""

HEADERS = ("accept", "content-type", "exotel-version")
"""Of a request, those that are kept; ``headers`` is asked for them in lower case."""

CLOSE_S = 5.0
"""How long the end of a process waits for the disk."""

_log = structlog.stdlib.get_logger("exobridge.wire")


@dataclass(frozen=True, slots=True)
class _Raw:
    """A frame as it came."""

    at: float
    by: Side
    text: bytes | str

    def cleaned(self, stream: str, opened_at: float, masker: Masker) -> Frame:
        """The frame as it is written."""
        text = self.text if isinstance(self.text, str) else self.text.decode("utf-8", "replace")
        return Frame(stream, _ms(self.at - opened_at), self.by, masker.frame(text))


class StreamTap:
    """One stream's wire, as its owner appends it. Nothing here waits or fails.

    Args:
        clock: Seconds, monotonic.
        wall: Unix time, in seconds, when the socket was opened.
    """

    def __init__(self, clock: Callable[[], float], wall: float) -> None:
        self.key = token_hex(4)
        self.call_sid = ""
        self.ended = False
        self._clock = clock
        self._opened_at = clock()
        self._pending: list[_Raw | Record] = [Opened(self.key, round(wall, 3))]
        self._bytes = 0

    def frame(self, by: Side, text: bytes | str) -> None:
        """A text frame passes."""
        if not self.ended and self._bytes <= MAX_WAITING_BYTES:
            self._bytes += len(text)
            self._pending.append(_Raw(self._clock(), by, text))

    def named(self, call_sid: str, template: str) -> None:
        """The call is known, and who holds it; empty: it was not wanted, or nobody of ours does."""
        if not self.call_sid:
            self.call_sid = call_sid
            self._pending.append(Named(self.key, _ms(self._clock() - self._opened_at), template))

    def closed(self, by: Side, code: int) -> None:
        """The socket is closed; a second time nothing happens."""
        if not self.ended:
            self.ended = True
            ms = _ms(self._clock() - self._opened_at)
            self._pending.append(Closed(self.key, ms, by, code))

    @property
    def flooded(self) -> bool:
        """More came than is kept between two looks: from then on there are holes."""
        return self._bytes > MAX_WAITING_BYTES

    def take(self) -> Callable[[Masker], list[Record]]:
        """What came since the last time, to be cleaned elsewhere."""
        pending, self._pending, self._bytes = self._pending, [], 0
        key, opened_at = self.key, self._opened_at

        def cleaned(masker: Masker) -> list[Record]:
            return [
                each.cleaned(key, opened_at, masker) if isinstance(each, _Raw) else each
                for each in pending
            ]

        return cleaned


class WireRecorder:
    """The wire of one process's calls.

    Args:
        secrets: Values that must never appear.
        wall_clock: Unix time, in seconds.
        look_s: How often what has come is fetched, in seconds.
    """

    def __init__(
        self,
        folder: WireFolder,
        secrets: Iterable[str],
        wall_clock: Callable[[], float],
        look_s: float = LOOK_S,
    ) -> None:
        self._folder = folder
        self._secrets = tuple(secrets)
        self._maskers: dict[str, Masker] = {}
        self._wall_clock = wall_clock
        self._look_s = look_s
        self._loop = asyncio.get_running_loop()
        self._taps: list[StreamTap] = []
        self._given_up: dict[str, None] = {}
        self._waiting: dict[str, int] = {}
        self._writing: set[asyncio.Future[bool]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._thread: ThreadPoolExecutor | None = None

    # -------------------------------------------------------------- what is to be kept

    def stream(self) -> StreamTap:
        """A socket is open."""
        tap = StreamTap(self._loop.time, self._wall_clock())
        self._taps.append(tap)
        if self._timer is None:
            self._timer = self._loop.call_later(self._look_s, self.look)
        return tap

    def webhook(
        self,
        call_sid: str,
        *,
        seconds: float,
        method: str,
        path: str,
        parameters: Sequence[tuple[str, str]],
        status: int,
        content_type: str,
        body: bytes,
        headers: Mapping[str, str],
    ) -> None:
        """A webhook of a call was answered just now; ``seconds`` it took. Without a call nothing
        happens."""
        if not call_sid:
            return
        at = round(self._wall_clock() - seconds, 3)

        def cleaned(masker: Masker) -> list[Record]:
            text = body.decode("utf-8", "replace") if _is_text(content_type) else ""
            pairs = tuple(masker.parameter(*pair) for pair in parameters)
            where, shown = masker.text(path), masker.json(text) if text else ""
            ms = _ms(seconds)
            told = {name: masker.text(headers[name]) for name in HEADERS if name in headers}
            return [Webhook(at, ms, method, where, pairs, status, content_type, shown, told)]

        self._write(call_sid, call_sid, cleaned)

    # -------------------------------------------------------------- the way to the disk

    @property
    def streams(self) -> int:
        """Of which more may come."""
        return len(self._taps)

    def look(self) -> None:
        """Fetch what has come; once a second while there are streams."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        for tap in self._taps[:]:
            if tap.ended or tap.call_sid:
                self._fetch(tap)
            elif tap.flooded:
                tap.take()  # a socket that floods and names no call is none of a line's
                tap.ended = True
            if tap.ended:
                self._taps.remove(tap)
        if self._taps:
            self._timer = self._loop.call_later(self._look_s, self.look)

    def _fetch(self, tap: StreamTap) -> None:
        name = tap.call_sid or f"no-start-{tap.key}"
        if tap.flooded:
            self._give_up(name, "more came in a second than is kept")
        self._write(name, tap.call_sid, tap.take())

    def _write(self, name: str, call_sid: str, cleaned: Callable[[Masker], list[Record]]) -> None:
        if name in self._given_up:
            return
        if self._waiting.get(name, 0) >= MAX_BEHIND:
            self._give_up(name, "the disk is too slow")
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="exobridge-wire")
        self._waiting[name] = self._waiting.get(name, 0) + 1
        written = self._loop.run_in_executor(
            self._thread,
            lambda: self._folder.append(name, call_sid, cleaned(self._masker(name))),
        )
        self._writing.add(written)
        written.add_done_callback(lambda done: self._written(name, done))

    def _masker(self, name: str) -> Masker:
        """Of one call, so that a number looks the same all through its file. In the thread."""
        masker = self._maskers.pop(name, None) or Masker(self._secrets)
        self._maskers[name] = masker  # the last one asked for is kept longest
        if len(self._maskers) > MAX_CALLS:
            del self._maskers[next(iter(self._maskers))]
        return masker

    def _written(self, name: str, done: asyncio.Future[bool]) -> None:
        self._writing.discard(done)
        self._waiting[name] -= 1
        if not self._waiting[name]:
            del self._waiting[name]
        error = None if done.cancelled() else done.exception()
        if isinstance(error, OSError):
            self._give_up(name, str(error.strerror or error))
        elif error is not None:
            _log.error("wire crashed", exc_info=error)
            self._give_up(name, "a bug")
        elif not done.cancelled() and not done.result():
            self._give_up(name, "the file has reached its largest size")

    def _give_up(self, name: str, why: str) -> None:
        if name in self._given_up:
            return
        _log.warning("wire cut", call_sid=name, why=why)
        self._given_up[name] = None
        while len(self._given_up) > MAX_CALLS:
            del self._given_up[next(iter(self._given_up))]

    async def aclose(self) -> None:
        """Write what is there and stop. What the disk does not take in time is lost."""
        if self._timer is not None:
            self._timer.cancel()
        for tap in self._taps:
            self._fetch(tap)
        self._taps.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                while self._writing:
                    await asyncio.wait(self._writing)
        if self._thread is not None:
            self._thread.shutdown(wait=not self._writing, cancel_futures=True)


@asynccontextmanager
async def wire_recorder(
    folder: Path,
    kept_by: Side,
    wall_clock: Callable[[], float],
    secrets: Iterable[str] = (),
    bounds: Bounds | None = None,
) -> AsyncGenerator[WireRecorder]:
    """Keep the wire of calls in ``folder``, as long as the block lasts.

    Args:
        secrets: Values that must never appear in a file.
    """
    recorder = WireRecorder(WireFolder(folder, kept_by, bounds), secrets, wall_clock)
    try:
        yield recorder
    finally:
        await recorder.aclose()


def _is_text(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return not kind or kind.startswith("text/") or kind.endswith(("json", "xml"))


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
