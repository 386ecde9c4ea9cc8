"""HTTP as a call needs it: limits on every wait and size, and errors that tell nothing secret.

A request may be sent a second time, once, where that can do no harm: the connection could not be
made or broke before any answer, or the status says that trying again may help. Redirects are not
followed: what is posted holds the call's words, and goes where the template says or nowhere.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing, suppress
from functools import cache
from typing import Any, cast

import httpx
import msgspec

from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderError,
    ProviderProtocolError,
    ProviderUnavailableError,
)

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
"""Hosts that no proxy of the environment stands before."""
KEEP_SECONDS = 60.0
"""How long an idle connection is kept: longer than most turns."""
RETRY_SECONDS = 0.2
"""The pause before a second try."""
WRITE_SECONDS = 10.0

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.\[\]-]{0,63}")
_REASON_BYTES = 16_384
_SOON = 1.0
"""A ``Retry-After`` above this, in seconds, is longer than a caller waits."""


class Deadline:
    """Until when the next piece has to come; moved on by whoever takes it."""

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self.extend(seconds)

    def extend(self, seconds: float) -> None:
        """From now on, so many seconds more."""
        self._seconds = seconds
        self.at = self._loop.time() + seconds

    @property
    def said(self) -> str:
        """For an error."""
        return f"{self._seconds:g} s"


@cache
def _tls() -> ssl.SSLContext:
    """Read once: the list of authorities takes tens of milliseconds."""
    return httpx.create_ssl_context()


def new_client(connect_seconds: float) -> httpx.AsyncClient:
    """A pool of connections. Only connecting has a limit of its own; the rest is the asker's."""
    return httpx.AsyncClient(
        verify=_tls(),
        timeout=httpx.Timeout(None, connect=connect_seconds, write=WRITE_SECONDS),
        limits=httpx.Limits(max_keepalive_connections=100, keepalive_expiry=KEEP_SECONDS),
        follow_redirects=False,
        # Not compressed: a few bytes could unfold to any size.
        headers={"user-agent": "exobridge", "accept-encoding": "identity"},
        mounts={f"all://{host}": None for host in LOOPBACK},
    )


async def answered(
    client: httpx.AsyncClient,
    request: Callable[[], httpx.Request],
    deadline: Deadline,
    *,
    retried: Collection[int],
    provider: str,
) -> httpx.Response:
    """The response, its head read and its body not; the caller closes it.

    Args:
        request: Makes the request, for each try anew.
        deadline: For the head, with both tries.
        retried: Statuses after which it is tried once more.

    Raises:
        ProviderError: There is none, or it is no success.
    """
    try:
        async with asyncio.timeout_at(deadline.at):
            response = await _first_try(client, request, retried)
            if response is None:
                await asyncio.sleep(RETRY_SECONDS)
                response = await client.send(request(), stream=True)
            if not response.is_success:
                await _raise_status(response, provider)
            return response
    except TimeoutError as error:
        raise ProviderUnavailableError(
            f"{_server(request())} did not answer within {deadline.said}", provider=provider
        ) from error
    except httpx.TransportError as error:
        raise ProviderUnavailableError(
            f"{_server(request())} cannot be reached ({type(error).__name__})", provider=provider
        ) from error


def _server(request: httpx.Request) -> str:
    """Its host, and its port where that is not the usual one."""
    return request.url.netloc.decode("ascii")


async def _first_try(
    client: httpx.AsyncClient, request: Callable[[], httpx.Request], retried: Collection[int]
) -> httpx.Response | None:
    """``None``: try again."""
    try:
        response = await client.send(request(), stream=True)
    except httpx.TimeoutException:
        raise
    except httpx.TransportError:  # refused, or a kept connection that the other side had closed
        return None
    if response.status_code not in retried or not _soon(response):
        return response
    await response.aclose()
    return None


def _soon(response: httpx.Response) -> bool:
    after = response.headers.get("retry-after", "0")
    try:
        return float(after) <= _SOON
    except ValueError:  # a date
        return False


async def _raise_status(response: httpx.Response, provider: str) -> None:
    status, server = response.status_code, _server(response.request)
    why = await refusal_codes(response)
    kind: type[ProviderError] = ProviderError
    said = f"{server} answered with status {status}"
    if status in (401, 403):
        kind, said = ProviderAuthError, f"{said}: it refuses the key, or the signature"
    elif status in (408, 425, 429) or status >= 500:
        kind = ProviderUnavailableError
    elif status == 404:
        kind, said = ProviderConfigError, f"{said}: look at the URL, and at the model's name"
    elif 300 <= status < 400:
        kind = ProviderConfigError
        said += ", a redirect, and none is followed: write the final URL into the template"
    told = f"{said} ({why})" if why else said
    raise kind(told, provider=provider, status_code=status)


async def refusal_codes(response: httpx.Response) -> str:
    """What an error in OpenAI's form says, by its codes alone: its text may repeat what was sent.
    The response is closed."""
    body = b""
    with suppress(httpx.TransportError):
        body, _ = await first_bytes(response, _REASON_BYTES)
    await response.aclose()
    try:
        found = msgspec.json.decode(body, type=_Refusal).error
    except msgspec.MsgspecError:
        return ""
    codes = [each for each in (found.code, found.type, found.param) if _is_code(each)]
    return ", ".join(map(str, codes))


def _is_code(value: object) -> bool:
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


class _Problem(msgspec.Struct):
    code: Any = None
    type: Any = None
    param: Any = None


class _Refusal(msgspec.Struct):
    error: _Problem


# ------------------------------------------------------------------ reading


def _raw(response: httpx.Response) -> aclosing[AsyncGenerator[bytes, None]]:
    return aclosing(cast("AsyncGenerator[bytes, None]", response.aiter_raw()))


async def first_bytes(response: httpx.Response, limit: int) -> tuple[bytes, bool]:
    """The body up to ``limit`` bytes, and whether there is more of it.

    Raises:
        httpx.TransportError: It broke off.
    """
    body = b""
    async with _raw(response) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > limit:
                return body[:limit], True
    return body, False


async def chunks(
    response: httpx.Response, deadline: Deadline, max_bytes: int, provider: str
) -> AsyncGenerator[bytes, None]:
    """The body as it comes.

    Raises:
        ProviderUnavailableError: It broke off, or nothing came until ``deadline``.
        ProviderProtocolError: It is longer than ``max_bytes``.
    """
    taken = 0
    async with _raw(response) as body:
        while True:
            try:
                async with asyncio.timeout_at(deadline.at):
                    chunk = await anext(body)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise ProviderUnavailableError(
                    f"nothing more of the answer within {deadline.said}", provider=provider
                ) from error
            except httpx.TransportError as error:
                raise ProviderUnavailableError("the answer broke off", provider=provider) from error
            taken += len(chunk)
            if taken > max_bytes:
                raise ProviderProtocolError(
                    f"the answer is longer than {max_bytes} bytes", provider=provider
                )
            yield chunk


async def whole(
    response: httpx.Response, deadline: Deadline, max_bytes: int, provider: str
) -> bytes:
    """The body in one piece; raises as :func:`chunks` does."""
    async with aclosing(chunks(response, deadline, max_bytes, provider)) as body:
        return b"".join([chunk async for chunk in body])
