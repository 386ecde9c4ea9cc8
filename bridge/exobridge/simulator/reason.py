"""Why a server could not be reached, in words that say what to look at. Pure."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from typing import cast


def reason(error: Exception) -> str:
    """The reason below an error of a client library; the error's type if none is known.

    It names no address and no URL: these may hold secrets.
    """
    known = (_words(each) for each in _below(error))
    return next(filter(None, known), type(error).__name__)


def _below(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it comes from, one after the other; of a group the first."""
    seen: list[BaseException] = []
    below: BaseException | None = error
    while below is not None and below not in seen:
        yield below
        seen.append(below)
        if isinstance(below, BaseExceptionGroup):
            below = cast(BaseExceptionGroup[BaseException], below).exceptions[0]
        else:
            below = below.__cause__ or below.__context__


def _words(error: BaseException) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"certificate: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS: {(error.reason or 'failed').replace('_', ' ').lower()}"
        case socket.gaierror():
            return "the name of the host is not known"
        case OSError(errno=int(number)):
            return os.strerror(number).lower()
        case _:
            return ""
