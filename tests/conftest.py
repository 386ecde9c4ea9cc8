"""What all tests share."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

# A loaded machine is slow, not wrong: examples have no deadline. Failures are printed with the
# blob that repeats them.
settings.register_profile("exobridge", deadline=None, print_blob=True)
settings.load_profile("exobridge")

pytest_plugins = ["tests.leaks"]

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
