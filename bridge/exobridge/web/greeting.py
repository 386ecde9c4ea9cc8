"""``/exotel/greeting``: the text of a Greeting applet that reads it from a URL."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse

from exobridge.exotel.passthru import MissingCallSidError, read_passthru
from exobridge.greetings import Greetings
from exobridge.web.webhook import Pairs, Told

ENDPOINT = "/exotel/greeting"


class GreetingEndpoint:
    """Answers Greeting applets: always 200 and a text, as an applet without one plays nothing."""

    def __init__(self, greetings: Greetings) -> None:
        self._greetings = greetings

    async def answer(self, request: Request, pairs: Pairs) -> Told:
        """The text, as ``text/plain`` in UTF-8."""
        try:
            params = read_passthru(pairs)
        except MissingCallSidError:
            return Told("", "no call", PlainTextResponse(self._greetings.of_nobody().text))
        greeting = await self._greetings.ask(params)
        outcome = f"text {greeting.rule}".strip()
        return Told(params.call_sid, outcome, PlainTextResponse(greeting.text))
