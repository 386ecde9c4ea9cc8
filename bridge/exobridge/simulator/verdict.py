"""Whether a call went well. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from exobridge.simulator.report import CallReport, EndedBy, Outcome
from exobridge.simulator.rules import Rule, Severity

NEVER_HEARD = "the bot was never heard"


def problems(
    report: CallReport,
    unanswered: Sequence[int],
    unspoken: int,
) -> tuple[str, ...]:
    """Why a call did not go well, as sentences; empty if it did.

    Args:
        report: What was measured.
        unanswered: Which of the caller's lines got no answer, from 0.
        unspoken: How many lines of the script were not begun.
    """
    said: list[str] = []
    if report.outcome is not Outcome.COMPLETED:
        said.append(_ENDINGS[report.outcome].format(code=report.close_code))
    elif not report.bot_turns:
        said.append(NEVER_HEARD)
    lines = sum(turn.role == "caller" for turn in report.turns)
    hung_up = report.outcome is Outcome.COMPLETED and report.ended_by is EndedBy.BOT
    for index in unanswered:
        if hung_up and not unspoken and index == lines - 1 and report.bot_turns:
            continue  # hanging up is an answer to the last line
        said.append(f"line {index + 1} of the caller got no answer")
    if hung_up and unspoken:
        said.append(f"the bot hung up before {unspoken} more of the caller's lines")
    return (*said, *broken_rules(report.violation_counts))


def broken_rules(counts: Iterable[tuple[Rule, int]]) -> tuple[str, ...]:
    """The rules whose violation spoils a call, as sentences; of these counts."""
    return tuple(
        f"rule {rule} broken {count} time{'s' * (count != 1)}: {rule.sentence}"
        for rule, count in counts
        if rule.severity is Severity.ERROR
    )


_ENDINGS = {
    Outcome.REFUSED: "the server refused the call (302)",
    Outcome.NOT_ANSWERED: "the server gave no usable answer",
    Outcome.NO_STREAM: "the WebSocket could not be opened",
    Outcome.DROPPED: "the stream was dropped (close code {code})",
    Outcome.TIMED_OUT: "the call did not end within its limit",
}
