"""One call's conversation with a handler of the user's."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast, get_args

from exobridge_providers.base import (
    Action,
    CallContext,
    Resumption,
    Said,
    Say,
    SetLanguage,
    UserTurn,
)
from exobridge_providers.dialogue.history import History
from exobridge_providers.errors import ProviderError
from exobridge_providers.workers import WorkerPool

NAME = "python"
MAX_HISTORY_CHARS = 100_000
_END = object()


@dataclass(slots=True)
class Call:
    """What a handler knows of its call, and what it wants to remember.

    Attributes:
        sid: Exotel's id of the call.
        caller: The human's number in E.164, or empty; ``called`` the ExoPhone.
        direction: ``incoming`` or ``outgoing``.
        language: BCP-47 tag; that of the call now.
        variables: As texts of the template use them.
        greeting: The line the caller hears first.
        settings: The option of that name.
        history: What was said before this turn, the oldest first.
        resumed: Why the call goes on in another stream, with ``why``, ``target`` and ``attempts``;
            ``None``: it has begun.
        state: Empty at first; for the handler.
    """

    sid: str
    caller: str
    called: str
    direction: str
    language: str
    variables: Mapping[str, str]
    greeting: str
    settings: Mapping[str, Any]
    history: list[Said] = field(default_factory=list[Said])
    resumed: Resumption | None = None
    state: dict[str, Any] = field(default_factory=dict[str, Any])


Answer = Callable[[UserTurn], Any]
"""A handler that knows its call."""


class PythonSession:
    """One call."""

    def __init__(
        self,
        call: Call,
        answer: Answer,
        threads: WorkerPool[None],
        where: str,
        context: CallContext,
    ) -> None:
        self._call = call
        self._answer = answer
        self._threads = threads
        self._where = where
        self._can_speak = context.can_speak
        self._history = History(context, MAX_HISTORY_CHARS)

    async def respond(self, turn: UserTurn) -> AsyncGenerator[Action, None]:
        """As :meth:`exobridge_providers.base.DialogueSession.respond`."""
        exchange = self._history.begin(turn)
        said = list(_heard(self._history))
        self._call.history = said if turn.transfer_failed else said[:-1]
        step = exchange.step()
        async with aclosing(self._actions(turn)) as actions:
            async for action in actions:
                if isinstance(action, Say):
                    step.text += action.text if action.more else f"{action.text} "
                elif isinstance(action, SetLanguage) and self._can_speak(action.language):
                    self._call.language = action.language
                yield action
        exchange.finished = True

    async def _actions(self, turn: UserTurn) -> AsyncGenerator[Action, None]:
        try:
            async with aclosing(self._results(turn)) as results:
                async for result in results:
                    for action in _as_actions(result):
                        yield action
        except ProviderError:
            raise
        except Exception as error:
            where = place(error)
            raise ProviderError(
                f"the handler {self._where} raised {type(error).__name__}{where}",
                provider=NAME,
                retryable=True,
            ) from error

    async def _results(self, turn: UserTurn) -> AsyncGenerator[Any, None]:
        """What the handler gives, one after the other."""
        if is_async(self._answer):
            found = self._answer(turn)
        else:
            found = await self._threads.submit(lambda _: self._answer(turn))
        if inspect.isasyncgen(found):
            async with aclosing(found):
                async for result in found:
                    yield result
        elif inspect.isgenerator(found):
            steps = cast("Iterator[Any]", found)
            while (result := await self._threads.submit(lambda _: next(steps, _END))) is not _END:
                yield result
        else:
            yield await found if inspect.isawaitable(found) else found

    async def aclose(self) -> None:
        """Nothing is held."""


def is_async(answer: Callable[..., Any]) -> bool:
    """Whether it has to run on the event loop."""
    return inspect.iscoroutinefunction(answer) or inspect.isasyncgenfunction(answer)


def _heard(history: History) -> Iterator[Said]:
    for exchange in history:
        if exchange.turn is not None:
            yield Said("caller", exchange.turn.text, exchange.turn.digits)
        if said := exchange.said.strip():
            yield Said("bot", said)


def _as_actions(result: Any) -> Iterator[Action]:
    if isinstance(result, str):
        if result.strip():
            yield Say(result)
    elif isinstance(result, list | tuple):
        for each in cast("list[Any]", result):
            yield from _as_actions(each)
    elif isinstance(result, get_args(Action)):
        yield result
    elif result is not None:
        raise ProviderError(
            f"the handler gave {type(result).__name__}, which is neither text nor an action",
            provider=NAME,
        )


def place(error: BaseException) -> str:
    """Where it was raised. Neither its message nor any value: they may be the caller's words."""
    frames = traceback.extract_tb(error.__traceback__)
    last = next(
        (each for each in reversed(frames) if "exobridge_providers" not in each.filename), None
    )
    return f" at {Path(last.filename).name}:{last.lineno}" if last else ""
