"""``/exotel/passthru``: a flow tells what happened, and asks which way to go on."""

from __future__ import annotations

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from exobridge.exotel.passthru import PassthruParams, read_passthru
from exobridge.passthrus import Passthrus
from exobridge.web.webhook import Pairs, Told

ENDPOINT = "/exotel/passthru"

BRANCHES = {"a": 200, "b": 302, "error": 503}
"""The status that takes each branch; a 302 is a signal and needs no ``Location``."""


class PassthruEndpoint:
    """Answers Passthru applets anywhere in a flow.

    Exotel does not say whether an applet waits for the answer. One that does not is configured with
    ``mode=async`` in its URL.
    """

    def __init__(self, passthrus: Passthrus) -> None:
        self._passthrus = passthrus

    async def answer(self, request: Request, pairs: Pairs) -> Told:
        """The branch, in Exotel's terms."""
        params = read_passthru(pairs)
        if request.query_params.get("mode", "").lower() == "async":
            return self._heard(params)
        route = await self._passthrus.ask(params)
        response = PlainTextResponse(route.body, BRANCHES[route.branch])
        return Told(params.call_sid, f"branch-{route.branch} {route.rule}".strip(), response)

    def _heard(self, params: PassthruParams) -> Told:
        self._passthrus.hear(params)
        afterwards = BackgroundTask(self._passthrus.note_recordings, params)
        return Told(params.call_sid, "heard", PlainTextResponse("", background=afterwards))
