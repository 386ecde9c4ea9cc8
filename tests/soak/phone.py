"""Exotel's side of one call in virtual time: the line as it was drawn, the caller's frames by the
clock, the bot's audio into a playout buffer, marks that come back, late or never."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import deque
from collections.abc import Callable
from functools import partial

from exobridge.simulator.line_faults import Cutter, Marks, Odd, Way, odd_text
from exobridge.simulator.playout import Heard, Playout
from exobridge.simulator.wire import Dialect, FrameWriter, Identity, Ids, Keys
from exobridge_codecs.codec import decoder, encoder
from exobridge_codecs.resample import resample
from tests.soak.scene import Scene
from tests.soak.tones import spoken
from tests.tone_speech import RATE

TICK_MS = 5
"""How often the line is looked at."""
WHO = Identity("c" * 32, "s" * 32, "acme", "leg", "09811122233", "08047112233")


class ScenePhone:
    """The line of one call (``exobridge.call.plan.Line``).

    Attributes:
        code: The close code; 0: the call did not close it.
        ended: What ended it: ``stop``, which has arrived; ``broken``; or ``closed`` by the call.
        ended_ms: When, on the stream's time line.
        started: ``start`` has arrived.
        arrived: When the last frame of each line had arrived, and each key.
        silent: The line fell silent before it ended.
    """

    def __init__(self, scene: Scene) -> None:
        self.code = 0
        self.ended = ""
        self.ended_ms = 0.0
        self.arrived: dict[int, float] = {}
        self.keys: list[tuple[float, str]] = []
        self.silent = False
        self.started = False
        self._scene = scene
        self._line = scene.drawn.line
        table = scene.drawn.flow.stream
        self._frame_ms = table.frame_ms
        self._sends_stop = table.sends_stop
        self._reason = table.stop_reason
        self._limit_ms = table.limit_seconds * 1000
        dialect = Dialect(
            Keys(table.keys), table.text_numbers, Ids(table.ids), table.media_encoding
        )
        self._writer = FrameWriter(scene.audio, WHO, dialect)
        self._playout = Playout(scene.audio, marks_after_clear=table.marks_after_clear)
        self._marks = Marks(self._playout, self._line)
        sizes = self._line.payload_bytes
        self._cutter = Cutter(sizes, scene.audio.bytes_per_ms) if sizes else None
        self._there = Way(
            self._line.delay_ms, self._line.jitter_ms, self._line.stalls, self._line.seed
        )
        self._back = Way(self._line.return_delay_ms, self._line.jitter_ms, (), self._line.seed + 1)
        self._to_bot: deque[tuple[float, str, Callable[[], None]]] = deque()
        self._from_bot: deque[tuple[float, str]] = deque()
        self._odd = deque(self._line.odd_frames)
        self._pressed = deque(scene.keys)
        self._heard: list[Heard] = []
        self._track = self._said()
        self._frames = 0
        self._began = 0.0
        self._has_hung_up = False

    # -------------------------------------------------------------- the call's side of it

    def send(self, text: str) -> None:
        """A frame of the bot's."""
        if not self._is_silent():
            self._from_bot.append((self._back.arrives(self._now()), text))

    def close(self, code: int) -> None:
        """The call closes the line."""
        if not self.ended:
            self.code = code
            self._end("closed", self._now())

    async def listen(self, on_text: Callable[[bytes], None]) -> int:
        """Play the caller's side, until one of the two ends it."""
        self._began = asyncio.get_running_loop().time()
        self._open()
        while True:
            await asyncio.sleep(TICK_MS / 1000)
            if self.ended:
                return 1006
            now = self._now()
            self._take(now)
            if self._breaks(now):
                self._end("broken", now)
            else:
                self._play(now)
                self._deliver(now, on_text)

    def heard(self) -> bytes:
        """What the caller heard, PCM16 at 8 kHz, with its silences."""
        audio = self._scene.audio
        if self.ended == "closed" and not self.silent:  # what was on its way is heard yet
            until_ms = self.ended_ms + self._line.return_delay_ms + self._line.jitter_ms
            self._take(until_ms)
            self._heard += self._playout.advance(until_ms)
        length = max((each.start + len(each.audio) for each in self._heard), default=0)
        track = bytearray(2 * length)
        for each in self._heard:
            pcm = decoder(audio.encoding)(each.audio)
            track[2 * each.start : 2 * each.start + len(pcm)] = pcm
        return resample(bytes(track), audio.sample_rate, RATE)

    # -------------------------------------------------------------- the caller

    def _said(self) -> bytes:
        """All that the caller says, in the stream's format."""
        audio, scene = self._scene.audio, self._scene
        track = bytearray(2 * RATE * (scene.hangs_up_ms + 2000) // 1000)
        for line in scene.lines:
            pcm, start = spoken(" ".join(line.words)), 2 * RATE * line.at_ms // 1000
            track[start : start + len(pcm)] = pcm
        return encoder(audio.encoding)(resample(bytes(track), RATE, audio.sample_rate))

    def _open(self) -> None:
        self._give(self._writer.connected())
        audio = self._scene.audio
        early = base64.b64encode(audio.silence(audio.bytes_per_ms * 20)).decode()
        for _ in range(self._line.early_frames):
            self._give(self._writer.media(early, 0))
        self._give(self._writer.start({}), self._start)

    def _start(self) -> None:
        self.started = True

    def _play(self, now: float) -> None:
        """Speak and press what is due, return marks, hang up."""
        for heard in self._playout.advance(now):
            self._heard.append(heard)
        for name in self._marks.due(now):
            self._give(self._writer.mark(name))
        while (self._frames + 1) * self._frame_ms <= now:
            self._frame()
        while self._pressed and self._pressed[0][0] <= now:
            self._press(self._pressed.popleft()[1])
        if now >= min(self._scene.hangs_up_ms, self._limit_ms) and not self._has_hung_up:
            self._hang_up(now)

    def _frame(self) -> None:
        at_ms = self._frames * self._frame_ms
        self._frames += 1
        while self._odd and self._odd[0].at_ms <= at_ms:
            self._give(self._odd_text(self._odd.popleft().odd))
        size = self._scene.audio.bytes_per_ms * self._frame_ms
        start = (self._frames - 1) * size
        audio = self._track[start : start + size]
        audio += self._scene.audio.silence(size - len(audio))
        pieces = [(audio, at_ms)] if self._cutter is None else self._cutter.take(audio)
        for piece, began_ms in pieces:
            payload = base64.b64encode(piece).decode()
            done_ms = began_ms + len(piece) / self._scene.audio.bytes_per_ms
            self._give(self._writer.media(payload, began_ms), partial(self._spoke, done_ms))

    def _odd_text(self, odd: Odd) -> str:
        return odd_text(odd, self._writer, lambda: self._writer.start({}))

    def _press(self, digit: str) -> None:
        self._give(self._writer.dtmf(digit), lambda: self.keys.append((self._now(), digit)))

    def _spoke(self, until_ms: float) -> None:
        """The caller's audio has arrived until there."""
        for at, line in enumerate(self._scene.lines):
            if line.end_ms <= until_ms and at not in self.arrived:
                self.arrived[at] = self._now()

    def _hang_up(self, now: float) -> None:
        self._has_hung_up = True
        if self._sends_stop:
            reason = self._reason if now < self._limit_ms else "stopped"
            self._give(self._writer.stop(reason), lambda: self._end("stop", self._now()))
        else:
            self._end("broken", now)

    # -------------------------------------------------------------- the line

    def _give(self, text: str, arrived: Callable[[], None] = lambda: None) -> None:
        """Send a frame to the bot."""
        self._to_bot.append((self._there.arrives(self._now()), text, arrived))

    def _deliver(self, now: float, on_text: Callable[[bytes], None]) -> None:
        if self._is_silent():
            return
        while self._to_bot and self._to_bot[0][0] <= now and not self.ended:
            _, text, arrived = self._to_bot.popleft()
            on_text(text.encode())
            arrived()

    def _take(self, now: float) -> None:
        """What has arrived of the bot's."""
        while self._from_bot and self._from_bot[0][0] <= now:
            at_ms, text = self._from_bot.popleft()
            frame = json.loads(text)
            if self._has_hung_up:
                continue  # Exotel is gone
            for heard in self._playout.advance(at_ms):
                self._heard.append(heard)
            match frame["event"]:
                case "media":
                    self._playout.receive(at_ms, base64.b64decode(frame["media"]["payload"]))
                case "mark":
                    self._playout.mark(at_ms, frame["mark"]["name"])
                case _:
                    self._playout.clear(at_ms)

    def _is_silent(self) -> bool:
        at_ms = self._line.half_open_at_ms
        return at_ms is not None and self._now() >= at_ms

    def _breaks(self, now: float) -> bool:
        at_ms = self._line.reset_at_ms
        silent_ms = self._line.half_open_at_ms
        given_up = silent_ms is not None and now >= silent_ms + self._line.half_open_for_ms
        self.silent = self.silent or self._is_silent()
        return given_up or (at_ms is not None and now >= at_ms)

    def _end(self, how: str, now: float) -> None:
        if not self.ended:
            self.ended, self.ended_ms = how, now

    def _now(self) -> float:
        return (asyncio.get_running_loop().time() - self._began) * 1000
