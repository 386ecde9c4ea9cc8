"""What is kept of calls that are to be placed: dials, and their attempts.

A dial is the wish that somebody be called. It takes one call or several, by its policy::

    waiting ──► claimed ──► placing ──► placed ──► done
       ▲           │           │           │
       │           │           └─► unsure ─┤
       └───────────┴───────────────────────┘

``unsure``: Exotel was asked, and no answer tells whether it has placed the call. It is never asked
again by itself: a webhook that carries our ``CustomField`` tells of the call, or the dial ends as
``unknown``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

import msgspec

AFTERWARDS = timedelta(minutes=10)
"""A request may block for 40 s, and what Exotel tells of a call settles two minutes after it."""

ANSWERED_AFTER = timedelta(seconds=60)
"""So long after it has rung, a webhook would have told of a call that was placed and answered: it
takes no place any more of the calls at once."""


class DialState(StrEnum):
    """Where a dial stands."""

    WAITING = "waiting"
    """For its time, or for a free line."""
    CLAIMED = "claimed"
    """A process is about to ask Exotel; nothing has been sent."""
    PLACING = "placing"
    """Exotel is being asked, or was when the process died."""
    PLACED = "placed"
    """The call is under way; its CallSid is known."""
    UNSURE = "unsure"
    """Exotel was asked, and whether it has placed the call is not known."""
    DONE = "done"


ASKED = (DialState.PLACING, DialState.UNSURE)
"""Exotel has been asked, and no CallSid is known."""


class DialOutcome(StrEnum):
    """What became of a dial, or of one of its attempts."""

    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    FAILED = "failed"
    """Exotel could not reach the number, the call was turned away here, or its template was gone
    until it was given up."""
    REFUSED = "refused"
    """Exotel would not place it."""
    OUT_OF_HOURS = "out-of-hours"
    """Its hours did not come before it was given up."""
    EXPIRED = "expired"
    """No line was free before it was given up."""
    UNKNOWN = "unknown"
    """It may have been placed, and nobody has told of it."""
    CANCELLED = "cancelled"
    NOT_PLACED = "not-placed"
    """Of an attempt only: there was surely no call, and it does not count."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When somebody is called again.

    Attributes:
        attempts: Calls at most, the first one included.
        retry_on: Outcomes after which there is another: ``busy``, ``no-answer``, ``failed``.
        pauses: Seconds from the end of an attempt to the next; the last holds for all that follow.
        patience: Seconds after which a dial is given up that is due and cannot be placed.
    """

    attempts: int = 1
    retry_on: tuple[str, ...] = ("busy", "no-answer")
    pauses: tuple[float, ...] = (1800.0,)
    patience: float = 86_400.0


@dataclass(frozen=True, slots=True)
class DialRequest:
    """How somebody is to be called.

    Attributes:
        template: Name of the conversation.
        caller_id: The ExoPhone that the call is made from, E.164.
        mode: Through a ``flow`` of the account's, or straight to our ``stream``.
        variables: For the conversation.
        purpose: ``promotional`` calls keep to the hours of the law.
        ring_seconds: How long it rings.
        limit_seconds: When Exotel ends the call.
        app_id: Of the flow; empty in mode ``stream``.
        record: Whether Exotel records the call.
    """

    template: str = ""
    caller_id: str = field(default="", repr=False)
    mode: Literal["flow", "stream"] = "flow"
    variables: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    purpose: Literal["promotional", "transactional"] = "promotional"
    policy: RetryPolicy = RetryPolicy()
    ring_seconds: int = 30
    limit_seconds: int = 14_400
    app_id: str = ""
    record: bool = False

    @property
    def longest(self) -> timedelta:
        """From the request to Exotel until its call is over, and all that is told of it has come,
        at the latest."""
        return timedelta(seconds=self.ring_seconds + self.limit_seconds) + AFTERWARDS

    def data(self) -> dict[str, Any]:
        """As it is kept."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data

    @classmethod
    def read(cls, data: object) -> DialRequest:
        """What :meth:`data` gave."""
        return msgspec.convert(data, cls)


@dataclass(frozen=True, slots=True)
class NewDial:
    """A dial to be added.

    Attributes:
        key: Its idempotency key; empty: none.
        fingerprint: Of what was asked under that key.
        number: Whom to call, E.164.
        due_at: Not to be called before.
        give_up_at: Not to be called after.
        row: Of its batch's list, from 1.
        error: Why it shall not be called at all: it is added as ``done`` and ``refused``.
    """

    id: str
    number: str = field(repr=False)
    request: DialRequest
    due_at: datetime
    give_up_at: datetime
    key: str = ""
    fingerprint: str = ""
    batch_id: str | None = None
    row: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Dial:
    """The wish that somebody be called, as it stands.

    Attributes:
        number: Whom to call, E.164.
        attempts: Calls that count by its policy, one under way included.
        due_at: While it waits: not called before.
        give_up_at: While it waits: not called after. On a call: when it is over at the latest.
        call_sid: Of the latest attempt, where it is known.
        outcome: Once it is done.
        error: Why it is not placed, or was not; without numbers and secrets.
    """

    id: str
    key: str
    fingerprint: str
    batch_id: str | None
    row: int | None
    number: str = field(repr=False)
    request: DialRequest
    state: DialState
    attempts: int
    due_at: datetime
    give_up_at: datetime | None
    lease: str
    call_sid: str
    outcome: DialOutcome | None
    error: str
    created_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to Exotel for a dial's call.

    Attributes:
        number: 1 for the first; stands in the ``CustomField``.
        outcome: ``None`` while it is under way.
    """

    dial_id: str
    number: int
    asked_at: datetime
    call_sid: str
    ended_at: datetime | None
    outcome: DialOutcome | None
    error: str


_CUSTOM_FIELD = re.compile(r"xb:([0-9a-z]{1,40}):([0-9]{1,6})", re.ASCII)


def custom_field(dial_id: str, attempt: int) -> str:
    """What a call brings along in each webhook: far fewer than Exotel's 128 characters."""
    return f"xb:{dial_id}:{attempt}"


def read_custom_field(text: str) -> tuple[str, int] | None:
    """Dial and attempt; ``None``: it is not one of ours."""
    found = _CUSTOM_FIELD.fullmatch(text.strip())
    return None if found is None else (found[1], int(found[2]))
