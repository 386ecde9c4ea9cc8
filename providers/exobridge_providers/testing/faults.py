"""What can go wrong at a vendor's, to be ordered of a fake one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What happens. Messages are counted for each connection and direction; the first is 1."""

    REFUSE = "refuse"
    """The handshake is answered by an HTTP status."""
    HANG = "hang"
    """The handshake is not answered."""
    DROP_IN = "drop-in"
    """The line is cut when the client's message number ``at`` has come."""
    DROP_OUT = "drop-out"
    """The line is cut in place of the vendor's message number ``at``."""
    CLOSE = "close"
    """The vendor closes with ``code`` in place of its message number ``at``."""
    GARBAGE = "garbage"
    """Before message ``at`` comes one that means nothing."""
    HALF = "half"
    """Of message ``at`` comes half of the text, as if it were whole."""
    SILENCE = "silence"
    """From message ``at`` on the vendor says nothing."""
    LATE = "late"
    """From message ``at`` on the vendor says everything ``seconds`` later."""
    TRICKLE = "trickle"
    """From message ``at`` on messages come in small fragments with pauses of ``seconds``."""
    DEAF = "deaf"
    """After the client's message number ``at`` the vendor reads no more."""
    ERROR = "error"
    """In place of message ``at`` the vendor reports ``error`` in its own words, and closes."""


class VendorError(StrEnum):
    """What a vendor reports in its own words, as far as its documents have words for it."""

    AUTH = "auth"
    QUOTA = "quota"
    RATE = "rate"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        at: The number of a message.
        connection: The number of the connection on which it happens, the first is 1; 0: on all.
        status: HTTP status of ``REFUSE``.
        code: Close code of ``CLOSE``.
        seconds: Of ``LATE`` and ``TRICKLE``.
        error: Of ``ERROR``.
    """

    kind: FaultKind
    at: int = 1
    connection: int = 0
    status: int = 503
    code: int = 1011
    seconds: float = 0.0
    error: VendorError = VendorError.INTERNAL
