"""Requests byte by byte: broken and hostile ones, for any of Exotel's webhooks."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlencode

from hypothesis import strategies as st

_NAMES = st.sampled_from(
    [
        "CallSid",
        "CallFrom",
        "CallTo",
        "CallStatus",
        "Direction",
        "CustomField",
        "Created",
        "CurrentTime",
        "DialCallDuration",
        "DialCallStatus",
        "digits",
        "mode",
        "Status",
        "EventType",
        "RecordingUrl",
        "Legs",
        "Legs[0][Number]",
        "Legs[99999999999999999999][OnCallDuration]",
        "Legs[[0]][",
        "Stream",
        "Stream[StreamSID]",
        "Stream[DisconnectedBy]",
        "streamsid",
    ]
)
_TEXTS = st.text(max_size=60) | st.sampled_from(
    [
        "null",
        "\0",
        "outgoing",
        "+918047112233",
        "9" * 400,
        "1e9999",
        "async",
        "https://[::1",
        "https://user:password@[/",
        '{"StreamSID": "s1", "Duration": 1e400}',
        '{"StreamSID": "\\ud800"}',
        '[{"Number": "1"}, [], 7, null]',
    ]
)
_LONG = st.sampled_from(["a" * 3000, "[" * 2500, '{"a":' * 500, "%", '[{"a":' * 400])
"""One of them in a request; Hypothesis does not like to show more."""

_PAIRS = st.lists(st.tuples(_NAMES | st.text(max_size=10), _TEXTS), max_size=6)
_VALUES = st.recursive(
    st.none()
    | st.integers()
    | st.floats()
    | st.just(10**400)
    | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)


def _percent(pairs: list[tuple[str, str]]) -> bytes:
    return urlencode(pairs, errors="surrogatepass").encode()


def _multipart(pairs: list[tuple[str, str]]) -> bytes:
    parts = (
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in pairs
    )
    return ("".join(parts) + "--x--\r\n").encode("utf-8", "surrogatepass")


_BODIES = st.one_of(
    st.tuples(st.just("application/x-www-form-urlencoded"), _PAIRS.map(_percent)),
    st.tuples(st.just("multipart/form-data; boundary=x"), _PAIRS.map(_multipart)),
    st.tuples(
        st.just("application/json"),
        st.dictionaries(_NAMES | st.text(max_size=8), _VALUES, max_size=6).map(
            lambda fields: json.dumps(fields).encode("utf-8", "surrogatepass")
        ),
    ),
    st.tuples(
        st.sampled_from(
            [
                "",
                "application/json",
                "multipart/form-data",
                "multipart/form-data; boundary=x",
                'multipart/form-data; boundary="' + "y" * 300,
                "text/plain; charset=nothing",
            ]
        ),
        st.binary(max_size=300)
        | st.sampled_from([b'{"CallSid":"\\ud800"}', b"[" * 5000, b'{"CallSid":' * 900])
        | st.just(b'--x\r\nContent-Disposition: form-data; name="CallSid"; filename="f"\r\n\r\nc'),
    ),
)
_HOSTS = st.sampled_from(["localhost", "127.0.0.1:1", "[::1]", "[::1", "a..b", "", "é", "x:y:z"])
_HEADERS = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30)


@st.composite
def requests(draw: st.DrawFn, path: str) -> bytes:
    """A request to this path, of any method, query, body and header there may be."""
    method = draw(st.sampled_from(["GET", "POST"]))
    kind, body = draw(_BODIES)
    named = draw(st.sampled_from([[("CallSid", "c1")], []]))
    query = [*draw(_PAIRS), (draw(_NAMES), draw(_LONG)), *named]
    head = [
        f"{method} {path}?".encode() + _percent(query) + b" HTTP/1.1",
        b"Host: " + draw(_HOSTS).encode("latin-1"),
        b"Authorization: " + draw(_HEADERS).encode("latin-1"),
        b"Content-Type: " + kind.encode(),
        b"Content-Length: %d" % len(body),
        b"Connection: close",
    ]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def ask_raw(port: int, request: bytes) -> int:
    """The status that a request's bytes are answered with."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(request)
        answer = b""
        while b"\r\n" not in answer:
            part = line.recv(4096)
            assert part, "closed without an answer"
            answer += part
    return int(answer.split()[1])
