"""Places the call of a script, and judges what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exobridge.simulator import events
from exobridge.simulator.call import Exotel
from exobridge.simulator.keys_heard import keys_heard
from exobridge.simulator.report import CallReport
from exobridge.simulator.scribe import Said, Scribe
from exobridge.simulator.scripts.compile import compile_steps, plan_of
from exobridge.simulator.scripts.judge import Finding, judge
from exobridge.simulator.scripts.model import Script
from exobridge.simulator.scripts.speech import Speech
from exobridge.simulator.scripts.vary import Variation


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one call of a script.

    Attributes:
        script: The file.
        run: Which call of it, from 1.
        seed: What the caller's ways were drawn from; ``None``: they are the script's own.
        report: The call.
        findings: Each expectation.
    """

    script: Path
    run: int
    seed: int | None
    report: CallReport
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether every expectation held and the call went well."""
        return self.report.went_well and all(finding.held for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """The result as JSON values. Keys are only ever added."""
        return {
            "script": str(self.script),
            "run": self.run,
            "seed": self.seed,
            "passed": self.passed,
            "expectations": [finding.to_json() for finding in self.findings],
            "call": self.report.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is told of a call while it goes on.

    Attributes:
        tell: Told what happens.
        show: Told what is said.
    """

    tell: events.Listener
    show: Callable[[Said], None]


async def run_script(
    script: Script,
    path: Path,
    *,
    exotel: Exotel,
    speech: Speech,
    audience: Audience,
    run: int = 1,
    seed: int | None = None,
    auth_token: str = "",
    leave: asyncio.Event | None = None,
) -> Result:
    """Place one call by a script.

    Args:
        script: What the caller does.
        path: Its file; recordings are found beside it.
        exotel: Places the call.
        speech: Speaks and understands.
        audience: Who is told.
        run: Which call of this script it is.
        seed: What the caller's ways are drawn from.
        auth_token: As in :class:`~exobridge.simulator.CallPlan`.
        leave: Once it is set the caller hangs up, and what there was is judged.

    Raises:
        PlanError: The call cannot be as the file says.
        SpeechError: Speech that the script needs is not installed, or failed.
        WavError: A recording is none.
        OSError: It cannot be read.
    """
    variation = Variation() if seed is None else Variation.drawn(seed)
    clips = await speech.clips(script, path.parent)
    varied = {index: variation.of(clip) for index, clip in clips.items()}
    compiled = compile_steps(script, varied, variation)
    plan = plan_of(script.call, compiled.steps, variation, auth_token=auth_token)
    ears, note = await speech.ears(script)
    scribe = Scribe(ears, note, audience.tell, audience.show)
    report = await scribe.attend(exotel, plan, leave)
    return Result(path, run, seed, report, judge(script, compiled, report, _keys(script, report)))


def _keys(script: Script, report: CallReport) -> tuple[tuple[float, str], ...]:
    """The keys that the bot sent as tones, if the script asks for any."""
    if report.tracks is None or not any(step.expect.sends_keys for step in script.step):
        return ()
    return keys_heard(report.tracks.bot(), report.sample_rate)
