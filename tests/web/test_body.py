"""A webhook's parameters out of its query and body."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from exobridge.web.body import MAX_BODY, MAX_FIELDS, BadBodyError, parameters

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"


def request(
    body: bytes | Sequence[bytes], kind: str = FORM, query: str = "", method: str = "POST"
) -> Request:
    """A request whose body comes in parts; to read beyond the last is an error."""
    parts = [body] if isinstance(body, bytes) else list(body)
    left: list[Message] = [
        {"type": "http.request", "body": part, "more_body": index < len(parts) - 1}
        for index, part in enumerate(parts)
    ]

    async def receive() -> Message:
        return left.pop(0)

    headers = [(b"content-type", kind.encode())] if kind else []
    scope = {
        "type": "http",
        "method": method,
        "path": "/",
        "query_string": query.encode(),
        "headers": headers,
    }
    return Request(scope, receive)


def part(name: str, value: str, more: str = "") -> bytes:
    """One field of a multipart body."""
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return f"{head}{value}\r\n".encode()


async def test_a_get_has_its_query_alone() -> None:
    """In order, repeated names too."""
    found = await parameters(request(b"x=1", query="a=1&a=2&b=", method="GET"))
    assert found == [("a", "1"), ("a", "2"), ("b", "")]


async def test_the_bodys_parameters_come_first() -> None:
    """So that of a repeated name the body's counts, whatever the body is."""
    wanted = [("CallSid", "c1"), ("x", "é")]
    bodies = [
        (b"CallSid=c1&x=%C3%A9", FORM),
        (b"CallSid=c1&x=%C3%A9", ""),
        (b"CallSid=c1&x=%C3%A9", "application/plain"),
        (part("CallSid", "c1") + part("x", "é") + b"--x--\r\n", MULTIPART),
        (b"CallSid=c1&x=%C3%A9", "text/plain"),
        ('{"CallSid": "c1", "x": "é"}'.encode(), "Application/JSON; charset=utf-8"),
        (' {"CallSid": "c1", "x": "é"}'.encode(), "text/plain; charset=utf-8"),
        ('{"CallSid": "c1", "x": "é"}'.encode(), "application/plain"),
        ('{"CallSid": "c1", "x": "é"}'.encode(), FORM),
    ]
    for body, kind in bodies:
        found = await parameters(request(body, kind, query="CallSid=q"))
        assert found == [*wanted, ("CallSid", "q")], kind


async def test_a_body_in_parts_is_one_body() -> None:
    """However the network cut it."""
    whole = part("CallSid", "c1") + b"--x--\r\n"
    parts = [whole[index : index + 1] for index in range(len(whole))]
    assert await parameters(request(parts, MULTIPART)) == [("CallSid", "c1")]


async def test_values_that_are_no_text_are_written_as_json() -> None:
    """A ``Stream`` given as an object is still there to be read."""
    body = b'{"a": 1, "b": null, "c": {"StreamSID": "s"}, "d": [true]}'
    assert await parameters(request(body, "application/json")) == [
        ("a", "1"),
        ("b", "null"),
        ("c", '{"StreamSID":"s"}'),
        ("d", "[true]"),
    ]
    assert await parameters(request(b"", "application/json", query="a=1")) == [("a", "1")]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (413, b"a" * (MAX_BODY + 1), FORM),
        (400, b"&".join(b"a=1" for _ in range(MAX_FIELDS + 1)), FORM),
        (400, b"[1]", "application/json"),
        (400, b"{", "application/json"),
        (400, b'{"a":"\\ud800"}', "application/json"),
        (400, b'{"a":' * 5000, "application/json"),
        (400, b"\xff", "application/json"),
        (400, b"no boundary", "multipart/form-data"),
        (400, b"--y\r\n", MULTIPART),
        (400, part("f", "x", '; filename="f.wav"') + b"--x--\r\n", MULTIPART),
        (400, b"".join(part("a", "1") for _ in range(MAX_FIELDS + 1)) + b"--x--\r\n", MULTIPART),
    ],
)
async def test_what_cannot_be_read_says_so(status: int, body: bytes, kind: str) -> None:
    """One error with the status to answer, and nothing of the body in its message."""
    with pytest.raises(BadBodyError) as caught:
        await parameters(request(body, kind))
    assert caught.value.status == status
    assert body.decode("latin-1")[:20] not in str(caught.value)


async def test_reading_stops_at_the_limit() -> None:
    """What comes beyond it is not waited for: the third part would be an error."""
    with pytest.raises(BadBodyError):
        await parameters(request([b"a" * MAX_BODY, b"a"]))


@given(st.binary(max_size=200), st.sampled_from([FORM, MULTIPART, "application/json", ""]))
async def test_no_body_raises_anything_else(body: bytes, kind: str) -> None:
    """Parameters of text, or the one error."""
    with suppress(BadBodyError):
        found = await parameters(request(body, kind))
        assert all(isinstance(text, str) for pair in found for text in pair)


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=5))
async def test_json_texts_come_out_as_they_went_in(fields: dict[str, str]) -> None:
    """Any Unicode in names and values."""
    body = json.dumps(fields).encode()
    assert dict(await parameters(request(body, "application/json"))) == fields
