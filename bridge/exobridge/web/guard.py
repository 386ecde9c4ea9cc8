"""Who may ask: every request of Exotel's proves itself, and comes from where it may come from.

============================  =======================  =========================================
``EXOBRIDGE_SECRET``          ``ALLOWED_NETWORKS``     served is
============================  =======================  =========================================
not set                       not set                  this machine
set                           not set                  who has the secret
not set                       set                      who comes from these networks
set                           set                      who has the secret and comes from these
============================  =======================  =========================================

The secret stands in the path, in the query (``auth_token``), or is the password of Basic
credentials. Without it a tunnel is not this machine: a request from here that names another host,
or that an undeclared proxy passed on, is refused. Whoever's address cannot be told comes from
nowhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from starlette.requests import HTTPConnection

from exobridge.addresses import Address, Network, is_in, read_address
from exobridge.web.proxies import Proxies
from exobridge.web.rate import AddressRate
from exobridge.web.tokens import basic_password, proves_itself

PROXY_HEADERS = ("forwarded", "via", "x-real-ip")
"""What proxies and tunnels add, besides everything that begins with ``x-forwarded-``."""

_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]+)?")

_log = structlog.stdlib.get_logger("exobridge.web")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not served.

    Attributes:
        status: HTTP's, for a WebSocket's handshake too.
        error: A word for programs; ``detail`` a sentence.
    """

    status: int
    error: str
    detail: str


TOO_MANY = Refusal(429, "too-many-requests", "this address asks too often")
FOREIGN = Refusal(403, "forbidden", "this address is not allowed")
UNPROVEN = Refusal(403, "forbidden", "the secret is missing or wrong")


class Guard:
    """Looks at every request to ``/exotel/…`` before anything else does.

    Args:
        secret: ``EXOBRIDGE_SECRET``.
        allowed: ``ALLOWED_NETWORKS``; empty: any.
        proxies: Whose word about addresses is believed.
        rate: How often an address may ask.
        now: Seconds of a clock that does not jump.

    Attributes:
        refused: How many requests, by the word of the refusal's ``error``; for metrics.
    """

    def __init__(
        self,
        secret: str | None,
        *,
        allowed: tuple[Network, ...] = (),
        proxies: Proxies | None = None,
        rate: AddressRate | None = None,
        now: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._secret = secret
        self._allowed = allowed
        self._proxies = proxies or Proxies()
        self._rate = AddressRate(0) if rate is None else rate
        self._now = now
        self.refused: Counter[str] = Counter()

    def refusal(
        self, connection: HTTPConnection, offered: str = "", *, token_is_good: bool | None = None
    ) -> Refusal | None:
        """Look at a request, once.

        Args:
            offered: What stood in the path, for the secret.
            token_is_good: Whether that is a good token, which does for the secret; ``None``:
                none is looked for. One that is no good is refused even where nothing would be asked
                of a bare URL.

        Returns:
            Why it is refused; ``None``: it may be served.
        """
        address = self._proxies.client(_peer(connection), connection.headers)
        refusal = self._look_at_address(connection, address)
        if refusal is None and not token_is_good:
            refusal = self._look_at_proof(connection, address, offered, token_is_good is None)
        if refusal is not None:
            self.refused[refusal.error] += 1
        return refusal

    def _look_at_address(
        self, connection: HTTPConnection, address: Address | None
    ) -> Refusal | None:
        # A proxy that does not say for whom it asks is counted by its own address.
        asks = address or read_address(_peer(connection))
        now = self._now()
        if not self._rate.takes(asks, now):
            if refused := self._rate.to_tell(asks, now):
                _log.warning("address asks too often", address=str(asks), refused=refused)
            return TOO_MANY
        return FOREIGN if self._allowed and not is_in(address, self._allowed) else None

    def _look_at_proof(
        self, connection: HTTPConnection, address: Address | None, offered: str, is_bare: bool
    ) -> Refusal | None:
        if self._secret is not None:
            return None if _has_secret(connection, self._secret, offered) else UNPROVEN
        return None if is_bare and self._may_without(connection, address) else UNPROVEN

    def _may_without(self, connection: HTTPConnection, address: Address | None) -> bool:
        """Without a secret: from an allowed network, or from this machine and for it. Where an
        undeclared proxy has been at work, the peer's address says nothing."""
        declared = self._proxies.declares(_peer(connection))
        if address is None or (not declared and _passed_on(connection)):
            return False
        if address.is_loopback:  # a tunnel's end is here, too
            return is_loopback(_host(connection))
        return bool(self._allowed)

    def base_url(self, connection: HTTPConnection) -> str:
        """Where the client believes to be: what the request names, or what a declared proxy says
        that it named."""
        scheme, host = self._proxies.origin(_peer(connection), connection.headers)
        url = connection.base_url
        return str(url.replace(scheme=scheme or url.scheme, netloc=host or url.netloc))


def _has_secret(connection: HTTPConnection, secret: str, offered: str) -> bool:
    query = connection.query_params.getlist("auth_token")
    password = basic_password(connection.headers.get("authorization", ""))
    return proves_itself(secret, [offered, password, *query])


def _peer(connection: HTTPConnection) -> str:
    """The other end's address; empty for a Unix socket's."""
    return connection.client.host if connection.client is not None else ""


def _passed_on(connection: HTTPConnection) -> bool:
    return any(
        name in PROXY_HEADERS or name.startswith("x-forwarded-") for name in connection.headers
    )


def _host(connection: HTTPConnection) -> str:
    """The host that the request names, from the header itself: a URL made of the request stands
    for the server's own address where the header cannot be read."""
    named = _HOST.fullmatch(connection.headers.get("host", ""))
    return named["host"].strip("[]").lower() if named else ""


def is_from_here(connection: HTTPConnection) -> bool:
    """Whether a request is this machine's own, to this machine by name, and no proxy's."""
    peer = read_address(_peer(connection))
    here = peer is not None and peer.is_loopback
    return here and is_loopback(_host(connection)) and not _passed_on(connection)


def is_loopback(host: str) -> bool:
    """``localhost``, or an address of this machine."""
    if host == "localhost":
        return True
    address = read_address(f"[{host}]" if ":" in host else host)
    return address is not None and address.is_loopback
