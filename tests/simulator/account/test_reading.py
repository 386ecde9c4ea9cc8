"""Requests are read whole, within bounds, and garbage is refused."""

from __future__ import annotations

import base64
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.simulator.account.answers import Refusal
from exobridge.simulator.account.reading import (
    MAX_FIELDS,
    MAX_HEAD_BYTES,
    MAX_REQUEST_BYTES,
    Asked,
    RequestParser,
)

BASIC = base64.b64encode(b"key:to:ken").decode()
REQUEST = (
    b"POST /v1/Accounts/a/Calls/connect.json?a=1&b=%2B&c= HTTP/1.1\r\nHost: x\r\n"
    b"Authorization: Basic " + BASIC.encode() + b"\r\nX-Two:  blanks \r\n"
    b"Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"
    b"Content-Length: 17\r\n\r\nFrom=%2B91&To=a+b"
)
CHUNKED = b"PUT /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\na=1&\r\n3\r\nb=2\r\n0\r\n\r\n"


def read(pieces: Iterable[bytes]) -> Asked | None:
    """The request in these bytes."""
    parser = RequestParser()
    for piece in pieces:
        if asked := parser.feed(piece):
            return asked
    return None


def status_of(pieces: Iterable[bytes]) -> int:
    """What these bytes, and the form in them, are refused with; 200: they are not."""
    try:
        asked = read(pieces)
        if asked is not None:
            asked.form()
    except Refusal as refused:
        return refused.status
    return 200


def refusal(data: bytes) -> Refusal:
    """Why these bytes are refused."""
    with pytest.raises(Refusal) as caught:
        read([data[at : at + 4096] for at in range(0, len(data), 4096)])
    return caught.value


@given(st.integers(1, len(REQUEST)))
def test_a_request_comes_in_whatever_pieces(size: int) -> None:
    """Its target, headers, credentials and form are the same."""
    asked = read(REQUEST[at : at + size] for at in range(0, len(REQUEST), size))
    assert asked is not None
    assert (asked.method, asked.path) == ("POST", "/v1/Accounts/a/Calls/connect.json")
    assert asked.query == {"a": "1", "b": "+", "c": ""}
    assert asked.credentials == "key:to:ken"
    assert asked.headers["x-two"] == "blanks"
    assert asked.form() == {"From": "+91", "To": "a b"}


@given(st.integers(1, len(CHUNKED)))
def test_a_body_may_come_in_chunks(size: int) -> None:
    """They are put together."""
    asked = read(CHUNKED[at : at + size] for at in range(0, len(CHUNKED), size))
    assert asked is not None
    assert asked.form() == {"a": "1", "b": "2"}


def test_what_follows_a_request_is_dropped() -> None:
    """Each connection carries one, whatever stands behind it."""
    for behind in (REQUEST, b"\x00garbage", b"GET / HTTP/1.1\r\nX: y\r\n\r\n"):
        asked = read([REQUEST + behind])
        assert asked is not None
        assert (asked.path, len(asked.headers)) == ("/v1/Accounts/a/Calls/connect.json", 5)


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"hello there, this is no request\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"GET //[bad HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT host:80 HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused(data: bytes) -> None:
    """TLS, other protocols, lengths and targets that are none."""
    assert refusal(data).status == 400


def test_a_request_has_bounds() -> None:
    """Of its head, of all of it, and of its parameters."""
    line = b"GET / HTTP/1.1\r\n"
    assert refusal(line + b"X: y\r\n" * MAX_HEAD_BYTES).status == 431
    body = b"Content-Length: 1000000\r\n\r\n" + bytes(MAX_REQUEST_BYTES)
    assert refusal(line + body).status == 413
    trailers = b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * MAX_REQUEST_BYTES
    assert refusal(line + trailers).status in (400, 413)
    many = b"&".join(b"a=1" for _ in range(MAX_FIELDS + 1))
    assert refusal(b"GET /?" + many + b" HTTP/1.1\r\n\r\n").status == 400


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "a/b"])
def test_a_body_is_a_form(kind: str) -> None:
    """Of parameters, as Exotel documents it; anything else is refused."""
    with pytest.raises(Refusal) as caught:
        Asked("POST", "/", {}, "", {"content-type": kind}, b'{"From": "1"}').form()
    assert caught.value.status == 400


@pytest.mark.parametrize("header", ["", "Basic", "Basic !", "Basic /w==", "Bearer abc", "basic"])
def test_credentials_that_are_none_are_none(header: str) -> None:
    """Without a word more: they will be refused for what they are not."""
    asked = read([f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: {header}\r\n\r\n".encode()])
    assert asked is not None
    assert asked.credentials == ""


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_nothing_else_comes_of_garbage(pieces: list[bytes]) -> None:
    """A request, a refusal, or the wish for more."""
    assert status_of(pieces) in (200, 400, 413, 431)


@given(st.data())
def test_nothing_else_comes_of_a_damaged_request(data: st.DataObject) -> None:
    """One byte is wrong, or some are missing."""
    damaged = bytearray(data.draw(st.sampled_from([REQUEST, CHUNKED])))
    at = data.draw(st.integers(0, len(damaged) - 1))
    damaged[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    assert status_of([bytes(damaged)]) in (200, 400, 413, 431)
