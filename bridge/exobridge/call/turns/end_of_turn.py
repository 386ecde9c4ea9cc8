"""How much silence ends the caller's turn."""

from __future__ import annotations

from exobridge.call.turns.vocabulary import Ending

PAUSE_MS = 160
"""Silence after which the words are asked for, so that they are known when the turn ends."""

WHOLE_SILENCE = 0.6
"""Part of ``end_silence_ms`` that ends a turn that is clearly whole."""

HESITATION = 1.25
"""Who has been silent and gone on may do so again, and be silent longer by this factor."""

MIN_SILENCE_MS = 200
"""Less silence than this ends no turn."""


class EndOfTurn:
    """The silence that is needed.

    Args:
        end_silence_ms: Where nothing more is known.
        max_end_silence_ms: Where the words clearly go on.

    Attributes:
        needed_ms: Of silence.
        eager: The recogniser takes the turn to be over, probably.
        goes_on: The words clearly go on.
    """

    def __init__(self, end_silence_ms: float, max_end_silence_ms: float) -> None:
        self.needed_ms = end_silence_ms
        self.eager = False
        self.goes_on = False
        self._end_silence_ms = end_silence_ms
        self._whole_ms = max(MIN_SILENCE_MS, end_silence_ms * WHOLE_SILENCE)
        self._open_ms = max(end_silence_ms, max_end_silence_ms)
        self._usual_ms = float(end_silence_ms)

    def reset(self) -> None:
        """Nothing is known of the turn."""
        self.eager = self.goes_on = False
        self.needed_ms = self._usual_ms = self._end_silence_ms

    def went_on(self, gap_ms: float) -> None:
        """The caller went on with the turn after a silence; one that the words foretold says
        nothing of the others."""
        if not self.goes_on:
            self._usual_ms = min(self._open_ms, max(self._usual_ms, gap_ms * HESITATION))
            self.needed_ms = max(self.needed_ms, self._usual_ms)

    def learn(self, ending: Ending) -> None:
        """The words so far end like this."""
        self.goes_on = ending is Ending.OPEN
        if self.goes_on:
            self.needed_ms = self._open_ms
        elif self.eager or ending is Ending.WHOLE:
            self.needed_ms = self._whole_ms
        else:
            self.needed_ms = self._usual_ms
