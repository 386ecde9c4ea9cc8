"""What was heard on a stream, on its way to a recording: the call appends, somebody else fetches.

Nothing is copied and nothing is computed here; the times are seconds of the loop's clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from exobridge_codecs.formats import AudioFormat


@dataclass(frozen=True, slots=True)
class Sent:
    """A chunk of the bot's, encoded; the caller begins to hear it at ``at``."""

    at: float
    payload: bytes
    audio: AudioFormat


@dataclass(frozen=True, slots=True)
class Cut:
    """What was sent, and would have been heard from ``at`` on, is not."""

    at: float


class Tape:
    """One stream's.

    Args:
        sample_rate: Of the caller's audio and of the recording, in hertz.
        started_at: When the stream began, on the loop's clock.
        heard_from: When the caller's first sample was spoken, on the same clock.

    Attributes:
        hear: Takes the caller's next audio, PCM16.
    """

    def __init__(self, sample_rate: int, started_at: float, heard_from: float) -> None:
        self.sample_rate = sample_rate
        self.started_at = started_at
        self.heard_from = heard_from
        self._caller: list[bytes] = []
        self._bot: list[Sent | Cut] = []
        self.hear: Callable[[bytes], None] = self._caller.append

    def sent(self, at: float, payload: bytes, audio: AudioFormat) -> None:
        """The bot's next chunk."""
        self._bot.append(Sent(at, payload, audio))

    def cut(self, at: float) -> None:
        """The bot was cut short."""
        self._bot.append(Cut(at))

    @property
    def waiting(self) -> int:
        """Entries that have not been taken."""
        return len(self._caller) + len(self._bot)

    def take(self) -> tuple[list[bytes], list[Sent | Cut]]:
        """What came since the last time. For another thread than the call's, too: only what was
        copied is taken off, as more may come meanwhile."""
        caller, bot = self._caller[:], self._bot[:]
        del self._caller[: len(caller)]
        del self._bot[: len(bot)]
        return caller, bot


class Tapes(Protocol):
    """Makes recordings of tapes. Neither method waits or fails."""

    def open(self, tape: Tape, call_sid: str, stream_sid: str) -> None:
        """From now on what comes onto this tape is recorded."""
        ...

    def close(self, tape: Tape, at: float) -> None:
        """The stream is over; of one that was not opened nothing happens."""
        ...
