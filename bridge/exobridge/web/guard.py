"""Who may ask: every request of Exotel's proves itself by the secret.

The secret stands in the path, in the query (``auth_token``), or is the password of Basic
credentials. Without a secret only this machine is served, and a tunnel is not this machine: a
request that names another host, or that a proxy passed on, is refused.
"""

from __future__ import annotations

import ipaddress

from starlette.requests import HTTPConnection

from exobridge.web.tokens import basic_password, proves_itself

PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "via")


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
    if any(name in connection.headers for name in PROXY_HEADERS):
        return False
    client = connection.client
    host = connection.url.hostname or ""
    return client is not None and _is_loopback(client.host) and _is_loopback(host)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
