"""A vendor's messages: decoded, and counted where they are garbage."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec
import structlog

from exobridge_providers.errors import ProviderProtocolError

MAX_GARBAGE = 5
"""So many messages in a row that nobody understands end the session."""

EventT = TypeVar("EventT")

_GARBAGE = (LookupError, TypeError, ValueError, AttributeError)
_decoder = msgspec.json.Decoder(type=dict[str, Any])
_log = structlog.stdlib.get_logger(__name__)


class Messages:
    """One session's.

    Attributes:
        garbage: How many could not be understood.
    """

    def __init__(self, provider: str) -> None:
        self.garbage = 0
        self._provider = provider
        self._in_a_row = 0

    def taken(
        self,
        message: str | bytes,
        take: Callable[[dict[str, Any]], Iterable[EventT]],
        take_bytes: Callable[[bytes], Iterable[EventT]] | None = None,
    ) -> list[EventT]:
        """The events of a message. What cannot be understood is counted, and gives none.

        Args:
            take: Of a JSON object.
            take_bytes: Of a binary message; without it, those are JSON too.

        Raises:
            ProviderProtocolError: Too much garbage.
            ProviderError: What ``take`` raises.
        """
        try:
            if isinstance(message, bytes) and take_bytes is not None:
                events = list(take_bytes(message))
            else:
                events = list(take(_decoder.decode(message)))
        except _GARBAGE:  # msgspec.DecodeError is a ValueError
            self._strange()
            return []
        self._in_a_row = 0
        return events

    def _strange(self) -> None:
        self.garbage += 1
        self._in_a_row += 1
        if self.garbage == 1:
            _log.warning("vendor message not understood", provider=self._provider)
        if self._in_a_row >= MAX_GARBAGE:
            raise ProviderProtocolError(
                f"{self._provider} sends messages that nobody understands", provider=self._provider
            ) from None
