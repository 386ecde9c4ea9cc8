"""One request for speech over HTTP: audio comes while it is made, and is held back where nobody
listens yet."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec

from exobridge_providers.errors import (
    ProviderError,
    ProviderProtocolError,
    ProviderUnavailableError,
)
from exobridge_providers.vendor.errors import refused, trouble_of_status
from exobridge_providers.wire import refusal_codes

MAX_HELD_BYTES = 256 * 1024
"""Audio of an answer that waits to be taken, five seconds of PCM16 at 24 kHz; then the vendor has
to."""

_CONTAINERS = (b"RIFF", b"ID3", b"OggS", b"fLaC", b"\x1aE\xdf\xa3")
_NO_AUDIO = ("application/json", "text/")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for speech.

    Attributes:
        body: Sent as JSON.
        headers: They may hold the key.
        secrets: What must not stand in an error.
    """

    url: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


class Answer:
    """An answer that is under way. It begins at once.

    Args:
        provider: Name for errors.

    Attributes:
        held: Bytes that wait to be taken.
    """

    def __init__(self, client: httpx.AsyncClient, asked: Asked, provider: str) -> None:
        self._client = client
        self._asked = asked
        self._provider = provider
        self._pieces: deque[bytes] = deque()
        self.held = 0
        self._changed = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._fetch())
        self._task.add_done_callback(self._ended)

    async def _fetch(self) -> None:
        try:
            response = await twice(lambda: self._client.send(self._request(), stream=True))
            try:
                await self._read(response)
            finally:
                await response.aclose()
        except httpx.TransportError as error:
            raise unreachable(error, self._provider) from None

    def _request(self) -> httpx.Request:
        content = msgspec.json.encode(self._asked.body)
        headers = {"content-type": "application/json", **self._asked.headers}
        return self._client.build_request("POST", self._asked.url, content=content, headers=headers)

    async def _read(self, response: httpx.Response) -> None:
        if not response.is_success:
            words = refused(await refusal_codes(response), self._asked.secrets)
            raise trouble_of_status(response.status_code, self._provider, words)
        if response.headers.get("content-type", "").startswith(_NO_AUDIO):
            raise ProviderProtocolError(
                f"{self._provider} answers with what is no audio", provider=self._provider
            )
        first = True
        async for piece in response.aiter_raw():
            if first and piece.startswith(_CONTAINERS):
                raise ProviderProtocolError(
                    f"{self._provider} answers with an audio file, not with raw PCM",
                    provider=self._provider,
                )
            first = False
            self._pieces.append(piece)
            self.held += len(piece)
            self._changed.set()
            while self.held > MAX_HELD_BYTES:
                self._changed.clear()
                await self._changed.wait()
        if first:
            raise ProviderProtocolError(
                f"{self._provider} answers without audio", provider=self._provider
            )

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._changed.set()
        if not task.cancelled():
            task.exception()  # whoever takes the audio is told; if nobody does, it is no error

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The audio as it comes; it ends also where it was given up.

        Raises:
            ProviderError: It is not, or not all, to be had.
        """
        while True:
            if self._pieces:
                piece = self._pieces.popleft()
                self.held -= len(piece)
                self._changed.set()
                yield piece
            elif self._task.done():
                if not self._task.cancelled():
                    self._task.result()
                return
            else:
                self._changed.clear()
                await self._changed.wait()

    async def aclose(self) -> None:
        """Give it up; closing the response stops the vendor."""
        self._task.cancel()
        await asyncio.wait([self._task])


async def twice(send: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """What a request is answered; it is sent once more where the connection broke before there was
    an answer: a kept one may have been closed by the other side."""
    try:
        return await send()
    except httpx.TimeoutException:
        raise
    except httpx.TransportError:
        return await send()


def unreachable(error: httpx.TransportError, provider: str) -> ProviderError:
    """What a broken line means."""
    late = isinstance(error, httpx.TimeoutException)
    what = "did not answer in time" if late else f"cannot be reached ({type(error).__name__})"
    return ProviderUnavailableError(f"{provider} {what}", provider=provider)
