"""Exotel's side of one call in virtual time: the caller's frames by the clock, the bot's audio into
a playout buffer, marks, ``clear``; late, lost and in bursts as the variant has it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable

from exobridge.simulator.wire import Dialect, FrameWriter, Identity
from exobridge_codecs.formats import pcm16
from tests.conversations.numbered import RATE
from tests.conversations.track import FRAME_MS, frame
from tests.conversations.world import World

CALL_SID = "c" * 32
LOST = -1
"""The number of a frame that was lost, and was filled with silence on the way."""

MAX_MS = 600_000.0
"""The longest call; then the caller's line breaks, and the call is judged as hung."""

HUNG_UP = "callended"

APART_S = 1e-6
"""Between two frames: timers that are due at the same time may fire in any order."""


class PhoneLine:
    """The line of one call, as the call sees it (``exobridge.call.plan.Line``).

    Attributes:
        ended: Who ended it: ``caller``, ``bot``, or ``limit``.
        code: The close code, if the bot closed it.
    """

    def __init__(self, world: World) -> None:
        self.ended = ""
        self.code = 0
        self._world = world
        self._variant = world.variant
        self._loop = asyncio.get_running_loop()
        identity = Identity(CALL_SID, "s" * 32, "acme", "leg", "09811122233", "08047112233")
        self._writer = FrameWriter(pcm16(RATE), identity, Dialect())
        self._dice = world.variant.chance("line")
        self._next_in = self._next_out = 0.0
        self._stall = (0.0, 0.0)
        self._on_text: Callable[[bytes], None] = lambda _: None
        self._closed = asyncio.Event()
        self._marks: asyncio.TimerHandle | None = None

    # -------------------------------------------------------------- the bot's frames

    def send(self, text: str) -> None:
        """A text frame of the bot's."""
        self._next_out = max(
            self._next_out + APART_S, self._loop.time() + self._variant.out_ms / 1000
        )
        self._loop.call_at(self._next_out, self._take, text)

    def _take(self, text: str) -> None:
        world, ear = self._world, self._world.ear
        now_ms = world.now_ms
        event = json.loads(text)
        match event["event"]:
            case "media":
                ear.playout.receive(now_ms, base64.b64decode(event["media"]["payload"]))
            case "mark":
                ear.playout.mark(now_ms, event["mark"]["name"])
                self._arm_marks()
            case "clear":
                ear.clear(now_ms)
                world.note("bot", "clear")
                self._arm_marks()
            case unknown:
                raise AssertionError(f"Exotel knows no {unknown}")

    def _arm_marks(self) -> None:
        if self._marks is not None:
            self._marks.cancel()
            self._marks = None
        due_ms = self._world.ear.playout.next_mark_ms()
        if due_ms is not None:
            due = self._world.started_at + due_ms / 1000
            self._marks = self._loop.call_at(due, self._return_marks)

    def _return_marks(self) -> None:
        for name in self._world.ear.playout.due_marks(self._world.now_ms):
            late_ms = self._dice.uniform(0.0, self._variant.marks_late_ms)
            if self._dice.random() < self._variant.marks_lost:
                self._world.note("line", f"mark {name} is lost")
            else:
                self._loop.call_later(late_ms / 1000, self._deliver, self._writer.mark(name))
        self._arm_marks()

    def close(self, code: int) -> None:
        """The bot closes the line; once it has ended, nothing happens."""
        if not self.ended:
            self.ended, self.code = "bot", code
            self._world.note("bot", f"closes with {code}")
        self._closed.set()

    # -------------------------------------------------------------- the caller's frames

    async def listen(self, on_text: Callable[[bytes], None]) -> int:
        """Hand every frame to ``on_text`` until the line ends; the close code."""
        self._on_text = on_text
        world = self._world
        world.started_at = self._next_in = self._loop.time()
        self._deliver(self._writer.connected())
        self._deliver(self._writer.start({}))
        while not self._closed.is_set():
            await self._until(len(world.track.voice) * FRAME_MS + self._variant.frame_ms)
            world.ear.advance(world.now_ms)
            self._speak()
            if world.caller.done or world.now_ms > MAX_MS:
                return await self._hang_up()
        return self.code

    async def _until(self, at_ms: float) -> None:
        at = self._world.started_at + at_ms / 1000
        await asyncio.sleep(max(0.0, at - self._loop.time()))

    async def _hang_up(self) -> int:
        self.ended = "caller" if self._world.caller.done else "limit"
        self._world.note("caller", "hangs up")
        self._deliver(self._writer.stop(HUNG_UP))
        await self._closed.wait()
        return 1006

    def _speak(self) -> None:
        """One message: the last ``frame_ms`` of the caller's."""
        world = self._world
        begin_ms = len(world.track.voice) * FRAME_MS
        audio: list[bytes] = []
        for at_ms in range(begin_ms, begin_ms + self._variant.frame_ms, FRAME_MS):
            voice, key = world.caller.tick(float(at_ms), world.ear)
            lost = self._dice.random() < self._variant.loss
            number = world.track.add(voice, sent=not lost)
            if not lost:
                audio.append(frame(number))
            elif self._variant.frame_ms > FRAME_MS:
                audio.append(frame(LOST))
            if key:
                world.note("caller", f"presses {key}")
                self._deliver(self._writer.dtmf(key))
        if audio:
            payload = base64.b64encode(b"".join(audio)).decode()
            self._deliver(self._writer.media(payload, begin_ms))

    def _deliver(self, text: str) -> None:
        """A frame on its way to the bot: what was sent first comes first."""
        now = self._loop.time()
        late_ms = self._variant.in_ms + self._dice.uniform(0.0, self._variant.jitter_ms)
        self._next_in = max(self._next_in + APART_S, now + late_ms / 1000, self._after_stall(now))
        self._loop.call_at(self._next_in, self._arrive, text)

    def _after_stall(self, now: float) -> float:
        burst_s = self._world.scenario.faults.burst_ms / 1000
        if not burst_s:
            return now
        if now >= self._stall[1]:
            begin = now + self._dice.uniform(0.5, 2.5)
            self._stall = (begin, begin + burst_s)
        begin, end = self._stall
        return end if begin <= now < end else now

    def _arrive(self, text: str) -> None:
        if not self._closed.is_set():
            self._on_text(text.encode())
