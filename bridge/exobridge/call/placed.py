"""What we know of a call because we had it placed ourselves. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exobridge.call.events import JSON


@dataclass(frozen=True, slots=True, order=True)
class PlacedCall:
    """A call that was placed for a dial.

    Attributes:
        dial: The dial's id; empty: the call is none of ours.
        attempt: From 1.
        template: Whose bot talks.
        caller: Whom we call, ``called`` the ExoPhone; E.164.
        custom_field: As Exotel was told.
        variables: Names and values of the dial, by name.
        ring_seconds: How long it rings at most.
    """

    dial: str = ""
    attempt: int = 1
    template: str = ""
    caller: str = field(default="", repr=False)
    called: str = field(default="", repr=False)
    custom_field: str = ""
    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    ring_seconds: int = 30

    def data(self) -> dict[str, JSON]:
        """For an event."""
        return {
            "dial": self.dial,
            "attempt": self.attempt,
            "template": self.template,
            "caller": self.caller,
            "called": self.called,
            "direction": "outgoing",
            "custom_field": self.custom_field,
            "variables": dict(self.variables),
            "ring_seconds": self.ring_seconds,
        }

    @classmethod
    def read(cls, data: Mapping[str, JSON]) -> PlacedCall:
        """Of an event's data."""
        variables, attempt = data.get("variables"), data.get("attempt")
        ring = data.get("ring_seconds")
        pairs = variables.items() if isinstance(variables, Mapping) else ()
        texts = {
            name: value
            for name in ("dial", "template", "caller", "called", "custom_field")
            if isinstance(value := data.get(name), str)
        }
        return cls(
            **texts,
            attempt=attempt if isinstance(attempt, int) else 1,
            variables=tuple(sorted((name, str(value)) for name, value in pairs)),
            ring_seconds=ring if isinstance(ring, int) else 30,
        )


@dataclass(frozen=True, slots=True, order=True)
class PlacedFact:
    """See :func:`exobridge.call.events.placed`."""

    at: datetime
    call: PlacedCall


NOT_PLACED = PlacedCall()
"""A call that came to us."""
