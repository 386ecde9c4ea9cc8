"""The way in of a call, over a recording and as quick as it can be computed.

The real parts of a call, on audio that comes by no clock: μ-law at 8 kHz as Exotel sends it, the
hearing, the voice detector's network, the turn policy and a speech-to-text session. What is left
out: the socket, the bot, and the time that recognition takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import numpy as np

from exobridge.call.hearing import Hearing
from exobridge.call.turns import (
    Action,
    DropSegment,
    Finalize,
    Peek,
    Signal,
    StartSegment,
    TakeTurn,
    TurnOptions,
    TurnPolicy,
    vocabulary,
)
from exobridge_codecs.formats import AudioFormat, Encoding, pcm16
from exobridge_codecs.g711 import pcm_to_mulaw
from exobridge_codecs.pcm import to_float
from exobridge_providers.base import (
    Final,
    Partial,
    SttCapabilities,
    SttConfig,
    SttEvent,
    SttProvider,
    SttSession,
)
from exobridge_providers.denoise import CLEAN, Denoise
from exobridge_providers.vad.silero_model import (
    SileroModel,
    context_samples,
    new_state,
    window_samples,
)

LINE = AudioFormat(Encoding.MULAW, 8000)
_RATE = 8000
_PAYLOAD_BYTES = LINE.frame_bytes
_LEAD_MS = 500
_TAIL_MS = 2000
_LANGUAGE = "en-IN"
_ANSWER_SECONDS = 60


@dataclass(slots=True)
class Heard:
    """What came of a recording.

    Attributes:
        texts: Of each segment, in order; empty ones too.
        turns: What the dialogue would have been asked.
        segments: Where each segment's voice began and ended, in milliseconds.
    """

    texts: list[str] = field(default_factory=list[str])
    turns: list[str] = field(default_factory=list[str])
    segments: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join(filter(None, self.texts))


class Detector:
    """The voice detector of one stream, called window by window."""

    def __init__(self, model: SileroModel) -> None:
        self._model = model
        self._size, self._before = window_samples(_RATE), context_samples(_RATE)
        self._context = np.zeros(self._before, np.float32)
        self._state = new_state()
        self._audio = b""
        self._position = 0

    def push(self, pcm: bytes) -> list[tuple[float, float]]:
        """End and probability of each window that is full."""
        self._audio += pcm
        done: list[tuple[float, float]] = []
        while len(self._audio) >= 2 * self._size:
            window = to_float(self._audio[: 2 * self._size])
            self._audio = self._audio[2 * self._size :]
            samples = np.concatenate((self._context, window))
            probabilities, self._state = self._model.run(samples[None, :], self._state, _RATE)
            self._context = samples[-self._before :]
            self._position += self._size
            done.append((self._position * 1000 / _RATE, float(probabilities[0])))
        return done


class PhonePath:
    """One call's way in.

    Args:
        session: Speech-to-text, opened for ``wanted``.
        capabilities: Of its provider.
        wanted: What it takes.
        model: Of the voice detector.
        clean: The host's noise suppression.
    """

    def __init__(
        self,
        session: SttSession,
        capabilities: SttCapabilities,
        wanted: AudioFormat,
        model: SileroModel,
        clean: Denoise | None = None,
    ) -> None:
        self.heard = Heard()
        self._session = session
        self._events: AsyncIterator[SttEvent] = session.events()
        self._policy = TurnPolicy(TurnOptions(), 0.0, vocabulary(_LANGUAGE, 2, (), ()))
        self._hearing = Hearing()
        self._hearing.denoise = clean
        self._hearing.set_format(LINE)
        self._hearing.transcribe(session, wanted, continuous=capabilities.continuous)
        self._hearing.suit(capabilities)
        self._detector = Detector(model)
        self._windows: list[tuple[float, float]] = []
        self._hearing.listen(pcm16(_RATE), self._detect)
        self._begun: float | None = None

    @property
    def _now(self) -> float:
        return self._hearing.position_ms / 1000

    def _detect(self, frame: bytes) -> None:
        self._windows += self._detector.push(frame)

    async def take(self, pcm: bytes) -> Heard:
        """A recording of 8 kHz PCM16, between silences."""
        payload = pcm_to_mulaw(bytes(16 * _LEAD_MS) + pcm + bytes(16 * _TAIL_MS))
        for start in range(0, len(payload), _PAYLOAD_BYTES):
            self._hearing.push(payload[start : start + _PAYLOAD_BYTES])
            windows, self._windows = self._windows, []
            for end_ms, probability in windows:
                await self._carry_out(self._policy.voice(end_ms, probability, self._now))
            due = self._policy.due()
            if due is not None and due <= self._now:
                await self._carry_out(self._policy.tick(self._now))
        return self.heard

    async def _carry_out(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case StartSegment(from_ms):
                    self._begun = from_ms if self._begun is None else self._begun
                    self._hearing.start_segment()
                case Peek(settled):
                    await self._peek(settled=settled)
                case Finalize(voice_end_ms):
                    self.heard.segments.append((self._begun or 0.0, voice_end_ms))
                    self._begun = None
                    self._hearing.end_segment()
                    await self._take_final()
                case DropSegment():
                    self._begun = None
                    if self._hearing.drop_segment():
                        await self._next(Final)
                case TakeTurn(text):
                    self.heard.turns.append(text)
                    self._policy.bot_started(self._now)
                    await self._carry_out(self._policy.bot_finished(self._now))
                case Signal():
                    pass  # there is no bot that could be held back

    async def _peek(self, *, settled: bool) -> None:
        if self._hearing.peek(settled=settled):
            text = await self._next(Partial)
            await self._carry_out(self._policy.partial(text, self._now))
        else:
            await self._carry_out(self._policy.no_peek())

    async def _take_final(self) -> None:
        text = await self._next(Final)
        self.heard.texts.append(text)
        await self._carry_out(self._policy.final(text, self._now, finalized=True))

    async def _next(self, kind: type[Final | Partial]) -> str:
        async with asyncio.timeout(_ANSWER_SECONDS):
            async for event in self._events:
                if isinstance(event, Final | Partial):
                    assert isinstance(event, kind)
                    return event.text.strip()
        raise AssertionError("the session ended")


async def hear(
    provider: SttProvider, model: SileroModel, pcm: bytes, *, clean: Denoise | None = None
) -> Heard:
    """One call with one recording, 8 kHz PCM16."""
    wanted = CLEAN if clean else pcm16(_RATE)
    session = await provider.open(SttConfig(wanted, _LANGUAGE))
    try:
        return await PhonePath(session, provider.capabilities, wanted, model, clean).take(pcm)
    finally:
        await session.aclose()
