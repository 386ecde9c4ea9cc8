"""What is asked of calling out, and what it tells. What is kept: ``store/dial_types.py``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from exobridge.errors import ExobridgeError
from exobridge.store.dial_types import (
    Attempt,
    Dial,
    DialOutcome,
    DialRequest,
    DialState,
    NewDial,
    RetryPolicy,
    custom_field,
    read_custom_field,
)

__all__ = [
    "Attempt",
    "Dial",
    "DialOutcome",
    "DialRefusedError",
    "DialRequest",
    "DialState",
    "KeyReusedError",
    "NewDial",
    "PlacedCall",
    "RetryPolicy",
    "UnknownDialError",
    "Wish",
    "custom_field",
    "read_custom_field",
]


@dataclass(frozen=True, slots=True)
class Wish:
    """That somebody be called.

    Attributes:
        number: However it is written.
        template: Name of the conversation; empty: ``default``.
        caller_id: The ExoPhone; empty: the template's, else the one that is registered with it.
        variables: For the conversation.
        mode: Empty: the template's.
        key: Asked twice under one key, it is called once; empty: none.
        not_before: ``None``: now.
    """

    number: str = field(repr=False)
    template: str = ""
    caller_id: str = field(default="", repr=False)
    variables: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    mode: Literal["", "flow", "stream"] = ""
    key: str = ""
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """A call that we have placed, found by its ``CustomField``."""

    dial_id: str
    attempt: int
    number: str = field(repr=False)
    request: DialRequest


class DialRefusedError(ExobridgeError):
    """Nobody is called for this wish, now or later.

    Attributes:
        kind: Which rule says so, e.g. ``unknown-template``.
        detail: What is wrong and what to do, as sentences; without numbers.
        field: Of the wish; empty: it is not the wish's fault.
    """

    def __init__(self, kind: str, detail: str, field: str = "") -> None:
        self.kind = kind
        self.detail = detail
        self.field = field
        super().__init__(detail)


class KeyReusedError(ExobridgeError):
    """The idempotency key was used for something else.

    Attributes:
        dial_id: What it was used for.
    """

    def __init__(self, dial_id: str) -> None:
        self.dial_id = dial_id
        super().__init__("the idempotency key was used for another call; use a new one")


class UnknownDialError(ExobridgeError):
    """There is no such dial."""
