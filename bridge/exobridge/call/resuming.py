"""A call that comes back: why, what was said before, and what it hears first. Pure.

Exotel opens a second stream for a CallSid after a transfer, a broken socket or the death of the
process that held the first.
"""

from __future__ import annotations

from collections.abc import Iterable

from exobridge.call.events import EndedBy, Role, Turn
from exobridge.call.facts import StreamFacts
from exobridge.call.state import Call
from exobridge.call.transfer_state import TransferStatus
from exobridge.templates.models import OwnLines
from exobridge_providers.base import Resumption, Said

HISTORY_LINES = 200
"""The latest lines of both sides: what a dialogue is told that takes over."""

TOO_LONG = "maximum length"
"""Why a stream was ended that had lasted for as long as it may."""


def resumption(call: Call | None, stream_sid: str) -> Resumption | None:
    """Why a call goes on in this stream; ``None``: the conversation begins.

    It begins anew where the bot had ended the stream before, or it had lasted for as long as it
    may: all was said, and Exotel's flow has led to the bot once more.

    Args:
        call: What is known of it.
    """
    before = _before(call, stream_sid)
    if call is None or before is None:
        return None
    transfer, left = call.transfer, before.ended_by in (EndedBy.BOT, EndedBy.SERVER)
    if transfer is not None and transfer.stream_sid == before.stream_sid:
        target, attempts = transfer.target, transfer.attempts
        if transfer.status is TransferStatus.ANSWERED:
            return Resumption("after-transfer", target, attempts)
        # A line that went down before it was left, and after which nobody was dialled, was dropped.
        if attempts or left:
            return Resumption("transfer-failed", target, attempts)
    if before.ended_by is EndedBy.BOT or _too_long(before):
        return None
    return Resumption("dropped")


def _before(call: Call | None, stream_sid: str) -> StreamFacts | None:
    """The stream that began last before this one."""
    streams = call.facts.streams if call is not None else ()
    begun = [
        (at, stream.stream_sid, stream)
        for stream in streams
        if stream.stream_sid != stream_sid and (at := stream.began_at)
    ]
    return max(begun)[-1] if begun else None


def _too_long(stream: StreamFacts) -> bool:
    return stream.end is not None and stream.end.reason == TOO_LONG


def said_before(turns: Iterable[Turn]) -> tuple[Said, ...]:
    """What was said, as far as it was heard."""
    said = tuple(
        Said("caller" if turn.role is Role.CALLER else "bot", turn.text)
        for turn in turns
        if turn.text
    )
    return said[-HISTORY_LINES:]


def language_of(turns: Iterable[Turn]) -> str:
    """What was spoken last, a BCP-47 tag; empty: nobody has spoken."""
    return next((turn.language for turn in reversed(list(turns)) if turn.language), "")


def first_line(resumed: Resumption, texts: OwnLines) -> str:
    """What is said in place of the greeting."""
    match resumed.why:
        case "transfer-failed":
            return texts.transfer_failed
        case "after-transfer":
            return texts.welcome_back
        case "dropped":
            return texts.resumed
