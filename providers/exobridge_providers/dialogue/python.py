"""A dialogue that is a function of yours.

    [dialogue]
    provider = "python"
    [dialogue.options]
    handler = "my_bot:answer"

::

    async def answer(call, turn):
        yield f"You said {turn.text}."

It may be an async generator, a coroutine, or plain: what is plain runs in a thread. A class is made
once a call, ``MyBot(call)``, and its ``answer(turn)`` is the function. What is yielded or returned
is text to say, an action, several in a list, or ``None``.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, cast

from pydantic import Field

from exobridge_providers.base import CallContext, DialogueProvider, DialogueSession, Options
from exobridge_providers.dialogue.python_session import NAME, Answer, Call, PythonSession, place
from exobridge_providers.errors import ProviderConfigError, ProviderError
from exobridge_providers.workers import WorkerPool


class PythonOptions(Options):
    """The ``[dialogue.options]`` table.

    Attributes:
        handler: ``module:name`` of a function or a class.
        path: A directory that is looked into after what is installed; relative to the working
            directory.
        settings: Whatever the handler wants; it finds it as ``call.settings``.
        threads: Plain handlers at work at once, of all calls.
    """

    handler: str = Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")
    path: str = "."
    settings: dict[str, Any] = Field(default_factory=dict[str, Any])
    threads: int = Field(default=16, ge=1, le=256)


class PythonDialogue(DialogueProvider):
    """Answers by a function or class of the user's. See the module."""

    options_type: ClassVar[type[Options]] = PythonOptions
    offline = True

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, PythonOptions)
        self._options = options
        self._handler: Callable[..., Any] | None = None
        self._threads: WorkerPool[None] | None = None

    async def start(self) -> None:
        """Import the handler."""
        self._handler = await asyncio.to_thread(_imported, self._options)
        size = self._options.threads
        self._threads = WorkerPool([None] * size, limit=10 * size, provider=NAME)

    async def open(self, context: CallContext) -> DialogueSession:
        """As :meth:`exobridge_providers.base.DialogueProvider.open`."""
        assert self._handler is not None, "start() comes first"
        assert self._threads is not None
        call = Call(
            sid=context.call_sid,
            caller=context.caller,
            called=context.called,
            direction=context.direction,
            language=context.language,
            variables=context.variables,
            greeting=context.greeting,
            settings=self._options.settings,
            history=list(context.history),
            resumed=context.resumed,
        )
        return PythonSession(call, self._bound(call), self._threads, self._options.handler, context)

    def _bound(self, call: Call) -> Answer:
        assert self._handler is not None
        if not inspect.isclass(self._handler):
            return partial(self._handler, call)
        try:
            bot: Any = cast("Callable[..., Any]", self._handler)(call)
            return cast("Answer", bot.answer)
        except Exception as error:
            raise ProviderError(
                f"the handler {self._options.handler} could not be made for a call: "
                f"{type(error).__name__}{place(error)}",
                provider=NAME,
                retryable=True,
            ) from error

    async def aclose(self) -> None:
        """Wait for the handlers that are at work."""
        if self._threads is not None:
            await self._threads.aclose()


def _imported(options: PythonOptions) -> Callable[..., Any]:
    module, _, name = options.handler.partition(":")
    folder = str(Path(options.path).resolve())
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        found = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise ProviderConfigError(
            f"handler: there is no module {error.name!r}. It is looked for among what is installed "
            f"and in {folder}; set path if it stands elsewhere",
            provider=NAME,
        ) from error
    except AttributeError as error:
        raise ProviderConfigError(
            f"handler: {options.handler} could not be imported: AttributeError{place(error)}. "
            f"Is {name!r} in the module?",
            provider=NAME,
        ) from error
    except Exception as error:
        raise ProviderConfigError(
            f"handler: {module} could not be imported: {type(error).__name__}{place(error)}",
            provider=NAME,
        ) from error
    if inspect.isclass(found) and not callable(getattr(found, "answer", None)):
        raise ProviderConfigError(
            f"handler: the class {options.handler} has no method answer(turn)", provider=NAME
        )
    if not callable(found):
        raise ProviderConfigError(
            f"handler: {options.handler} is neither a function nor a class", provider=NAME
        )
    return cast("Callable[..., Any]", found)
