"""The program ``espeak-ng``, run as a process of its own: text in, WAV out.

It is never linked (it is GPL-3). The text goes to its standard input, so that nothing in it can be
taken for an option, and of our environment, with its keys, it is given only what it needs.
"""

from __future__ import annotations

import asyncio
import os
import re
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable
from contextlib import suppress

from exobridge_providers.errors import (
    ProviderConfigError,
    ProviderProtocolError,
    ProviderUnavailableError,
)

_LISTED = re.compile(r"^ *\d+ +(\S+) +\S+ +\S+ +(\S+)", re.MULTILINE)
"""Language and file, in each line of its lists of voices."""
_VARIANTS = "!v/"
_GIVEN_VARIABLES = ("PATH", "HOME", "ESPEAK_DATA_PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_CONTROL = {code: " " for code in range(32)}


class Espeak:
    """How to call the program.

    Args:
        program: Its name in the ``PATH``, or its path.
        words_per_minute: Pace of speech.
        pitch: 0 (low) to 99 (high).
        timeout_seconds: After this a process is killed.
    """

    def __init__(
        self, program: str, *, words_per_minute: int, pitch: int, timeout_seconds: float
    ) -> None:
        self._program = program
        self._manner = ("-s", str(words_per_minute), "-p", str(pitch))
        self._timeout_seconds = timeout_seconds

    async def languages(self) -> frozenset[str]:
        """The languages it has a voice for, ``hi`` say; it may have several for regions of one.

        Raises:
            ProviderConfigError: It is not installed.
            ProviderError: It does not work.
        """
        listed = (await self._run("--voices")).decode("utf-8", "replace")
        return frozenset(name.partition("-")[0] for name, _ in _LISTED.findall(listed))

    async def variants(self) -> frozenset[str]:
        """The ways it can change a voice, ``f3`` say. Errors as those of :meth:`languages`."""
        listed = (await self._run("--voices=variant")).decode("utf-8", "replace")
        return frozenset(file.removeprefix(_VARIANTS) for _, file in _LISTED.findall(listed))

    async def speak(self, text: str, voice: str) -> bytes:
        """A WAV file without its length (it comes through a pipe); empty if there is nothing to
        speak. Cancelling this kills the process. Errors as those of :meth:`languages`.

        Args:
            text: Of any characters.
            voice: One of ``languages``, and maybe ``+`` and one of ``variants``.
        """
        spoken = text.translate(_CONTROL).encode("utf-8", "ignore")
        options = ("--stdin", "--stdout", "-b", "1", "-v", voice, *self._manner)
        return await self._run(*options, text=spoken)

    async def _run(self, *arguments: str, text: bytes = b"") -> bytes:
        # A task of its own, as asyncio loses a process whose start is broken off.
        starting = asyncio.create_task(self._start(*arguments))
        try:
            process = await asyncio.shield(starting)
            async with asyncio.timeout(self._timeout_seconds):
                output, _ = await process.communicate(text)
        except TimeoutError as error:
            raise ProviderUnavailableError(
                f"espeak-ng took longer than {self._timeout_seconds:g} s", provider="espeak"
            ) from error
        finally:
            await _end(starting)
        if process.returncode:
            raise ProviderProtocolError(
                f"espeak-ng failed with status {process.returncode}", provider="espeak"
            )
        return output

    async def _start(self, *arguments: str) -> Process:
        given = {name: os.environ[name] for name in _GIVEN_VARIABLES if name in os.environ}
        try:
            return await asyncio.create_subprocess_exec(
                self._program, *arguments, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=given
            )
        except OSError as error:
            raise ProviderConfigError(
                f"the program {self._program} cannot be run ({error.strerror}): "
                "apt install espeak-ng",
                provider="espeak",
            ) from error


async def _end(starting: asyncio.Task[Process]) -> None:
    """Kill what was started if it still runs, and wait for its end, however often that is
    cancelled: a process that is left alone is told of as running when it is thrown away."""
    cancelled: asyncio.CancelledError | None = None
    while (ahead := _before_the_end(starting)) is not None:
        try:
            await ahead
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


def _before_the_end(starting: asyncio.Task[Process]) -> Awaitable[object] | None:
    """What is to be waited for; ``None``: nothing runs any more."""
    if not starting.done():
        return asyncio.wait([starting])
    if starting.cancelled() or starting.exception() is not None:
        return None
    process = starting.result()
    if process.returncode is not None:
        return None
    with suppress(ProcessLookupError):
        process.kill()
    return process.wait()
