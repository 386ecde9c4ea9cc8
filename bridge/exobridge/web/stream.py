"""``/exotel/stream``: the media WebSocket. Accepted at once; the work comes after.

An ASGI application of its own, without a framework's layer between the socket and the call.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from exobridge.call.plan import CallPlan, Line, Services
from exobridge.call.session import CallSession
from exobridge.desk import Desk
from exobridge.exotel.messages import Started
from exobridge.web.guard import FOREIGN, TOO_MANY, UNPROVEN, Guard, Refusal
from exobridge.web.line import SocketLine
from exobridge.web.protocol import protocol_of
from exobridge.web.tokens import Tokens
from exobridge.web.wire import KeptLine

_log = structlog.stdlib.get_logger("exobridge.web")


async def _refuse(send: Send, refusal: Refusal) -> None:
    """Answer the handshake with HTTP, and hang up."""
    if refusal is UNPROVEN:
        _log.warning("stream refused", reason="the token is wrong or has expired")
    elif refusal is FOREIGN:
        _log.warning("stream refused", reason=refusal.detail)
    await send({"type": "websocket.http.response.start", "status": refusal.status})
    await send({"type": "websocket.http.response.body", "body": b""})


class StreamEndpoint:
    """Takes streams with a minted token, or with the secret for a static URL.

    Args:
        on_refusal: Told the status of each that is not let in.
    """

    def __init__(
        self,
        desk: Desk,
        tokens: Tokens,
        services: Services,
        guard: Guard,
        on_refusal: Callable[[int], None],
    ) -> None:
        self._desk = desk
        self._tokens = tokens
        self._services = services
        self._guard = guard
        self._on_refusal = on_refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        await receive()  # websocket.connect
        connection = HTTPConnection(scope)
        token = str(connection.path_params.get("token", ""))
        bound_to = self._tokens.call_sid(token) if token else None
        placed_as = self._tokens.dial(token) if token and bound_to is None else None
        is_good = bool(bound_to is not None or placed_as) if token else None
        refusal = self._guard.refusal(connection, token, token_is_good=is_good)
        if refusal is not None:
            await _refuse(send, refusal)
            if refusal is not TOO_MANY:
                self._on_refusal(refusal.status)
            return
        await send({"type": "websocket.accept"})
        protocol = protocol_of(scope)
        line = SocketLine(protocol, self._services.waits.send)
        await self._hold(line, bound_to, placed_as or "")

    async def _hold(self, line: Line, bound_to: str | None, placed_as: str) -> None:
        entered = ""
        wire = self._services.wire
        tap = wire.stream() if wire is not None else None
        if tap is not None:
            line = KeptLine(line, tap)

        async def plan(started: Started) -> CallPlan | None:
            nonlocal entered
            if bound_to is not None and started.call_sid != bound_to:
                _log.warning("stream refused", reason="the token is another call's")
                return None
            # No database takes a NUL.
            if not started.call_sid or not started.stream_sid or "\0" in started.call_sid:
                _log.warning("stream refused", reason="start names no call or no stream")
                return None
            decided = await self._desk.plan_stream(started, placed_as)
            if tap is not None:
                tap.named(started.call_sid, decided.template_name if decided else "")
            if decided is not None:
                entered = started.call_sid
                self._desk.enter(entered, session)
            return decided

        session = CallSession(line, plan, self._services)
        try:
            await session.run()
        finally:
            if entered:
                self._desk.leave(entered, session)
