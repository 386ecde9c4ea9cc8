"""Who may ask the API: who has a key of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.requests import Request

from exobridge.addresses import read_address
from exobridge.api_keys import ApiKey
from exobridge.web.control.problems import CLOSED, TOO_MANY, UNAUTHORIZED, ProblemError
from exobridge.web.proxies import Proxies
from exobridge.web.rate import AddressRate
from exobridge.web.tokens import bearer, proves_itself


class KeyGuard:
    """Looks at every request to ``/api/…`` before anything else does. ``ALLOWED_NETWORKS`` is about
    Exotel's requests, not about these.

    Args:
        keys: ``EXOBRIDGE_API_KEY`` and ``EXOBRIDGE_API_KEYS``; empty: nobody is served.
        rate: How often an address may ask.
        now: Seconds of a clock that does not jump.
    """

    def __init__(
        self,
        keys: Sequence[ApiKey],
        proxies: Proxies,
        rate: AddressRate,
        now: Callable[[], float],
    ) -> None:
        self._keys = tuple(keys)
        self._proxies = proxies
        self._rate = rate
        self._now = now

    def let_by(self, request: Request) -> None:
        """Count a request.

        Raises:
            ProblemError: Its address asks too often (429).
        """
        peer = request.client.host if request.client is not None else ""
        address = self._proxies.client(peer, request.headers) or read_address(peer)
        if not self._rate.takes(address, self._now()):
            raise ProblemError(TOO_MANY)

    def key(self, request: Request) -> ApiKey:
        """Whose request it is.

        Raises:
            ProblemError: Nobody's (401), or the API is closed (403).
        """
        if not self._keys:
            raise ProblemError(CLOSED, "Set EXOBRIDGE_API_KEY and send it as a Bearer token.")
        offered = bearer(request.headers.get("authorization", ""))
        found: ApiKey | None = None
        for key in self._keys:  # all of them, so that the time tells nothing
            if proves_itself(key.secret.get_secret_value(), [offered]):
                found = key
        if found is None:
            headers = {"www-authenticate": 'Bearer realm="exobridge"'}
            raise ProblemError(UNAUTHORIZED, "Send a key as a Bearer token.", headers=headers)
        return found
