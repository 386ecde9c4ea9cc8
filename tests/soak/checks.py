"""What has to hold of a call, told from what was said and done on the line: who ended it, and what
each side said. Pure; knows nothing of how the call's record is made."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from exobridge.call.events import EndedBy, EventKind, Role
from exobridge.call.state import Outcome, State
from tests.soak.phone import ScenePhone
from tests.soak.scene import Scene
from tests.soak.tones import WORD_MS, understood
from tests.virtual_call import Ran

SETTLES_MS = 1800
"""From the arrival of a caller's last word to when it is written down: the silence that ends a
turn, its final text, and the look at the limits."""
END_KEY = "#"
"""Ends what is entered, and is no part of it; alone it is a key as any other."""
CUT_WORDS = 2
"""How well it is known how much of a line that was cut had been heard: its words are taken to be
spread over its time, and audio that was sent is taken to be heard at once."""

How = tuple[Outcome, EndedBy]
_LEFT: dict[str, How] = {
    "stop": (Outcome.COMPLETED, EndedBy.CALLER),
    "broken": (Outcome.FAILED, EndedBy.NETWORK),
}
_BOT_ENDS: dict[str, How] = {
    "hangs-up": (Outcome.COMPLETED, EndedBy.BOT),
    "transfers": (Outcome.TRANSFERRED, EndedBy.BOT),
}
_KEYS = "0123456789*#"
_DEAD: How = (Outcome.FAILED, EndedBy.NETWORK)


def problems(scene: Scene, phone: ScenePhone, ran: Ran) -> Iterator[str]:
    """What does not hold, as sentences."""
    yield from _left_behind(ran)
    if not phone.started:
        if ran.events or ran.turns:
            yield "a stream that never began is on record"
        return
    yield from _record(scene, phone, ran)
    yield from _caller(scene, phone, ran)
    yield from _bot(scene, phone, ran)


def _left_behind(ran: Ran) -> Iterator[str]:
    for task in ran.tasks:
        yield f"a task is left: {task}"
    for context in ran.unhandled:
        yield f"an exception that nobody took: {context}"
    for entry in ran.log:
        if "crashed" in entry["event"] or entry["log_level"] == "error":
            yield f"the log tells of an error: {entry}"
        if "9811122233" in str(entry):
            yield f"a whole number in the log: {entry}"


def _record(scene: Scene, phone: ScenePhone, ran: Ran) -> Iterator[str]:
    keys = [event.key for event in ran.events]
    if len(keys) != len(set(keys)):
        yield f"an event twice: {keys}"
    for kind in (EventKind.STREAM_STARTED, EventKind.STREAM_ENDED):
        if ran.count(kind) != 1:
            yield f"{kind} {ran.count(kind)} times"
    call = ran.call
    if call.state is not State.ENDED or call.outcome is None or call.ended_by is None:
        yield f"the call is {call.state}, {call.outcome}, by {call.ended_by}"
        return
    expected = _endings(scene, phone, ran)
    if (call.outcome, call.ended_by) not in expected:
        yield f"the call is {call.outcome} by {call.ended_by}, not {expected}; {call.end_reason}"
    if phone.ended == "closed" and phone.code != 1000:
        yield f"it was closed with {phone.code}"


def _endings(scene: Scene, phone: ScenePhone, ran: Ran) -> list[How]:
    """How the call may have ended, seen from the line."""
    if phone.ended != "closed":
        return [_LEFT[phone.ended]]
    endings = [_DEAD] if phone.silent else []
    said_all = _words(ran, Role.BOT)[-1:] == scene.answers[-1].split()[-1:]
    if scene.ends in _BOT_ENDS and said_all:
        endings.append(_BOT_ENDS[scene.ends])
    return endings


def _caller(scene: Scene, phone: ScenePhone, ran: Ran) -> Iterator[str]:
    """Nothing lost of what arrived in time, nothing twice, nothing out of place."""
    told = [each for turn in ran.turns if turn.role is Role.CALLER for each in turn.text.split()]
    said = [word for line in scene.lines for word in line.words]
    pressed = [digit for _, digit in scene.keys if digit != END_KEY]
    words = [each for each in told if each.strip(_KEYS)]
    if scene.drawn.line.stalls:  # two turns may come at once, and a word be cut where they join
        words = once(words)
    digits = [key for each in told if not each.strip(_KEYS) for key in each if key != END_KEY]
    if not _in_order(words, said):
        yield f"the caller said {said}, and {words} is written down"
    if not _in_order(digits, pressed):
        yield f"the caller pressed {pressed}, and {digits} is written down"
    silent_ms = scene.drawn.line.half_open_at_ms
    in_time = phone.ended_ms - SETTLES_MS
    if silent_ms is not None:
        in_time = min(in_time, silent_ms - SETTLES_MS)
    for at, line in enumerate(scene.lines):
        if phone.arrived.get(at, in_time + 1) <= in_time and not set(line.words) <= set(words):
            yield f"of {line.words}, which arrived at {phone.arrived[at]:.0f}, {words} is left"
    due = [digit for at_ms, digit in phone.keys if at_ms <= in_time and digit != END_KEY]
    if digits[: len(due)] != due:
        yield f"of the keys {due} {digits} is left"


def _bot(scene: Scene, phone: ScenePhone, ran: Ran) -> Iterator[str]:
    """What is written down is what was heard; where a line was cut, but for the words that were on
    their way."""
    heard = once(understood(phone.heard()))
    written = _words(ran, Role.BOT)
    everything = [word for answer in scene.answers for word in answer.split()]
    for words, verb in ((heard, "heard by the caller"), (written, "written down")):
        if not _in_order(words, everything):
            yield f"{words} is {verb} of {everything}"
    whole = {turn.text for turn in ran.turns if turn.role is Role.BOT and not turn.interrupted}
    line = scene.drawn.line
    late_ms = line.return_delay_ms + line.delay_ms + line.jitter_ms
    for answer in scene.answers:
        doubtful = math.ceil(late_ms / WORD_MS) + (0 if answer in whole else CUT_WORDS)
        left, kept = (sum(each in answer.split() for each in said) for said in (heard, written))
        # What was said into a dead line is written down: nobody can know that it was not heard.
        if abs(left - kept) > doubtful and not (phone.silent and kept > left):
            yield f'of "{answer}" the caller heard {left} words, and {kept} are written down'
        elif left == len(answer.split()) and not kept:
            yield f'"{answer}" was heard, and is not written down'


def once(words: Sequence[str]) -> list[str]:
    """Words heard: one that was held back in its middle and went on is one."""
    return [word for at, word in enumerate(words) if at == 0 or words[at - 1] != word]


def _words(ran: Ran, role: Role) -> list[str]:
    return [word for turn in ran.turns if turn.role is role for word in turn.text.split()]


def _in_order(some: Sequence[str], everything: Sequence[str]) -> bool:
    """Whether these are among those, in their order, none twice."""
    left = iter(everything)
    return all(each in left for each in some)
