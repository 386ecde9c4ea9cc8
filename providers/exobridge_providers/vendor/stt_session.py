"""Speech-to-text over a vendor's WebSocket: the session of one call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from exobridge_providers.base import Final, SttConfig, SttEvent, SttTrouble
from exobridge_providers.errors import (
    ProviderError,
    ProviderUnavailableError,
    as_provider_error,
)
from exobridge_providers.events import EventStream
from exobridge_providers.vendor.answers import Answers
from exobridge_providers.vendor.link import Link
from exobridge_providers.vendor.messages import Messages
from exobridge_providers.vendor.stt_protocol import SttProtocol


class VendorSttSession:
    """One call's. Made by :meth:`VendorStt.open`."""

    def __init__(
        self, protocol: SttProtocol, link: Link, config: SttConfig, chunk_ms: int, provider: str
    ) -> None:
        self._protocol = protocol
        self._link = link
        self._provider = provider
        self._silence = config.format.silence(chunk_ms * config.format.bytes_per_ms)
        self._chunk = bytearray()
        self._events: EventStream[SttEvent] = EventStream()
        self._answers = Answers(
            acknowledged=protocol.acknowledges,
            answer_seconds=protocol.answer_seconds,
            forgets=protocol.forgets,
        )
        self._messages = Messages(provider)
        self._ready = asyncio.Event()
        self._error: ProviderError | None = None
        self._closed = False
        self._behind = False
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._sent_at = loop.time()
        self._idle: asyncio.TimerHandle | None = None
        self._due: asyncio.TimerHandle | None = None
        self._reader = loop.create_task(self._read())
        for message in protocol.hello():
            link.send(message)
        self._keep_alive()

    async def begun(self) -> None:
        """Wait until the vendor takes audio.

        Raises:
            ProviderError: It does not.
        """
        if not self._protocol.ready:
            await self._ready.wait()
        if self._error is not None:
            raise self._error

    # -------------------------------------------------------------- out

    def send(self, audio: bytes) -> None:
        """As :meth:`exobridge_providers.base.SttSession.send`."""
        self._chunk += audio
        if len(self._chunk) >= len(self._silence):
            self._ship()

    def _ship(self) -> None:
        if self._closed or not self._chunk:
            self._chunk.clear()
            return
        chunk = bytes(self._chunk)
        self._chunk.clear()
        if self._protocol.whole_chunks:
            chunk += self._silence[len(chunk) :]
        if self._answers.sent():
            for message in self._protocol.begin():
                self._link.send(message)
        self._sent_at = self._loop.time()
        if self._link.send_audio(self._protocol.audio(chunk)):
            self._behind = self._behind and self._link.is_behind
        elif not self._behind:
            self._behind = True
            error = ProviderUnavailableError(
                f"{self._provider} does not keep up: audio was dropped", provider=self._provider
            )
            self._events.post(SttTrouble(error))

    def finalize(self) -> None:
        """As :meth:`exobridge_providers.base.SttSession.finalize`."""
        self._ship()
        if self._closed:
            return
        ask, answers = self._answers.ask(self._loop.time())
        if ask:
            for message in self._protocol.finalize():
                self._link.send(message)
        self._give(answers)

    def peek(self) -> None:
        """Not asked for: interims come by themselves."""

    def _keep_alive(self) -> None:
        pause = self._protocol.keepalive_seconds
        if pause is None or self._closed:
            return
        now = self._loop.time()
        if now - self._sent_at >= pause:
            self._sent_at = now
            message = self._protocol.idle()
            self._link.send(self._protocol.audio(self._silence) if message is None else message)
        self._idle = self._loop.call_at(self._sent_at + pause, self._keep_alive)

    # -------------------------------------------------------------- in

    async def _read(self) -> None:
        try:
            async for message in self._link.messages():
                for event in self._messages.taken(message, self._protocol.take):
                    self._take(event)
                if self._protocol.ready:
                    self._ready.set()
        except Exception as error:  # also of a plugin: a session that ends says so
            known = as_provider_error(error, "understanding the vendor", self._provider)
            self._error = self._protocol.ended(known)
            self._events.fail(self._error)
            self._ready.set()

    def _take(self, event: SttEvent) -> None:
        if isinstance(event, Final):
            self._give(self._answers.take(event, self._loop.time(), every=self._protocol.caught_up))
        else:
            self._events.post(event)
            self._watch()

    def _give(self, answers: Iterable[Final]) -> None:
        for answer in answers:
            self._events.post(answer)
        self._watch()

    def _watch(self) -> None:
        """Set the timer of the oldest request anew: what the vendor hears decides how long."""
        if self._due is not None:
            self._due.cancel()
        due = None if self._closed else self._answers.due(hearing=self._protocol.hearing)
        self._due = None if due is None else self._loop.call_at(due, self._give_up)

    def _give_up(self) -> None:
        self._due = None
        self._give(self._answers.give_up(self._loop.time()))

    def events(self) -> AsyncIterator[SttEvent]:
        """As :meth:`exobridge_providers.base.SttSession.events`."""
        return aiter(self._events)

    async def aclose(self) -> None:
        """As :meth:`exobridge_providers.base.SttSession.aclose`."""
        goodbye = () if self._closed or self._error is not None else self._protocol.goodbye()
        self._closed = True
        for timer in (self._idle, self._due):
            if timer is not None:
                timer.cancel()
        self._events.close()
        try:
            await self._link.aclose(*goodbye)
        finally:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
