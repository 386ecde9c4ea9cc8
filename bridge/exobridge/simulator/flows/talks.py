"""What the caller does in each stream, made ready before the call: nothing is missing then."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from exobridge.simulator.flows.model import Flow, Talk
from exobridge.simulator.keys_heard import keys_heard
from exobridge.simulator.report import CallReport
from exobridge.simulator.scripts import Script, Speech
from exobridge.simulator.scripts.compile import Compiled, compile_steps
from exobridge.simulator.scripts.judge import Finding, judge
from exobridge.simulator.scripts.model import ScriptStep
from exobridge.simulator.scripts.vary import Variation
from exobridge.simulator.speech import Ears
from exobridge.simulator.steps import BotDone, Step, Wait

UNHEARD = "what the bot said was not written down"


@dataclass(frozen=True, slots=True)
class Held:
    """One talk, ready to be held.

    Attributes:
        script: As a script's; ``None``: the caller only listens.
        compiled: Its steps.
        ears: Who understands the bot; ``None``: nobody.
        note: Why nobody does.
    """

    script: Script | None
    compiled: Compiled
    ears: Ears | None
    note: str

    def findings(self, report: CallReport) -> tuple[Finding, ...]:
        """What became of its expectations."""
        if self.script is None:
            return ()
        keys: tuple[tuple[float, str], ...] = ()
        if report.tracks and any(step.expect.sends_keys for step in self.script.step):
            keys = keys_heard(report.tracks.bot(), report.sample_rate)
        return judge(self.script, self.compiled, report, keys)


@dataclass(frozen=True, slots=True)
class Talks:
    """Those of a flow.

    Attributes:
        held: In order.
        silent: Of a stream that has none: the caller listens until the bot has finished, and goes
            on listening until it hangs up.
    """

    held: tuple[Held, ...]
    silent: Held


async def prepare(flow: Flow, folder: Path, speech: Speech | None) -> Talks:
    """Make the caller's lines.

    Args:
        flow: Whose talks.
        folder: Where the recordings are.
        speech: Speaks and understands; ``None``: what it needs is started for this, and the bot is
            not understood.

    Raises:
        SpeechError: Speech that a talk needs is not installed, or failed.
        WavError: A recording is none.
        OSError: It cannot be read.
    """
    async with AsyncExitStack() as stack:
        if speech is None:
            speech = await stack.enter_async_context(Speech(transcribe=False))
        held = [await _held(_script(flow, talk), folder, speech) for talk in flow.talk]
        ears, note = await speech.ears(_listening(flow))
    steps: tuple[Step, ...] = (BotDone(), Wait(flow.call.timeout_seconds * 1000))
    return Talks(tuple(held), Held(None, Compiled(steps, ()), ears, note or UNHEARD))


async def _held(script: Script, folder: Path, speech: Speech) -> Held:
    clips = await speech.clips(script, folder)
    compiled = compile_steps(script, clips, Variation())
    ears, note = await speech.ears(script)
    return Held(script, compiled, ears, note)


def _script(flow: Flow, talk: Talk) -> Script:
    return Script(speech=flow.speech, step=talk.step, expect=talk.expect)


def _listening(flow: Flow) -> Script:
    return Script(speech=flow.speech, step=[ScriptStep(hang_up=True)])
