"""The user's own applications over HTTP: asked about a caller, told what became of a call."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from exobridge.routing.answer import MAX_BYTES
from exobridge.templates.routing import EndpointTable
from exobridge_providers.dialogue.webhook_signature import signed, signing_key
from exobridge_providers.errors import ProviderConfigError

if TYPE_CHECKING:
    import httpx

# httpx is imported where it is used: a server that asks nobody does without.

CONNECT_SECONDS = 2.0
"""Longest wait for a connection; each request has a limit of its own besides."""


class UnreachableError(Exception):
    """There is no response. Says why, and nothing of what was sent."""


class Applications:
    """The connections of one process, made when the first is needed."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    def prepare(self) -> None:
        """Make ready what the first request needs: to read the certificates takes longer than a
        caller shall wait."""
        self._opened()

    async def post(
        self, table: EndpointTable, name: str, request_id: str, message: Mapping[str, Any]
    ) -> tuple[int, bytes]:
        """POST a message as JSON, signed if the table names a secret.

        Returns:
            The status, and of the body no more than one byte above the limit of an answer.

        Raises:
            UnreachableError: There is no whole response.
        """
        body = msgspec.json.encode(message)
        headers = {"content-type": "application/json", "webhook-id": request_id}
        own, key = self._own(table, name)
        headers |= own
        if key:
            headers |= signed(key, request_id, int(time.time()), body)
        return await self._send("POST", table.url, headers, body)

    async def get(
        self, table: EndpointTable, name: str, query: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """GET with a query beside the URL's own; else as :meth:`post`, without a signature."""
        import httpx

        url = str(httpx.URL(table.url).copy_merge_params(dict(query)))
        headers, _ = self._own(table, name)
        return await self._send("GET", url, headers, b"")

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    def _opened(self) -> httpx.AsyncClient:
        from exobridge_providers import wire

        if self._client is None:
            self._client = wire.new_client(CONNECT_SECONDS)
        return self._client

    def _own(self, table: EndpointTable, name: str) -> tuple[dict[str, str], bytes | None]:
        """The table's headers, and the key that signs."""
        try:
            return _headers(table, name), _key(table, name)
        except ProviderConfigError as error:
            raise UnreachableError(str(error)) from None

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        import httpx

        from exobridge_providers import wire

        client = self._opened()
        request = client.build_request(method, url, headers=headers, content=body)
        try:
            response = await client.send(request, stream=True)
            try:
                # One byte more than allowed tells the reader that it is too long.
                answer, _ = await wire.first_bytes(response, MAX_BYTES + 1)
            finally:
                await response.aclose()
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise UnreachableError(f"cannot be reached ({type(error).__name__})") from None
        return response.status_code, answer


def check_variables(table: EndpointTable, name: str) -> None:
    """Whether all environment variables of a table are set.

    Raises:
        ProviderConfigError: One is not, or cannot be used; its name is told.
    """
    _headers(table, name)
    _key(table, name)


def _headers(table: EndpointTable, name: str) -> dict[str, str]:
    if not table.headers:
        return {}
    from exobridge_providers.endpoint import with_variables

    return with_variables(table.headers, "headers", name)


def _key(table: EndpointTable, name: str) -> bytes | None:
    if not table.secret_env:
        return None
    from exobridge_providers.endpoint import variable

    try:
        return signing_key(variable(table.secret_env, "secret_env", name))
    except ValueError as error:
        raise ProviderConfigError(
            f"the secret in the environment variable {table.secret_env} {error}", provider=name
        ) from None
