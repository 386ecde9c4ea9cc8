"""What all tests share."""

from __future__ import annotations

import gc
import logging
from collections.abc import Generator, Iterator

import pytest
import structlog
from hypothesis import settings

# A loaded machine is slow, not wrong: examples have no deadline. Failures are printed with the
# blob that repeats them. Half as many as usual, of which each run draws others.
settings.register_profile("exobridge", deadline=None, print_blob=True, max_examples=50)
settings.load_profile("exobridge")

pytest_plugins = ["tests.leaks", "tests.sampling"]

LEVELS = (
    "uvicorn",
    "uvicorn.error",
    "uvicorn.access",
    "httpx",
    "httpcore",
    "websockets",
    "alembic",
)
"""The loggers whose level :mod:`exobridge.log` sets."""


LONGEST = (
    "tests/cluster/test_supervisor.py",
    "tests/routing/test_delivery.py",
    "tests/stories/test_stories.py",
    "tests/server_life/test_drain.py",
    "tests/cli/test_serve.py",
    "tests/web/test_hostile.py",
    "tests/providers/conformance/test_tts.py",
    "tests/human_recordings/test_recordings.py",
    "tests/providers/conformance/test_stt.py",
    "tests/stories/test_page.py",
    "tests/simulator/scripts/test_cli.py",
    "tests/test_calls.py",
    "tests/test_conversations.py",
    "tests/test_faults_of_each_call.py",
    "tests/cli/test_simulate.py",
)
"""Modules that take longest, the longest first. A process takes one module after the other: what is
long and comes last is waited for by all."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest modules come first."""
    places = {path: place for place, path in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(LONGEST)))


def pytest_collection_finish() -> None:
    """What eleven thousand tests are made of stays for the whole run: whoever looks through all
    objects, as the collector does, need not look through that."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Nothing is collected while a failure is told. CPython 3.11 breaks off with a SystemError,
    and the whole run with it, where something that is collected during ``ast.parse`` has an error
    that is told, too, and so is parsed."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command that runs in this process leaves its log to no other test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in LEVELS}
    yield
    if root.handlers == handlers:
        return
    root.handlers, root.level = handlers, level
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()
