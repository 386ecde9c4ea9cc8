"""What a plugin must not leave behind, nor tell anybody."""

from __future__ import annotations

import asyncio
import logging
import os
import traceback
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import structlog

from exobridge_providers.testing.contract.promises import promise

_FIRST_STEP_SECONDS, _LONGEST_STEP_SECONDS = 0.001, 0.05


class Ears(logging.Handler):
    """Hears whatever is logged, at every level, by anybody in this process.

    Attributes:
        lines: What was.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record: its message, and the error in it."""
        self.lines.append(record.getMessage())
        if record.exc_info is not None and record.exc_info[1] is not None:
            self.lines.append(told_by(record.exc_info[1]))


@contextmanager
def listening_to_logs() -> Generator[list[str]]:
    """The lines that are logged inside, by the standard library's loggers and by structlog's."""
    ears = Ears()
    root = logging.getLogger()
    level = root.level
    root.addHandler(ears)
    root.setLevel(logging.DEBUG)
    try:
        with structlog.testing.capture_logs() as entries:
            yield ears.lines
            ears.lines += [repr(entry) for entry in entries]
    finally:
        root.setLevel(level)
        root.removeHandler(ears)


def told_by(error: BaseException) -> str:
    """All that an error could put into a log: its words, those of what caused it, and the lines of
    its traceback."""
    chain: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or each in chain:
            continue
        chain.append(each)
        waiting += [each.__cause__, each.__context__]
    return "\n".join(
        f"{each!r} {each} {each.args!r} {vars(each)!r}\n{''.join(traceback.format_exception(each))}"
        for each in chain
    )


def keeps_secrets(lines: Iterable[str], secrets: Iterable[str], where: str) -> None:
    """Promise that none of the secrets stands in any of the lines."""
    for line in lines:
        for secret in secrets:
            promise(
                secret not in line,
                f"neither a key nor a caller's words stand in {where}: "
                f"{line[:300].replace(secret, '<the secret>')!r}",
            )


def open_files() -> int:
    """File descriptors of this process, sockets too; -1 where the system does not tell."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        if Path(folder).is_dir():
            return len(os.listdir(folder))
    return -1


async def until(gone: Callable[[], bool], limit_seconds: float) -> None:
    """Wait for what was closed to be gone, but no longer than so."""
    clock = asyncio.get_running_loop().time
    limit, step = clock() + limit_seconds, _FIRST_STEP_SECONDS
    while not gone() and clock() < limit:
        await asyncio.sleep(step)
        step = min(2 * step, _LONGEST_STEP_SECONDS)


@asynccontextmanager
async def nothing_left(limit_seconds: float) -> AsyncGenerator[None]:
    """Promise that no task and no file or socket that was opened inside is there at the end, or a
    little later."""
    before, files = asyncio.all_tasks(), open_files()
    yield
    await until(lambda: asyncio.all_tasks() <= before and open_files() <= files, limit_seconds)
    left = sorted(map(repr, asyncio.all_tasks() - before))
    promise(not left, f"a closed session leaves no task behind; left: {left}")
    more = open_files() - files
    promise(more <= 0, f"a closed session leaves no file or socket open; left: {more}")
