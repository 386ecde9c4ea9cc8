"""``/exotel/answer``: Exotel asks what to do with a call."""

from __future__ import annotations

import time
from urllib.parse import urlsplit, urlunsplit

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from exobridge.call.events import Decision
from exobridge.desk import Desk, Verdict
from exobridge.exotel.passthru import MissingCallSidError, read_passthru
from exobridge.web.body import BadBodyError, parameters
from exobridge.web.guard import is_allowed
from exobridge.web.tokens import Tokens

DEFAULT_RATE = 8000
"""Exotel's own, in hertz, where the stream's URL asks for none."""

_log = structlog.stdlib.get_logger("exobridge.web")


class AnswerEndpoint:
    """Answers Passthru and Voicebot applets.

    Args:
        public_url: Where Exotel reaches this server; ``None``: as the request did.
    """

    def __init__(
        self, desk: Desk, tokens: Tokens, *, secret: str | None, public_url: str | None
    ) -> None:
        self._desk = desk
        self._tokens = tokens
        self._secret = secret
        self._public_url = public_url

    async def respond(self, request: Request) -> Response:
        """One request, logged once and timed."""
        begun = time.perf_counter()
        call_sid, outcome, response = await self._answer(request)
        _log.info(
            "webhook",
            endpoint="/exotel/answer",
            call_sid=call_sid,
            status=response.status_code,
            ms=round((time.perf_counter() - begun) * 1000, 1),
            outcome=outcome,
        )
        return response

    async def _answer(self, request: Request) -> tuple[str, str, Response]:
        if not is_allowed(request, self._secret, request.path_params.get("secret", "")):
            return "", "forbidden", _problem(403, "forbidden", "the secret is missing or wrong")
        try:
            params = read_passthru(await parameters(request))
        except BadBodyError as error:
            return "", "bad request", _problem(error.status, "bad-request", str(error))
        except MissingCallSidError as error:
            return "", "bad request", _problem(400, "bad-request", str(error))
        verdict = await self._desk.answer(params)
        outcome = f"{verdict.decision.value} {verdict.reason}".strip()
        return params.call_sid, outcome, self._response(request, params.call_sid, verdict)

    def _response(self, request: Request, call_sid: str, verdict: Verdict) -> Response:
        if verdict.decision is Decision.REFUSE:
            # 302 is a signal to take branch B; 503 takes the applet's "On Error" path. A template
            # that speaks its refusals has no words left when even those have no slot.
            status = 302 if verdict.template.refusal.mode == "302" else 503
            return _problem(status, verdict.reason, f"the call is not taken: {verdict.reason}")
        answer = verdict.template.answer
        if answer.body == "empty":
            return PlainTextResponse("")
        if answer.body == "applet":
            return PlainTextResponse(answer.applet)
        return JSONResponse({"url": self._stream_url(request, call_sid, verdict)})

    def _stream_url(self, request: Request, call_sid: str, verdict: Verdict) -> str:
        base = urlsplit(self._public_url or str(request.base_url))
        scheme = "wss" if base.scheme == "https" else "ws"
        path = f"{base.path.rstrip('/')}/exotel/stream/{self._tokens.mint(call_sid)}"
        rate = verdict.template.stream.sample_rate
        query = "" if rate == DEFAULT_RATE else f"sample-rate={rate}"
        return urlunsplit((scheme, base.netloc, path, query, ""))


def _problem(status: int, error: str, detail: str) -> Response:
    return JSONResponse({"error": error, "detail": detail}, status)
