"""The fake of a vendor over a WebSocket, where its line breaks."""

from __future__ import annotations

from collections.abc import Mapping

from websockets.asyncio.client import connect

from exobridge_providers.testing.fake_connection import Gone, VendorConnection
from exobridge_providers.testing.fake_vendor import FakeVendor
from exobridge_providers.testing.faults import Fault, FaultKind
from tests.server import until


class Talkative(FakeVendor):
    """Says something, and goes on after its line has broken.

    Attributes:
        unsent: How much waited then.
    """

    unsent = -1

    def key_of(self, path: str, headers: Mapping[str, str]) -> str | None:
        """Everybody may come."""
        del path, headers
        return None

    async def serve(self, connection: VendorConnection) -> None:
        """Twice."""
        connection.send("one")
        await until(lambda: not connection.unsent)
        connection.send("two")
        self.unsent = connection.unsent
        raise Gone


async def test_what_is_sent_on_a_broken_line_waits_for_nobody() -> None:
    """Closing waits for what is not sent; nobody would send it."""
    vendor = Talkative()
    vendor.faults = [Fault(FaultKind.DROP_OUT, 1)]
    async with vendor.listening(), connect(vendor.url) as client:
        await client.wait_closed()
        await until(lambda: vendor.unsent >= 0)
    assert vendor.unsent == 0
