"""What a check is, and what becomes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from exobridge_providers.testing.conformance.stage import Stage


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a plugin promises.

    Attributes:
        name: As it is asked for.
        promise: In words, as in "a plugin …".
        run: Raises ``AssertionError``, with the broken promise in words.
        needs_fake: A fake of the plugin's vendor has to play along.
        options: Of the plugin's, in this check.
    """

    name: str
    promise: str
    run: Callable[[Stage], Awaitable[None]]
    needs_fake: bool = True
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a check.

    Attributes:
        name, promise: The check's.
        words: Why it failed, or was skipped.
        seconds: How long it took.
    """

    name: str
    promise: str
    outcome: Literal["passed", "failed", "skipped"]
    words: str = ""
    seconds: float = 0.0
