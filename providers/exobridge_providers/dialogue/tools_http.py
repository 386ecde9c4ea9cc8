"""A tool of the user's own: an HTTP endpoint that a language model may ask."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote

import httpx
import msgspec
from pydantic import BaseModel, ConfigDict, Field, model_validator

from exobridge_providers.base import wrong_option
from exobridge_providers.endpoint import checked_url
from exobridge_providers.wire import first_bytes

PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""Where an argument stands in a URL."""


class HttpTool(BaseModel):
    """One of ``[[dialogue.options.tools]]``.

    Attributes:
        name: What the model calls it.
        description: When to use it, and what it answers; for the model.
        parameters: JSON schema of its arguments; of type ``object``.
        url: ``{name}`` in its path or query is an argument. The others are the query of a ``GET``
            or ``DELETE``, and else the JSON body.
        headers: ``${NAME}`` is an environment variable, ``{name}`` a variable of the call.
        timeout_seconds: For the whole answer.
        max_bytes: Of the answer; the rest is cut off.
        allow_http: ``http`` to other machines is allowed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")
    description: str = Field(min_length=1, max_length=2000)
    parameters: dict[str, Any] = Field(default_factory=dict[str, Any])
    url: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    headers: dict[str, str] = Field(default_factory=dict[str, str])
    timeout_seconds: float = Field(default=5, ge=0.1, le=10)
    max_bytes: int = Field(default=8192, ge=256, le=65_536)
    allow_http: bool = False

    @model_validator(mode="after")
    def _check(self) -> HttpTool:
        try:
            checked_url(PLACE.sub("x", self.url), allow_http=self.allow_http)
        except ValueError as error:
            raise wrong_option(str(error), "url") from None
        host = re.match(r"[a-z]+://[^/?]*", self.url)
        if host and PLACE.search(host[0]):
            raise wrong_option("its host cannot be an argument", "url")
        if self.parameters.get("type", "object") != "object":
            raise wrong_option("is no schema of type object", "parameters")
        return self

    def described(self) -> dict[str, Any]:
        """Of its arguments."""
        return {"type": "object", "properties": {}, **self.parameters}


async def ask(
    client: httpx.AsyncClient,
    tool: HttpTool,
    arguments: Mapping[str, Any],
    headers: Mapping[str, str],
) -> str:
    """What the endpoint answers, or why it does not, for the model. It is asked once."""
    try:
        request = _request(client, tool, arguments, headers)
        async with asyncio.timeout(tool.timeout_seconds):
            response = await client.send(request, stream=True)
            try:
                body, is_cut = await first_bytes(response, tool.max_bytes)
            finally:
                await response.aclose()
    except _CannotBeAskedError as error:
        return _error(str(error))
    except (TimeoutError, httpx.TimeoutException):
        return _error(f"no answer within {tool.timeout_seconds:g} s")
    except httpx.HTTPError:
        return _error("cannot be reached")
    text = body.decode(errors="ignore") + (" (cut off)" if is_cut else "")
    if not response.is_success:
        return _error(f"status {response.status_code}", text)
    return text or '{"ok": true}'


class _CannotBeAskedError(Exception):
    """The arguments do not fit the URL."""


def _request(
    client: httpx.AsyncClient,
    tool: HttpTool,
    arguments: Mapping[str, Any],
    headers: Mapping[str, str],
) -> httpx.Request:
    def placed(place: re.Match[str]) -> str:
        text = _as_text(arguments.get(place[1], ""))
        if text in ("", ".", "..", "null"):
            raise _CannotBeAskedError(f"{place[1]} is missing")
        return quote(text, safe="")

    url = PLACE.sub(placed, tool.url)
    in_url = set(PLACE.findall(tool.url))
    rest = {name: value for name, value in arguments.items() if name not in in_url}
    if tool.method in ("GET", "DELETE"):
        query = {name: _as_text(value) for name, value in rest.items()}
        given = httpx.URL(url).copy_merge_params(query)
        return client.build_request(tool.method, given, headers=headers)
    body = msgspec.json.encode(rest)
    typed = {"content-type": "application/json", **headers}
    return client.build_request(tool.method, url, content=body, headers=typed)


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _error(why: str, body: str = "") -> str:
    told = {"error": why, "answer": body} if body else {"error": why}
    return msgspec.json.encode(told).decode()
