"""What a server must never write, looked for in everything that any test makes one write.

A pytest plugin that ``conftest.py`` loads. It listens where the text leaves the process: at the
log's formatter, at the pipes of every subprocess, at HTTP's answers of 400 and above, and at what
pytest itself captured. So a new test cannot get round it. A test in which something was found
fails, and says what was found where.
"""

from __future__ import annotations

import logging
import re
from asyncio.subprocess import SubprocessStreamProtocol
from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping
from typing import Any, cast

import pytest
import structlog
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

SECRET_VARIABLES = (
    "EXOBRIDGE_SECRET",
    "EXOBRIDGE_API_KEY",
    "EXOBRIDGE_API_KEYS",
    "EXOTEL_API_KEY",
    "EXOTEL_API_TOKEN",
    "METRICS_TOKEN",
)
SHORTEST = 8
"""Shorter values are those of tests that show that they are refused."""

TOKENS = {
    "a token by its form": r"(?<![\w.-])[\w-]{4,}\.[\w-]{6}\.[\w-]{27}(?![\w.-])",
    "a secret in a path": (
        r"/exotel/(?:stream|answer|passthru)/(?!\*\*\*|\$EXOBRIDGE_SECRET)[^\s\"'?]+"
    ),
    "a secret in a query": r"auth_token(?:=|%3D)(?!\*\*\*|\$EXOBRIDGE_SECRET)[^\s\"'&]+",
    "credentials": r"\b(?:Basic|Bearer)\s+(?!\*\*\*)[\w.~+/=-]{16,}",
    "credentials in a URL": r"://(?!\*\*\*)[^/\s\"'?#@]+@",
}
PHONES = {
    "a phone number": r"(?<![\w.+-])(?:\+91|91|0)?[6-9]\d{9}(?!\w)",
    "a number of the tests": r"9811122233|8047112233",
}

ASKED_FOR = re.compile(r"\s*EXOTEL_API_(KEY=key|TOKEN=token)-of-the-account")
"""A line of ``exobridge simulate --api``: how a server is told of the stand-in account, whose
credentials are in the documentation."""

_planted: set[str] = set()
_found: list[str] = []
_pipes: dict[tuple[int, int], str] = defaultdict(str)


def plant(variables: Mapping[str, str]) -> None:
    """From now on the secrets among these are looked for; whoever starts a server calls this."""
    given = (variables.get(name, "") for name in SECRET_VARIABLES)
    _planted.update(secret for secret in given if len(secret) >= SHORTEST)


def find(text: str, *, phones: bool = True) -> list[str]:
    """What in a text must not be there.

    Args:
        phones: Phone numbers are among it.
    """
    found = [f"the secret {secret!r}" for secret in _planted if secret in text]
    for name, pattern in {**TOKENS, **(PHONES if phones else {})}.items():
        found += [f"{name}, {each!r}" for each in re.findall(pattern, text, re.IGNORECASE)]
    return found


def look(where: str, text: str, *, phones: bool = True) -> None:
    """Look at what was written; what is found is held against the test that runs."""
    for line in text.splitlines():
        if not ASKED_FOR.fullmatch(line):
            _found.extend(f"{where}: {found} in {line!r}" for found in find(line, phones=phones))


def taken() -> list[str]:
    """What was found since this was asked last."""
    found = _found[:]
    _found.clear()
    return found


# ------------------------------------------------------------------ where it listens


class _Listening:
    """Puts itself before methods of libraries, and takes itself away again."""

    def __init__(self) -> None:
        self._before: list[tuple[Any, str, Any]] = []

    def put(self, owner: Any, name: str, method: Any) -> None:
        self._before.append((owner, name, getattr(owner, name)))
        setattr(owner, name, method)

    def end(self) -> None:
        while self._before:
            owner, name, method = self._before.pop()
            setattr(owner, name, method)


_listening = _Listening()


def _listen() -> None:
    formatter = structlog.stdlib.ProcessorFormatter
    protocol = SubprocessStreamProtocol
    cycle = cast(Any, RequestResponseCycle)
    format_, send = formatter.format, cycle.send
    received, lost = protocol.pipe_data_received, protocol.pipe_connection_lost

    def formatting(self: structlog.stdlib.ProcessorFormatter, record: logging.LogRecord) -> str:
        line = format_(self, record)
        look("the log", line)
        return line

    def receiving(self: SubprocessStreamProtocol, fd: int, data: bytes | str) -> None:
        whole, newline, rest = (_pipes[id(self), fd] + _text(data)).rpartition("\n")
        _pipes[id(self), fd] = rest
        _look_at_pipe(fd, whole + newline)
        received(self, fd, data)

    def losing(self: SubprocessStreamProtocol, fd: int, exc: Exception | None) -> None:
        _look_at_pipe(fd, _pipes.pop((id(self), fd), ""))
        lost(self, fd, exc)

    async def sending(self: Any, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.leaks_status = message["status"]
            headers = cast(Iterable[tuple[bytes, bytes]], message.get("headers", ()))
            shown = "\n".join(_text(value) for _, value in headers)
        else:
            shown = _text(message.get("body", b""))
        if self.leaks_status >= 400:
            look(f"an answer of HTTP {self.leaks_status}", shown)
        await send(self, message)

    _listening.put(formatter, "format", formatting)
    _listening.put(protocol, "pipe_data_received", receiving)
    _listening.put(protocol, "pipe_connection_lost", losing)
    _listening.put(cycle, "send", sending)


def _look_at_pipe(fd: int, text: str) -> None:
    # `exobridge calls --json` writes whole numbers to its standard output: it is asked for them.
    look(f"a subprocess, descriptor {fd}", text, phones=fd != 1)


def _text(data: bytes | str) -> str:
    return data if isinstance(data, str) else data.decode("utf-8", "replace")


# ------------------------------------------------------------------ pytest's hooks


def pytest_configure(config: pytest.Config) -> None:
    """Begin to listen."""
    _listen()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave the libraries as they were."""
    _listening.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Once a test is over, hold against it what was found."""
    report = yield
    if report.when != "teardown":
        return report
    for name, text in report.sections:
        look(f"{name}", text)
    found = taken()
    if found and report.passed:
        report.outcome = "failed"
        report.longrepr = "\n".join(["Something was written that never must be:", *found])
    return report
