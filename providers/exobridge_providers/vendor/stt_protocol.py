"""Speech-to-text in a vendor's words: what a plugin says of its vendor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

from exobridge_providers.base import SttEvent
from exobridge_providers.errors import ProviderError
from exobridge_providers.vendor.link import Address, Message


class SttProtocol(ABC):
    """One session in a vendor's words. Pure: audio and messages in, messages and events out.

    Class attributes:
        acknowledges: The vendor marks its answer to :meth:`finalize` (``Final.finalized``); else
            the first final text after the request is taken for it, and an end of turn for the
            answer to all requests so far.
        forgets: A vendor that acknowledges may leave a request unanswered when it has told all.
        answer_seconds: How long after :meth:`finalize` an answer may come; then it is taken to be
            empty. Text that comes later still counts.
        keepalive_seconds: Pause in the audio after which :meth:`idle` is sent; ``None``: never.
        whole_chunks: The vendor takes no less than a chunk: the last one is filled up with silence.

    Attributes:
        ready: The vendor takes audio. Where it says so itself, ``False`` until it has.
        hearing: The vendor has heard words whose final text has not come.
        caught_up: The final text that was taken last answers every :meth:`finalize` so far; where a
            vendor numbers its answers, and may leave one out.
    """

    acknowledges: ClassVar[bool] = False
    forgets: ClassVar[bool] = False
    answer_seconds: ClassVar[float] = 2.5
    keepalive_seconds: float | None = None
    whole_chunks: ClassVar[bool] = False

    ready = True
    hearing = False
    caught_up = False

    @abstractmethod
    def address(self) -> Address:
        """Where the socket goes."""

    def hello(self) -> Iterable[Message]:
        """What is said first."""
        return ()

    def begin(self) -> Iterable[Message]:
        """What comes before the first audio, and before the first after each :meth:`finalize`: some
        vendors want to be told where an utterance begins."""
        return ()

    def audio(self, chunk: bytes) -> Message:
        """A message of audio, which is in the session's format."""
        return chunk

    def finalize(self) -> Iterable[Message]:
        """What asks for the final text of everything sent so far; nothing, where the vendor decides
        itself when that is."""
        return ()

    def idle(self) -> Message | None:
        """What keeps the connection open; ``None``: a chunk of silence."""
        return None

    def goodbye(self) -> Iterable[Message]:
        """What is said last."""
        return ()

    @abstractmethod
    def take(self, message: dict[str, Any]) -> Iterable[SttEvent]:
        """A message of the vendor's, decoded JSON. Unknown types and fields are passed over; a
        ``LookupError``, ``TypeError``, ``ValueError`` or ``AttributeError`` says that it is
        garbage.

        Raises:
            ProviderError: The vendor reports an error that ends the session.
        """

    def ended(self, error: ProviderError) -> ProviderError:
        """What the end of the connection means, where the vendor's close code tells it.

        Args:
            error: Its ``status_code`` is the close code, and the reason stands in its words.
        """
        return error
