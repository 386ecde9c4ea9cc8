"""The contract of text-to-speech."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from exobridge_codecs.formats import AudioFormat
from exobridge_providers.base.common import Provider
from exobridge_providers.errors import ProviderError


class Cancel(StrEnum):
    """What stops an utterance."""

    MESSAGE = "message"
    """The vendor is told, and the connection goes on."""
    RECONNECT = "reconnect"
    """The vendor cannot be told: the connection is left for another."""
    ABORT = "abort"
    """The request, or the work on this machine, is given up."""


@dataclass(frozen=True, slots=True)
class TtsCapabilities:
    """What a text-to-speech provider can do.

    Attributes:
        formats: Audio it can make, the preferred first.
        languages: As in :class:`SttCapabilities`.
        max_chars: Longest text of one ``say``, in characters; the host splits longer ones.
        cancel: What ``cancel()`` comes to.
        session_seconds: As in :class:`SttCapabilities`.
    """

    formats: tuple[AudioFormat, ...]
    languages: frozenset[str] = frozenset()
    max_chars: int = 1000
    cancel: Cancel = Cancel.ABORT
    session_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class TtsConfig:
    """How a session is opened: one of the provider's formats, the language, the voice (empty: the
    provider's default), and the call. Where there is none a line is made ahead: nobody will
    interrupt it."""

    format: AudioFormat
    language: str
    voice: str = ""
    call_sid: str = ""


@dataclass(frozen=True, slots=True)
class TtsAudio:
    """Audio of the utterance ``utterance_id``, in order, in the session's format; any size of
    whole samples."""

    utterance_id: str
    audio: bytes


@dataclass(frozen=True, slots=True)
class TtsDone:
    """All audio of the utterance has been given out."""

    utterance_id: str


@dataclass(frozen=True, slots=True)
class TtsTrouble:
    """This utterance failed; the session goes on. No ``TtsDone`` follows. A fatal error is
    raised."""

    utterance_id: str
    error: ProviderError


TtsEvent = TtsAudio | TtsDone | TtsTrouble


class TtsSession(Protocol):
    """Text-to-speech of one call. Utterances are spoken in the order they were begun."""

    async def say(self, utterance_id: str, text: str, *, last: bool = True) -> None:
        """Add text to an utterance; ``last`` ends it. The id is the caller's choice, used once."""
        ...

    async def cancel(self, utterance_id: str) -> None:
        """Stop an utterance. Late audio of it may still come out; the host drops it by id."""
        ...

    def events(self) -> AsyncIterator[TtsEvent]:
        """The events, in order, until ``aclose``. Iterated once, by one task.

        Raises:
            ProviderError: The session is dead.
        """
        ...

    async def aclose(self) -> None:
        """End the session and release everything."""
        ...


class TtsProvider(Provider):
    """Text-to-speech."""

    capabilities: TtsCapabilities

    async def open(self, config: TtsConfig) -> TtsSession:
        """Open the session of one call.

        Raises:
            ProviderError: It cannot be opened.
        """
        raise NotImplementedError
