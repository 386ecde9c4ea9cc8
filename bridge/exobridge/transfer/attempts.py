"""Whom to dial in which attempt. No I/O, no clock.

Exotel asks once, or again after each attempt that reached nobody. The same question has the same
answer, however often it comes: the attempt follows from what was answered before and from whom
Exotel says it dialled last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from exobridge.exotel.connect import Contract
from exobridge.exotel.passthru import PassthruParams
from exobridge.numbers import normalise
from exobridge.templates.transfer import Found
from exobridge.transfer.pending import REACHED, Asked, Nobody, Pending

REPEATED = timedelta(seconds=2)
"""A question that does not tell who was dialled, and comes this soon after the one before, is the
same one delivered again: nobody has been called and given up by then."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Whom to dial now.

    Attributes:
        numbers: Empty: everybody was tried.
        again: There is somebody left for another attempt.
    """

    numbers: tuple[str, ...]
    again: bool = False


def next_attempt(pending: Pending, params: PassthruParams, now: datetime) -> int | Nobody:
    """Which attempt of a transfer a request asks for, from 1 on."""
    if not pending.asked:
        return 1  # what the request tells of somebody dialled is of an earlier transfer
    last = pending.asked[-1]
    if params.dial_status == REACHED:
        return Nobody.ANSWERED
    if not params.dial_status:
        return last.attempt
    dialled = normalise(params.dial_whom)
    if (dialled is None or pending.another) and now - last.at < REPEATED:
        return last.attempt
    if dialled is None:
        return last.attempt + 1
    with_them = [each.attempt for each in pending.asked if dialled in each.numbers]
    return max(with_them, default=last.attempt) + 1


def attempt(
    found: Found,
    number: int,
    asked: Sequence[Asked],
    *,
    contract: Contract,
    dialled: str | None = None,
    turn: int = 1,
) -> Attempt:
    """Whom to dial in an attempt.

    Args:
        number: Of the attempt, from 1 on.
        asked: The attempts before it.
        dialled: Who was dialled last, E.164.
        turn: How many transfers to this target there were, this one included, for rotation.
    """
    if contract is Contract.JSON and found.attempts > 1:
        return _in_portions(found, number, _in_order(found, asked, turn))
    if number == 1 or not asked:
        return Attempt(_in_order(found, (), turn))
    return Attempt(_after(asked[-1].numbers, dialled))


def _in_order(found: Found, asked: Sequence[Asked], turn: int) -> tuple[str, ...]:
    """The numbers from the one on with which this transfer began, or is to begin."""
    numbers = found.numbers
    if not found.rotate or not numbers:
        return numbers
    first = asked[0].numbers[0] if asked and asked[0].numbers else ""
    begin = numbers.index(first) if first in numbers else (turn - 1) % len(numbers)
    return numbers[begin:] + numbers[:begin]


def _in_portions(found: Found, number: int, numbers: Sequence[str]) -> Attempt:
    """The next few, and from the beginning again after the last. Exotel ends the attempts at the
    same set of numbers twice in a row, so that one is not given."""

    def portion(number: int) -> tuple[str, ...]:
        if number > found.attempts:
            return ()
        size = min(max(found.parallel, 1), len(numbers))
        begin = (number - 1) * size
        few = tuple(numbers[index % len(numbers)] for index in range(begin, begin + size))
        return () if number > 1 and size == len(numbers) else few

    return Attempt(portion(number), again=bool(portion(number + 1)))


def _after(numbers: Sequence[str], dialled: str | None) -> tuple[str, ...]:
    """Those that were not tried, of a list that Exotel dials in its order; without a word of who
    was, one was."""
    tried = numbers.index(dialled) + 1 if dialled in numbers else 1
    return tuple(numbers[tried:])
