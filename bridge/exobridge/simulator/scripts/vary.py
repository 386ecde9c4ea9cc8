"""How one call differs from the script, drawn from a seed: callers are not all alike. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from exobridge.simulator.lines import Clip
from exobridge_codecs.pcm import gain


@dataclass(frozen=True, slots=True)
class Variation:
    """What is different.

    Attributes:
        pace: Times what the caller leaves the bot silent before they take their turn.
        into_ms: Added to every ``after_ms``.
        gain_db: Of the caller's voice and recordings.
    """

    pace: float = 1.0
    into_ms: float = 0.0
    gain_db: float = 0.0

    @classmethod
    def drawn(cls, seed: int) -> Variation:
        """The same one for the same seed."""
        random = Random(seed)
        return cls(
            pace=random.uniform(0.75, 2.0),
            into_ms=random.uniform(-300, 300),
            gain_db=random.uniform(-12, 0),
        )

    def of(self, clip: Clip) -> Clip:
        """A clip as this caller says it."""
        return replace(clip, pcm=gain(clip.pcm, self.gain_db)) if self.gain_db else clip
