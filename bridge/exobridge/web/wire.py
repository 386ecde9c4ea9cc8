"""The wire of calls, on its way to a file: what is appended where a request or a frame passes."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from exobridge.call.plan import Line
from exobridge.wire.recorder import StreamTap, WireRecorder
from exobridge.wire.records import Side


class KeptLine:
    """A line (:class:`~exobridge.call.plan.Line`) whose frames are kept."""

    def __init__(self, line: Line, tap: StreamTap) -> None:
        self._line = line
        self._tap = tap

    def send(self, text: str) -> None:
        """As the line."""
        self._tap.frame(Side.SERVER, text)
        self._line.send(text)

    async def listen(self, on_text: Callable[[bytes], None]) -> int:
        """As the line."""

        def heard(text: bytes) -> None:
            self._tap.frame(Side.EXOTEL, text)
            on_text(text)

        code = await self._line.listen(heard)
        self._tap.closed(Side.EXOTEL, code)
        return code

    def close(self, code: int) -> None:
        """As the line."""
        self._tap.closed(Side.SERVER, code)
        self._line.close(code)


def keep_webhook(
    wire: WireRecorder,
    request: Request,
    parameters: list[tuple[str, str]],
    call_sid: str,
    response: Response,
    seconds: float,
) -> None:
    """Keep a request of Exotel's with its answer."""
    wire.webhook(
        call_sid,
        seconds=seconds,
        method=request.method,
        path=request.url.path,
        parameters=parameters,
        status=response.status_code,
        content_type=response.headers.get("content-type", ""),
        body=bytes(response.body),
        headers=request.headers,
    )
