"""The ear of a fake vendor: interims and sentences out of letters. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from exobridge_codecs.codec import decoder
from exobridge_codecs.formats import AudioFormat
from exobridge_providers.testing.letters import LetterEar

END_MS = 300.0
"""Quiet that ends a sentence, in milliseconds of audio, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Began:
    """Speech began."""


@dataclass(frozen=True, slots=True)
class Interim:
    """The words so far of the sentence that goes on."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The sentence is over."""

    text: str


Heard = Began | Interim | Ended


class Recogniser:
    """Understands the audio of a session.

    Args:
        audio_format: What the audio comes in.
        end_ms: Quiet that ends a sentence; ``None``: only :meth:`flush` does.

    Attributes:
        bytes: Audio that came.
    """

    def __init__(self, audio_format: AudioFormat, end_ms: float | None = END_MS) -> None:
        self.bytes = 0
        self._decode = decoder(audio_format.encoding)
        self._ear = LetterEar(audio_format.sample_rate)
        self._end_ms = end_ms
        self._told: list[str] = []
        self._speaking = False
        self._step = audio_format.bytes_per_ms * 10

    def hear(self, audio: bytes) -> list[Heard]:
        """More audio; what is known by then."""
        self.bytes += len(audio)
        heard: list[Heard] = []
        for at in range(0, len(audio), self._step):
            self._ear.hear(self._decode(audio[at : at + self._step]))
            heard += self._look()
        return heard

    def _look(self) -> list[Heard]:
        words = self._ear.words
        heard: list[Heard] = []
        if words and not self._speaking:
            self._speaking = True
            heard.append(Began())
        if len(words) > len(self._told):
            self._told = words
            heard.append(Interim(" ".join(words)))
        if self._speaking and self._end_ms is not None and self._ear.quiet_ms >= self._end_ms:
            heard.append(Ended(self.flush()))
        return heard

    @property
    def text(self) -> str:
        """The words so far of the sentence that goes on."""
        return self._ear.text

    @property
    def quiet_ms(self) -> float:
        """Since the last sound, in milliseconds of audio."""
        return self._ear.quiet_ms

    def flush(self) -> str:
        """End the sentence: its text, which may be empty."""
        self._speaking = False
        self._told = []
        return self._ear.forget()
