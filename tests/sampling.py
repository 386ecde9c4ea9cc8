"""Which of the costly tests are run: ``pytest --part 2/3`` runs the second third of them.

A pytest plugin that ``conftest.py`` loads. Costly are those that start servers, let real time go
by, or are hundreds of one kind. Without ``--part`` all are run; the parts of a whole hold each test
once.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

import pytest

COSTLY = (
    "tests/cli/test_demo.py",
    "tests/cli/test_doctor.py",
    "tests/cli/test_environment.py",
    "tests/cli/test_provider_check.py",
    "tests/cli/test_provider_list.py",
    "tests/cli/test_provider_new.py",
    "tests/cli/test_serve.py",
    "tests/cli/test_simulate.py",
    "tests/cluster/test_supervisor.py",
    "tests/doctor/test_against.py",
    "tests/exotel/test_detection.py",
    "tests/human_recordings/test_recordings.py",
    "tests/observe/test_tracing.py",
    "tests/outbound/test_calling.py",
    "tests/outbound/test_trial.py",
    "tests/own_recording/test_crash.py",
    "tests/providers/conformance/test_mutants.py",
    "tests/providers/conformance/test_stt.py",
    "tests/providers/conformance/test_tts.py",
    "tests/providers/stt/test_moonshine.py",
    "tests/providers/stt/test_whisper.py",
    "tests/providers/test_contracts.py",
    "tests/recordings/test_kill.py",
    "tests/replay/test_live.py",
    "tests/routing/test_delivery.py",
    "tests/server_life/test_drain.py",
    "tests/server_life/test_reload.py",
    "tests/server_life/test_start.py",
    "tests/simulator/flows/test_serve.py",
    "tests/simulator/scripts/test_cli.py",
    "tests/simulator/test_cli_call.py",
    "tests/soak/test_soak.py",
    "tests/store/test_jobs.py",
    "tests/store/test_migrate.py",
    "tests/stories/test_page.py",
    "tests/test_benchmarks.py",
    "tests/test_conversations.py",
    "tests/test_crash.py",
    "tests/test_faults_of_each_call.py",
    "tests/test_voicemail_speech.py",
    "tests/vendors/test_every_boundary.py",
    "tests/web/control/test_api_fuzz.py",
    "tests/web/test_hostile.py",
    "tests/webhooks/test_outage.py",
    "tests/webhooks/test_served.py",
)
"""Modules whose tests are."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of some equal parts.

    Attributes:
        number: From 1 to ``of``.
    """

    number: int
    of: int

    @classmethod
    def read(cls, text: str) -> Part:
        """From ``2/3``.

        Raises:
            ValueError: It is none.
        """
        found = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", text)
        if found is None or int(found[1]) > int(found[2]):
            raise ValueError(f"{text!r} is no part: the second of three is 2/3, all is 1/1")
        return cls(int(found[1]), int(found[2]))

    def holds(self, name: str) -> bool:
        """Whether what has this name belongs to it."""
        return zlib.crc32(name.encode()) % self.of == self.number - 1

    def __str__(self) -> str:
        """As it is read."""
        return f"{self.number}/{self.of}"


WHOLE = Part(1, 1)

_KEY = pytest.StashKey[Part]()


def part_of(config: pytest.Config) -> Part:
    """The part that is run."""
    return config.stash[_KEY]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.addoption(
        "--part", default=str(WHOLE), metavar="K/N", help="run one part of the costly tests"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Read it."""
    try:
        config.stash[_KEY] = Part.read(str(config.getoption("--part")))
    except ValueError as error:
        raise pytest.UsageError(f"--part: {error}") from None


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say so where not all is run."""
    part = part_of(config)
    return None if part == WHOLE else f"costly tests: part {part}; all: make test PART=1/1"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the other parts out."""
    part, costly = part_of(config), set(COSTLY)

    def left_out(item: pytest.Item) -> bool:
        return item.nodeid.partition("::")[0] in costly and not part.holds(item.nodeid)

    others = [item for item in items if left_out(item)]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if not left_out(item)]
