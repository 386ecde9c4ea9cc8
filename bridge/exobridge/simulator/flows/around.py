"""What a walk through a flow needs around it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from exobridge.simulator.timeline import Entry

if TYPE_CHECKING:
    import httpx

    from exobridge.simulator.account import Account
    from exobridge.simulator.call import Exotel
    from exobridge.simulator.scribe import Said
    from exobridge.simulator.scripts import Speech

Milestone = Literal["stream", "callback"]
"""A stream is over; a status callback was answered."""


def ignore(entry: Entry) -> None:
    """Nobody is told."""
    del entry


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Waits:
    """How long Exotel waits where a flow cannot say it, in seconds. Documented are the first two
    and the callback's; the others are like them.

    Attributes:
        dial_text: For whom to dial, as text.
        dial_json: For whom to dial, of a programmable Connect applet.
        callback: For the answer to a status callback.
        dial_event: For the answer to a dial event.
        audio: For audio to be played.
        retry: Between the tries of a callback that was not answered 200.
    """

    dial_text: float = 10
    dial_json: float = 5
    callback: float = 10
    dial_event: float = 10
    audio: float = 5
    retry: float = 0.5


@dataclass(frozen=True, slots=True)
class Around:
    """Shared by as many walks as run at once in one event loop.

    Attributes:
        exotel: Opens the streams.
        http: Asks the webhooks: :func:`~exobridge.simulator.client.http_client`.
        speech: Speaks the caller's lines and understands the bot; ``None``: neither, and a flow
            whose caller says something cannot be walked.
        account: The stand-in for the REST API that the server under test asks; ``None``: there is
            none.
        tell: Told each entry of the timeline as it happens; must not block and must not raise.
        said: Told what both sides of a stream say, as it is understood.
        auth_token: Set as ``auth_token`` in the query of each webhook of the flow.
        after: Awaited when a milestone was reached, before the call goes on.
        waits: How long Exotel waits.
        clock: Seconds, monotonic.
        now: The time of day, aware.
    """

    exotel: Exotel
    http: httpx.AsyncClient
    speech: Speech | None = None
    account: Account | None = None
    tell: Callable[[Entry], None] = ignore
    said: Callable[[Said], None] | None = None
    auth_token: str = field(default="", repr=False)
    after: Callable[[Milestone], Awaitable[None]] | None = None
    waits: Waits = field(default_factory=Waits)
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = _utc_now
