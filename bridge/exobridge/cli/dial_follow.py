"""A dial, followed to its end, in words."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from exobridge.numbers import mask
from exobridge.outbound.models import Attempt, Dial, DialOutcome, DialState
from exobridge.outbound.rules import IST
from exobridge.outbound.service import Outbound

LOOK_SECONDS = 0.5
"""Between two looks."""
PATIENCE = timedelta(seconds=15)
"""A dial that is due so long and that nobody has taken needs a server, or a free line."""

_REACHED = (DialOutcome.ANSWERED, DialOutcome.VOICEMAIL)
_OUTCOMES = {
    DialOutcome.ANSWERED: "answered",
    DialOutcome.VOICEMAIL: "a machine answered",
    DialOutcome.BUSY: "busy",
    DialOutcome.NO_ANSWER: "nobody answered",
    DialOutcome.FAILED: "the call failed",
    DialOutcome.REFUSED: "Exotel refused the call",
    DialOutcome.OUT_OF_HOURS: "the hours for calling did not come in time",
    DialOutcome.EXPIRED: "no line was free in time",
    DialOutcome.UNKNOWN: "it is not known whether there was a call",
    DialOutcome.CANCELLED: "cancelled",
    DialOutcome.NOT_PLACED: "there was no call, and it does not count",
}


@dataclass(frozen=True, slots=True)
class Followed:
    """A dial as it was seen last.

    Attributes:
        last: What became of its latest call, where that is known.
        interrupted: Nobody waits for its end any more.
    """

    dial: Dial
    last: DialOutcome | None = None
    interrupted: bool = False


def is_reached(dial: Dial) -> bool:
    """Whether a human or a machine has taken the call."""
    return dial.outcome in _REACHED


def ending_words(attempt: Attempt) -> str:
    """What became of a call that Exotel was asked for."""
    if attempt.outcome is not None:
        return _OUTCOMES[attempt.outcome]
    return "under way" if attempt.call_sid else "not known to be placed"


def last_of(attempts: Sequence[Attempt]) -> DialOutcome | None:
    """What became of the latest call that counts; ``None``: that is not known."""
    told = [each.outcome for each in attempts if each.outcome is not DialOutcome.NOT_PLACED]
    return told[-1] if told else None


def words(dial: Dial, last: DialOutcome | None = None) -> str:
    """Where it stands, without the number.

    Args:
        last: What became of its latest call, where that is known.
    """
    return f"{mask(dial.number)}  {_state(dial, last)}"


def _state(dial: Dial, last: DialOutcome | None) -> str:
    error = f" ({dial.error})" if dial.error else ""
    match dial.state:
        case DialState.DONE:
            return f"{_OUTCOMES[dial.outcome] if dial.outcome else 'done'}{error}"
        case DialState.WAITING if dial.attempts:
            at = f"{dial.due_at.astimezone(IST):%Y-%m-%d %H:%M}"
            of = f"call {dial.attempts} of {dial.request.policy.attempts} is over"
            of = f"{of}: {_OUTCOMES[last]}" if last else of
            return f"{of}; called again from {at} in India{error}"
        case DialState.WAITING if dial.due_at > datetime.now(UTC):
            return f"called from {dial.due_at.astimezone(IST):%Y-%m-%d %H:%M} in India{error}"
        case DialState.WAITING if dial.error:
            return f"could not be placed yet, and is tried again{error}"
        case DialState.WAITING:
            return "waits for a server to call"
        case DialState.CLAIMED | DialState.PLACING:
            return "Exotel is being asked for the call"
        case DialState.PLACED:
            return f"the call is under way: {dial.call_sid}"
        case DialState.UNSURE:
            return f"Exotel may have placed the call; waiting for its word{error}"


async def last_outcome(outbound: Outbound, dial: Dial) -> DialOutcome | None:
    """What became of the latest call of a dial that waits for another; else ``None``.

    Raises:
        StoreError: The database does not answer.
    """
    if dial.state is not DialState.WAITING or not dial.attempts:
        return None
    return last_of(await outbound.attempts(dial.id))


async def follow(outbound: Outbound, dial: Dial, tell: Callable[[str], None]) -> Followed:
    """Look at it until it is done, or until Ctrl-C.

    Args:
        tell: Told each change, and once if no server seems to run.

    Raises:
        StoreError: The database does not answer.
    """
    told, hinted = "", False
    with _interrupt() as interrupted:
        while True:
            last = await last_outcome(outbound, dial)
            if (line := words(dial, last)) != told:
                tell(line)
                told = line
            if dial.state is DialState.DONE:
                return Followed(dial, last)
            if not hinted and _is_late(dial):
                tell(
                    "No server has taken it yet: is `exobridge serve` running on this database, "
                    "with Exotel's credentials, and is a line free? A number that is being called "
                    "already is not called beside. If Exotel cannot be asked, the server's log "
                    "says `calls not placed`."
                )
                hinted = True
            if await _passes(interrupted, LOOK_SECONDS):
                return Followed(dial, last, interrupted=True)
            dial = await outbound.find(dial.id) or dial


def _is_late(dial: Dial) -> bool:
    """Whether nobody has taken it, nor said why not."""
    if dial.state is not DialState.WAITING or dial.error:
        return False
    return datetime.now(UTC) - max(dial.due_at, dial.created_at) > PATIENCE


async def _passes(event: asyncio.Event, seconds: float) -> bool:
    """Whether it was set in this time."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


@contextmanager
def _interrupt() -> Generator[asyncio.Event]:
    """Set by Ctrl-C for the length of the block."""
    event, loop = asyncio.Event(), asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, event.set)
    except (NotImplementedError, RuntimeError, ValueError):  # not here, or not in this thread
        yield event
        return
    try:
        yield event
    finally:
        loop.remove_signal_handler(signal.SIGINT)
