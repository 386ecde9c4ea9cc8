"""Where the handing over of a caller to a human stands. No I/O, no clock.

One that a human took was answered, whatever else is said. For the others, the first line that fits:

========= ========================================================================
failed    a later stream has begun: the flow led back to the bot. Or the last that is known of the
          dialling is that nobody took the call, or that nobody is to be dialled (any more)
canceled  the caller hung up: while the line was said, or while a human was dialled
answered  the call's sums tell of a second leg that talked
failed    the call's sums tell of none
unknown   the call is over, and nothing tells whether a human took it
dialling  a human is being dialled
pending   it was asked for, and Exotel has not asked whom to dial
========= ========================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from exobridge.call.dialling import SUMS, Sign, SignKind
from exobridge.call.events import EndedBy
from exobridge.call.facts import Facts, StreamFacts, TransferFact
from exobridge.numbers import normalise

_BEGINS = (SignKind.ASKED, SignKind.DIALLED)
"""That somebody is dialled."""


class TransferStatus(StrEnum):
    """The table above says when."""

    PENDING = "pending"
    DIALLING = "dialling"
    ANSWERED = "answered"
    FAILED = "failed"
    CANCELED = "canceled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TransferState:
    """A call's latest transfer.

    Attributes:
        target: Where to, as the dialogue named it.
        attempts: How often Exotel was told whom to dial; at least 1 where anybody was dialled.
        number: Who took the call, else who was dialled last, E.164 where it can be read so; empty:
            not known.
        key: Key of its ``transfer-requested`` event.
        stream_sid: The stream in which it was asked for, at ``asked_at``.
        seen_at: The last sign of the dialling; ``None``: there was none.
    """

    target: str
    status: TransferStatus
    attempts: int
    number: str
    key: str
    stream_sid: str
    asked_at: datetime
    seen_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be seen what becomes of it."""
        return self.status in (TransferStatus.PENDING, TransferStatus.DIALLING)


def transfer_of(facts: Facts) -> TransferState | None:
    """The call's latest transfer; ``None``: none was asked for."""
    asked = [(s.transfer, s) for s in facts.streams if s.transfer]
    if not asked:
        return None
    fact, stream = max(asked, key=lambda item: item[0])
    since = _since(fact, facts)
    dialling = [sign for sign in since if sign.kind not in SUMS]
    is_over = any(report.is_summary and report.at >= fact.at for report in facts.reports)
    returned = any(s is not stream and s.began_at and s.began_at > fact.at for s in facts.streams)
    return TransferState(
        target=fact.target,
        status=_status(since, stream, returned=returned, is_over=is_over),
        attempts=max((_attempt(sign) for sign in dialling), default=0),
        number=_number(dialling),
        key=fact.key,
        stream_sid=stream.stream_sid,
        asked_at=fact.at,
        seen_at=max((sign.at for sign in dialling), default=None),
    )


def _since(fact: TransferFact, facts: Facts) -> list[Sign]:
    """What is said of the dialling for this transfer. Where there was some before it, what
    Passthrus tell is of that until somebody is dialled anew."""
    signs = [sign for sign in facts.signs if sign.transfer in ("", fact.key)]
    since = [sign for sign in signs if sign.at >= fact.at]
    earlier = [s.transfer for s in facts.streams if s.transfer and s.transfer.at < fact.at]
    dialled = [sign for sign in facts.signs if sign.at < fact.at and sign.kind not in SUMS]
    if not earlier and not dialled:
        return since
    anew = min((sign.at for sign in since if sign.kind in _BEGINS), default=None)
    return [sign for sign in since if not sign.lasting or (anew and sign.at > anew)]


def _status(
    since: Sequence[Sign], stream: StreamFacts, *, returned: bool, is_over: bool
) -> TransferStatus:
    kinds = {sign.kind for sign in since}
    if SignKind.REACHED in kinds:
        return TransferStatus.ANSWERED
    if returned or _nobody(since):
        return TransferStatus.FAILED
    if SignKind.HUNG_UP in kinds or stream.ended_by is EndedBy.CALLER:
        return TransferStatus.CANCELED
    if SignKind.TALKED in kinds:
        return TransferStatus.ANSWERED
    if SignKind.SILENT in kinds:
        return TransferStatus.FAILED
    if is_over:
        return TransferStatus.UNKNOWN
    return TransferStatus.DIALLING if kinds else TransferStatus.PENDING


def _nobody(since: Sequence[Sign]) -> bool:
    """Whether the last that is known is that nobody took the call. An attempt that is asked for
    after one that failed makes it open again."""
    ends = [s.at for s in since if s.kind in (SignKind.MISSED, SignKind.EXHAUSTED)]
    begins = [s.at for s in since if s.kind is SignKind.ASKED]
    return bool(ends) and (not begins or max(ends) > max(begins))


def _attempt(sign: Sign) -> int:
    if sign.kind is SignKind.EXHAUSTED:
        return 0
    return max(sign.attempt, 1)


def _number(dialling: Sequence[Sign]) -> str:
    reached = [s.number for s in dialling if s.number and s.kind is SignKind.REACHED]
    named = [s.number for s in dialling if s.number]
    number = (reached or named or [""])[-1]
    return normalise(number) or number  # Exotel writes `07200498123`
