"""One call's conversation with an application of the user's."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

import httpx
import msgspec

from exobridge_providers import wire
from exobridge_providers.base import Action, CallContext, Resumption, SetLanguage, UserTurn
from exobridge_providers.dialogue.webhook_answer import ends, reader
from exobridge_providers.dialogue.webhook_options import WebhookOptions
from exobridge_providers.dialogue.webhook_signature import signed
from exobridge_providers.errors import ProviderError

NAME = "webhook"
VERSION = 1
"""Of what is sent. A key may be added to it; one that is taken away or changed raises this."""
RETRIED = frozenset({502, 503, 504})
"""Statuses of a proxy before an application that is not there yet."""
END_SECONDS = 2.0
"""Longest wait for the answer to ``end``."""


class Application:
    """The user's application, as all calls ask it.

    Args:
        key: Signs; ``None``: nothing does.
    """

    def __init__(self, options: WebhookOptions, key: bytes | None) -> None:
        self.options = options
        self._key = key
        self._client = wire.new_client(options.connect_seconds)

    async def post(
        self, request_id: str, message: dict[str, Any], deadline: wire.Deadline
    ) -> httpx.Response:
        """The answer, its body not yet read.

        Raises:
            ProviderError: There is none, or it is no success.
        """
        body = msgspec.json.encode({"version": VERSION, **message})

        def request() -> httpx.Request:
            headers = {"content-type": "application/json", "webhook-id": request_id}
            if self._key is not None:
                headers |= signed(self._key, request_id, int(time.time()), body)
            return self._client.build_request(
                "POST", self.options.url, content=body, headers=headers
            )

        return await wire.answered(self._client, request, deadline, retried=RETRIED, provider=NAME)

    async def tell(self, request_id: str, message: dict[str, Any], seconds: float) -> None:
        """Post what wants no answer. The answer is read all the same, so that the connection can be
        used again; raises as :meth:`post`."""
        deadline = wire.Deadline(seconds)
        response = await self.post(request_id, message, deadline)
        try:
            await wire.whole(response, deadline, self.options.max_bytes, NAME)
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


class WebhookSession:
    """One call."""

    def __init__(self, application: Application, context: CallContext) -> None:
        self._application = application
        self._options = application.options
        self._call = _call(context)
        self._can_speak = context.can_speak
        self._id = uuid.uuid4().hex
        self._turns = 0
        self._open = True

    async def start(self) -> None:
        """Tell that the call begins.

        Raises:
            ProviderError: The application does not want it, or is not there.
        """
        if "start" in self._options.events:
            await self._tell("start", self._options.first_seconds)

    async def respond(self, turn: UserTurn) -> AsyncGenerator[Action, None]:
        """As :meth:`exobridge_providers.base.DialogueSession.respond`."""
        self._turns += 1
        deadline = wire.Deadline(self._options.first_seconds)
        message = {"event": "turn", "call": self._call, "turn": _turn(self._turns, turn)}
        request_id = f"{self._id}-turn-{self._turns}"
        response = await self._application.post(request_id, message, deadline)
        try:
            read = reader(response.headers.get("content-type", ""), NAME)
            async with aclosing(self._parts(response, deadline)) as parts:
                async for part in parts:
                    for action in read.feed(part) if part else read.end():
                        if isinstance(action, SetLanguage) and self._can_speak(action.language):
                            self._call["language"] = action.language
                        yield action
                        if ends(action):
                            return
                        deadline.extend(self._options.next_seconds)
        finally:
            await response.aclose()

    async def _parts(
        self, response: httpx.Response, deadline: wire.Deadline
    ) -> AsyncGenerator[bytes, None]:
        """The body as it comes, and nothing at its end."""
        body = wire.chunks(response, deadline, self._options.max_bytes, NAME)
        async with aclosing(body):
            async for chunk in body:
                yield chunk
        yield b""

    async def _tell(self, event: str, seconds: float) -> None:
        message = {"event": event, "call": self._call}
        await self._application.tell(f"{self._id}-{event}", message, seconds)

    async def aclose(self) -> None:
        """Tell that the call is over, if the application is there to hear it."""
        was_open, self._open = self._open, False
        if was_open and "end" in self._options.events:
            with suppress(ProviderError):  # the call is over, whatever comes of this
                await self._tell("end", END_SECONDS)


def _turn(number: int, turn: UserTurn) -> dict[str, Any]:
    return {
        "number": number,
        "text": turn.text,
        "digits": turn.digits,
        "language": turn.language,
        "interrupted": turn.interrupted,
        "heard": turn.heard,
        "operator": turn.operator,
        "transfer_failed": turn.transfer_failed,
    }


def _call(context: CallContext) -> dict[str, Any]:
    return {
        "sid": context.call_sid,
        "caller": context.caller,
        "called": context.called,
        "direction": context.direction,
        "language": context.language,
        "variables": dict(context.variables),
        "greeting": context.greeting,
        "history": [
            {"role": said.role, "text": said.text, "digits": said.digits}
            for said in context.history
        ],
        "resumed": _resumed(context.resumed) if context.resumed else None,
    }


def _resumed(resumed: Resumption) -> dict[str, Any]:
    return {"why": resumed.why, "target": resumed.target, "attempts": resumed.attempts}
