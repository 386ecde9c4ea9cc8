"""Who may ask: every request of Exotel's proves itself by the secret.

The secret stands in the path, in the query (``auth_token``), or is the password of Basic
credentials. Without a secret only this machine is served, and a tunnel is not this machine: a
request that names another host, or that a proxy passed on, is refused.
"""

from __future__ import annotations

import ipaddress
import re

from starlette.requests import HTTPConnection

from exobridge.web.tokens import basic_password, proves_itself

PROXY_HEADERS = ("forwarded", "via", "x-real-ip")
"""What proxies and tunnels add, besides everything that begins with ``x-forwarded-``."""

_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]+)?")


def is_allowed(connection: HTTPConnection, secret: str | None, offered: str = "") -> bool:
    """Whether a request may be served.

    Args:
        secret: ``EXOBRIDGE_SECRET``; ``None``: this machine only.
        offered: What stood in the path.
    """
    if secret is None:
        return _is_local(connection)
    query = connection.query_params.getlist("auth_token")
    password = basic_password(connection.headers.get("authorization", ""))
    return proves_itself(secret, [offered, password, *query])


def _is_local(connection: HTTPConnection) -> bool:
    if any(_is_proxys(name) for name in connection.headers):
        return False
    client = connection.client
    return client is not None and _is_loopback(client.host) and _is_loopback(_host(connection))


def _is_proxys(header: str) -> bool:
    return header in PROXY_HEADERS or header.startswith("x-forwarded-")


def _host(connection: HTTPConnection) -> str:
    """The host that the request names, from the header itself: a URL made of the request stands
    for the server's own address where the header cannot be read."""
    named = _HOST.fullmatch(connection.headers.get("host", ""))
    return named["host"].strip("[]").lower() if named else ""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
