"""Streams of one sample rate, taken through the network together.

Each stream has a *slot* in the arrays below, which only the inference thread touches; the event
loop hands it windows and gets probabilities back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from exobridge_codecs.pcm import to_float
from exobridge_providers.vad.silero_model import (
    FloatArray,
    SileroModel,
    context_samples,
    new_state,
    window_samples,
)

if TYPE_CHECKING:
    from exobridge_providers.vad.session import SileroSession


@dataclass(slots=True)
class Window:
    """One step of one stream.

    Attributes:
        slot: Of the stream.
        pcm: PCM16, one window.
        fresh: Nothing came before it: the stream is new, or audio before it was dropped.
    """

    slot: int
    pcm: bytes
    fresh: bool


class Lane:
    """All streams of one sample rate.

    Attributes:
        sample_rate: Hertz.
        ready: Sessions with a whole window waiting, in the order they got it. Event loop only.
    """

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self.ready: deque[SileroSession] = deque()
        self._free: list[int] = []
        self._slots = 0
        self._state = new_state(0)
        self._context: FloatArray = np.zeros((0, context_samples(sample_rate)), np.float32)

    @property
    def window_bytes(self) -> int:
        """Bytes of one window of PCM16."""
        return 2 * window_samples(self.sample_rate)

    def take_slot(self) -> int:
        """A slot for a new stream, whose first window must be ``fresh``. Event loop only."""
        if self._free:
            return self._free.pop()
        self._slots += 1
        return self._slots - 1

    def give_back(self, slot: int) -> None:
        """The slot's stream is closed. Even if a batch with it is under way: the next owner's
        first window starts it anew, in a later batch."""
        self._free.append(slot)

    def infer(self, model: SileroModel, windows: Sequence[Window]) -> list[float]:
        """The probabilities of one window each of different streams. Inference thread only."""
        slots = np.array([window.slot for window in windows])
        self._grow(int(slots.max()) + 1)
        fresh = slots[[window.fresh for window in windows]]
        self._state[:, fresh] = 0
        self._context[fresh] = 0
        samples = to_float(b"".join([window.pcm for window in windows])).reshape(len(windows), -1)
        probabilities, state = model.run(
            np.concatenate((self._context[slots], samples), axis=1),
            self._state[:, slots],
            self.sample_rate,
        )
        self._state[:, slots] = state
        self._context[slots] = samples[:, -self._context.shape[1] :]
        return [float(probability) for probability in probabilities]

    def _grow(self, slots: int) -> None:
        missing = slots - len(self._context)
        if missing > 0:
            missing += len(self._context)  # doubling, so that many new calls are few copies
            self._state = np.concatenate((self._state, new_state(missing)), axis=1)
            width = self._context.shape[1]
            self._context = np.concatenate(
                (self._context, np.zeros((missing, width), np.float32)), axis=0
            )
