"""Asks a server what Exotel asked then."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any, cast
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx
import msgspec

from exobridge.replay.script import Names
from exobridge.simulator.answer import MAX_BODY_BYTES, is_stream_url
from exobridge.simulator.client import read_body
from exobridge.wire.records import Webhook

ASK_S = 15.0
"""Longest wait for an answer, in seconds: a Passthru applet's own."""

_OURS = "auth_token"
_SENT_HEADERS = ("exotel-version", "accept")
_UNSAID = "***"


async def ask_again(
    client: httpx.AsyncClient,
    kept: Webhook,
    url: str,
    names: Names,
    auth_token: str,
    clock: Callable[[], float],
) -> Webhook:
    """Ask what was asked then; with an answer's ``status`` 0 none came, and the body says why.

    Args:
        url: Scheme and host of the server, and a path before ours if there is one.
        auth_token: Its secret; empty: none.
    """
    pairs = [(name, names.value(value)) for name, value in kept.parameters if name != _OURS]
    is_post = kept.method == "POST"
    # The secret is looked for in the query alone.
    query = [(_OURS, auth_token)] * bool(auth_token)
    where = _url(url, kept.path, query if is_post else [*pairs, *query])
    headers = {name: kept.headers[name] for name in _SENT_HEADERS if name in kept.headers}
    content = urlencode(pairs) if is_post else None
    if is_post:
        headers["content-type"] = "application/x-www-form-urlencoded"
    began = clock()
    try:
        async with (
            asyncio.timeout(ASK_S),
            client.stream(kept.method, where, content=content, headers=headers) as response,
        ):
            body = await read_body(response, MAX_BODY_BYTES) or b""
    except TimeoutError:
        return msgspec.structs.replace(kept, status=0, content_type="", body="no answer in time")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return msgspec.structs.replace(kept, status=0, content_type="", body=type(error).__name__)
    content_type = response.headers.get("content-type", "")
    return msgspec.structs.replace(
        kept,
        ms=(clock() - began) * 1000,
        status=response.status_code,
        content_type=content_type,
        body=body.decode("utf-8", "replace") if kept.body or "json" in content_type else "",
    )


def stream_url(answer: Webhook) -> str | None:
    """The stream's URL in an answer."""
    try:
        content: Any = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    found = cast(dict[str, Any], content).get("url") if isinstance(content, dict) else None
    return found if isinstance(found, str) and is_stream_url(found) else None


def static_url(url: str, auth_token: str) -> str:
    """The stream's URL of a server that was not asked for one."""
    parts = urlsplit(url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    path = f"{parts.path.rstrip('/')}/exotel/stream"
    path = f"{path}/{auth_token}" if auth_token else path
    return urlunsplit((scheme, parts.netloc, path, parts.query, ""))


def _url(url: str, path: str, pairs: Sequence[tuple[str, str]]) -> str:
    parts = urlsplit(url)
    kept = "/".join(part for part in path.split("/") if part != _UNSAID)
    whole = f"{parts.path.rstrip('/')}{kept}"
    return urlunsplit((parts.scheme, parts.netloc, whole, urlencode(pairs), ""))
