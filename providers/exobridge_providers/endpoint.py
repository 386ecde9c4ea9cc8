"""A vendor's endpoint as a template names it: its URL, and the environment variables with keys."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping

from exobridge_providers.errors import ProviderConfigError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def checked_url(url: str, *, allow_http: bool, scheme: str = "http") -> str:
    """The URL, if requests may go there.

    Args:
        allow_http: Unencrypted requests may go to other machines.
        scheme: ``http``, or ``ws`` for WebSockets; with an ``s`` behind it is the encrypted one.

    Raises:
        ValueError: It is no plain URL of the scheme, or neither encrypted nor of this machine.
    """
    import httpx  # only where a URL is named: a bot that asks nobody does without

    try:
        found = httpx.URL(url)
    except httpx.InvalidURL:
        found = httpx.URL()
    if found.scheme not in (scheme, f"{scheme}s") or not found.host or found.fragment:
        raise ValueError(f"is no URL that begins with {scheme}s:// and names a host")
    if found.userinfo:
        raise ValueError("holds credentials; put them into a header")
    if found.scheme == scheme and not allow_http and not is_loopback(found.host):
        raise ValueError(
            f"is not {scheme}s: what is sent could be read on its way; "
            "set allow_http = true if the network is your own"
        )
    return url


def is_loopback(host: str) -> bool:
    """Whether it is this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def variable(name: str, option: str, provider: str) -> str:
    """The value of an environment variable that an option names.

    Raises:
        ProviderConfigError: It is not set, or cannot stand in a header.
    """
    value = os.environ.get(name, "").strip()
    if not value:
        raise ProviderConfigError(
            f"the environment variable {name}, named by {option}, is not set", provider=provider
        )
    if not (value.isascii() and value.isprintable()):
        raise ProviderConfigError(
            f"the environment variable {name}, named by {option}, holds characters that no header "
            "can: copy it again",
            provider=provider,
        )
    return value


def with_variables(headers: Mapping[str, str], option: str, provider: str) -> dict[str, str]:
    """Headers, with ``${NAME}`` replaced by environment variables.

    Raises:
        ProviderConfigError: One is not set.
    """
    return {
        name: _VARIABLE.sub(lambda found: variable(found[1], option, provider), value)
        for name, value in headers.items()
    }
