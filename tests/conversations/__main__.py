"""Plays the public set of conversations, and judges each at the caller's ear.

Most of it runs in virtual time, thousands of calls in a few minutes; the calls on real speech, with
the local providers, run in real time. Ends with status 1 if a limit is broken.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.tables import plain
from tests.conversations import speech
from tests.conversations.catalogue import SCENARIOS
from tests.conversations.figures import kept
from tests.conversations.judge import judge
from tests.conversations.page import page
from tests.conversations.play import play
from tests.conversations.report import plain_report, to_json
from tests.conversations.run import SEED, VARIANTS, jobs, run
from tests.conversations.timeline import timeline
from tests.conversations.verdict import Verdict


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for, on the command line if nowhere else; the exit status."""
    chosen = _parser().parse_args(arguments)
    if chosen.list:
        for name, scenario in SCENARIOS.items():
            print(f"{name:32}{scenario.says}")
        return 0
    if chosen.variant is not None:
        return _replay(chosen.scenario, chosen.variant, chosen.seed)
    names = chosen.scenario or list(SCENARIOS)
    verdicts = run(jobs(names, chosen.variants, chosen.seed), chosen.processes, _tell)
    spoken = [] if chosen.no_speech or chosen.scenario else speech.hold_calls()
    wrong = speech.problems(spoken)
    if chosen.json:
        held = {"speech": speech.to_json(spoken), "problems": wrong}
        print(json.dumps({**to_json(verdicts), **held}, indent=2))
    else:
        told = [plain_report(verdicts), speech.speech_tables(spoken, plain)]
        print("\n\n".join(filter(None, told)))
    if chosen.report:
        chosen.report.write_text(page(verdicts, spoken, chosen.seed), "utf-8")
    return status(verdicts, wrong)


def status(verdicts: Sequence[Verdict], wrong: Sequence[str]) -> int:
    """The exit status of a run: 1 if a limit is broken, or anything wrong with the calls on real
    speech."""
    return int(bool(wrong) or not all(each.holds for each in kept(verdicts)))


def _replay(names: Sequence[str], number: int, seed: int) -> int:
    well = True
    for name in names or list(SCENARIOS):
        played = play(SCENARIOS[name], number, seed)
        verdict = judge(played)
        print(f"{name}\n{timeline(played, verdict)}\n")
        well = well and not verdict.findings
    return int(not well)


def _tell(done: int) -> None:
    if done % 100 == 0:
        print(f"{done} calls", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.conversations", description=__doc__)
    add = parser.add_argument
    add("--list", action="store_true", help="say what each scenario is, and end")
    add("--scenario", nargs="+", metavar="NAME", choices=SCENARIOS, help="these alone")
    add("--variants", type=int, default=VARIANTS, help="of each scenario; 0: real speech alone")
    add("--variant", type=int, metavar="N", help="play this one alone, and tell what happened")
    add("--seed", type=int, default=SEED, help="of all chance")
    add("--processes", type=int, default=os.cpu_count() or 1, help="at once")
    add("--no-speech", action="store_true", help="without the calls on real speech")
    add("--json", action="store_true", help="the figures and findings, as JSON")
    add("--report", type=Path, metavar="PAGE", help="write a page of it too, in Markdown")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
