"""Speech-to-text over a vendor's WebSocket: what a plugin derives its provider from."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Generic, TypeVar, cast
from urllib.parse import urlsplit

from exobridge_providers.base import Options, SttConfig, SttProvider, SttSession, check_config
from exobridge_providers.endpoint import is_loopback
from exobridge_providers.errors import ProviderUnavailableError
from exobridge_providers.vendor.link import Link, prepare
from exobridge_providers.vendor.options import VendorSttOptions
from exobridge_providers.vendor.stt_protocol import SttProtocol
from exobridge_providers.vendor.stt_session import VendorSttSession

OptionsT = TypeVar("OptionsT", bound=VendorSttOptions)


class VendorStt(SttProvider, Generic[OptionsT]):
    """Speech-to-text of a vendor. A plugin gives its options, its capabilities, its name in the
    registry, and the protocol of a session.

    Attributes:
        options: As they were read.
    """

    options_type: ClassVar[type[Options]] = VendorSttOptions
    name: ClassVar[str]

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, self.options_type)
        self.options = cast(OptionsT, options)
        self.offline = is_loopback(urlsplit(self.options.url).hostname or "")
        self._key = ""

    async def start(self) -> None:
        """Read the key; the vendor is asked when the first call comes."""
        self._key = self.options.key(self.name)
        await prepare(self.options.url)

    def protocol(self, config: SttConfig, key: str) -> SttProtocol:
        """The protocol of one session.

        Raises:
            ProviderError: The options and the config do not go together.
        """
        raise NotImplementedError

    async def open(self, config: SttConfig) -> SttSession:
        """As :meth:`exobridge_providers.base.SttProvider.open`."""
        check_config(config, self.capabilities, self.name)
        protocol = self.protocol(config, self._key)
        try:
            async with asyncio.timeout(self.options.connect_seconds):
                link = await Link.open(protocol.address(), self.name, self.options.connect_seconds)
                session = VendorSttSession(protocol, link, config, self.options.chunk_ms, self.name)
                try:
                    await session.begun()
                except BaseException:
                    await session.aclose()
                    raise
        except TimeoutError:
            raise ProviderUnavailableError(
                f"{self.name} did not begin in time", provider=self.name
            ) from None
        return session
