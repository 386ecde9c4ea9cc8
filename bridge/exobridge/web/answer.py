"""``/exotel/answer``: Exotel asks what to do with a call."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from exobridge.call.events import Decision
from exobridge.desk import ROUTED, Desk, Verdict
from exobridge.exotel.passthru import read_passthru
from exobridge.passthrus import Passthrus
from exobridge.web.guard import Guard
from exobridge.web.tokens import Tokens
from exobridge.web.webhook import Pairs, Told, problem

ENDPOINT = "/exotel/answer"

DEFAULT_RATE = 8000
"""Exotel's own, in hertz, where the stream's URL asks for none."""


class AnswerEndpoint:
    """Answers Passthru and Voicebot applets.

    Args:
        passthrus: Told what a Passthru late in a flow tells.
        public_url: Where Exotel reaches this server; ``None``: as the request did.
    """

    def __init__(
        self,
        desk: Desk,
        tokens: Tokens,
        guard: Guard,
        passthrus: Passthrus,
        *,
        public_url: str | None,
    ) -> None:
        self._desk = desk
        self._tokens = tokens
        self._guard = guard
        self._passthrus = passthrus
        self._public_url = public_url

    async def answer(self, request: Request, pairs: Pairs) -> Told:
        """The desk's verdict, in Exotel's terms."""
        params = read_passthru(pairs)
        verdict = await self._desk.answer(params)
        if params.looks_back:
            self._passthrus.hear(params)
            await self._passthrus.note_recordings(params)
        outcome = f"{verdict.decision.value} {verdict.reason}".strip()
        return Told(params.call_sid, outcome, self._response(request, params.call_sid, verdict))

    def _response(self, request: Request, call_sid: str, verdict: Verdict) -> Response:
        if verdict.decision is Decision.REFUSE:
            # 302 is a signal to take branch B; 503 takes the applet's "On Error" path. A template
            # that speaks its refusals has no words left when even those have no slot.
            by_branch = verdict.template.refusal.mode == "302" or verdict.reason == ROUTED
            status = 302 if by_branch else 503
            return problem(status, verdict.reason, f"the call is not taken: {verdict.reason}")
        if verdict.routed.body:
            return PlainTextResponse(verdict.routed.body)
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
