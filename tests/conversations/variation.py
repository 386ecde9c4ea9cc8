"""What differs between the variants of a scenario: drawn from a seed, the same on every machine."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.conversations.scenario import Ears, Scenario


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant. Latencies are from and to, in milliseconds; shares are 0 to 1.

    Attributes:
        tempo: How long the caller's words are, 1 being usual.
        level: How sure the voice detector is of the caller's voice.
        lag_ms: How long after the voice the detector's probability rises and falls.
        misses: Share of voiced windows that it misses.
        out_ms, in_ms: Latency of the line to the caller and from them.
        marks_after_clear: Whether marks that wait come back after a ``clear``.
        partial_every_ms: How often a speech-to-text that sends partials does.
        voice_pace: How much faster than it is played audio is made.
        pieces: The dialogue answers in 0: one piece, 1: sentences, 2: words.
    """

    scenario: str
    number: int
    seed: int
    ears: Ears
    tempo: float
    level: float
    lag_ms: float
    misses: float
    frame_ms: int
    loss: float
    jitter_ms: float
    in_ms: float
    out_ms: float
    marks_lost: float
    marks_late_ms: float
    marks_after_clear: bool
    partial_every_ms: float
    partial_ms: tuple[float, float]
    final_ms: tuple[float, float]
    wrong_partials: float
    dialogue_ms: tuple[float, float]
    voice_ms: tuple[float, float]
    voice_pace: float
    pieces: int
    speculative: bool

    def chance(self, of: str) -> Random:
        """The dice of one part of the call, so that no part's throws depend on another's."""
        return Random(f"{self.seed}/{self.scenario}/{self.number}/{of}")


def vary(scenario: Scenario, number: int, seed: int) -> Variant:
    """The variant of this number."""
    dice = Random(f"{seed}/{scenario.name}/{number}")
    faults = scenario.faults
    # Drawn in any case, so that a scenario's fault leaves all else as it is.
    loss = dice.choice((0.0, 0.0, 0.0, 0.005, 0.01))
    jitter_ms = dice.choice((0.0, 10.0, 40.0))
    marks_lost = dice.choice((0.0, 0.0, 0.0, 0.3))
    marks_late_ms = dice.choice((0.0, 0.0, 100.0, 300.0))
    final_ms = dice.choice(((60.0, 130.0), (100.0, 250.0), (150.0, 400.0)))
    wrong_partials = dice.choice((0.0, 0.0, 0.1, 0.2))
    dialogue_ms = dice.choice(((0.0, 5.0), (80.0, 200.0), (200.0, 600.0)))
    pace = dice.uniform(3.0, 20.0)
    speculative = dice.random() < 0.5
    return Variant(
        scenario=scenario.name,
        number=number,
        seed=seed,
        ears=scenario.ears[number % len(scenario.ears)],
        tempo=dice.uniform(0.8, 1.25),
        level=scenario.level * dice.uniform(0.75, 1.0),
        lag_ms=dice.uniform(10.0, 64.0),
        misses=dice.choice((0.0, 0.01, 0.03)),
        frame_ms=scenario.frame_ms[dice.randrange(len(scenario.frame_ms))],
        loss=_or(faults.loss, loss),
        jitter_ms=_or(faults.jitter_ms, jitter_ms),
        in_ms=dice.uniform(5.0, 60.0),
        out_ms=dice.uniform(5.0, 60.0),
        marks_lost=_or(faults.marks_lost, marks_lost),
        marks_late_ms=_or(faults.marks_late_ms, marks_late_ms),
        marks_after_clear=dice.random() < 0.5,
        partial_every_ms=dice.uniform(100.0, 250.0),
        partial_ms=dice.choice(((50.0, 120.0), (100.0, 250.0))),
        final_ms=faults.final_ms or final_ms,
        wrong_partials=_or(faults.wrong_partials, wrong_partials),
        dialogue_ms=faults.dialogue_ms or dialogue_ms,
        voice_ms=dice.choice(((40.0, 80.0), (100.0, 250.0))),
        voice_pace=1.15 if faults.slow_voice else pace,
        pieces=dice.randrange(3),
        speculative=speculative if scenario.speculative is None else scenario.speculative,
    )


def _or(fault: float | None, usual: float) -> float:
    return usual if fault is None else fault
