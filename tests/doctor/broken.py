"""A provider that cannot be started."""

from __future__ import annotations

from exobridge_codecs.formats import pcm16
from exobridge_providers.base import SttCapabilities, SttProvider
from exobridge_providers.errors import ProviderError
from tests.doctor.looking import SECRET


class Broken(SttProvider):
    """Says so, with a secret that it should not show; unlike a vendor's it has none of its own."""

    offline = True
    capabilities = SttCapabilities((pcm16(8000),))

    async def start(self) -> None:
        """Fail."""
        raise ProviderError(f"the key {SECRET} is wrong", provider="broken")
