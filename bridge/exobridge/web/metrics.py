"""``/metrics``: what Prometheus reads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from exobridge.observe.exposition import CONTENT_TYPE, Snapshot, merge
from exobridge.web.guard import is_from_here
from exobridge.web.tokens import bearer, proves_itself


class MetricsEndpoint:
    """Serves who has the token; without a token, this machine only.

    Args:
        snapshots: Gives those of all workers; ``None``: they cannot be had in time.
        token: ``METRICS_TOKEN``.
    """

    def __init__(
        self, snapshots: Callable[[], Awaitable[list[Snapshot] | None]], token: str | None
    ) -> None:
        self._snapshots = snapshots
        self._token = token

    async def respond(self, request: Request) -> Response:
        """One request."""
        if not self._may_read(request):
            return _problem(403, "forbidden", "the token is missing or wrong")
        snapshots = await self._snapshots()
        if snapshots is None:
            return _problem(503, "unavailable", "the workers' metrics cannot be had in time")
        return Response(merge(snapshots), headers={"content-type": CONTENT_TYPE})

    def _may_read(self, request: Request) -> bool:
        if self._token is None:
            return is_from_here(request)
        return proves_itself(self._token, [bearer(request.headers.get("authorization", ""))])


def _problem(status: int, error: str, detail: str) -> Response:
    return JSONResponse({"error": error, "detail": detail}, status)
