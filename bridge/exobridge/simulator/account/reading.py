"""One HTTP request, as it comes over a socket: parsed by ``httptools``, bounded by this module."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import httptools

from exobridge.simulator.account.answers import Refusal

MAX_HEAD_BYTES = 16_384
MAX_REQUEST_BYTES = 65_536
MAX_FIELDS = 100
"""In a query or a form."""
READ_SECONDS = 10.0
"""For a whole request, from its connection's first moment."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came.

    Attributes:
        path: Without its query.
        credentials: ``user:password`` of HTTP Basic; empty: none were sent.
        headers: By their names in lower case.
    """

    method: str
    path: str
    query: dict[str, str]
    credentials: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False, default=b"")

    def form(self) -> dict[str, str]:
        """The body's parameters.

        Raises:
            Refusal: 400, it is something else than a form, or there are too many.
        """
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in ("", "application/x-www-form-urlencoded"):
            raise Refusal(400, "The body is not application/x-www-form-urlencoded")
        return fields_of(self.body.decode("utf-8", "replace"))


def fields_of(text: str) -> dict[str, str]:
    """The parameters of a query or a form.

    Raises:
        Refusal: 400, there are too many.
    """
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise Refusal(400, "There are too many parameters") from None


class RequestParser:
    """Takes bytes until a request is whole. Without I/O; what follows the request is dropped."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._url = bytearray()
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._fed = 0
        self._in_head = True
        self._is_whole = False

    def feed(self, data: bytes) -> Asked | None:
        """Take some bytes; the request, once it is whole.

        Raises:
            Refusal: It is no HTTP request (400), or too large (431 its head, 413 all of it).
        """
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise Refusal(400, "No other protocol is spoken here") from None
        except httptools.HttpParserError:
            if not self._is_whole:
                raise Refusal(400, "This is no HTTP request") from None
        if self._is_whole:
            return self._asked()
        if self._in_head and self._fed > MAX_HEAD_BYTES:
            raise Refusal(431, "The request's head is too large")
        if self._fed > MAX_REQUEST_BYTES:
            raise Refusal(413, "The request is too large")
        return None

    # What httptools calls.

    def on_url(self, url: bytes) -> None:
        """A piece of the request's target."""
        if not self._is_whole:
            self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        if not self._is_whole:
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()

    def on_headers_complete(self) -> None:
        """The body begins."""
        self._in_head = False

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if not self._is_whole:
            self._body += body

    def on_message_complete(self) -> None:
        """The request is whole."""
        if not self._is_whole:
            self._method = self._parser.get_method().decode("ascii")
        self._is_whole = True

    def _asked(self) -> Asked:
        try:
            url = urlsplit(self._url.decode("latin-1"))
        except ValueError:
            raise Refusal(400, "The request's target cannot be read") from None
        return Asked(
            self._method,
            url.path,
            fields_of(url.query),
            _basic(self._headers.get("authorization", "")),
            self._headers,
            bytes(self._body),
        )


def _basic(header: str) -> str:
    """``user:password``; empty for what is none."""
    found = re.fullmatch(r"basic\s+(\S+)", header.strip(), re.IGNORECASE)
    try:
        return base64.b64decode(found[1], validate=True).decode() if found else ""
    except (binascii.Error, ValueError):
        return ""


async def read_request(reader: asyncio.StreamReader) -> Asked | None:
    """Read one request; ``None``: the other side closed before it was whole.

    Raises:
        Refusal: As :meth:`RequestParser.feed`; 408 if it takes too long.
        ConnectionError: The connection broke.
    """
    parser = RequestParser()
    try:
        async with asyncio.timeout(READ_SECONDS):
            while data := await reader.read(MAX_HEAD_BYTES):
                if asked := parser.feed(data):
                    return asked
    except TimeoutError:
        raise Refusal(408, "The request took too long") from None
    return None
