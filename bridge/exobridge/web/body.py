"""A webhook's parameters, from its query and its body, within bounds."""

from __future__ import annotations

from urllib.parse import parse_qsl

import msgspec
from python_multipart.exceptions import FormParserError
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

MAX_BODY = 64 * 1024
"""Largest body, in bytes; Exotel's are a few hundred."""

MAX_FIELDS = 500


class BadBodyError(Exception):
    """The body cannot be read.

    Attributes:
        status: The HTTP status that says so.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def parameters(request: Request) -> list[tuple[str, str]]:
    """All names and values, the body's first: form, multipart or a JSON object. A JSON object is
    one whatever content type is stated; forms come as ``text/plain`` and ``application/plain`` too.

    Raises:
        BadBodyError: The body is too large, broke off, or is not what its content type says.
    """
    pairs = list(request.query_params.multi_items())
    if request.method != "POST":
        return pairs
    body = await _read(request)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "multipart/form-data":
        return await _multipart(request, body) + pairs
    if content_type == "application/json" or body.lstrip()[:1] == b"{":
        return _json(body) + pairs
    text = body.decode("utf-8", "replace")
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS) + pairs
    except ValueError as error:
        raise BadBodyError(400, "too many fields") from error


async def _read(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > MAX_BODY:
                raise BadBodyError(413, f"the body is larger than {MAX_BODY} bytes")
            parts.append(part)
    except ClientDisconnect as error:
        raise BadBodyError(400, "the body broke off") from error
    return b"".join(parts)


async def _multipart(request: Request, body: bytes) -> list[tuple[str, str]]:
    async def replay() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        form = await Request(request.scope, replay).form(max_files=0, max_fields=MAX_FIELDS)
    except (MultiPartException, FormParserError, KeyError, ValueError) as error:
        raise BadBodyError(400, "the multipart body cannot be read") from error
    except Exception as error:
        # Starlette turns its own parser's error into an HTTPException inside an application.
        raise BadBodyError(400, "the multipart body cannot be read") from error
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


def _json(body: bytes) -> list[tuple[str, str]]:
    try:
        fields = msgspec.json.decode(body or b"{}", type=dict[str, object])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadBodyError(400, "the body is not a JSON object") from error
    return [
        (name, value if isinstance(value, str) else msgspec.json.encode(value).decode())
        for name, value in fields.items()
    ]
