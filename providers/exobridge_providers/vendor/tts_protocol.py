"""Text-to-speech in a vendor's words: what a plugin says of its vendor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from exobridge_providers.base import TtsEvent
from exobridge_providers.vendor.link import Address, Message


@dataclass(frozen=True, slots=True)
class Cleared:
    """The vendor has stopped what was cancelled: audio from now on belongs to what comes next."""


class TtsProtocol(ABC):
    """One connection in a vendor's words. Pure: text and messages in, messages and events out.

    An utterance is a *context*, ``u1`` say. Where the vendor does not name contexts in what it
    sends, events have an empty one: that of the only utterance at work.

    Class attributes:
        contexts: Utterances that the vendor can make at once on a connection.
        cancels: A message stops an utterance; else the connection is left for another, of which one
            is kept ready.
        clears: The vendor acknowledges :meth:`cancel` with what becomes a :class:`Cleared`; until
            then its audio is that of the cancelled utterance. For vendors that name no contexts.
        single: The vendor closes a connection when it has made an utterance: the next one has
            another. Only where not ``cancels``, so that one is kept ready.
        keepalive_seconds: Pause in what is sent after which :meth:`idle` is; ``None``: never.

    Attributes:
        ready: The vendor takes text. Where it says so itself, ``False`` until it has.
    """

    contexts: ClassVar[int] = 1
    cancels: ClassVar[bool] = True
    clears: ClassVar[bool] = False
    single: ClassVar[bool] = False
    keepalive_seconds: float | None = None

    ready = True

    @abstractmethod
    def address(self) -> Address:
        """Where the socket goes."""

    def hello(self) -> Iterable[Message]:
        """What is said first."""
        return ()

    def begin(self, context: str) -> Iterable[Message]:
        """What begins an utterance."""
        del context
        return ()

    @abstractmethod
    def text(self, context: str, text: str) -> Iterable[Message]:
        """A piece of an utterance's text; not blank."""

    @abstractmethod
    def end(self, context: str) -> Iterable[Message]:
        """What says that an utterance's text is whole, and has the rest of it made."""

    def cancel(self, context: str) -> Iterable[Message]:
        """What stops an utterance. Only where ``cancels``."""
        del context
        return ()

    def replies(self) -> Iterable[Message]:
        """What is to be said because of what was taken; asked for after each message."""
        return ()

    def idle(self) -> Message | None:
        """What keeps the connection open."""
        return None

    def goodbye(self) -> Iterable[Message]:
        """What is said last."""
        return ()

    @abstractmethod
    def take(self, message: dict[str, Any]) -> Iterable[TtsEvent | Cleared]:
        """A message of the vendor's, decoded JSON; ``utterance_id`` of an event is the context.
        Unknown types and fields are passed over; a ``LookupError``, ``TypeError``, ``ValueError``
        or ``AttributeError`` says that it is garbage.

        Raises:
            ProviderError: The vendor reports an error that ends the session.
        """

    def take_bytes(self, audio: bytes) -> Iterable[TtsEvent | Cleared]:
        """A binary message of the vendor's."""
        raise ValueError("binary messages are not spoken of in the vendor's documents")
