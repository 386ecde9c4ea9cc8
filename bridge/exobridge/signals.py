"""The signals of a server process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager

STDERR = 2


@contextmanager
def signals_handled(stop: Callable[[], None], reload: Callable[[], None]) -> Generator[None]:
    """Within the block SIGTERM and SIGINT call ``stop``, and SIGHUP calls ``reload``, on the
    running loop.

    A terminal that is closed sends SIGHUP too: that one means ``stop``.
    """
    had_terminal = os.isatty(STDERR)

    def hung_up() -> None:
        if had_terminal and not os.isatty(STDERR):
            stop()
        else:
            reload()

    loop = asyncio.get_running_loop()
    handlers = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: hung_up}
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)
