"""A session as a call uses it: audio in frames, text in utterances, and one task that reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

from exobridge_codecs.codec import decoder, encoder
from exobridge_providers.base import (
    Final,
    SttConfig,
    SttEvent,
    SttSession,
    SttTrouble,
    TtsAudio,
    TtsConfig,
    TtsDone,
    TtsEvent,
    TtsSession,
    TtsTrouble,
)
from exobridge_providers.testing.contract.promises import promise, within
from exobridge_providers.testing.letters import spoken, understood

CLOSE_LIMIT_SECONDS = 4.0
"""Longest time that closing may take, whatever the vendor does."""

HUSH_MS = 400
"""Silence in which a vendor that finds the end of a turn has found it."""

_SETTLE_SECONDS = 0.02

EventT = TypeVar("EventT")


class Reading(Generic[EventT]):
    """The events of a session, read by a task.

    Attributes:
        events: What came so far.
        limit_seconds: Longest wait for what is promised.
        error: What the events ended with, if it was no proper end.
        over: They have ended.
    """

    def __init__(
        self, events: AsyncIterator[EventT], errors: list[BaseException], limit_seconds: float
    ) -> None:
        self.events: list[EventT] = []
        self.limit_seconds = limit_seconds
        self.error: BaseException | None = None
        self.over = False
        self._errors = errors
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._read(events))

    async def _read(self, events: AsyncIterator[EventT]) -> None:
        try:
            async for event in events:
                self.events.append(event)
                if isinstance(event, SttTrouble | TtsTrouble):
                    self._errors.append(event.error)
                self._changed.set()
        except Exception as error:  # of whatever kind: checks look at it
            self.error = error
            self._errors.append(error)
        finally:
            self.over = True
            self._changed.set()

    async def until(self, enough: Callable[[], bool], words: str) -> bool:
        """Wait for something to be true, or for the session's end.

        Returns:
            Whether it is true.
        """

        async def wait() -> None:
            while not enough() and not self.over:
                self._changed.clear()
                await self._changed.wait()

        await within(wait(), self.limit_seconds, words)
        return enough()

    async def settle(self, seconds: float = _SETTLE_SECONDS) -> None:
        """Give events that must not come the time to."""
        await asyncio.sleep(seconds)

    async def stop(self) -> None:
        """Promise that the events end, now that the session is closed."""
        try:
            await within(
                asyncio.shield(self._task), CLOSE_LIMIT_SECONDS, "events end with the session"
            )
        finally:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


class SttCall(Reading[SttEvent]):
    """A session of speech-to-text."""

    def __init__(
        self,
        session: SttSession,
        config: SttConfig,
        errors: list[BaseException],
        limit_seconds: float,
        *,
        hushes: bool,
    ) -> None:
        super().__init__(session.events(), errors, limit_seconds)
        self.session = session
        self.config = config
        self._hushes = hushes

    def audio(self, words: str) -> bytes:
        """Speech in the session's format."""
        audio_format = self.config.format
        return encoder(audio_format.encoding)(spoken(words, audio_format.sample_rate))

    def send(self, audio: bytes) -> None:
        """Hand over audio in frames, the last one filled up with silence."""
        audio_format = self.config.format
        size = audio_format.frame_bytes
        for at in range(0, len(audio), size):
            frame = audio[at : at + size]
            self.session.send(frame + audio_format.silence(size - len(frame)))

    def hush(self, milliseconds: int) -> None:
        """Hand over silence."""
        self.send(self.config.format.silence(milliseconds * self.config.format.bytes_per_ms))

    def ask(self, words: str, *, without: int = 0) -> None:
        """Say something, and ask for its text. The line goes on with silence where the vendor
        itself finds the end of what is said.

        Args:
            without: Bytes at the end that are not sent.
        """
        audio = self.audio(words)
        self.send(audio[: len(audio) - without])
        self.session.finalize()
        if self._hushes:
            self.hush(HUSH_MS)

    @property
    def answers(self) -> list[Final]:
        """Those of ``finalize()``."""
        return [each for each in self.events if isinstance(each, Final) and each.finalized]

    @property
    def text(self) -> str:
        """All final words so far."""
        return plain(" ".join(each.text for each in self.events if isinstance(each, Final)))

    @property
    def answered_text(self) -> str:
        """The final words up to the last answer."""
        finals = [each for each in self.events if isinstance(each, Final)]
        while finals and not finals[-1].finalized:
            finals.pop()
        return plain(" ".join(each.text for each in finals))

    @property
    def turn_ended(self) -> bool:
        """The vendor has said that the caller's turn is over."""
        return any(isinstance(each, Final) and each.end_of_turn for each in self.events)

    async def answered(self, times: int = 1) -> bool:
        """Wait until ``finalize()`` was answered so often, or the session has died."""
        return await self.until(
            lambda: len(self.answers) >= times, f"finalize() is answered {times} times"
        )

    async def well_answered(self, times: int = 1) -> None:
        """As :meth:`answered`; that it dies is a broken promise."""
        kept = await self.answered(times)
        promise(kept, f"finalize() is answered {times} times; the session died: {self.error!r}")

    async def aclose(self) -> None:
        """Promise that it closes in time, and that its events end."""
        try:
            await within(self.session.aclose(), CLOSE_LIMIT_SECONDS, "aclose returns")
        finally:
            await self.stop()


class TtsCall(Reading[TtsEvent]):
    """A session of text-to-speech."""

    def __init__(
        self,
        session: TtsSession,
        config: TtsConfig,
        errors: list[BaseException],
        limit_seconds: float,
    ) -> None:
        super().__init__(session.events(), errors, limit_seconds)
        self.session = session
        self.config = config

    def audio(self, utterance_id: str) -> bytes:
        """That of an utterance so far, as it came."""
        return b"".join(
            each.audio
            for each in self.events
            if isinstance(each, TtsAudio) and each.utterance_id == utterance_id
        )

    def heard(self, utterance_id: str) -> str:
        """The words of an utterance so far."""
        audio_format = self.config.format
        pcm = decoder(audio_format.encoding)(self.audio(utterance_id))
        return understood(pcm, audio_format.sample_rate)

    def is_done(self, utterance_id: str) -> bool:
        """Whether an utterance has ended, well or not."""
        return any(
            isinstance(each, TtsDone | TtsTrouble) and each.utterance_id == utterance_id
            for each in self.events
        )

    async def say(self, utterance_id: str, text: str, *, last: bool = True) -> None:
        """Have a text spoken. What is raised is told by the events too."""
        try:
            await within(
                self.session.say(utterance_id, text, last=last), self.limit_seconds, "say returns"
            )
        except Exception as error:
            self._errors.append(error)
            raise

    async def cancel(self, utterance_id: str) -> None:
        """Stop one."""
        await within(self.session.cancel(utterance_id), self.limit_seconds, "cancel returns")

    async def done(self, utterance_id: str) -> bool:
        """Wait for the end of an utterance, or of the session."""
        return await self.until(
            lambda: self.is_done(utterance_id), f"utterance {utterance_id!r} ends"
        )

    async def spoken(self, utterance_id: str) -> str:
        """The words of an utterance, once it is over; that the session dies, or that it has
        trouble, is a broken promise."""
        kept = await self.done(utterance_id)
        promise(kept, f"{utterance_id!r} is spoken; the session died: {self.error!r}")
        for event in self.events:
            if isinstance(event, TtsTrouble):
                promise(False, f"{event.utterance_id!r} is spoken; trouble: {event.error!r}")
        return self.heard(utterance_id)

    async def begun(self, utterance_id: str) -> bool:
        """Wait for the first audio of an utterance."""
        return await self.until(
            lambda: bool(self.audio(utterance_id)), f"utterance {utterance_id!r} begins"
        )

    async def aclose(self) -> None:
        """Promise that it closes in time, and that its events end."""
        try:
            await within(self.session.aclose(), CLOSE_LIMIT_SECONDS, "aclose returns")
        finally:
            await self.stop()


def plain(text: str) -> str:
    """Words alone: vendors write sentences, with capitals and full stops."""
    kept = "".join(each if each.isalnum() else " " for each in text.lower())
    return " ".join(kept.split())
