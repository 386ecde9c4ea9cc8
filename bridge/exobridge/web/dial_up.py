"""``/exotel/dial-up``: a Connect applet asks whom to dial, and tells how it goes."""

from __future__ import annotations

from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from exobridge.exotel.connect import Connect, Contract, Whisper, contract, read_dial_event
from exobridge.exotel.passthru import read_passthru
from exobridge.passthrus import Passthrus
from exobridge.transfer.service import Dial, Transfers
from exobridge.transfer.whispers import Whispers
from exobridge.web.guard import Guard
from exobridge.web.webhook import Pairs, Told
from exobridge.web.whisper import ENDPOINT as WHISPER
from exobridge.web.whisper import WhisperTokens

DIAL_UP = "/exotel/dial-up"
PASSTHRU = "/exotel/dial-up/passthru"
EVENTS = "/exotel/dial-events"

FORMATS = ("json", "format=json")
"""Parts of the path that ask for JSON."""


class DialUpEndpoint:
    """Answers Connect applets, and the Passthru applet before one.

    Args:
        passthrus: Told of the recordings whose URLs come along.
        public_url: Where Exotel reaches this server; ``None``: as the request did.
        secret: Stands in the URL that dial events go to.
    """

    def __init__(
        self,
        transfers: Transfers,
        whispers: Whispers,
        tokens: WhisperTokens,
        guard: Guard,
        passthrus: Passthrus,
        *,
        public_url: str | None,
        secret: str | None,
    ) -> None:
        self._transfers = transfers
        self._whispers = whispers
        self._tokens = tokens
        self._guard = guard
        self._passthrus = passthrus
        self._public_url = public_url
        self._secret = secret

    async def dial(self, request: Request, pairs: Pairs) -> Told:
        """Whom to dial, in the words of the contract that the request wants."""
        params = read_passthru(pairs)
        formats = [value for name, value in pairs if name.lower() == "format"]
        formats += [
            part.removeprefix("format=") for part in request.url.path.split("/") if part in FORMATS
        ]

        def wants(forced: str) -> Contract:
            return contract(
                version=request.headers.get("exotel-version", ""),
                formats=formats,
                accept=request.headers.get("accept", ""),
                forced=forced,
            )

        dial = await self._transfers.dial(params, wants)
        outcome = "dial again" if dial.attempt > 1 else "dial"
        response = (
            await self._json(request, params.call_sid, dial)
            if dial.contract is Contract.JSON
            else _text(dial)
        )
        # After the answer, for which the caller waits.
        response.background = BackgroundTask(self._passthrus.note_recordings, params)
        return Told(params.call_sid, outcome if dial.numbers else f"nobody {dial.reason}", response)

    async def passthru(self, request: Request, pairs: Pairs) -> Told:
        """200 while a transfer is pending, else 302: a signal, without a ``Location``."""
        params = read_passthru(pairs)
        reason = await self._transfers.is_pending(params)
        afterwards = BackgroundTask(self._passthrus.note_recordings, params)
        response = PlainTextResponse("", 302 if reason else 200, background=afterwards)
        outcome = f"nobody {reason.value}" if reason else "pending"
        return Told(params.call_sid, outcome, response)

    async def event(self, request: Request, pairs: Pairs) -> Told:
        """How the dialling goes. What is no known event is passed over."""
        event = read_dial_event(pairs)
        if event.event_type:
            self._transfers.told(event)
        outcome = event.event_type.lower() or "ignored"
        return Told(event.call_sid, outcome, PlainTextResponse(""))

    async def _json(self, request: Request, call_sid: str, dial: Dial) -> Response:
        if not dial.numbers:
            return JSONResponse(Connect().to_json())
        table = dial.table
        answer = Connect(
            numbers=dial.numbers,
            again=dial.again,
            outgoing_number=table.outgoing_number,
            channels=table.recording_channels if table.record else None,
            ring_seconds=table.ring_seconds,
            talk_seconds=table.talk_seconds,
            music=table.music,
            parallel=dial.parallel,
            whisper=await self._whisper(request, call_sid, dial),
            events_url=self._url(request, EVENTS, self._secret),
        )
        return JSONResponse(answer.to_json())

    async def _whisper(self, request: Request, call_sid: str, dial: Dial) -> Whisper | None:
        table = dial.table
        if table.whisper == "none" or dial.asked_at is None or dial.call is None:
            return None
        text = await self._whispers.text(dial.template, dial.call, dial.summary)
        if not text:
            return None
        if table.whisper == "text":
            return Whisper("text", text, table.playback_to)
        if not await self._whispers.is_audible(dial.template, text):
            return None
        token = self._tokens.mint(call_sid, dial.transfer, dial.asked_at)
        url = self._url(request, WHISPER, f"{token}.wav")
        return Whisper("audio_url", url, table.playback_to)

    def _url(self, request: Request, path: str, last: str | None) -> str:
        base = (self._public_url or self._guard.base_url(request)).rstrip("/")
        return f"{base}{path}" + (f"/{quote(last, safe='')}" if last else "")


def _text(dial: Dial) -> Response:
    """The numbers alone. An empty answer lets the flow go on, another status asks the applet's
    fallback URL first."""
    status = 404 if not dial.numbers and dial.table.no_transfer == "404" else 200
    return PlainTextResponse(Connect(dial.numbers).to_text(), status)
