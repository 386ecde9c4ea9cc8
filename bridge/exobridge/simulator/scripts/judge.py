"""Holds what was heard against what a script expects. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from exobridge.simulator.report import CallReport, Turn
from exobridge.simulator.scripts.compile import Compiled
from exobridge.simulator.scripts.model import CallExpect, Script, StepExpect
from exobridge.simulator.words import contains

GOES_ON_MS = 2000
"""How soon a bot that goes on is heard again, in milliseconds from the end of what was said into
its turn."""

NOTHING = "nothing was heard"
NOT_REACHED = "the call had ended"


@dataclass(frozen=True, slots=True)
class Finding:
    """One expectation, and whether it held.

    Attributes:
        step: The step's number, from 1; ``None``: the whole call.
        key: What was expected, by its key in the file.
        wanted: The value in the file.
        held: Whether it held.
        found: What was heard or measured instead; also where it held.
    """

    step: int | None
    key: str
    wanted: str
    held: bool
    found: str

    def to_json(self) -> dict[str, Any]:
        """The finding as JSON values. Keys are only ever added."""
        return {
            "step": self.step,
            "key": self.key,
            "wanted": self.wanted,
            "held": self.held,
            "found": self.found,
        }


@dataclass(frozen=True, slots=True)
class Heard:
    """What belongs to one step.

    Attributes:
        began_ms: When the caller's line, or the listening, began.
        until_ms: When the caller's next step began, or the call ended.
        line: What the caller said or pressed; ``None`` for a step that listens or waits.
        answers: The bot's turns that began in between.
        before: The bot's turns that had begun earlier.
        goes_on: Whether the bot is to go on with what the caller spoke into.
    """

    began_ms: float
    until_ms: float
    line: Turn | None
    answers: Sequence[Turn]
    before: Sequence[Turn]
    goes_on: bool

    @property
    def spoken_into(self) -> Turn | None:
        """The bot's turn that was going on when the caller began."""
        turns = [turn for turn in self.before if self.line and turn.end_ms > self.line.start_ms]
        return turns[-1] if turns else None

    @property
    def words(self) -> str:
        """What the bot said. If it went on with what the caller spoke into, all of that."""
        whole = self.spoken_into if self.goes_on else None
        return _text([*([whole] if whole else []), *self.answers])

    @property
    def answer(self) -> Turn | None:
        """The first turn that outlasts the caller's line."""
        return next((turn for turn in self.answers if turn.end_ms > self.asked_ms), None)

    @property
    def asked_ms(self) -> float:
        """From when an answer is counted: the caller's last sound; without a line the bot's last
        one, or the beginning of the call."""
        if self.line is not None:
            return self.line.end_ms
        return self.before[-1].end_ms if self.before else 0.0


def judge(
    script: Script,
    compiled: Compiled,
    report: CallReport,
    keys: Sequence[tuple[float, str]],
) -> tuple[Finding, ...]:
    """All expectations of a script, in the order of its steps; the call's come last.

    Args:
        script: The file.
        compiled: As it was played.
        report: What was heard, with the words of the bot's turns.
        keys: Keys that the bot sent as tones: when, and which.
    """
    findings: list[Finding] = []
    for index, step in enumerate(script.step):
        heard = _heard(index, compiled, report, goes_on=step.expect.goes_on)
        for key, wanted in _wanted(step.expect):
            held, found = (
                (False, NOT_REACHED)
                if heard is None
                else _of_step(key, wanted, heard, report.clears_at_ms, keys)
            )
            findings.append(Finding(index + 1, key, wanted, held, found))
    for key, wanted in _wanted(script.expect):
        findings.append(Finding(None, key, wanted, *_of_call(key, wanted, report)))
    return tuple(findings)


def _wanted(expect: StepExpect | CallExpect) -> Iterator[tuple[str, str]]:
    """The keys that were written, with their values; one for each of several phrases."""
    for key in type(expect).model_fields:
        value: object = getattr(expect, key)
        if isinstance(value, list):
            yield from ((key, phrase) for phrase in cast(list[str], value))
        elif value is not None and value is not False:
            yield key, "true" if value is True else str(value)


def _heard(index: int, compiled: Compiled, report: CallReport, *, goes_on: bool) -> Heard | None:
    """What belongs to a step; ``None`` if the caller did not come to it."""
    began = report.steps_ms[compiled.acts[index]] if report.steps_ms else None
    if began is None:
        return None
    later = [report.steps_ms[act] for act in compiled.acts[index + 1 : index + 2]]
    until = later[0] if later and later[0] is not None else report.duration_ms
    lines = [turn for turn in report.turns if turn.role == "caller"]
    number = compiled.line_number(index)
    bots = report.bot_turns
    return Heard(
        began_ms=began,
        until_ms=until,
        line=lines[number] if number is not None else None,
        answers=[turn for turn in bots if began <= turn.start_ms < until],
        before=[turn for turn in bots if turn.start_ms < began],
        goes_on=goes_on,
    )


def _of_step(
    key: str,
    wanted: str,
    heard: Heard,
    clears_at_ms: Sequence[float],
    keys: Sequence[tuple[float, str]],
) -> tuple[bool, str]:
    match key:
        case "says":
            return _says(wanted, heard.words)
        case "not_says":
            return _says_not(wanted, heard.words)
        case "within_ms":
            return _within(int(wanted), heard)
        case "silent_within_ms":
            return _silent_within(int(wanted), heard)
        case "silent_for_ms":
            return _silent_for(int(wanted), heard)
        case "goes_on":
            return _goes_on(heard, clears_at_ms)
        case "sends_keys":
            sent = "".join(key for at, key in keys if heard.began_ms <= at < heard.until_ms)
            return sent == wanted, sent or "no keys"
        case _:
            raise AssertionError(f"{key} is not judged")


def _of_call(key: str, wanted: str, report: CallReport) -> tuple[bool, str]:
    match key:
        case "ends":
            return wanted == report.ended_by, str(report.ended_by or "there was no call")
        case "says":
            return _says(wanted, _text(report.bot_turns))
        case "not_says":
            return _says_not(wanted, _text(report.bot_turns))
        case "within_ms":
            slowest = max((ms for ms in report.voice_to_voice_ms if ms is not None), default=None)
            if slowest is None:
                return False, "nothing was answered"
            return slowest <= int(wanted), f"{slowest:.0f} ms at most"
        case "max_gaps":
            return len(report.bot_gaps) <= int(wanted), str(len(report.bot_gaps))
        case "violations":
            count = sum(count for _, count in report.violation_counts)
            return count <= int(wanted), str(count)
        case _:
            raise AssertionError(f"{key} is not judged")


def _text(turns: Sequence[Turn]) -> str:
    return " ".join(turn.text for turn in turns if turn.text)


def _says(phrase: str, text: str) -> tuple[bool, str]:
    return contains(text, phrase), f'"{text}"' if text else NOTHING


def _says_not(phrase: str, text: str) -> tuple[bool, str]:
    return not contains(text, phrase), f'"{text}"' if text else NOTHING


def _within(limit_ms: int, heard: Heard) -> tuple[bool, str]:
    if heard.answer is None:
        return False, NOTHING
    took_ms = heard.answer.start_ms - heard.asked_ms
    if took_ms < 0:
        return False, "the bot began before the caller had finished"
    return took_ms <= limit_ms, f"{took_ms:.0f} ms"


def _silent_within(limit_ms: int, heard: Heard) -> tuple[bool, str]:
    if heard.spoken_into is None or heard.line is None:
        return False, "the bot was not talking"
    took_ms = heard.spoken_into.end_ms - heard.line.start_ms
    return took_ms <= limit_ms, f"{took_ms:.0f} ms"


def _silent_for(limit_ms: int, heard: Heard) -> tuple[bool, str]:
    from_ms = heard.began_ms if heard.line is None else heard.line.end_ms
    for turn in (*heard.before, *heard.answers):
        if turn.end_ms > from_ms and turn.start_ms < from_ms + limit_ms:
            after_ms = max(0.0, turn.start_ms - from_ms)
            return False, f'after {after_ms:.0f} ms: "{turn.text}"'
    if heard.until_ms < from_ms + limit_ms:
        return False, f"the call had ended after {heard.until_ms - from_ms:.0f} ms"
    return True, "silence"


def _goes_on(heard: Heard, clears_at_ms: Sequence[float]) -> tuple[bool, str]:
    line, into = heard.line, heard.spoken_into
    if line is None or into is None:
        return False, "the bot was not talking"
    for at_ms in clears_at_ms:
        if line.start_ms <= at_ms < heard.until_ms:
            return False, f"the bot was interrupted after {at_ms - line.start_ms:.0f} ms"
    heard_again = [
        turn.start_ms for turn in heard.answers if turn.start_ms <= line.end_ms + GOES_ON_MS
    ]
    if into.end_ms > line.end_ms or heard_again:
        return True, "the bot went on"
    return False, f"the bot stopped, and was not heard for {GOES_ON_MS} ms"
