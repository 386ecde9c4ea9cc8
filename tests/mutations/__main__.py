"""``python -m tests.mutations``: exit status 1 if a fault survives, 2 if the run means nothing."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from tests.mutations.catalogue import MODULES
from tests.mutations.mutation import Case, MutationError
from tests.mutations.runner import Verdict, run


def main() -> int:
    """Run the chosen cases, and say what survived."""
    chosen = _parser().parse_args()
    cases = [Case(module, mutation) for module in MODULES for mutation in module.mutations]
    cases = [case for case in cases if chosen.only.lower() in case.title.lower()]
    if not cases:
        print(f"mutations: none is about {chosen.only!r}", file=sys.stderr)
        return 2
    if chosen.list:
        for case in cases:
            print(case.title)
        return 0
    try:
        verdicts = run(cases, _tell)
    except MutationError as error:
        print(f"mutations: {error}", file=sys.stderr)
        return 2
    survived = [verdict.case for verdict in verdicts if not verdict.caught]
    print(_json(verdicts) if chosen.json else _report(survived, len(verdicts)))
    return 1 if survived else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutations",
        description="Put faults into a copy of the source, one at a time: do the tests notice?",
    )
    only = "cases whose module or harm contains this text, e.g. playout"
    parser.add_argument("--only", metavar="TEXT", default="", help=only)
    parser.add_argument("--list", action="store_true", help="list the cases, and end")
    parser.add_argument("--json", action="store_true", help="the verdicts as JSON")
    return parser


def _tell(verdict: Verdict) -> None:
    word = "caught  " if verdict.caught else "SURVIVED"
    print(f"{word} {verdict.case.title}", file=sys.stderr, flush=True)


def _report(survived: Sequence[Case], count: int) -> str:
    lines = [f"{count - len(survived)} of {count} faults caught"]
    for case in survived:
        lines += ["", f"survived: {case.title}", f"- {case.mutation.old}", f"+ {case.mutation.new}"]
    return "\n".join(lines)


def _json(verdicts: Sequence[Verdict]) -> str:
    return json.dumps(
        [
            {
                "module": verdict.case.module.path,
                "harm": verdict.case.mutation.harm,
                "caught": verdict.caught,
            }
            for verdict in verdicts
        ],
        indent=2,
    )


if __name__ == "__main__":
    sys.exit(main())
