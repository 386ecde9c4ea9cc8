"""Which addresses a recording may be fetched from, and who is told the credentials. Pure.

A recording's URL comes from outside, so it is not believed: https only, hosts that are listed only,
no address of a private network, whatever the name says. An operator who lists an address itself, as
``127.0.0.1:9000``, means it: it may be private then, and plain http if it is this machine. So does
one who lists a private network, ``10.0.0.0/8``: names may lead there.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from exobridge.addresses import Address, Network, is_in, read_networks
from exobridge.recordings.errors import RefusedError

MAX_URL_CHARS = 4096
EXOTEL = "exotel.com"
"""Below this domain, and nowhere else, credentials are sent."""

DEFAULT_HOSTS = "*.exotel.com,s3-ap-southeast-1.amazonaws.com,s3.ap-south-1.amazonaws.com"
"""Where Exotel keeps recordings: its own hosts, and storage in Singapore and Mumbai."""

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_IPV4_COMPATIBLE = ipaddress.ip_network("::/96")


@dataclass(frozen=True, slots=True)
class HostRule:
    """One entry of ``RECORDING_HOSTS``.

    Attributes:
        host: A name or an address, in lower case.
        below: Every name below it is meant, not itself.
        port: The only port; ``None``: the scheme's own.
    """

    host: str
    below: bool = False
    port: int | None = None

    @classmethod
    def parse(cls, entry: str) -> HostRule:
        """Read ``recordings.exotel.com``, ``*.exotel.com``, ``127.0.0.1:9000`` or ``[::1]:9000``.

        Raises:
            ValueError: It is none of these; the message says why without repeating it.
        """
        text = entry.strip().lower()
        below = text.startswith("*.")
        try:
            parts = urlsplit(f"//{text.removeprefix('*.')}")
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise ValueError("it is no host") from None
        if parts.path or parts.query or "@" in text or "?" in text or "#" in text:
            raise ValueError("it holds more than a host and a port")
        address = read_ip(host)
        if address is None and not _NAME.fullmatch(host):
            raise ValueError("it is no host")
        if below and (address is not None or "." not in host):
            raise ValueError("it has *. before what is no domain of two names or more")
        return cls(str(address or host), below, port)

    def __str__(self) -> str:
        return f"{'*.' if self.below else ''}{_shown(self.host, self.port)}"

    def matches(self, host: str, port: int | None) -> bool:
        """Whether this host and port are meant; ``port`` ``None`` is the scheme's own."""
        named = host.endswith(f".{self.host}") if self.below else host == self.host
        return named and port == self.port


@dataclass(frozen=True, slots=True)
class Target:
    """Where a checked URL leads.

    Attributes:
        url: As it is to be asked for.
        host: In lower case, without brackets.
        port: The scheme's own if the URL names none.
        is_listed_address: The host is an address that is listed itself, so it may be private.
        takes_credentials: It is Exotel's, by https.
    """

    url: str
    host: str
    port: int
    is_listed_address: bool
    takes_credentials: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules.

    Attributes:
        hosts: What may be asked; nothing else may.
        networks: Private ones that the names of these hosts may lead into, as where storage is
            reached through a private endpoint of the cloud.
    """

    hosts: tuple[HostRule, ...]
    networks: tuple[Network, ...] = ()

    def __str__(self) -> str:
        return ",".join(map(str, (*self.hosts, *self.networks)))

    def check(self, url: str) -> Target:
        """The URL's target, if the rules allow it.

        Raises:
            RefusedError: They do not, or it is no URL.
        """
        if len(url) > MAX_URL_CHARS or not re.fullmatch(r"[!-~]+", url) or "\\" in url:
            raise RefusedError("the recording's URL cannot be read")
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            raise RefusedError("the recording's URL cannot be read") from None
        if parts.scheme not in ("http", "https"):
            raise RefusedError("the recording's URL is not https")
        if "@" in parts.netloc:
            raise RefusedError("the recording's URL holds a user's name or password")
        standard = 443 if parts.scheme == "https" else 80
        address = read_ip(host)
        name = str(address) if address is not None else host
        if address is None and not _NAME.fullmatch(name):
            raise RefusedError("the recording's URL names no host")
        given = None if port == standard else port
        if not any(rule.matches(name, given) for rule in self.hosts):
            raise RefusedError(f"RECORDING_HOSTS does not list {_shown(name, given)}")
        if parts.scheme == "http" and not is_this_machine(name):
            raise RefusedError(f"{name} was to be asked by plain http")
        exotel = name.endswith(f".{EXOTEL}") and parts.scheme == "https"
        return Target(url, name, port or standard, address is not None, exotel)


def read_rules(text: str) -> Rules:
    """Read a comma-separated list, the value of ``RECORDING_HOSTS``.

    Raises:
        ValueError: An entry is wrong; it is named by its position.
    """
    hosts: list[HostRule] = []
    networks: list[Network] = []
    for position, entry in enumerate(map(str.strip, text.split(",")), start=1):
        try:
            if "/" in entry:
                networks += read_networks(entry)
            elif entry:
                hosts.append(HostRule.parse(entry))
        except ValueError as error:
            problem = "it is no network" if "/" in entry else error
            raise ValueError(f"entry {position}: {problem}") from None
    return Rules(tuple(hosts), tuple(networks))


def checked_addresses(rules: Rules, target: Target, found: Iterable[str]) -> list[Address]:
    """The addresses that a host's name was resolved to, all of which must be allowed: who can put a
    private one among them can have it asked.

    Raises:
        RefusedError: One is not allowed, or there is none.
    """
    addresses = [address for text in found if (address := read_ip(text)) is not None]
    if not addresses:
        raise RefusedError(f"{target.host} has no address")
    if not target.is_listed_address and target.host != "localhost":
        for address in addresses:
            if not is_public(address) and not is_in(address, rules.networks):
                raise RefusedError(f"{target.host} leads into a private network")
    return addresses


def read_ip(text: str) -> Address | None:
    """An address in its plain form, without a zone; ``None`` for everything else."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id:
            return None
        return address.ipv4_mapped or address
    return address


def is_this_machine(host: str) -> bool:
    """``localhost`` or a loopback address."""
    address = read_ip(host)
    return host == "localhost" if address is None else address.is_loopback


def is_public(address: Address) -> bool:
    """Whether an address is of the internet: not private, shared (CGNAT), loopback, link-local
    (where clouds keep their metadata), multicast or reserved, nor one of these within an IPv6 one
    that stands for an IPv4 one."""
    if address.is_multicast or not address.is_global:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        return all(is_public(inner) for inner in _ipv4_within(address))
    return True


def _ipv4_within(address: ipaddress.IPv6Address) -> Sequence[Address]:
    inner: list[Address] = []
    if address.sixtofour is not None:
        inner.append(address.sixtofour)
    if address.teredo is not None:
        inner += address.teredo
    if address in _NAT64 or address in _IPV4_COMPATIBLE:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return inner


def _shown(host: str, port: int | None) -> str:
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"
