"""Where a request comes from: the peer's address, or what a declared proxy says of it.

Anybody can write ``X-Forwarded-For``. So the header counts only where the peer is a proxy that
``TRUSTED_PROXIES`` declares, and of the addresses in it only the right-most that is no declared
proxy's: each proxy adds its own peer at the right, and what stands further left was written by
whoever asked. What cannot be read is nobody's address.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers

from exobridge.addresses import Address, Network, is_in, read_address

MAX_HOPS = 32
"""Addresses of one header that are looked at, from the right."""

_PAIR = r'[A-Za-z-]+=(?:[^\s",;=]+|"[^"\\;]*")'
_ELEMENT = re.compile(rf"{_PAIR}(?: ?; ?{_PAIR})*")
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies that are believed.

    Attributes:
        trusted: ``TRUSTED_PROXIES``.
    """

    trusted: tuple[Network, ...] = ()

    def declares(self, peer: str | None) -> bool:
        """Whether the peer is a declared proxy."""
        return bool(self.trusted) and is_in(read_address(peer or ""), self.trusted)

    def client(self, peer: str | None, headers: Headers) -> Address | None:
        """Who asks; ``None``: nobody can tell, and it is to be refused.

        A declared proxy must say for whom it asks. Headers of different kinds must agree, since a
        proxy passes on what it does not write itself; one that names declared proxies only says
        nothing against another.
        """
        address = read_address(peer or "")
        if not is_in(address, self.trusted):
            return address
        chains = [
            self._walk(headers.getlist("x-forwarded-for")),
            self._walk(headers.getlist("x-real-ip")),
            self._walk(_forwarded(headers, "for")),
        ]
        told = [chain for chain in chains if chain]
        if None in [chain[0] for chain in told]:
            return None
        found = {chain[0] for chain in told}
        outside = {each for each in found if not is_in(each, self.trusted)}
        decided = outside or found
        return decided.pop() if len(decided) == 1 else None

    def _walk(self, lines: Sequence[str]) -> tuple[Address | None] | tuple[()]:
        """The right-most address that is no proxy's, or the left-most of all; empty without any."""
        if not lines:
            return ()
        hops = ",".join(lines).rsplit(",", MAX_HOPS)
        address: Address | None = None
        for hop in hops[:0:-1] if len(hops) > MAX_HOPS else hops[::-1]:
            address = read_address(hop)
            if not is_in(address, self.trusted):  # that which cannot be read, too
                return (address,)
        return (None,) if len(hops) > MAX_HOPS else (address,)

    def origin(self, peer: str | None, headers: Headers) -> tuple[str, str]:
        """Scheme and host that the client named, by the words of a declared proxy; empty where
        there are none, or they are neither."""
        if not self.declares(peer):
            return "", ""
        scheme = _last(headers.getlist("x-forwarded-proto")) or _last(_forwarded(headers, "proto"))
        host = _last(headers.getlist("x-forwarded-host")) or _last(_forwarded(headers, "host"))
        scheme = scheme.lower()
        return (
            scheme if scheme in ("http", "https") else "",
            host if len(host) <= 255 and _HOST.fullmatch(host) else "",
        )


def _last(lines: Sequence[str]) -> str:
    """What the nearest proxy wrote, where several have."""
    return lines[-1].rpartition(",")[2].strip() if lines else ""


def _forwarded(headers: Headers, name: str) -> list[str]:
    """A parameter of each element of ``Forwarded`` (RFC 7239). One that cannot be read, or names no
    such parameter, stands as an empty text, which is nobody's address."""
    lines = headers.getlist("forwarded")
    if not lines:
        return []
    # A comma within quotes cuts an element in two that cannot be read, which is what it should be.
    elements = ",".join(lines).rsplit(",", MAX_HOPS)
    return [_parameter(element.strip(), name) for element in elements]


def _parameter(element: str, name: str) -> str:
    if not _ELEMENT.fullmatch(element):
        return ""
    pairs = (pair.partition("=") for pair in element.split(";"))
    found = [value.strip(' "') for key, _, value in pairs if key.strip().lower() == name]
    return found[0] if len(found) == 1 else ""
