"""Who may ask, by the request's scope alone."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import pytest
from starlette.requests import Request

from exobridge.web.guard import is_allowed

SECRET = "a-long-secret-key"


def request(
    client: str | None = "127.0.0.1",
    query: bytes = b"",
    headers: Mapping[str, str | bytes] | None = None,
) -> Request:
    """A request from ``client``, to ``localhost`` unless a header says otherwise."""
    named = {"host": "localhost:8080", **(headers or {})}
    return Request(
        {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "server": ("127.0.0.1", 8080),
            "client": (client, 50000) if client is not None else None,
            "path": "/exotel/answer",
            "query_string": query,
            "headers": [
                (name.encode(), value if isinstance(value, bytes) else value.encode())
                for name, value in named.items()
            ],
        }
    )


def basic(credentials: str) -> str:
    return "Basic " + base64.b64encode(credentials.encode()).decode()


# ------------------------------------------------------------------ with a secret


@pytest.mark.parametrize("client", ["127.0.0.1", "203.0.113.9"])
def test_the_secret_lets_anyone_in(client: str) -> None:
    """In the path, in the query or as the password of Basic credentials, through any proxy."""
    far = {"host": "bot.example.com", "x-forwarded-for": "203.0.113.9"}
    password = {**far, "authorization": basic(f"exotel:{SECRET}")}
    assert is_allowed(request(client, headers=far), SECRET, SECRET)
    assert is_allowed(request(client, b"CallSid=1&auth_token=" + SECRET.encode(), far), SECRET)
    assert is_allowed(request(client, b"auth_token=x&auth_token=" + SECRET.encode()), SECRET)
    assert is_allowed(request(client, headers=password), SECRET)


@pytest.mark.parametrize(
    "asked",
    [
        request(),
        request(query=b"auth_token="),
        request(query=b"auth_token=wrong"),
        request(query=b"token=" + SECRET.encode()),
        request(query=b"auth_token=%FF%FE"),
        request(query=b"auth_token=\xff\xfe"),
        request(query="auth_token=ключ".encode()),
        request(query=b"auth_token=%ED%A0%80"),
        request(headers={"authorization": basic(f"{SECRET}:wrong")}),
        request(headers={"authorization": "Basic \xff\xfe".encode("latin-1")}),
        request(headers={"authorization": f"Bearer {SECRET}"}),
    ],
    ids=lambda asked: repr(asked.scope["query_string"]),
)
def test_without_the_secret_nobody_gets_in(asked: Request) -> None:
    """Not this machine either, and no text, however strange, is more than refused."""
    assert not is_allowed(asked, SECRET)
    assert not is_allowed(asked, SECRET, "wrong")
    assert not is_allowed(asked, SECRET, "\ud800ключ")


# ------------------------------------------------------------------ without a secret


@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:8080", "[::1]", "[::1]:8080"],
)
def test_this_machine_is_served(client: str, host: str) -> None:
    """By any of its own names."""
    assert is_allowed(request(client, headers={"host": host}), None)


@pytest.mark.parametrize(
    "client",
    ["203.0.113.9", "192.168.1.5", "2001:db8::1", "::ffff:203.0.113.9", "testclient", None],
)
def test_another_machine_is_not(client: str | None) -> None:
    """Nor one that cannot be told."""
    assert not is_allowed(request(client), None)


@pytest.mark.parametrize(
    "host",
    [
        "bot.example.com",
        "abc.ngrok.app:443",
        "localhost.example.com",
        "localhost@bot.example.com",
        "bot.example.com@localhost",
        "203.0.113.9",
        "127.0.0.1.example.com",
        "bot.example.com:port",
        "localhost/x",
        "[::1",
        "[",
        "a b",
        "",
        b"\xff\xfe",
    ],
)
def test_another_host_is_not(host: str | bytes) -> None:
    """A tunnel names the world's host; one that cannot be read is not ours either."""
    assert not is_allowed(request(headers={"host": host}), None)


def test_a_request_without_a_host_is_not() -> None:
    """Nothing says that it was meant for this machine."""
    asked = request()
    asked.scope["headers"] = []
    assert not is_allowed(Request(asked.scope), None)


@pytest.mark.parametrize(
    "header",
    [
        "forwarded",
        "via",
        "x-real-ip",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-port",
        "x-forwarded-server",
    ],
)
def test_what_a_proxy_passed_on_is_not(header: str) -> None:
    """Even where it claims to come from this machine."""
    assert not is_allowed(request(headers={header: "127.0.0.1"}), None)


def test_without_a_secret_none_is_accepted() -> None:
    """Whatever is offered, another machine stays outside."""
    far = request("203.0.113.9", b"auth_token=", {"authorization": basic("a:")})
    assert not is_allowed(far, None, "anything")
