"""Who may ask the API: who has its key."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from exobridge.addresses import read_address
from exobridge.web.guard import TOO_MANY
from exobridge.web.proxies import Proxies
from exobridge.web.rate import AddressRate
from exobridge.web.tokens import bearer, proves_itself

UNSTORED = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
"""For every answer: what is told of calls belongs in no cache."""


class KeyGuard:
    """Looks at every request to ``/api/…`` before anything else does. ``ALLOWED_NETWORKS`` is about
    Exotel's requests, not about these.

    Args:
        key: ``EXOBRIDGE_API_KEY``; ``None``: nobody is served.
        rate: How often an address may ask.
        now: Seconds of a clock that does not jump.
    """

    def __init__(
        self, key: str | None, proxies: Proxies, rate: AddressRate, now: Callable[[], float]
    ) -> None:
        self._key = key
        self._proxies = proxies
        self._rate = rate
        self._now = now

    def refusal(self, request: Request) -> Response | None:
        """Why a request is not served; ``None``: it is."""
        peer = request.client.host if request.client is not None else ""
        address = self._proxies.client(peer, request.headers) or read_address(peer)
        if not self._rate.takes(address, self._now()):
            return problem(TOO_MANY.status, TOO_MANY.error, TOO_MANY.detail)
        if self._key is None:
            detail = "the API is closed: set EXOBRIDGE_API_KEY and send it as a Bearer token"
            return problem(403, "forbidden", detail)
        if proves_itself(self._key, [bearer(request.headers.get("authorization", ""))]):
            return None
        answer = problem(401, "unauthorized", "the key is missing or wrong")
        answer.headers["www-authenticate"] = 'Bearer realm="exobridge"'
        return answer


def problem(status: int, error: str, detail: str) -> Response:
    """What is wrong, for a program and for a human."""
    return JSONResponse({"error": error, "detail": detail}, status, UNSTORED)
