"""How a call ended, from the facts that are known of it. No I/O, no clock.

With streams, the one that began last decides, as a failed transfer leads back to the bot ("a second
stream for the same CallSid"), which re-opens the call. The call was handed on if a transfer was
asked for in it and ``bot`` or ``server`` ended it: "close the socket: the call moves to the next
applet". Where it broke, the call was handed on if there are signs of the dialling.

============ =====================================================================
transferred  handed on, and a human took the call, or nothing tells of it. Also whenever a human
             took it, whoever is said to have ended the stream
unanswered   handed on, and no human took the call; the caller did not come back to the bot
left-on-hold handed on, and the caller hung up before a human took the call ("`client-hangup`")
completed    ``caller`` or ``bot`` ended it. The rest of the flow does not count: "`call-attempt` =
             IVR only, no Connect applet (so a bot-only call: not a failure)"
failed       ``server`` or ``network`` ended it. "1006 without `stop` is common": where Exotel says
             later that the caller ended the stream, it is ``completed`` after all
lost         the process that held it is gone
============ =====================================================================

Without a stream:

============ =====================================================================
refused      the answer was ``refuse``
busy         Exotel says so of a call that was placed; likewise ``no-answer`` and ``canceled``
failed       Exotel says so
abandoned    no stream came in time, or Exotel says that the call is over: the caller left first, or
             the applet is set up wrongly
completed    Exotel says so of a call that we had not placed, and that never asked for an answer:
             it was not for us
unknown      it never asked for an answer, and nobody has told of its end for a day
============ =====================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from exobridge.call.dialling import Report
from exobridge.call.events import Decision, EndedBy
from exobridge.call.facts import Facts, StreamFacts
from exobridge.call.transfer_state import TransferState, TransferStatus

_RESTARTED = "the server restarted"
"""Why a stream ended that was found lost."""


class Outcome(StrEnum):
    """How a call ended; the tables above say when."""

    COMPLETED = "completed"
    TRANSFERRED = "transferred"
    UNANSWERED = "unanswered"
    LEFT_ON_HOLD = "left-on-hold"
    REFUSED = "refused"
    ABANDONED = "abandoned"
    FAILED = "failed"
    LOST = "lost"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    CANCELED = "canceled"
    UNKNOWN = "unknown"


_NOT_ANSWERED = {
    "busy": Outcome.BUSY,
    "no-answer": Outcome.NO_ANSWER,
    "canceled": Outcome.CANCELED,
    "failed": Outcome.FAILED,
}
"""Exotel's statuses of a call that nobody took, or that could not be placed."""

_OF_TRANSFER = {
    TransferStatus.FAILED: Outcome.UNANSWERED,
    TransferStatus.CANCELED: Outcome.LEFT_ON_HOLD,
}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended.

    Attributes:
        by: Who ended the latest stream; ``None``: there was none.
        reason: Exotel's word, or ours.
    """

    outcome: Outcome
    at: datetime
    by: EndedBy | None
    reason: str


def ending_of(
    facts: Facts,
    streams: Sequence[StreamFacts],
    transfer: TransferState | None,
    exotel: Report | None,
) -> Ending | None:
    """How the call ended, ``streams`` being in the order in which they began."""
    if not streams:
        return _ending_without_streams(facts, exotel)
    over = [at for stream in streams if (at := stream.over_at)]
    if len(over) < len(streams):
        return None
    latest = streams[-1]
    if transfer and transfer.stream_sid == latest.stream_sid and _handed_on(latest, transfer):
        by = latest.ended_by or EndedBy.SERVER
        reason = latest.end.reason if latest.end else _RESTARTED
        outcome = _OF_TRANSFER.get(transfer.status, Outcome.TRANSFERRED)
        return Ending(outcome, _end_after(max(over), transfer, exotel), by, reason)
    return _stream_ending(latest, max(over))


def _ending_without_streams(facts: Facts, exotel: Report | None) -> Ending | None:
    if facts.answer and facts.answer.decision is Decision.REFUSE:
        answer = facts.answer
        return Ending(Outcome.REFUSED, answer.at, EndedBy.SERVER, answer.reason)
    over = exotel if exotel and exotel.is_final else None
    if over and over.status in _NOT_ANSWERED:
        return Ending(_NOT_ANSWERED[over.status], over.over_at, None, over.status)
    if over and not facts.answer and not facts.placed:
        return Ending(Outcome.COMPLETED, over.over_at, None, over.status)
    if facts.no_stream_at and not facts.answer and not over:
        return Ending(Outcome.UNKNOWN, facts.no_stream_at, None, "nobody told of its end")
    at = facts.no_stream_at or (over.over_at if over else None)
    return Ending(Outcome.ABANDONED, at, None, "no stream came") if at else None


def _handed_on(stream: StreamFacts, transfer: TransferState) -> bool:
    """Whether Exotel's flow had the caller after this stream, in which the transfer was asked
    for."""
    if transfer.status is TransferStatus.ANSWERED:
        return True
    if stream.ended_by in (EndedBy.BOT, EndedBy.SERVER):
        return True
    return stream.ended_by is not EndedBy.CALLER and transfer.seen_at is not None


def _end_after(
    stream_over_at: datetime, transfer: TransferState, exotel: Report | None
) -> datetime:
    """When a call ended that was handed on."""
    if exotel and exotel.is_summary:
        return max(stream_over_at, exotel.over_at)
    return max(stream_over_at, transfer.seen_at or stream_over_at)


def _stream_ending(latest: StreamFacts, at: datetime) -> Ending:
    if latest.end is None:
        return Ending(Outcome.LOST, at, EndedBy.SERVER, _RESTARTED)
    by = latest.ended_by
    ended_well = by in (EndedBy.CALLER, EndedBy.BOT)
    outcome = Outcome.COMPLETED if ended_well else Outcome.FAILED
    return Ending(outcome, at, by, latest.end.reason)
