"""How much of the modules without I/O their own tests run: ``python -m tests.covered``.

Fails where a module is below ``LEAST_PERCENT`` of its lines; branches are shown beside them. What
is measured is listed in ``coverage.toml``. The tests are those of the rules alone, without servers:
a rule that only a whole call happens to run is not tested.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

LEAST_PERCENT = 95.0
"""Of the lines of each module."""

LIMIT_S = 300
"""Longest time for all the tests."""

_DIALOGUE = "tests/providers/dialogue"
TESTS = (
    "tests/codecs",
    "tests/exotel",
    "--ignore=tests/exotel/test_api.py",
    "tests/call",
    "tests/recordings/test_audio.py",
    "tests/recordings/test_keys.py",
    "tests/recordings/test_rules.py",
    "tests/recordings/test_schedule.py",
    "tests/ear",
    "tests/doctor/test_against.py",
    "tests/exophones/test_service.py",
    "tests/exophones/test_troubles.py",
    "tests/outbound/test_asking.py",
    "tests/outbound/test_batch_pace.py",
    "tests/outbound/test_checks.py",
    "tests/outbound/test_claims.py",
    "tests/outbound/test_csv_rows.py",
    "tests/outbound/test_batches_api.py",
    "tests/outbound/test_lists.py",
    "tests/outbound/test_orders.py",
    "tests/outbound/test_rules.py",
    "tests/own_recording/test_mix.py",
    "tests/replay/test_offline.py",
    "tests/replay/test_seen.py",
    "tests/routing/test_answer.py",
    "tests/routing/test_facts.py",
    "tests/routing/test_rules.py",
    "tests/routing/test_tables.py",
    "tests/simulator/account/test_connect.py",
    "tests/simulator/account/test_placing.py",
    "tests/simulator/flows/test_conformance.py",
    "tests/simulator/flows/test_crowd.py",
    "tests/simulator/flows/test_facts.py",
    "tests/simulator/flows/test_faults.py",
    "tests/simulator/flows/test_judge.py",
    "tests/simulator/flows/test_load.py",
    "tests/simulator/flows/test_spelling.py",
    "tests/simulator/flows/test_walk_answers.py",
    "tests/simulator/scripts/test_load.py",
    "tests/simulator/test_bot.py",
    "tests/simulator/test_chart.py",
    "tests/simulator/test_line_faults.py",
    "tests/simulator/test_page.py",
    "tests/simulator/test_reason.py",
    "tests/simulator/test_rules.py",
    "tests/simulator/test_told.py",
    "tests/simulator/test_toml_lines.py",
    "tests/test_addresses.py",
    "tests/test_numbers.py",
    "tests/test_regions.py",
    "tests/test_settings.py",
    "tests/templates",
    "tests/transfer/test_attempts.py",
    "tests/transfer/test_pending.py",
    "tests/transfer/test_tables.py",
    "tests/transfer/test_whisper.py",
    "tests/providers/stt/test_assemblyai.py",
    "tests/providers/stt/test_deepgram.py",
    "tests/providers/stt/test_soniox.py",
    "tests/providers/test_endpoint.py",
    "tests/providers/test_sarvam.py",
    "tests/providers/tts/test_sarvam_audio.py",
    "tests/providers/vendor/test_answers.py",
    "tests/providers/vendor/test_errors.py",
    "tests/providers/vendor/test_languages.py",
    "tests/providers/vendor/test_messages.py",
    "tests/providers/vendor/test_utterances.py",
    "tests/providers/tts/test_cartesia.py",
    "tests/providers/tts/test_elevenlabs.py",
    "tests/providers/vendor/test_text_cut.py",
    "tests/providers/tts/test_smallest.py",
    f"{_DIALOGUE}/test_history.py",
    f"{_DIALOGUE}/test_machine.py",
    f"{_DIALOGUE}/test_openai_request.py",
    f"{_DIALOGUE}/test_openai_stream.py",
    f"{_DIALOGUE}/test_script.py",
    f"{_DIALOGUE}/test_sse.py",
    f"{_DIALOGUE}/test_webhook_answer.py",
    f"{_DIALOGUE}/test_webhook_signature.py",
    f"{_DIALOGUE}/test_words.py",
    "tests/web/control/test_rooms.py",
    "tests/webhooks/test_circuit.py",
    "tests/webhooks/test_messages.py",
    "tests/wire/test_masking.py",
    "tests/wire/test_reading.py",
)

_ROOT = Path(__file__).parent.parent
_SETTINGS = Path(__file__).with_name("coverage.toml")


@dataclass(frozen=True, slots=True)
class Module:
    """One module's coverage; percentages, 100 where there is nothing to run."""

    path: str
    lines: float
    branches: float
    missing: tuple[int, ...]


def main() -> None:
    """Run the tests, print the table, and fail if a module has too little."""
    modules = measure()
    print(table(modules))
    if few := [module for module in modules if module.lines < LEAST_PERCENT]:
        names = ", ".join(module.path for module in few)
        raise SystemExit(f"below {LEAST_PERCENT:g} % of the lines: {names}")


def measure() -> list[Module]:
    """The coverage of every module that is measured, those that no test imports included.

    Raises:
        SystemExit: A test failed, or they took too long; or a module that is listed is not there.
    """
    listed = tomllib.loads(_SETTINGS.read_text("utf-8"))["tool"]["coverage"]["report"]["include"]
    if gone := [pattern for pattern in listed if not any(_ROOT.glob(pattern))]:
        raise SystemExit(f"{_SETTINGS.name} lists what is not there: {', '.join(gone)}")
    with TemporaryDirectory() as folder:
        environment = {**os.environ, "COVERAGE_FILE": f"{folder}/data"}

        def coverage(*arguments: str) -> None:
            command = [sys.executable, "-m", "coverage", *arguments]
            try:
                subprocess.run(command, cwd=_ROOT, env=environment, check=True, timeout=LIMIT_S)
            except subprocess.SubprocessError as error:
                raise SystemExit(f"coverage {arguments[0]}: {error}") from None

        coverage("run", f"--rcfile={_SETTINGS}", "-m", "pytest", "-q", *TESTS)
        coverage("json", f"--rcfile={_SETTINGS}", "-q", "-o", f"{folder}/report")
        return read(Path(folder, "report").read_text("utf-8"))


def read(report: str) -> list[Module]:
    """The modules in coverage's JSON report, by path."""
    modules: list[Module] = []
    for path, told in json.loads(report)["files"].items():
        sums = told["summary"]
        lines = _percent(sums["covered_lines"], sums["num_statements"])
        branches = _percent(sums["covered_branches"], sums["num_branches"])
        modules.append(Module(path, lines, branches, tuple(told["missing_lines"])))
    return sorted(modules, key=lambda module: module.path)


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 100.0


def table(modules: list[Module]) -> str:
    """One line a module: lines and branches in percent, and the lines that no test runs."""
    width = max((len(module.path) for module in modules), default=0)
    rows = [f"{'':{width}}  lines  branches  not run"]
    for module in modules:
        missing = ", ".join(map(str, module.missing))
        row = f"{module.path:{width}}  {module.lines:5.1f}  {module.branches:8.1f}  {missing}"
        rows.append(row.rstrip())
    return "\n".join(rows)


if __name__ == "__main__":
    main()
