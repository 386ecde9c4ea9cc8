"""From what was said and heard to turns and figures. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exobridge.simulator.ear import Utterance
from exobridge.simulator.playout import UTTERANCE_GAP_MS, Gap
from exobridge.simulator.report import Turn
from exobridge.simulator.steps import CallerLine, LineKind
from exobridge.simulator.waiting import answer_to

_SPOKEN = (LineKind.SAY, LineKind.AUDIO, LineKind.BARGE_IN, LineKind.BACKCHANNEL)


@dataclass(frozen=True, slots=True)
class Clear:
    """A ``clear`` of the bot: when, and how much unplayed audio it dropped."""

    at_ms: float
    dropped_ms: float


def turns(
    lines: Sequence[CallerLine],
    utterances: Sequence[Utterance],
    gaps: Sequence[Gap],
    clears: Sequence[Clear],
) -> tuple[Turn, ...]:
    """Both sides' turns by their start; the bot's have no words yet."""
    callers = [
        Turn(
            role="caller",
            text=line.text,
            start_ms=line.voiced_from_ms,
            end_ms=line.voiced_to_ms,
            heard_ms=line.voiced_to_ms - line.voiced_from_ms,
            keys=line.kind is LineKind.DTMF,
        )
        for line in lines
    ]
    bots = [
        Turn(
            role="bot",
            text="",
            start_ms=utterance.start_ms,
            end_ms=utterance.end_ms,
            heard_ms=utterance.end_ms - utterance.start_ms - _silent(utterance, gaps),
            interrupted=_interrupted(utterance, lines, clears),
        )
        for utterance in utterances
    ]
    return tuple(sorted([*callers, *bots], key=lambda turn: turn.start_ms))


def _silent(utterance: Utterance, gaps: Sequence[Gap]) -> float:
    return sum(gap.ms for gap in gaps if utterance.start_ms <= gap.at_ms < utterance.end_ms)


def _interrupted(
    utterance: Utterance, lines: Sequence[CallerLine], clears: Sequence[Clear]
) -> bool:
    """A ``clear`` dropped the rest of it; or the caller spoke into it and a ``clear`` followed,
    whose audio the bot may have held back already."""
    spoken_into = any(
        utterance.start_ms <= line.voiced_from_ms < utterance.end_ms for line in lines
    )
    return any(
        utterance.start_ms <= clear.at_ms <= utterance.end_ms + UTTERANCE_GAP_MS
        and (clear.dropped_ms > 0 or spoken_into)
        for clear in clears
    )


def answers(
    lines: Sequence[CallerLine], utterances: Sequence[Utterance]
) -> tuple[Utterance | None, ...]:
    """What answered each line that was to be answered, before the caller began the next."""
    found: list[Utterance | None] = []
    for index, line in enumerate(lines):
        answer = answer_to(line, utterances) if line.answered else None
        if index + 1 < len(lines) and answer is not None:
            answer = answer if answer.start_ms < lines[index + 1].voiced_from_ms else None
        found.append(answer)
    return tuple(found)


def voice_to_voice(
    lines: Sequence[CallerLine], utterances: Sequence[Utterance]
) -> tuple[float | None, ...]:
    """From the end of each spoken line to the beginning of its answer, in ms; ``None`` without an
    answer, or if the bot had begun before the caller's end."""
    return tuple(
        answer.start_ms - line.voiced_to_ms
        if answer is not None and answer.start_ms >= line.voiced_to_ms
        else None
        for line, answer in zip(lines, answers(lines, utterances), strict=True)
        if line.kind in _SPOKEN
    )


def barge_in(lines: Sequence[CallerLine], utterances: Sequence[Utterance]) -> tuple[float, ...]:
    """For each interruption of audible speech: from the caller's first audible moment until the
    utterance ended, in ms."""
    return tuple(
        utterance.end_ms - line.voiced_from_ms
        for line in lines
        if line.kind is LineKind.BARGE_IN
        for utterance in utterances
        if utterance.start_ms <= line.voiced_from_ms < utterance.end_ms
    )
