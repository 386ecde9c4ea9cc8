"""What is made of the figures: medians, ratios, slopes. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import linear_regression, median

VOID_MS = 10.0
"""A floor whose own p99 is above this says that the machine was not fit to measure on."""

BUSY = 0.8
"""A generator that uses more of its core than this may itself be the limit."""


def medians(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    """The median of each figure over the rounds."""
    return {key: median(figures[key] for figures in rounds) for key in rounds[0]}


def with_ratio(
    rounds: Sequence[dict[str, float]], floors: Sequence[dict[str, float]], key: str
) -> list[dict[str, float]]:
    """Each round with ``ratio``: its ``key`` over that of the floor of the same round."""
    return [
        {**figures, "ratio": figures[key] / floor[key] if floor[key] else math.nan}
        for figures, floor in zip(rounds, floors, strict=True)
    ]


def is_void(floors: Sequence[dict[str, float]]) -> bool:
    """Whether the floor was too slow for the run to mean anything."""
    return median(figures["p99_ms"] for figures in floors) > VOID_MS


def percentile(ranked: Sequence[float], share: float) -> float:
    """The smallest of the sorted values that ``share`` of all do not exceed."""
    return ranked[max(0, math.ceil(len(ranked) * share) - 1)] if ranked else math.nan


def slope(points: Sequence[tuple[float, float]], per: float) -> float:
    """How much the second grows while the first grows by ``per``: least squares."""
    fitted = linear_regression([x for x, _ in points], [y for _, y in points])
    return fitted.slope * per


def most(holds: Callable[[int], bool], first: int, limit: int) -> int:
    """The most that holds, to within 5 %: ``first``, doubled until something fails, then the
    middle between the best and the worst; 0: nothing does."""
    best, worst, step = 0, None, first
    while step <= limit:
        if holds(step):
            best = step
        else:
            worst = step
        if worst is None:
            step = best * 2
        elif worst - best <= max(1, best * 0.05):
            break
        else:
            step = (best + worst) // 2
    return best
