"""Judges a call by what its caller heard and what its dialogue was given. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

from tests.conversations.acts import Into, Meaning, MyTurn, Press, Sound, Speak
from tests.conversations.caller import Performed
from tests.conversations.numbered import Run
from tests.conversations.play import Played
from tests.conversations.verdict import Rule, Verdict
from tests.conversations.words import given_turns, misgiven

MISSED_AFTER_MS = 600.0
"""How long after the interrupting word the bot may be audible."""

DECIDED_MS = 2000.0
"""How long after a sound a ``clear`` is still its doing."""


@dataclass(frozen=True, slots=True)
class Line:
    """What the bot said in one go: the runs of the takes of one text.

    Attributes:
        text: All of it, as the dialogue or the template has it.
        reply: It answers a turn; a fixed line does not.
    """

    text: str
    reply: bool
    runs: tuple[Run, ...]
    whole: bool

    @property
    def start_ms(self) -> float:
        """When its first sound was heard."""
        return self.runs[0].start_ms


def judge(played: Played) -> Verdict:
    """What is wrong with a call."""
    world = played.world
    verdict = Verdict(world.scenario.name, world.variant.number, str(world.variant.ears))
    if garbled := _garbled(played):
        # Of what was heard nothing can be told; how the call ended still can.
        verdict.add(Rule.GARBLED, garbled)
        _end([], played, verdict)
        return verdict
    lines = _lines(played)
    _samples(played, verdict)
    for act in world.caller.performed:
        match act.act:
            case Speak(means=Meaning.INTERRUPTION):
                _interruption(act, act.act, lines, verdict)
            case Speak(means=Meaning.BACKCHANNEL | Meaning.UNKNOWN | Meaning.ASIDE) | Sound():
                _goes_on(act, lines, played, verdict)
            case _:
                pass
        if isinstance(act.act, Speak):
            _early(act, lines, verdict)
            _answered(act, lines, played, verdict)
    _twice(lines, played, verdict)
    _given(played, verdict)
    _tools(played, verdict)
    _said(lines, played, verdict)
    _end(lines, played, verdict)
    return verdict


# ------------------------------------------------------------------ what was heard


def _garbled(played: Played) -> str:
    """What is wrong with the audio as a whole; empty if it can be judged."""
    world = played.world
    if not world.ear.runs:
        return "not one sound of the bot's was heard"
    for run in world.ear.runs:
        take = world.takes.get(run.take)
        if take is None or run.after > take.pairs:
            return f"a sound at {run.start_ms:.0f} ms is none of the bot's"
    return ""


def _lines(played: Played) -> list[Line]:
    """The bot's lines in the order in which they were begun."""
    world = played.world
    replies = [reply.text for reply in world.scenario.replies]
    runs: dict[str, list[Run]] = defaultdict(list)
    for run in world.ear.runs:
        runs[world.said_in(world.takes[run.take])].append(run)
    return [
        Line(text, text in replies, tuple(found), _whole(text, found, played))
        for text, found in runs.items()
    ]


def _whole(text: str, runs: list[Run], played: Played) -> bool:
    """Whether the ends of all of a text's takes were heard, and these are all of it."""
    takes = played.world.takes
    ended = {run.take for run in runs if run.after >= takes[run.take].pairs}
    heard = "".join(takes[number].text.strip() for number in sorted(ended))
    return heard.replace(" ", "") == text.replace(" ", "")


def _spoken_at(at_ms: float, lines: list[Line]) -> Line | None:
    """The line that was begun last before ``at_ms``."""
    begun = [line for line in lines if line.start_ms <= at_ms]
    return max(begun, key=lambda line: line.start_ms, default=None)


def _last(lines: list[Line]) -> Line:
    return max(lines, key=lambda line: line.runs[-1].end_ms)


def _samples(played: Played, verdict: Verdict) -> None:
    """Each take goes on where it was heard last; only what was cleared may begin anew."""
    clears = played.world.ear.clears
    last: dict[int, Run] = {}
    for run in played.world.ear.runs:
        before = last.get(run.take)
        last[run.take] = run
        if before is None:
            verdict.lost += 2 * run.first
            continue
        cleared = any(before.end_ms <= at_ms + 1 and at_ms <= run.start_ms for at_ms in clears)
        whole = before.after >= played.world.takes[run.take].pairs
        if run.first == 0 and (cleared or whole):
            continue
        verdict.lost += 2 * max(0, run.first - before.after)
        verdict.repeated += 2 * max(0, before.after - run.first)
        if run.first == before.after and run.start_ms - before.end_ms > 60:
            verdict.held_ms.append(run.start_ms - before.end_ms)
    if verdict.lost or verdict.repeated:
        verdict.add(Rule.SAMPLES, f"{verdict.lost} lost, {verdict.repeated} repeated")


def _twice(lines: list[Line], played: Played, verdict: Verdict) -> None:
    """An answer begins once; one that was cleared may be said again."""
    world = played.world
    for line in lines:
        begun = [
            run.start_ms
            for run in line.runs
            if run.first == 0 and line.text.startswith(world.takes[run.take].text.strip())
        ]
        for before_ms, again_ms in pairwise(begun if line.reply else ()):
            if not any(before_ms < at_ms <= again_ms for at_ms in world.ear.clears):
                verdict.add(Rule.TWICE, line.text)


# ------------------------------------------------------------------ stopping and going on


def _interruption(act: Performed, speak: Speak, lines: list[Line], verdict: Verdict) -> None:
    turning = act.words[min(speak.turning, len(act.words) - 1)]
    line = _spoken_at(turning.start_ms, lines)
    if line is None:
        return
    late = [run for run in line.runs if run.end_ms > turning.end_ms + MISSED_AFTER_MS]
    if late:
        over_ms = late[-1].end_ms - turning.end_ms
        verdict.add(Rule.MISSED, f"audible until {over_ms:.0f} ms after {turning.text!r}")
    stretch_ms = max((end for _, end in act.pauses if end <= turning.start_ms), default=0.0)
    voice_ms = max(act.words[0].start_ms, stretch_ms)
    last_ms = max((run.end_ms for run in line.runs), default=0.0)
    if last_ms > voice_ms:
        verdict.barge_in_ms.append(last_ms - voice_ms)


def _goes_on(act: Performed, lines: list[Line], played: Played, verdict: Verdict) -> None:
    line = _spoken_at(act.start_ms, lines)
    if line is None or line.runs[-1].end_ms < act.start_ms:
        return
    stops_ms = _stopped_for_good_ms(act, played)
    until_ms = min(act.end_ms + DECIDED_MS, stops_ms)
    cleared = any(act.start_ms <= at_ms <= until_ms for at_ms in played.world.ear.clears)
    if cleared and stops_ms > until_ms:
        verdict.add(Rule.CUT, f"cleared after {_what(act)}")
    elif not line.whole and stops_ms == float("inf"):
        verdict.add(Rule.CUT, f"not all of the line was said after {_what(act)}")


def _stopped_for_good_ms(act: Performed, played: Played) -> float:
    """When the caller next did something that shall stop the bot."""
    later = (each for each in played.world.caller.performed if each.number > act.number)
    return next((each.start_ms for each in later if _stops(each)), float("inf"))


def _stops(act: Performed) -> bool:
    return isinstance(act.act, Press) or (
        isinstance(act.act, Speak) and act.act.means is Meaning.INTERRUPTION
    )


def _what(act: Performed) -> str:
    if isinstance(act.act, Sound):
        return f"{act.act.kind.name.lower()} of {act.end_ms - act.start_ms:.0f} ms"
    return repr(" ".join(word.text for word in act.words))


# ------------------------------------------------------------------ turns


def _early(act: Performed, lines: list[Line], verdict: Verdict) -> None:
    """An answer that began after a pause of the caller's had, and before their last word."""
    for at_ms in (line.start_ms for line in lines if line.reply):
        before = [from_ms for from_ms, _ in act.pauses if from_ms < at_ms]
        if before and at_ms < act.words[-1].end_ms:
            verdict.add(Rule.EARLY, f"{at_ms - before[-1]:.0f} ms after a pause began")


def _answered(act: Performed, lines: list[Line], played: Played, verdict: Verdict) -> None:
    """Whatever wants an answer gets one before the caller does anything else."""
    assert isinstance(act.act, Speak)
    if act.act.means not in (Meaning.TURN, Meaning.INTERRUPTION):
        return
    performed = played.world.caller.performed
    following = performed[act.number + 1] if act.number + 1 < len(performed) else None
    if following is not None and not isinstance(following.act.cue, MyTurn | Into):
        return
    in_vain = played.world.caller.in_vain if following is None else following.waited_in_vain
    if in_vain and played.ended == "caller":
        verdict.add(Rule.UNANSWERED, _what(act))
    last_ms = act.words[-1].end_ms
    begun = (line.start_ms for line in lines if line.reply and line.start_ms > last_ms)
    answer_ms = min(begun, default=None)
    if answer_ms is not None and (following is None or answer_ms < following.start_ms):
        verdict.answer_ms.append(answer_ms - last_ms)


def _given(played: Played, verdict: Verdict) -> None:
    world = played.world
    turns = given_turns(world)
    if world.scenario.words and (what := misgiven(world)):
        verdict.add(Rule.WORDS, what)
    most = world.scenario.turns
    if most is not None and len(turns) > most:
        told = ", ".join(repr(turn.text or turn.digits) for turn in turns)
        verdict.add(Rule.FALSE_TURN, f"{len(turns)} turns, not {most}: {told}")
    given = tuple(turn.digits for turn in turns if turn.digits or not turn.text)
    if given != world.scenario.keys:
        verdict.add(Rule.KEYS, f"{given} in place of {world.scenario.keys}")


def _tools(played: Played, verdict: Verdict) -> None:
    turns = given_turns(played.world)
    for asked in played.world.asked:
        if asked.tools > 1 or (asked.tools and asked not in turns):
            verdict.add(Rule.TOOLS, f"{asked.tools} for {asked.text!r}")


def _said(lines: list[Line], played: Played, verdict: Verdict) -> None:
    whole = {line.text for line in lines if line.whole}
    for text in played.world.scenario.hears:
        if text not in whole:
            verdict.add(Rule.UNSAID, text)


def _end(lines: list[Line], played: Played, verdict: Verdict) -> None:
    expected = played.world.scenario.ends
    as_expected = played.reason == expected if expected else played.ended == "caller"
    if not as_expected:
        verdict.add(Rule.ENDED, f"by the {played.ended}: {played.reason}")
    if played.ended == "bot" and not (lines and _last(lines).whole):
        verdict.add(Rule.ENDED, "before its last words were heard")
    for entry in played.log:
        if "crash" in entry["event"] or "exc_info" in entry:
            error = entry.get("exc_info")
            verdict.add(Rule.CRASHED, f"{entry['event']}: {error!r}")
