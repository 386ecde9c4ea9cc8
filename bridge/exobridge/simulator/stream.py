"""One media stream, played by Exotel: the thin skin of tasks around the pure parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from exobridge.simulator import events
from exobridge.simulator.bot import BotClear, BotMark, BotMedia, parse
from exobridge.simulator.caller import Caller
from exobridge.simulator.earpiece import Earpiece
from exobridge.simulator.line_faults import Marks
from exobridge.simulator.link import Link
from exobridge.simulator.narrator import Narrator
from exobridge.simulator.plan import CallPlan
from exobridge.simulator.report import EndedBy, MarkSeen
from exobridge.simulator.rules import (
    MAX_LEAD_MS,
    STOP_GRACE_MS,
    Breach,
    Rule,
    Violation,
    ViolationLog,
)
from exobridge.simulator.sending import Sending
from exobridge.simulator.wire import FrameWriter

_MARKS_KEPT = 2000
_NAME_KEPT = 60
"""Of a mark's name, in characters."""
_STOP_SECONDS = 1.0
"""How long sending ``stop`` may take a server that does not read, and how long one that answers no
ping is held not to have read it."""
LIMIT_REASON = "stopped"
"""``stop.reason`` of a stream that Exotel ends at its longest."""
_WORDS_EVERY_SECONDS = 0.3
"""Pause between two looks at what the bot has said."""
_WORDS_WITHIN_MS = 12_000
"""The last audio of a turn that is looked at: recognisers grow unsure on more."""


@dataclass(slots=True)
class Tally:
    """What was counted."""

    frames_received: int = 0
    chunks_received: int = 0
    bytes_received: int = 0
    marks_received: int = 0
    marks_returned: int = 0
    marks_lost: int = 0
    marks: list[MarkSeen] = field(default_factory=list[MarkSeen])
    send_lateness_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """How it ended. Times in ms since the start event."""

    ended_by: EndedBy
    close_code: int
    timed_out: bool
    duration_ms: float


class MediaStream:
    """Plays one stream from its start event to its end.

    Args:
        socket: The open WebSocket; closed when ``run`` is over.
        plan: The call's.
        stream_sid: The stream's id.
        writer: Builds the frames.
        caller: Decides what the caller's side carries.
        earpiece: Takes what the bot sends.
        log: Takes the violations.
        clock: Seconds, monotonic.
        companion: Who is with the caller.
    """

    def __init__(
        self,
        socket: ClientConnection,
        plan: CallPlan,
        *,
        stream_sid: str,
        writer: FrameWriter,
        caller: Caller,
        earpiece: Earpiece,
        log: ViolationLog,
        clock: Callable[[], float],
        companion: events.Companion,
    ) -> None:
        self.tally = Tally()
        self._socket = socket
        self._plan = plan
        self._stream_sid = stream_sid
        self._link = Link(socket, plan.line, self._now)
        self._sending = Sending(self._link, writer, plan.line)
        self._marks = Marks(earpiece.playout, plan.line)
        self._caller = caller
        self._earpiece = earpiece
        self._log = log
        self._clock = clock
        self._companion = companion
        self._tell = companion.tell
        self._origin = clock()
        self._marks_changed = asyncio.Event()
        self._stopped_ms: float | None = None  # when the stream was ended here
        self._stop_known_ms: float | None = None  # when the server had read of it
        self._grace_ms = STOP_GRACE_MS + self._link.longest_return_ms
        self._closed_ms: float | None = None  # when the server's end was seen to be gone
        self._led_too_far = False
        self._numbers_missed = False
        self._narrator = Narrator(caller, earpiece, companion.tell)

    async def run(self, custom_parameters: Mapping[str, str], *, timeout_s: float) -> StreamEnd:
        """Play the call.

        Args:
            custom_parameters: Of the start event.
            timeout_s: Seconds after which the caller hangs up anyway.
        """
        late: EndedBy | None = None
        try:
            if await self._start(custom_parameters):
                late = await self._play(timeout_s)
        finally:
            # Exotel closes without a close frame; the peer sees 1006.
            self._socket.transport.abort()
            await self._socket.wait_closed()
        return self._end(late)

    async def _start(self, custom_parameters: Mapping[str, str]) -> bool:
        """Send the first frames; ``False`` if the server is gone already."""
        try:
            await self._sending.start(custom_parameters)
        except ConnectionClosed:
            self._note_close()
            return False
        self._origin = self._clock()
        return True

    async def _play(self, timeout_s: float) -> EndedBy | None:
        """Play until one side ends it; whose limit it was, if it was one."""
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(self._read())
            line = [tasks.create_task(work) for work in self._link.works()]
            beside = [tasks.create_task(self._return_marks())]
            if self._companion.transcribe is not None:
                beside.append(tasks.create_task(self._understand(self._companion.transcribe)))
            late = await self._frames_until(timeout_s)
            for task in beside:
                task.cancel()
            if self._closed_ms is None:
                await self._stop(LIMIT_REASON if late is EndedBy.LIMIT else self._plan.stop_reason)
                if self._plan.sends_stop:
                    await asyncio.wait([reader], timeout=self._plan.limits.linger_s)
            self._socket.transport.abort()  # ends the reader
            for task in line:
                task.cancel()
        return late

    async def _frames_until(self, timeout_s: float) -> EndedBy | None:
        longest_s = self._plan.limits.stream_s
        try:
            async with asyncio.timeout(min(timeout_s, longest_s)):
                await self._frames()
        except TimeoutError:
            return EndedBy.LIMIT if longest_s < timeout_s else EndedBy.CALLER
        except ConnectionClosed:
            self._note_close()
        return None

    def _now(self) -> float:
        return (self._clock() - self._origin) * 1000

    # ---------------------------------------------------------------- caller to bot

    async def _frames(self) -> None:
        """Send the caller's side, each frame at its end, until the caller hangs up."""
        payload: str | None = None
        frame_ms = self._plan.frame_ms
        for index in count():
            start_ms = index * frame_ms
            await self._until(start_ms)
            if payload is not None:
                await self._sending.media(payload, start_ms - frame_ms)
            self._earpiece.advance(self._now())
            frame = self._caller.frame(start_ms, self._earpiece)
            self._narrator.news(start_ms)
            if frame.digit:
                await self._sending.key(frame.digit)
            if frame.hang_up or self._companion.leave.is_set():
                return
            payload = frame.payload

    async def _until(self, at_ms: float) -> None:
        early_ms = at_ms - self._now()
        # A late frame yields too, so that catching up does not starve the reader.
        await asyncio.sleep(max(0.0, early_ms / 1000))
        self.tally.send_lateness_ms = max(self.tally.send_lateness_ms, self._now() - at_ms)

    async def _stop(self, reason: str) -> None:
        self._stopped_ms = self._now()
        with suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                if self._plan.sends_stop:
                    await self._sending.stop(reason)
        await asyncio.sleep(self._link.behind_ms / 1000)
        with suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                if self._plan.sends_stop:
                    await self._link.was_read()
        self._stop_known_ms = self._now()

    async def _return_marks(self) -> None:
        """Return each mark when it is due."""
        with suppress(ConnectionClosed):
            while True:
                for name in self._marks.due(self._now()):
                    await self._sending.mark(name)
                    self.tally.marks_returned += 1
                    self._note_mark(name, returned=True)
                due_ms = self._marks.next_ms()
                wait = None if due_ms is None else max(0.0, (due_ms - self._now()) / 1000)
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._marks_changed.wait()
                self._marks_changed.clear()

    # ---------------------------------------------------------------- bot to caller

    async def _understand(self, transcribe: events.Transcribe) -> None:
        """While the caller waits for words, have what was heard of the bot's turn understood again
        and again."""
        while True:
            await asyncio.sleep(_WORDS_EVERY_SECONDS)
            since_ms = self._caller.awaits_words_from(self._earpiece)
            if since_ms is not None:
                now = self._now()
                pcm = self._earpiece.pcm(max(since_ms, now - _WORDS_WITHIN_MS), now)
                text = await transcribe(pcm, self._earpiece.sample_rate)
                self._caller.understand(since_ms, text)

    async def _read(self) -> None:
        try:
            while True:
                self._receive(await self._link.recv())
        except ConnectionClosed:
            self._note_close()

    def _receive(self, message: str | bytes) -> None:
        now = self._now()
        self.tally.frames_received += 1
        parsed = parse(message, self._stream_sid)
        for breach in parsed.breaches:
            self._broken(breach, now)
        match parsed.frame:
            case BotMedia() as media:
                self._numbers(media, now)
                self._media(media.audio, now)
            case BotMark(name):
                self.tally.marks_received += 1
                self._note_mark(name, returned=False)
                if self._earpiece.playout.mark(now, name):
                    self._marks_changed.set()
                else:
                    self._broken(Breach(Rule.BUFFER_FULL, "marks"), now)
            case BotClear():
                self._earpiece.clear(now)
                self._marks_changed.set()
            case None:
                pass

    def _media(self, audio: bytes, now: float) -> None:
        self.tally.chunks_received += 1
        self.tally.bytes_received += len(audio)
        if self._stopped_ms is not None:
            known_ms = self._stop_known_ms
            if known_ms is not None and now > known_ms + self._grace_ms:
                after = f"{now - self._stopped_ms:.0f} ms after it"
                self._broken(Breach(Rule.AUDIO_AFTER_STOP, after), now)
            return
        if not self._earpiece.receive(now, audio):
            self._broken(Breach(Rule.BUFFER_FULL, f"{len(audio)} bytes"), now)
        lead = self._earpiece.playout.unplayed_ms(now)
        if lead > MAX_LEAD_MS and not self._led_too_far:
            self._broken(Breach(Rule.LEAD_TOO_LONG, f"{lead:.0f} ms ahead"), now)
        self._led_too_far = lead > MAX_LEAD_MS

    def _numbers(self, media: BotMedia, now: float) -> None:
        """Told once: a bot that leaves them out does so in every chunk."""
        if media.missing and not self._numbers_missed:
            self._numbers_missed = True
            self._broken(Breach(Rule.MISSING_NUMBERS, "no " + ", ".join(media.missing)), now)

    # ---------------------------------------------------------------- the rest

    def _note_mark(self, name: str, *, returned: bool) -> None:
        if len(self.tally.marks) < _MARKS_KEPT:
            self.tally.marks.append(MarkSeen(self._now(), name[:_NAME_KEPT], returned))

    def _broken(self, breach: Breach, now: float) -> None:
        violation: Violation | None = self._log.add(breach, now)
        if violation is not None:
            self._tell(events.RuleBroken(violation))

    def _note_close(self) -> None:
        if self._closed_ms is None:
            self._closed_ms = self._now()

    def _end(self, late: EndedBy | None) -> StreamEnd:
        ended_by = self._ended_by(late)
        ended_ms = max(0.0, self._stopped_ms or self._closed_ms or 0.0)
        protocol = self._socket.protocol
        if protocol.close_sent is not None and protocol.close_sent.code == 1009:
            self._broken(Breach(Rule.FRAME_TOO_LARGE), ended_ms)
        unplayed = self._earpiece.end(ended_ms)
        if unplayed and ended_by is EndedBy.BOT:
            self._broken(Breach(Rule.CLOSED_BEFORE_PLAYED, f"{unplayed:.0f} ms"), ended_ms)
        self._narrator.last(ended_ms)
        self.tally.marks_lost = self._marks.lost
        return StreamEnd(
            ended_by=ended_by,
            close_code=self._socket.close_code or 1006,
            timed_out=late is EndedBy.CALLER,
            duration_ms=ended_ms,
        )

    def _ended_by(self, late: EndedBy | None) -> EndedBy:
        if self._stopped_ms is not None:
            return late or EndedBy.CALLER
        return EndedBy.NETWORK if self._socket.protocol.close_rcvd is None else EndedBy.BOT
