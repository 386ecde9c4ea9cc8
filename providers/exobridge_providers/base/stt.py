"""The contract of speech-to-text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from exobridge_codecs.formats import AudioFormat
from exobridge_providers.base.common import Provider
from exobridge_providers.errors import ProviderError


@dataclass(frozen=True, slots=True)
class SttCapabilities:
    """What a speech-to-text provider can do.

    Attributes:
        formats: Accepted audio, the preferred first; the host resamples only where none fits.
        languages: BCP-47 tags it understands (``en-IN``; a bare ``en`` stands for every region);
            empty means any.
        continuous: ``True``: it wants the whole call, silence included. ``False``: the host sends
            only the caller's voiced segments (with some audio before each) and ends each one with
            ``finalize()``.
        interims: It sends :class:`Partial` events while the caller speaks.
        on_demand: It answers ``peek()``, so that the host can see words of a segment that goes on.
        end_of_turn: It says itself when the caller's turn is over (``Final.end_of_turn``).
        keepalive_seconds: Longest pause in the audio that its vendor bears; the plugin sends what
            keeps the session open over a longer one. ``None``: any.
        session_seconds: Longest session, or ``None`` for any; the host opens the next before.
    """

    formats: tuple[AudioFormat, ...]
    languages: frozenset[str] = frozenset()
    continuous: bool = True
    interims: bool = False
    on_demand: bool = False
    end_of_turn: bool = False
    keepalive_seconds: float | None = None
    session_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class SttConfig:
    """How a session is opened.

    Attributes:
        format: One of the provider's ``formats``; all audio of the session is in it.
        language: BCP-47 tag of the call's language, e.g. ``en-IN``.
        call_sid: For the provider's own log lines.
    """

    format: AudioFormat
    language: str
    call_sid: str = ""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The vendor hears the caller speak."""


@dataclass(frozen=True, slots=True)
class Partial:
    """The text so far of what is being said; replaces the partial before it."""

    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Final:
    """Text that will not change any more.

    Attributes:
        text: May be empty: nothing was said.
        language: BCP-47 tag, where the vendor detects it.
        end_of_turn: The vendor takes the caller's turn to be over.
        finalized: Answers a ``finalize()``: everything sent before it is in. Each ``finalize()`` is
            answered by exactly one such event.
    """

    text: str
    language: str | None = None
    end_of_turn: bool = False
    finalized: bool = False


@dataclass(frozen=True, slots=True)
class EagerEnd:
    """The turn is probably over; ``Resumed`` or a ``Final`` follows."""

    text: str


@dataclass(frozen=True, slots=True)
class Resumed:
    """The caller went on after an ``EagerEnd``."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The vendor hears the caller fall silent."""


@dataclass(frozen=True, slots=True)
class SttTrouble:
    """Something failed that the session survives (one segment, say). A fatal error is raised."""

    error: ProviderError


SttEvent = SpeechStarted | Partial | Final | EagerEnd | Resumed | SpeechEnded | SttTrouble


class SttSession(Protocol):
    """Speech-to-text of one call."""

    def send(self, audio: bytes) -> None:
        """Hand over one 20 ms frame. Never waits; a session that cannot keep up drops the oldest
        audio it holds and says so with :class:`SttTrouble`."""
        ...

    def finalize(self) -> None:
        """Ask for the final text of everything sent so far."""
        ...

    def peek(self) -> None:
        """Ask for a :class:`Partial` of what was sent since the last ``finalize()``. At most one is
        under way: asked again, or overtaken by ``finalize()``, it may stay unanswered. Called only
        where ``on_demand`` is declared."""
        ...

    def events(self) -> AsyncIterator[SttEvent]:
        """The events, in order, until ``aclose``. Iterated once, by one task.

        Raises:
            ProviderError: The session is dead.
        """
        ...

    async def aclose(self) -> None:
        """End the session and release everything."""
        ...


class SttProvider(Provider):
    """Speech-to-text."""

    capabilities: SttCapabilities

    async def open(self, config: SttConfig) -> SttSession:
        """Open the session of one call.

        Raises:
            ProviderError: It cannot be opened.
        """
        raise NotImplementedError
