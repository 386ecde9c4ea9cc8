"""Text-to-speech over a vendor's WebSocket: what a plugin derives its provider from."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar, cast
from urllib.parse import urlsplit

from exobridge_providers.base import Options, TtsConfig, TtsProvider, TtsSession, check_config
from exobridge_providers.endpoint import is_loopback
from exobridge_providers.vendor.link import prepare
from exobridge_providers.vendor.options import VendorTtsOptions
from exobridge_providers.vendor.tts_protocol import TtsProtocol
from exobridge_providers.vendor.tts_session import VendorTtsSession

OptionsT = TypeVar("OptionsT", bound=VendorTtsOptions)


class VendorTts(TtsProvider, Generic[OptionsT]):
    """Text-to-speech of a vendor. A plugin gives its options, its capabilities, its name in the
    registry, and the protocol of a connection.

    Attributes:
        options: As they were read.
    """

    options_type: ClassVar[type[Options]] = VendorTtsOptions
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

    def protocol(self, config: TtsConfig, key: str) -> TtsProtocol:
        """The protocol of one connection.

        Raises:
            ProviderError: The options and the config do not go together.
        """
        raise NotImplementedError

    async def open(self, config: TtsConfig) -> TtsSession:
        """As :meth:`exobridge_providers.base.TtsProvider.open`."""
        check_config(config, self.capabilities, self.name)
        session = VendorTtsSession(
            lambda: self.protocol(config, self._key),
            config,
            self.options.connect_seconds,
            self.name,
        )
        try:
            await session.connect()
        except BaseException:
            await session.aclose()
            raise
        return session
