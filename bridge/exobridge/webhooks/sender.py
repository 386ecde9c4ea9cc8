"""Sends one webhook, as Standard Webhooks has it (https://www.standardwebhooks.com)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from exobridge.errors import ExobridgeError
from exobridge.exotel.api.retry import read_retry_after
from exobridge.settings import Settings
from exobridge.webhooks.circuit import LONGEST_HOLD
from exobridge_providers.dialogue.webhook_signature import signed, signing_key

if TYPE_CHECKING:
    import httpx

# httpx is imported where it is used: a server that sends nothing does without.

SEND_SECONDS = 10.0
"""Longest time for one try, from the first packet to the answer's end."""

CONNECT_SECONDS = 5.0
MAX_ANSWER = 64 * 1024
"""Of an answer's body so many bytes are read, so that the connection can be used again; what they
say does not matter."""


class UnansweredError(ExobridgeError):
    """There was no answer. Says why, and nothing of what was sent, or where."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where webhooks go.

    Attributes:
        url: May hold a secret.
        key: Signs what is sent.
    """

    url: str = field(repr=False)
    key: bytes = field(repr=False)

    @classmethod
    def of(cls, settings: Settings) -> Receiver | None:
        """As the settings say; ``None``: nobody is told."""
        url, secret = settings.webhook_url, settings.webhook_signing_secret
        if url is None or secret is None:
            return None
        return cls(url.get_secret_value(), signing_key(secret.get_secret_value()))

    @property
    def shown(self) -> str:
        """Scheme and host: what may be shown."""
        url = urlsplit(self.url)
        return f"{url.scheme}://{url.netloc}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver said.

    Attributes:
        retry_after: Seconds for which it wants to be left alone; ``None``: it did not say.
        seconds: How long it took.
    """

    status: int
    retry_after: float | None
    seconds: float

    @property
    def is_taken(self) -> bool:
        """The webhook was taken."""
        return 200 <= self.status < 300


def body_of(webhook_id: str, sequence: int, payload: Mapping[str, Any]) -> bytes:
    """What is sent; the same bytes each time, as long as the payload is the same."""
    message = {
        "type": payload.get("type"),
        "id": webhook_id,
        "timestamp": payload.get("timestamp"),
        "sequence": sequence,
        "data": payload.get("data"),
    }
    return json.dumps(message, separators=(",", ":")).encode()


class Sender:
    """The connections of one process to the receiver, made when the first is needed.

    Args:
        now: The time of day, aware; it stands in the signature.
    """

    def __init__(
        self, receiver: Receiver, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.receiver = receiver
        self._now = now
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def send(self, webhook_id: str, body: bytes) -> Answer:
        """Send it once. Redirects are not followed.

        Raises:
            UnansweredError: There was no whole answer within ``SEND_SECONDS``.
        """
        import httpx

        now = self._now()
        headers = {
            "content-type": "application/json",
            **signed(self.receiver.key, webhook_id, int(now.timestamp()), body),
        }
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(SEND_SECONDS):
                status, told = await self._post(headers, body)
        except (TimeoutError, httpx.TimeoutException):
            raise UnansweredError(f"no answer within {SEND_SECONDS:.0f} s") from None
        except (
            httpx.HTTPError,
            httpx.InvalidURL,
            httpx.StreamError,
            OSError,
            UnicodeError,  # a host that is no name
        ) as error:
            raise UnansweredError(f"cannot be reached ({type(error).__name__})") from None
        return Answer(
            status, read_retry_after(told, now, LONGEST_HOLD), time.perf_counter() - begun
        )

    async def _post(self, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        from exobridge_providers import wire

        client = self._opened()
        request = client.build_request("POST", self.receiver.url, headers=headers, content=body)
        response = await client.send(request, stream=True)
        try:
            await wire.first_bytes(response, MAX_ANSWER)
        finally:
            await response.aclose()
        return response.status_code, response.headers.get("retry-after", "")

    def _opened(self) -> httpx.AsyncClient:
        from exobridge_providers import wire

        if self._client is None:
            self._client = wire.new_client(CONNECT_SECONDS)
        return self._client
