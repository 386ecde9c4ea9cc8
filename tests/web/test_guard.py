"""Who may ask, by the request's scope alone."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import pytest
from starlette.requests import Request

from exobridge.addresses import read_networks
from exobridge.web.guard import FOREIGN, TOO_MANY, UNPROVEN, Guard
from exobridge.web.proxies import Proxies
from exobridge.web.rate import AddressRate

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


def is_allowed(asked: Request, secret: str | None, offered: str = "") -> bool:
    """By a guard that knows the secret and nothing else."""
    return Guard(secret).refusal(asked, offered) is None


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


# ------------------------------------------------------------------ from allowed networks

OFFICE = read_networks("203.0.113.0/24,2001:db8::/32")
HOUSE = Proxies(read_networks("127.0.0.1,10.0.0.0/8"))


def through(client: str) -> Request:
    """A request that a proxy on this machine passed on, from the world."""
    return request(headers={"host": "bot.example.com", "x-forwarded-for": client})


def test_the_secret_and_the_networks_are_both_needed() -> None:
    """Where both are set, neither does alone."""
    guard = Guard(SECRET, allowed=OFFICE, proxies=HOUSE)
    assert guard.refusal(request("203.0.113.9"), SECRET) is None
    assert guard.refusal(request("2001:db8::9"), SECRET) is None
    assert guard.refusal(through("203.0.113.9"), SECRET) is None
    assert guard.refusal(request("203.0.113.9")) is UNPROVEN
    assert guard.refusal(request("198.51.100.9"), SECRET) is FOREIGN
    assert guard.refusal(through("198.51.100.9"), SECRET) is FOREIGN
    assert guard.refusal(request("127.0.0.1"), SECRET) is FOREIGN
    assert guard.refusal(request(None), SECRET) is FOREIGN
    assert guard.refused == {"forbidden": 5}


def test_a_token_comes_from_an_allowed_network_too() -> None:
    """It does for the secret, and for nothing else."""
    guard = Guard(SECRET, allowed=OFFICE, proxies=HOUSE)
    assert guard.refusal(request("203.0.113.9"), "token", token_is_good=True) is None
    assert guard.refusal(request("198.51.100.9"), "token", token_is_good=True) is FOREIGN
    assert guard.refusal(request("203.0.113.9"), "token", token_is_good=False) is UNPROVEN
    assert guard.refusal(request("203.0.113.9"), SECRET, token_is_good=False) is None


def test_the_networks_do_without_a_secret() -> None:
    """For who comes from there directly, or by a declared proxy; not for a tunnel that nobody
    declared, and a bad token stays bad."""
    guard = Guard(None, allowed=OFFICE, proxies=HOUSE)
    assert guard.refusal(request("203.0.113.9", headers={"host": "bot.example.com"})) is None
    assert guard.refusal(through("203.0.113.9")) is None
    assert guard.refusal(through("198.51.100.9")) is FOREIGN
    assert guard.refusal(through("127.0.0.1")) is FOREIGN
    assert guard.refusal(request("127.0.0.1")) is FOREIGN
    passed_on = request("203.0.113.9", headers={"x-forwarded-for": "203.0.113.9"})
    assert guard.refusal(passed_on) is UNPROVEN
    assert guard.refusal(through("203.0.113.9"), "x", token_is_good=False) is UNPROVEN


def test_this_machine_among_the_networks_is_still_no_tunnel() -> None:
    """Its address does only for requests that were made for it."""
    guard = Guard(None, allowed=read_networks("127.0.0.0/8,::1"))
    assert guard.refusal(request()) is None
    assert guard.refusal(request(headers={"host": "bot.example.com"})) is UNPROVEN
    assert guard.refusal(request(headers={"x-forwarded-for": "127.0.0.1"})) is UNPROVEN


def test_a_declared_proxy_alone_opens_nothing() -> None:
    """Without a secret and without networks only this machine is served, through it too."""
    guard = Guard(None, proxies=HOUSE)
    assert guard.refusal(request()) is UNPROVEN  # it does not say for whom it asks
    assert guard.refusal(through("203.0.113.9")) is UNPROVEN
    local = request(headers={"x-forwarded-for": "127.0.0.1"})
    assert guard.refusal(local) is None
    assert guard.refusal(request("::1")) is None


# ------------------------------------------------------------------ too often


def test_an_address_that_asks_too_often_waits() -> None:
    """Right or wrong; others do not wait with it, and the proxy's clients are told apart."""
    now = 0.0
    guard = Guard(SECRET, proxies=HOUSE, rate=AddressRate(2), now=lambda: now)
    for _ in range(4):
        assert guard.refusal(through("203.0.113.9"), SECRET) is None
    assert guard.refusal(through("203.0.113.9"), SECRET) is TOO_MANY
    assert guard.refusal(through("203.0.113.9")) is TOO_MANY
    assert guard.refusal(through("203.0.113.10"), SECRET) is None
    now = 0.5
    assert guard.refusal(through("203.0.113.9"), SECRET) is None
    assert guard.refusal(through("203.0.113.9"), SECRET) is TOO_MANY
    assert guard.refused == {"too-many-requests": 3}


# ------------------------------------------------------------------ the server's own URL


@pytest.mark.parametrize(
    ("client", "headers", "url"),
    [
        ("127.0.0.1", {}, "http://localhost:8080/"),
        ("127.0.0.1", {"x-forwarded-proto": "https"}, "https://localhost:8080/"),
        (
            "127.0.0.1",
            {"x-forwarded-proto": "HTTPS", "x-forwarded-host": "bot.example.com"},
            "https://bot.example.com/",
        ),
        ("127.0.0.1", {"forwarded": "for=1.2.3.4;proto=https;host=b.in"}, "https://b.in/"),
        ("127.0.0.1", {"x-forwarded-proto": "http, https"}, "https://localhost:8080/"),
        ("127.0.0.1", {"x-forwarded-proto": "ftp"}, "http://localhost:8080/"),
        ("127.0.0.1", {"x-forwarded-host": "a/b"}, "http://localhost:8080/"),
        ("127.0.0.1", {"x-forwarded-host": "u:p@b.in"}, "http://localhost:8080/"),
        ("192.0.2.1", {"x-forwarded-host": "evil.example"}, "http://localhost:8080/"),
        ("192.0.2.1", {"x-forwarded-proto": "https"}, "http://localhost:8080/"),
    ],
)
def test_the_url_is_what_the_client_named(client: str, headers: dict[str, str], url: str) -> None:
    """By the word of a declared proxy; anybody else's is passed over."""
    assert Guard(None, proxies=HOUSE).base_url(request(client, headers=headers)) == url
