"""One call's conversation with a language model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

import httpx
import msgspec

from exobridge_providers import wire
from exobridge_providers.base import (
    Action,
    CallContext,
    HangUp,
    Say,
    SetLanguage,
    Transfer,
    Usage,
    UserTurn,
)
from exobridge_providers.dialogue import openai_request as ask
from exobridge_providers.dialogue import tools
from exobridge_providers.dialogue.history import Exchange, History, Step
from exobridge_providers.dialogue.openai_options import OpenAiOptions
from exobridge_providers.dialogue.openai_stream import ChatStream
from exobridge_providers.dialogue.sse import Events
from exobridge_providers.errors import ProviderProtocolError, ProviderUnavailableError

NAME = "openai"
MAX_ANSWER_CHARS = 16_000
"""About a quarter of an hour of speech: a model that goes on beyond it repeats itself."""
MAX_ANSWER_BYTES = 8 * 1024 * 1024
RETRIED = frozenset({429, 500, 502, 503, 504, 529})

_ALIVE = Say("")
"""The host limits the wait for each action: the model and the tools have it each for itself."""
_NO_USAGE = Usage()


class OpenAiSession:
    """One call.

    Args:
        client: The process's pool of connections.
        headers: Of each request, with the key.
        values: The variables of the call; its language is kept up to date in it.
        toolbox: What the model may call.
    """

    def __init__(
        self,
        options: OpenAiOptions,
        client: httpx.AsyncClient,
        headers: dict[str, str],
        context: CallContext,
        values: dict[str, str],
        toolbox: tools.Toolbox,
    ) -> None:
        self._options = options
        self._client = client
        self._headers = headers
        self._context = context
        self._values = values
        self._language = context.language if context.history else ""
        """That of the call now, if it may be another than at the beginning."""
        self._toolbox = toolbox
        self._tools = tools.described(
            options.actions, options.tools, options.transfer_targets, options.languages
        )
        self._history = History(context, options.max_history_chars)
        self._connecting = asyncio.create_task(self._connect(), name="exobridge-openai-connect")

    async def respond(self, turn: UserTurn) -> AsyncGenerator[Action, None]:
        """As :meth:`exobridge_providers.base.DialogueSession.respond`. Tools are called once the
        turn is certain; until then the answer has no effect but its words."""
        if await self._toolbox.idle():
            yield _ALIVE
        exchange = self._history.begin(turn)
        if turn.transfer_failed and exchange.steps:
            tools.transfer_failed(exchange.steps[-1].calls, turn.transfer_failed)
        for rounds_left in range(self._options.max_tool_rounds, -1, -1):
            step = exchange.step()
            stream = ChatStream(NAME)
            async with aclosing(self._words(step, stream, may_call=rounds_left > 0)) as words:
                async for said in words:
                    yield said
            if stream.usage != _NO_USAGE:
                yield stream.usage
            if not stream.calls:
                break
            if not rounds_left:
                raise ProviderProtocolError("the model calls tools without end", provider=NAME)
            await turn.certain()
            takes_time = self._toolbox.asks(stream.calls)
            if takes_time:
                yield _ALIVE
            step.calls = stream.calls
            actions = await self._toolbox.run(step.calls)
            if takes_time:
                yield _ALIVE
            for call, action in actions:
                call.result, call.done = tools.DONE, True
                exchange.finished = isinstance(action, HangUp | Transfer)
                if isinstance(action, SetLanguage):
                    self._switch_language(action.language)
                yield action
                if exchange.finished:
                    return
            if not tools.goes_on(step.calls, actions, said=bool(exchange.said)):
                break
        _check_not_empty(exchange)
        await turn.certain()  # a guess may be taken back when all of its answer is there
        exchange.finished = True

    def _switch_language(self, language: str) -> None:
        self._language = language
        if "language" not in self._context.variables:  # the template's own goes before
            self._values["language"] = language

    async def _words(
        self, step: Step, stream: ChatStream, *, may_call: bool
    ) -> AsyncGenerator[Say, None]:
        """Ask, and give out the words as they come; the last piece is empty."""
        async with aclosing(self._pieces(stream, may_call=may_call)) as pieces:
            async for piece in pieces:
                step.text += piece
                yield Say(piece, more=True)
                if len(step.text) > MAX_ANSWER_CHARS:
                    break
        if step.text:
            yield Say("")

    async def _pieces(self, stream: ChatStream, *, may_call: bool) -> AsyncGenerator[str, None]:
        deadline = wire.Deadline(self._options.first_token_seconds)
        response = await self._ask(deadline, may_call=may_call)
        try:
            events = Events(NAME)
            body = wire.chunks(response, deadline, MAX_ANSWER_BYTES, NAME)
            async with aclosing(body):
                async for chunk in body:
                    for data in events.feed(chunk):
                        if piece := stream.take(data):
                            yield piece
                        if stream.progressed:
                            deadline.extend(self._options.token_seconds)
        finally:
            await response.aclose()
        if not stream.ended:
            raise ProviderUnavailableError("the answer broke off", provider=NAME)

    async def _ask(self, deadline: wire.Deadline, *, may_call: bool) -> httpx.Response:
        system = ask.prompt(
            self._options.system, self._values, self._language, self._context.resumed
        )
        content = msgspec.json.encode(
            ask.body(self._options, system, self._history, self._tools, may_call=may_call)
        )
        response = await wire.answered(
            self._client,
            lambda: self._client.build_request(
                "POST",
                f"{self._options.base_url.rstrip('/')}/chat/completions",
                content=content,
                headers=self._headers,
            ),
            deadline,
            retried=RETRIED,
            provider=NAME,
        )
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            await response.aclose()
            raise ProviderProtocolError("the endpoint does not stream its answers", provider=NAME)
        return response

    async def _connect(self) -> None:
        """Have a connection ready when the first turn comes. What the endpoint says does not count;
        ``HEAD`` has no body that would have to be read."""
        with suppress(httpx.HTTPError, TimeoutError):
            async with asyncio.timeout(self._options.first_token_seconds):
                url = f"{self._options.base_url.rstrip('/')}/models"
                await self._client.head(url, headers=self._headers)

    async def aclose(self) -> None:
        """As :meth:`exobridge_providers.base.DialogueSession.aclose`."""
        self._connecting.cancel()
        await asyncio.wait([self._connecting])
        await self._toolbox.aclose()


def _check_not_empty(exchange: Exchange) -> None:
    if not exchange.said and not exchange.worked:
        raise ProviderProtocolError("the model answered nothing", provider=NAME)
