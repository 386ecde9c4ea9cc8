"""Internet addresses and networks, as settings and proxies write them. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_NETWORKS = 256

_WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\[\]]*)\]|(?P<v4>[0-9.]+))(?::[0-9]{1,5})?")


def read_address(text: str) -> Address | None:
    """One address as proxies write it: ``192.0.2.7``, ``192.0.2.7:4711``, ``2001:db8::7``,
    ``[2001:db8::7]:4711``. An IPv4 address in an IPv6 one is the IPv4 address, and a zone
    (``%eth0``) is left out; ``None`` for everything else."""
    text = text.strip()
    if len(text) > 100:
        return None
    written = _WITH_PORT.fullmatch(text)
    if written is not None:
        text = written["v6"] if written["v6"] is not None else written["v4"]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def read_networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks (``203.0.113.0/24``), comma-separated.

    Raises:
        ValueError: One cannot be read, has bits beyond its prefix, or takes in every address; or
            there are too many. The text says which by its position: it may be a secret that was
            pasted into the wrong line.
    """
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    if len(entries) > MAX_NETWORKS:
        raise ValueError(f"there are more than {MAX_NETWORKS} entries")
    return tuple(_read_network(position, entry) for position, entry in enumerate(entries, start=1))


def _read_network(position: int, entry: str) -> Network:
    try:
        network = ipaddress.ip_network(entry)
    except ValueError:
        problem = "has bits beyond its prefix" if _is_interface(entry) else "is none"
        raise ValueError(f"entry {position} {problem}") from None
    if network.prefixlen == 0:
        raise ValueError(f"entry {position} takes in every address there is")
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is not None and network.prefixlen > 96:  # the peer's address comes without it, too
        return IPv4Network((mapped, network.prefixlen - 96))
    return network


def _is_interface(entry: str) -> bool:
    """Whether it is an address with the length of its network's prefix."""
    try:
        ipaddress.ip_interface(entry)
    except ValueError:
        return False
    return True


def is_in(address: Address | None, networks: Sequence[Network]) -> bool:
    """Whether one of the networks holds the address; nobody's is in none."""
    return address is not None and any(address in network for network in networks)
