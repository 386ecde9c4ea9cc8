"""Human recordings and lines without speech, through the way in of a call: what is understood?

``words`` has every prompt call, ``noise`` some of them from a noisy place, and ``turns`` minutes of
silence, noise and music. Needs the recordings: apt install asterisk-core-sounds-en-wav
asterisk-moh-opsound-wav.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from exobridge_providers.base import SttProvider
from exobridge_providers.registry import Kind, create
from tests.human_recordings.noises import SECONDS, listen_all
from tests.human_recordings.prompts import PACKAGES, installed
from tests.human_recordings.report import Found, Results, broken, page, plain_report
from tests.human_recordings.spoken import SETTINGS, understand_all, understand_in_noise

ENGINES = ("moonshine", "whisper")
PARTS = ("words", "noise", "turns")


def main() -> None:
    """Run what was asked for; status 1 if a limit is broken."""
    chosen = _parser().parse_args()
    if not installed():
        raise SystemExit(f"the recordings are missing: apt install {PACKAGES}")
    results = asyncio.run(
        _run(chosen.engine or ENGINES, chosen.only or PARTS, chosen.seconds, chosen.every)
    )
    if chosen.json:
        print(json.dumps({name: asdict(found) for name, found in results.items()}, indent=2))
    else:
        print(plain_report(results, differences=chosen.differences))
    if chosen.report:
        chosen.report.write_text(page(results), "utf-8")
    if limits := broken(results):
        raise SystemExit("\n".join(limits))


async def _run(engines: Sequence[str], parts: Sequence[str], seconds: float, every: int) -> Results:
    return {engine: await _one(engine, parts, seconds, every) for engine in engines}


async def _one(engine: str, parts: Sequence[str], seconds: float, every: int) -> Found:
    provider = create(Kind.STT, engine, {})
    assert isinstance(provider, SttProvider)
    await provider.start()
    found = Found()
    try:
        for part in parts:
            print(f"{engine}: {part}", file=sys.stderr, flush=True)
            match part:
                case "words":
                    found.understood = await understand_all(provider, every)
                case "noise":
                    for name, setting in SETTINGS.items():
                        found.in_noise[name] = await understand_in_noise(provider, setting)
                case _:
                    found.listened = await listen_all(provider, seconds)
    finally:
        await provider.aclose()
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.human_recordings", description=__doc__)
    add = parser.add_argument
    add("--engine", action="append", choices=ENGINES, help="may be given again; by default all")
    add("--only", action="append", choices=PARTS, help="may be given again; by default all")
    add("--every", type=int, default=1, metavar="N", help="words: one of so many prompts")
    add("--seconds", type=float, default=SECONDS, help="of each line on which nobody speaks")
    add("--differences", action="store_true", help="every prompt that was understood otherwise")
    add("--json", action="store_true", help="all there is, as JSON")
    add("--report", type=Path, metavar="PAGE", help="write a page of it too, in Markdown")
    return parser


if __name__ == "__main__":
    main()
