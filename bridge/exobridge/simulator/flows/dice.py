"""Chance from a seed: the same on every machine and every Python."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Draws. Only ``random.Random.random`` is used, the one method whose numbers Python promises to
    keep for a seed.

    Args:
        seed: Any integer.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def chance(self, probability: float) -> bool:
        """``True`` so often, 0 to 1."""
        return self._random() < probability

    def pick(self, things: Sequence[T]) -> T:
        """One of them."""
        return things[int(self._random() * len(things))]

    def some(self, things: Sequence[T], count: int) -> list[T]:
        """So many different ones, or all, in the order drawn."""
        left, found = list(things), list[T]()
        while left and len(found) < count:
            found.append(left.pop(int(self._random() * len(left))))
        return found

    def whole(self, least: int, most: int) -> int:
        """A number between the two, which can come too."""
        return least + int(self._random() * (most - least + 1))
