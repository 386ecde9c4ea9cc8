"""One connection of a text-to-speech session: its link, its protocol, and who reads it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from exobridge_providers.base import TtsEvent
from exobridge_providers.errors import (
    ProviderError,
    ProviderUnavailableError,
    as_provider_error,
)
from exobridge_providers.vendor.link import Link, Message
from exobridge_providers.vendor.messages import Messages
from exobridge_providers.vendor.tts_protocol import Cleared, TtsProtocol

SocketEvent = TtsEvent | Cleared


class TtsSocket:
    """Made by :meth:`open`.

    Args:
        take: Is told what the vendor says; its waiting holds up the vendor.
        ended: Is told once that the connection has.
    """

    def __init__(
        self,
        link: Link,
        protocol: TtsProtocol,
        provider: str,
        take: Callable[[TtsSocket, list[SocketEvent]], Awaitable[None]],
        ended: Callable[[TtsSocket, ProviderError], None],
    ) -> None:
        self.protocol = protocol
        self.error: ProviderError | None = None
        self._link = link
        self._provider = provider
        self._messages = Messages(provider)
        self._take = take
        self._tell_ended = ended
        self._ready = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.opened_at = self._loop.time()
        self._sent_at = self.opened_at
        self._idle: asyncio.TimerHandle | None = None
        self._reader = self._loop.create_task(self._read())
        self.send(protocol.hello())
        self._keep_alive()

    @classmethod
    async def open(
        cls,
        protocol: TtsProtocol,
        provider: str,
        connect_seconds: float,
        take: Callable[[TtsSocket, list[SocketEvent]], Awaitable[None]],
        ended: Callable[[TtsSocket, ProviderError], None],
    ) -> TtsSocket:
        """Connect, and wait until the vendor takes text.

        Raises:
            ProviderError: It cannot be had.
        """
        try:
            async with asyncio.timeout(connect_seconds):
                link = await Link.open(protocol.address(), provider, connect_seconds)
                socket = cls(link, protocol, provider, take, ended)
                try:
                    await socket._begun()
                except BaseException:
                    await socket.aclose()
                    raise
        except TimeoutError:
            raise ProviderUnavailableError(
                f"{provider} did not begin in time", provider=provider
            ) from None
        return socket

    async def _begun(self) -> None:
        if not self.protocol.ready:
            await self._ready.wait()
        if self.error is not None:
            raise self.error

    def send(self, messages: Iterable[Message]) -> None:
        """Send messages; never waits."""
        for message in messages:
            self._link.send(message)
            self._sent_at = self._loop.time()

    def _keep_alive(self) -> None:
        pause = self.protocol.keepalive_seconds
        if pause is None or self.error is not None:
            return
        if self._loop.time() - self._sent_at >= pause:
            message = self.protocol.idle()
            self.send(() if message is None else (message,))
            self._sent_at = self._loop.time()
        self._idle = self._loop.call_at(self._sent_at + pause, self._keep_alive)

    async def _read(self) -> None:
        try:
            async for message in self._link.messages():
                events = self._messages.taken(message, self.protocol.take, self.protocol.take_bytes)
                self.send(self.protocol.replies())
                if self.protocol.ready:
                    self._ready.set()
                await self._take(self, events)
        except Exception as error:  # also of a plugin: a connection that ends says so
            self.error = as_provider_error(error, "understanding the vendor", self._provider)
            self._ready.set()
            self._tell_ended(self, self.error)

    async def aclose(self, *goodbye: Message) -> None:
        """Close it. May be called again."""
        if self._idle is not None:
            self._idle.cancel()
        try:
            # Audio that still comes is read, and dropped: the vendor's farewell is behind it.
            await self._link.aclose(*(() if self.error is not None else goodbye))
        finally:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
