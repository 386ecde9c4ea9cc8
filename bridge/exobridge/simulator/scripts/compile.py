"""From a file's steps to the caller's: who waits for what, and which step is which. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exobridge.simulator.lines import Clip
from exobridge.simulator.plan import CallPlan, Limits
from exobridge.simulator.scripts.model import CallTable, Script, ScriptStep
from exobridge.simulator.scripts.vary import Variation
from exobridge.simulator.steps import (
    LINES,
    BargeIn,
    BotDone,
    BotEnds,
    Dtmf,
    HangUp,
    Hear,
    Patience,
    Pause,
    PlayWav,
    Say,
    Silence,
    Step,
)
from exobridge.simulator.wire import Dialect, Keys
from exobridge_codecs.formats import Encoding


@dataclass(frozen=True, slots=True)
class Compiled:
    """A script as the caller plays it.

    Attributes:
        steps: What the caller does.
        acts: For each step of the file, which of ``steps`` is the one that counts: its beginning
            is the beginning of the file's step.
    """

    steps: tuple[Step, ...]
    acts: tuple[int, ...]

    def line_number(self, step: int) -> int | None:
        """Which of the caller's lines a step of the file is, from 0; ``None`` if it is none."""
        act = self.acts[step]
        if not isinstance(self.steps[act], LINES):
            return None
        return sum(isinstance(other, LINES) for other in self.steps[:act])


def compile_steps(script: Script, clips: Mapping[int, Clip], variation: Variation) -> Compiled:
    """The caller's steps.

    Args:
        script: The file.
        clips: For each step that says or plays something, what is to be heard.
        variation: How this call differs from the script.
    """
    steps: list[Step] = []
    acts: list[int] = []
    for index, step in enumerate(script.step):
        before, act, after = _parts(step, index, clips.get(index), variation)
        if any(each.pause_ms is not None for each in script.step[index + 1 : index + 2]):
            after = []  # the pause is the silence
        acts.append(len(steps) + len(before))
        steps += [*before, act, *after]
    if script.expect.ends == "bot":
        steps.append(BotEnds())
    return Compiled(tuple(steps), tuple(acts))


def _parts(
    step: ScriptStep, index: int, clip: Clip | None, variation: Variation
) -> tuple[list[Step], Step, list[Step]]:
    """What comes before, what counts, and what comes after."""
    silent_for_ms = step.expect.silent_for_ms
    after: list[Step] = [Silence(silent_for_ms)] if silent_for_ms is not None else []
    before: list[Step] = [cue] if (cue := _cue(step, variation)) else []
    match step.action:
        case "say" | "play":
            assert clip is not None
            return before, _line(step, clip), after
        case "press":
            return before, Dtmf(step.press or ""), after
        case "hang_up":
            return before, HangUp(wait_for_bot=not before), after
        case "wait_seconds":
            return [BotDone()], Silence((step.wait_seconds or 0) * 1000), after
        case _:
            # The first step listens to the greeting, a later one to something new.
            first = [] if index == 0 else [BotDone()]
            if after:
                return list(first), after[0], []
            return list(first), BotDone(anew=index > 0), []


def _cue(step: ScriptStep, variation: Variation) -> Hear | Pause | None:
    if step.pause_ms is not None:
        return Pause(step.pause_ms)
    if step.after_words is not None:
        return Hear(words=step.after_words)
    if step.after_ms is not None:
        return Hear(after_ms=max(0.0, step.after_ms + variation.into_ms))
    return None


def _line(step: ScriptStep, clip: Clip) -> Step:
    if step.into:
        return BargeIn(clip, after_ms=0, interrupts=not step.expect.goes_on)
    return Say(clip) if step.action == "say" else PlayWav(clip)


def plan_of(
    table: CallTable, steps: tuple[Step, ...], variation: Variation, *, auth_token: str = ""
) -> CallPlan:
    """The call to be placed.

    Raises:
        PlanError: Values do not go together, or the URL is none.
    """
    return CallPlan(
        url=table.url,
        script=steps,
        caller=table.caller,
        called=table.to,
        outgoing=table.outgoing,
        encoding=Encoding(table.encoding),
        sample_rate=table.sample_rate,
        frame_ms=table.frame_ms,
        dialect=Dialect(keys=Keys(table.keys)),
        custom_parameters=table.parameters,
        auth_token=auth_token,
        patience=Patience(table.bot_done_ms * variation.pace, table.patience_seconds * 1000),
        limits=Limits(call_s=table.timeout_seconds),
    )
