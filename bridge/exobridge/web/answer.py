"""``/exotel/answer``: Exotel asks what to do with a call."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from exobridge.call.events import Decision
from exobridge.desk import Desk, Verdict
from exobridge.exotel.passthru import MissingCallSidError, read_passthru
from exobridge.observe.watch import Watchers, Webhook
from exobridge.web.body import BadBodyError, parameters
from exobridge.web.guard import TOO_MANY, Guard, Refusal
from exobridge.web.tokens import Tokens

ENDPOINT = "/exotel/answer"

DEFAULT_RATE = 8000
"""Exotel's own, in hertz, where the stream's URL asks for none."""

_log = structlog.stdlib.get_logger("exobridge.web")


class AnswerEndpoint:
    """Answers Passthru and Voicebot applets.

    Args:
        watchers: Told of each webhook.
        public_url: Where Exotel reaches this server; ``None``: as the request did.
    """

    def __init__(
        self,
        desk: Desk,
        tokens: Tokens,
        guard: Guard,
        watchers: Watchers,
        *,
        public_url: str | None,
    ) -> None:
        self._desk = desk
        self._tokens = tokens
        self._guard = guard
        self._watchers = watchers
        self._public_url = public_url

    async def respond(self, request: Request) -> Response:
        """One request, logged once and timed."""
        begun = time.perf_counter()
        refusal = self._guard.refusal(request, request.path_params.get("secret", ""))
        if refusal is not None and refusal.status == TOO_MANY.status:
            # The guard says so, now and then: a flood shall not fill the log.
            return _problem(refusal.status, refusal.error, refusal.detail)
        call_sid, outcome, response = await self._answer(request, refusal)
        seconds = time.perf_counter() - begun
        _log.info(
            "webhook",
            endpoint=ENDPOINT,
            call_sid=call_sid,
            status=response.status_code,
            ms=round(seconds * 1000, 1),
            outcome=outcome,
        )
        self._watchers.webhook(
            Webhook(
                endpoint=ENDPOINT,
                method=request.method,
                call_sid=call_sid,
                outcome=outcome,
                status=response.status_code,
                ended_at=datetime.now(UTC),
                seconds=seconds,
            )
        )
        return response

    async def _answer(self, request: Request, refusal: Refusal | None) -> tuple[str, str, Response]:
        if refusal is not None:
            problem = _problem(refusal.status, refusal.error, refusal.detail)
            return "", refusal.error, problem
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
        base = urlsplit(self._public_url or self._guard.base_url(request))
        scheme = "wss" if base.scheme == "https" else "ws"
        path = f"{base.path.rstrip('/')}/exotel/stream/{self._tokens.mint(call_sid)}"
        rate = verdict.template.stream.sample_rate
        query = "" if rate == DEFAULT_RATE else f"sample-rate={rate}"
        return urlunsplit((scheme, base.netloc, path, query, ""))


def _problem(status: int, error: str, detail: str) -> Response:
    return JSONResponse({"error": error, "detail": detail}, status)
