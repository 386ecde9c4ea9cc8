"""Which of a vendor's texts answers which ``finalize()``. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from exobridge_providers.base import Final

TOLD_SECONDS = 0.3
"""From a ``finalize()`` until its answer is taken to be empty, where the vendor's own ear has ended
the sentence before and given its text."""

LATE_SECONDS = 5.0
"""So long may the vendor's answer to a request that was given up still come."""


@dataclass(slots=True)
class _Request:
    at: float
    empty: bool
    """No audio was sent since the one before: the vendor is not asked."""


class Answers:
    """Sees to it that each ``finalize()`` is answered by exactly one ``Final(finalized=True)``.

    Args:
        acknowledged: The vendor marks its answers; else the first text after a request is one, and
            an end of turn answers all requests so far.
        answer_seconds: Longest wait for an answer; after it, it is empty.
        forgets: A vendor that marks its answers may leave a request unanswered when it has nothing
            left to tell.
    """

    def __init__(self, *, acknowledged: bool, answer_seconds: float, forgets: bool = False) -> None:
        self._acknowledged = acknowledged
        self._answer_seconds = answer_seconds
        self._forgets = forgets or not acknowledged
        self._requests: deque[_Request] = deque()
        self._given_up: deque[float] = deque()
        self._fresh = False
        self._told = False

    def sent(self) -> bool:
        """Audio is sent; whether it is the first since the vendor was asked."""
        first, self._fresh = not self._fresh, True
        return first

    def ask(self, now: float) -> tuple[bool, list[Final]]:
        """``finalize()`` was called.

        Returns:
            Whether to ask the vendor, and what can be answered at once.
        """
        fresh, self._fresh = self._fresh, False
        if not fresh and not self._requests:
            self._told = False
            return False, [Final("", finalized=True)]
        self._requests.append(_Request(now, empty=not fresh))
        return fresh, []

    def take(self, final: Final, now: float, *, every: bool = False) -> list[Final]:
        """A text of the vendor's; what is to be given out for it.

        Args:
            every: It is known to be the answer to all requests so far.
        """
        while self._given_up and now - self._given_up[0] > LATE_SECONDS:
            self._given_up.popleft()
        is_answer = final.finalized or not self._acknowledged
        if is_answer and self._acknowledged and self._given_up:
            self._given_up.popleft()
            is_answer = False
        if is_answer and self._requests:
            self._requests.popleft()
            self._told = False
            over = every or (final.end_of_turn and not self._acknowledged)
            return [replace(final, finalized=True), *self._empty_ones(every=over)]
        self._told = self._told or bool(final.text)
        return [replace(final, finalized=False)] if final.text or final.end_of_turn else []

    def _empty_ones(self, *, every: bool = False) -> list[Final]:
        answers: list[Final] = []
        while self._requests and (every or self._requests[0].empty):
            self._requests.popleft()
            answers.append(Final("", finalized=True))
        return answers

    def due(self, *, hearing: bool) -> float | None:
        """When the oldest request is given up.

        Args:
            hearing: The vendor has heard words whose final text has not come.
        """
        if not self._requests:
            return None
        told = self._told and not hearing and self._forgets
        return self._requests[0].at + (TOLD_SECONDS if told else self._answer_seconds)

    def give_up(self, now: float) -> list[Final]:
        """The oldest request is not waited for any longer."""
        self._requests.popleft()
        forgotten = self._told and self._forgets
        self._told = False
        if self._acknowledged and not forgotten:
            self._given_up.append(now)
        return [Final("", finalized=True), *self._empty_ones()]
