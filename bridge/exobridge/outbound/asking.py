"""What an answer of Exotel's to a request for a call means, and how long it is left alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from exobridge.exotel.api import (
    ExotelError,
    ExotelStatusError,
    ForbiddenError,
    NoBalanceError,
    NotFoundError,
    RateLimitedError,
    UnauthorisedError,
)

FIRST_HOLD, LONGEST_HOLD = 5.0, 60.0
"""Seconds for which Exotel is left alone after an answer that concerns all calls: twice as long
after each one that follows."""

RATE_HOLD = 10.0
"""The same after 429, at least; Exotel may name more."""

MANY_UNSURE = 5
"""So many requests in a row of which no answer tells whether there is a call, and nobody else is
called for a while: each costs somebody their call."""

FEW_NOT_FOUND = 5
"""So many 404 without a call that was placed in between may each be of their own call."""

_OF_NUMBER = ("NDNC", "DND")
"""In the words of a 403: it concerns this number, "because of TRAI NDNC regulations"."""

_OF_ACCOUNT = (UnauthorisedError, NoBalanceError, ForbiddenError)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What is to be done.

    Attributes:
        what: ``placed``; ``unsure``: the call may have been placed. ``again``: it was surely not,
            and others would fare alike. ``refused``: it never will be.
        why: Nobody else is called for now: ``rate``, ``account``, or ``way`` to Exotel.
        hold: Seconds for which nobody is called, at least.
    """

    what: Literal["placed", "unsure", "again", "refused"]
    why: Literal["", "rate", "account", "way"] = ""
    hold: float = 0.0


_NOTHING_FOUND = Meaning("again", "account")


class Meanings:
    """What errors mean, one after the other.

    A 404 may be of one call, as its flow is gone, or of all, as ``EXOTEL_SID`` is wrong: a few cost
    somebody their call, and after those nobody else is called for a while.
    """

    def __init__(self) -> None:
        self._not_found = 0

    def placed(self) -> Meaning:
        """Exotel has placed the call."""
        self._not_found = 0
        return Meaning("placed")

    def of(self, error: ExotelError) -> Meaning:
        """It has not."""
        if not isinstance(error, NotFoundError):
            return meaning_of(error)
        self._not_found += 1
        return meaning_of(error) if self._not_found <= FEW_NOT_FOUND else _NOTHING_FOUND


def meaning_of(error: ExotelError) -> Meaning:
    """What an error means for its call, and for all others, taken by itself."""
    if error.may_have_happened:
        return Meaning("unsure")
    if isinstance(error, RateLimitedError):
        return Meaning("again", "rate", max(RATE_HOLD, error.retry_after or 0.0))
    if isinstance(error, ForbiddenError) and any(word in error.problem for word in _OF_NUMBER):
        return Meaning("refused")
    if isinstance(error, _OF_ACCOUNT):
        return Meaning("again", "account")
    if not isinstance(error, ExotelStatusError) or error.status is None or error.status < 400:
        return Meaning("again", "way")
    return Meaning("refused")


class Hold:
    """Leaves Exotel alone while what it answers concerns all calls. Times are the event loop's.

    Attributes:
        until: When it may be asked again.
        error: Why it is left alone; empty: nothing keeps anybody from asking.
    """

    def __init__(self) -> None:
        self.until = 0.0
        self._troubles = 0
        self._unsure = 0
        self.error = ""

    @property
    def is_probing(self) -> bool:
        """Whether it is yet to be seen that calls are placed again: one is tried at a time."""
        return self._troubles > 0

    def left(self, now: float) -> float:
        """Seconds; 0: Exotel may be asked."""
        return max(0.0, self.until - now)

    def trouble(self, meaning: Meaning, error: str, now: float) -> bool:
        """A call could not be placed, for a reason that concerns all.

        Returns:
            Whether that is news.
        """
        is_new = not self._troubles
        if is_new or not self.left(now):  # several that were asked together tell the same
            self._troubles += 1
        pause = min(LONGEST_HOLD, FIRST_HOLD * 2.0 ** (self._troubles - 1))
        self.until = max(self.until, now + max(pause, meaning.hold))
        self.error = error
        return is_new

    def unsure(self, error: str, now: float) -> bool:
        """No answer tells whether a call was placed. Returns as :meth:`trouble`."""
        self._unsure += 1
        if self._unsure < MANY_UNSURE:
            return False
        return self.trouble(Meaning("unsure", "way"), error, now)

    def passed(self) -> bool:
        """A call was placed, or judged by itself; whether there was trouble before."""
        was = self._troubles > 0
        self._troubles, self._unsure, self.until, self.error = 0, 0, 0.0, ""
        return was
