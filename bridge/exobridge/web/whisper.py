"""``/exotel/whisper/{token}.wav``: what the human hears before the caller is put through."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from itsdangerous import BadData, URLSafeSerializer
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from exobridge.transfer.whispers import Whispers
from exobridge.web.guard import UNPROVEN, Guard
from exobridge.web.webhook import problem

ENDPOINT = "/exotel/whisper"

GOOD_FOR = timedelta(minutes=20)
"""From the caller's being handed over; the last of ten attempts rings by then."""

_log = structlog.stdlib.get_logger("exobridge.web")


class WhisperTokens:
    """Names of whispers: signed, expiring, one for each transfer. Exotel caches the audio by its
    file's name.

    Args:
        key: Without one a random key serves this process.
    """

    def __init__(self, key: str | None, clock: Callable[[], datetime]) -> None:
        self._signer = URLSafeSerializer(key or secrets.token_urlsafe(32), salt="exobridge.whisper")
        self._clock = clock

    def mint(self, call_sid: str, transfer: str, since: datetime) -> str:
        """The token of a transfer, the same however often it is asked for.

        Args:
            since: When the caller was handed over.
        """
        good_until = int((since + GOOD_FOR).timestamp())
        return str(self._signer.dumps([call_sid, transfer, good_until]))

    def read(self, token: str) -> tuple[str, str] | None:
        """Call and transfer of a good token; ``None``: it is forged, garbled or has expired."""
        try:
            call_sid, transfer, good_until = self._signer.loads(token)
        except (BadData, UnicodeError, ValueError, TypeError):
            return None
        return (call_sid, transfer) if self._clock().timestamp() < good_until else None


class WhisperEndpoint:
    """Serves whispers. The token is the proof; there is no secret in the URL."""

    def __init__(self, whispers: Whispers, tokens: WhisperTokens, guard: Guard) -> None:
        self._whispers = whispers
        self._tokens = tokens
        self._guard = guard

    def routes(self) -> list[Route]:
        """GET, and HEAD with it."""
        return [Route(ENDPOINT + "/{token}.wav", self.respond, methods=["GET"])]

    async def respond(self, request: Request) -> Response:
        """One request."""
        begun = time.perf_counter()
        found = self._tokens.read(request.path_params["token"])
        refusal = self._guard.refusal(request, token_is_good=found is not None)
        if refusal is not None and refusal is not UNPROVEN:
            return problem(refusal.status, refusal.error, refusal.detail)
        if found is None:
            return problem(404, "not-found", "there is no such whisper, or no more")
        audio = await self._whispers.wav(*found)
        ms = round((time.perf_counter() - begun) * 1000, 1)
        _log.info("whisper served", call_sid=found[0], bytes=len(audio), ms=ms)
        return Response(audio, media_type="audio/wav", headers={"cache-control": "private"})
