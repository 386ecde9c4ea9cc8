"""What the caller hears: when the bot is audible, and its utterances.

Pure. Audible is a window of 10 ms whose level is above -45 dBFS: speech is, line noise is not.
Times have the resolution of that window.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exobridge.simulator.playout import UTTERANCE_GAP_MS, Heard
from exobridge_codecs.codec import decoder
from exobridge_codecs.formats import AudioFormat
from exobridge_codecs.pcm import FULL_SCALE, to_int16

WINDOW_MS = 10
"""Length of the window a level is taken over, in milliseconds."""
THRESHOLD_DBFS = -45.0
"""Level above which a window is audible."""
_THRESHOLD = float((FULL_SCALE * 10 ** (THRESHOLD_DBFS / 20)) ** 2)
_CUT_SILENCE_MS = 20  # a silence that may part two utterances at a cut


@dataclass(slots=True)
class Utterance:
    """A stretch of the bot's speech; the last one of an :class:`Ear` still grows.

    Attributes:
        start_ms: When it became audible.
        end_ms: When it was audible last.
    """

    start_ms: float
    end_ms: float


def audible_windows(pcm: bytes, sample_rate: int) -> NDArray[np.bool_]:
    """Which windows of PCM16 are audible; a shorter last one counts as a window."""
    samples = to_int16(pcm).astype(np.float32)
    size = sample_rate * WINDOW_MS // 1000
    whole = len(samples) // size * size
    windows = samples[:whole].reshape(-1, size)
    # One pass; the plain mean of squares takes three times as long for a frame.
    energies: NDArray[np.float32] = np.einsum("ij,ij->i", windows, windows) / size
    if whole < len(samples):
        rest = samples[whole:]
        energies = np.append(energies, np.float32(rest @ rest / len(rest)))
    return np.greater(energies, _THRESHOLD)


def voiced_span(pcm: bytes, sample_rate: int) -> tuple[float, float] | None:
    """From the first to the last audible window of PCM16, in ms; ``None`` if there is none."""
    audible = np.flatnonzero(audible_windows(pcm, sample_rate))
    if not len(audible):
        return None
    length = len(pcm) * 500 / sample_rate
    return float(audible[0] * WINDOW_MS), min(float((audible[-1] + 1) * WINDOW_MS), length)


class Ear:
    """Follows what is played, and parts it into utterances.

    A silence of 600 ms ends an utterance, and so does a shorter one in which a *cut* lies: either
    end of the caller's line, or a ``clear``. Else the quick answer to an interruption would be
    taken for the rest of what was interrupted.
    """

    def __init__(self, audio: AudioFormat) -> None:
        self._audio = audio
        self._decode = decoder(audio.encoding)
        self._silence = audio.silence(1)
        self._window = audio.sample_bytes * audio.sample_rate * WINDOW_MS // 1000
        self._rest: bytes = b""  # the end of what was heard, too short for a window
        self._rest_start = 0
        self._cuts: deque[float] = deque(maxlen=64)
        self.utterances: list[Utterance] = []

    @property
    def audible_until_ms(self) -> float:
        """When the bot was last audible; 0 if it never was."""
        return self.utterances[-1].end_ms if self.utterances else 0.0

    def cut(self, at_ms: float) -> None:
        """What becomes audible after this moment, and after a silence, is a new utterance."""
        self._cuts.append(at_ms)

    def hear(self, heard: Heard) -> None:
        """Take audio, in order."""
        if heard.start != self._rest_start + len(self._rest) // self._audio.sample_bytes:
            self.flush()
            self._rest_start = heard.start
        audio = self._rest + heard.audio
        whole = len(audio) // self._window * self._window
        self._windows(self._rest_start, audio[:whole])
        self._rest = audio[whole:]
        self._rest_start += whole // self._audio.sample_bytes

    def flush(self) -> None:
        """Judge what is too short for a window: nothing follows it."""
        self._windows(self._rest_start, self._rest)
        self._rest_start += len(self._rest) // self._audio.sample_bytes
        self._rest = b""

    def is_audible(self, audio: bytes) -> bool:
        """Whether a chunk of the stream's audio can be heard."""
        return bool(audible_windows(self._decode(audio), self._audio.sample_rate).any())

    def _windows(self, start: int, audio: bytes) -> None:
        if not audio.strip(self._silence):  # nothing, or nothing but silence: the cheap answer
            return
        start_ms = start * 1000 / self._audio.sample_rate
        end_ms = start_ms + self._audio.duration_ms(len(audio))
        for index in np.flatnonzero(audible_windows(self._decode(audio), self._audio.sample_rate)):
            begins = start_ms + float(index) * WINDOW_MS
            self._audible(begins, min(begins + WINDOW_MS, end_ms))

    def _audible(self, start_ms: float, end_ms: float) -> None:
        if self.utterances and not self._parts(self.utterances[-1].end_ms, start_ms):
            self.utterances[-1].end_ms = end_ms
        else:
            self.utterances.append(Utterance(start_ms, end_ms))

    def _parts(self, before_ms: float, after_ms: float) -> bool:
        silence = after_ms - before_ms
        if silence < _CUT_SILENCE_MS:
            return False
        if silence >= UTTERANCE_GAP_MS:
            return True
        return any(before_ms <= cut <= after_ms for cut in self._cuts)
