"""Text-to-speech over HTTP, a request for a sentence or some: what a plugin derives its provider
from."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Generic, TypeVar, cast
from urllib.parse import urlsplit

import httpx
from pydantic import Field

from exobridge_providers.base import Options, TtsConfig, TtsProvider, TtsSession, check_config
from exobridge_providers.endpoint import is_loopback
from exobridge_providers.errors import ProviderUnavailableError
from exobridge_providers.vendor.errors import trouble_of_status
from exobridge_providers.vendor.http_answer import Answer, Asked, twice, unreachable
from exobridge_providers.vendor.http_session import HttpTtsSession
from exobridge_providers.vendor.options import VendorTtsOptions
from exobridge_providers.wire import new_client


class HttpTtsOptions(VendorTtsOptions):
    """Those of text-to-speech over HTTP.

    Attributes:
        api_key_env: The environment variable with the key; empty: none is sent.
        answer_seconds: Longest wait for an answer to begin, and for more of it.
    """

    scheme: ClassVar[str] = "http"

    api_key_env: str
    answer_seconds: float = Field(default=6, ge=0.1, le=30)


OptionsT = TypeVar("OptionsT", bound=HttpTtsOptions)


class HttpTts(TtsProvider, Generic[OptionsT]):
    """Text-to-speech of a vendor that is asked over HTTP. A plugin gives its options, its
    capabilities, its name in the registry, and what it asks.

    All calls share a pool of connections, which are kept open; opening a session makes sure that
    there is one.

    Attributes:
        options: As they were read.
    """

    options_type: ClassVar[type[Options]] = HttpTtsOptions
    name: ClassVar[str]

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, self.options_type)
        self.options = cast(OptionsT, options)
        self.offline = is_loopback(urlsplit(self.options.url).hostname or "")
        self._key = ""
        self._client: httpx.AsyncClient | None = None

    async def start(self) -> None:
        """Read the key; the vendor is asked when the first call comes."""
        self._key = self.options.key(self.name) if self.options.api_key_env else ""
        self._client = new_client(self.options.connect_seconds)
        self._client.timeout = httpx.Timeout(
            self.options.answer_seconds, connect=self.options.connect_seconds
        )

    def asked(self, text: str, config: TtsConfig, key: str) -> Asked:
        """The request for a text. Pure.

        Args:
            key: Empty: none is sent.
        """
        raise NotImplementedError

    async def open(self, config: TtsConfig) -> TtsSession:
        """As :meth:`exobridge_providers.base.TtsProvider.open`."""
        check_config(config, self.capabilities, self.name)
        client = self._client
        assert client is not None, "start() comes first"
        await self._connect(client, self.asked("", config, self._key))
        return HttpTtsSession(
            lambda text: Answer(client, self.asked(text, config, self._key), self.name),
            config.format.sample_bytes,
            self.capabilities.max_chars,
            self.name,
        )

    async def _connect(self, client: httpx.AsyncClient, asked: Asked) -> None:
        """Have a connection ready. Of what the vendor says to a ``HEAD`` only what would be said to
        every request counts: that the key is refused, or that it cannot work now."""
        try:
            async with asyncio.timeout(self.options.connect_seconds):
                response = await twice(lambda: client.head(asked.url, headers=dict(asked.headers)))
        except httpx.TransportError as error:
            raise unreachable(error, self.name) from None
        except TimeoutError:
            raise ProviderUnavailableError(
                f"{self.name} did not answer in time", provider=self.name
            ) from None
        status = response.status_code
        if status in (401, 402, 403, 429) or (status >= 500 and status != 501):
            raise trouble_of_status(status, self.name)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
