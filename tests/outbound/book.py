"""The account's own book of a trial, held against what the batch's results say."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from exobridge.outbound.models import RetryPolicy
from exobridge.simulator.customers import Customers, Does, Doing, Played

WINDOW_SECONDS = 60.0
CALLS_A_MINUTE = 200

_OUTCOMES: Mapping[Does, str] = {
    "answers": "answered",
    "voicemail": "voicemail",
    "busy": "busy",
    "silent": "no-answer",
    "fails": "failed",
}
LOST = ("breaks", "hangs", "resets")
"""Answers to a request that do not tell whether the call was placed."""

SLACK_SECONDS = 2.0


@dataclass(slots=True)
class Killed:
    """When the server was killed, and when it was back."""

    at: float
    back: float = float("inf")


@dataclass(frozen=True, slots=True)
class Book:
    """What the account knows.

    Attributes:
        asked: When it was asked for calls, by number.
    """

    people: Customers
    doing: Callable[[str, int], Doing]
    policy: RetryPolicy
    asked: Mapping[str, Sequence[float]]
    killed: Sequence[Killed]
    database: Path

    def was_killed_during(self, call: Played) -> bool:
        """Whether the server was not there for some of a call, or for what was told of it."""
        end = (call.ended or call.began) + SLACK_SECONDS
        return any(each.at <= end and call.began <= each.back for each in self.killed)

    def was_killed_after(self, asked_at: float) -> bool:
        """Whether the server was killed before it can have kept what this request was answered."""
        return any(asked_at <= each.at <= asked_at + SLACK_SECONDS for each in self.killed)

    def calls_of(self, number: str) -> dict[int, Played]:
        """By the request they were placed for."""
        return {call.nth: call for call in self.people.calls_to(number)}


def faults(book: Book, rows: Sequence[Mapping[str, str]], at_once: int) -> list[str]:
    """What does not hold, as lines."""
    found = [f"{number} was called twice at once" for number in book.people.called_twice_at_once()]
    found += _pace(sorted(at for times in book.asked.values() for at in times))
    if (most := _most_at_once(book.people.calls)) > at_once:
        found.append(f"{most} calls at once")
    numbers = [_e164(row["number"]) for row in rows]
    if strangers := set(book.asked) - set(numbers):
        found.append(f"{len(strangers)} numbers were called that are not in the list")
    for row, number in zip(rows, numbers, strict=True):
        found += [f"{number}: {fault}" for fault in _of_row(book, row, number)]
    return found + _unknown_calls(book)


def _e164(number: str) -> str:
    return f"+91{number[-10:]}"


def _pace(asked: Sequence[float]) -> list[str]:
    late = [
        (at, sum(at - WINDOW_SECONDS < other <= at for other in asked[: index + 1]))
        for index, at in enumerate(asked)
    ]
    most = max((count for _, count in late), default=0)
    return [f"{most} requests in a minute"] if most > CALLS_A_MINUTE else []


def _most_at_once(calls: Sequence[Played]) -> int:
    steps = sorted(
        step for call in calls for step in ((call.began, 1), (call.ended or call.began, -1))
    )
    most = now = 0
    for _, change in steps:
        now += change
        most = max(most, now)
    return most


def _of_row(book: Book, row: Mapping[str, str], number: str) -> list[str]:
    """Whether somebody was called as the policy says, and the result is right."""
    asked = book.asked.get(number)
    if not asked:
        return [f"never called, and {row['outcome']}"]
    calls, attempts = book.calls_of(number), 0
    for nth, asked_at in enumerate(asked):
        call, doing = calls.get(nth), book.doing(number, nth)
        outcomes = _outcomes(book, doing, asked_at, call)
        is_last = nth == len(asked) - 1
        attempts += doing.api != "throttles" or is_last
        goes_on = doing.api == "throttles" or (
            attempts < book.policy.attempts and bool(outcomes & set(book.policy.retry_on))
        )
        if not is_last and not goes_on:
            return [f"called again after {sorted(outcomes)} of attempt {attempts}"]
        if is_last:
            return _result(book, row, call, outcomes, attempts)
    return []


def _outcomes(book: Book, doing: Doing, asked_at: float, call: Played | None) -> set[str]:
    """What may be said of one request, if it was the last."""
    if doing.api in ("refuses", "throttles"):
        unknown = {"unknown"} if book.was_killed_after(asked_at) else set[str]()
        return unknown | ({"refused"} if doing.api == "refuses" else set())
    if call is None:
        return {"unknown"}
    outcomes = {_OUTCOMES[doing.does]}
    disturbed = book.was_killed_during(call)
    if doing.does == "voicemail" and disturbed:
        outcomes.add("answered")
    if not call.heard_of and (doing.api in LOST or disturbed):
        # What was told may have been kept, though the server was too late to say so.
        outcomes.add("unknown")
    return outcomes


def _result(
    book: Book, row: Mapping[str, str], call: Played | None, outcomes: set[str], attempts: int
) -> list[str]:
    found: list[str] = []
    if row["outcome"] not in outcomes:
        found.append(f"{row['outcome']}, and not {sorted(outcomes)}")
    retried = row["outcome"] in book.policy.retry_on
    if retried and attempts < book.policy.attempts:
        found.append(f"given up as {row['outcome']} after {attempts} attempts")
    if row["attempts"] != str(attempts):
        found.append(f"{row['attempts']} attempts, and not {attempts}")
    if call is not None and row["outcome"] != "unknown" and row["call_sid"] != call.call_sid:
        found.append("its CallSid is another")
    return found


def _unknown_calls(book: Book) -> list[str]:
    """Calls of which the ledger does not know the CallSid, and of which it could."""
    with closing(sqlite3.connect(book.database)) as connection:
        known = {sid for (sid,) in connection.execute("SELECT call_sid FROM dial_attempts")}
    missing = [call for call in book.people.calls if call.call_sid not in known and call.heard_of]
    return [f"{call.number}: a CallSid is not known" for call in missing]
