"""Asks the user's application, or function, about a caller: once a call, within a limit.

A flow asks several times for one call: a Passthru, another one, the Voicebot, a Greeting. Whoever
asks while an answer is awaited waits for the same one, and an answer is remembered for a while. A
failure is not: the next question may find the application well again.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import OrderedDict
from collections.abc import Callable

from exobridge.routing.answer import BadAnswerError, LookupAnswer, read_answer, understood
from exobridge.routing.applications import Applications, UnreachableError
from exobridge.routing.facts import Facts
from exobridge.routing.hook import NAME, imported
from exobridge.templates.routing import LookupTable
from exobridge_providers.dialogue.python_session import place
from exobridge_providers.errors import ProviderConfigError

REMEMBERED_SECONDS = 600.0
MAX_REMEMBERED = 4096
"""Answers; of more, the one not used for longest is forgotten."""

NOT_KNOWN = (204, 404)
"""Statuses that say that nothing is known of the caller, which is an answer."""

_Key = tuple[str, str, str, str]


class LookupFailedError(Exception):
    """There is no answer that could be used; says why, without a number or the caller's words."""


class Lookups:
    """The look-ups of one process.

    Args:
        now: The loop's time, in seconds.
    """

    def __init__(self, applications: Applications, now: Callable[[], float]) -> None:
        self._applications = applications
        self._now = now
        self._known: OrderedDict[_Key, tuple[float, LookupAnswer]] = OrderedDict()
        self._asking: dict[_Key, tuple[float, asyncio.Task[LookupAnswer]]] = {}

    async def ask(self, template_name: str, table: LookupTable, facts: Facts) -> LookupAnswer:
        """What is known of a caller.

        Raises:
            LookupFailedError: No answer came within the table's limit, or none that can be used.
        """
        key = (facts.call_sid, template_name, facts.digits, facts.dial_status)
        if known := self._remembered(key):
            return known
        if key not in self._asking:
            task = asyncio.create_task(self._answer(table, facts))
            self._asking[key] = self._now() + table.timeout_ms / 1000, task
            task.add_done_callback(lambda done: self._over(key, done))
        until, task = self._asking[key]
        await asyncio.wait([task], timeout=max(0.0, until - self._now()))
        if not task.done():
            task.cancel()  # not waited for: a function may take its time to end
            raise LookupFailedError(f"no answer within {table.timeout_ms} ms")
        if task.cancelled():
            raise LookupFailedError("it was given up")
        return task.result()

    async def aclose(self) -> None:
        """Stop asking."""
        running = [task for _, task in self._asking.values()]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=1.0)

    def _remembered(self, key: _Key) -> LookupAnswer | None:
        until, answer = self._known.get(key, (0.0, None))
        if answer is None or until <= self._now():
            return None
        self._known.move_to_end(key)
        return answer

    def _over(self, key: _Key, task: asyncio.Task[LookupAnswer]) -> None:
        self._asking.pop(key, None)
        if task.cancelled() or task.exception() is not None:
            return
        self._known[key] = self._now() + REMEMBERED_SECONDS, task.result()
        self._known.move_to_end(key)
        while len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)

    async def _answer(self, table: LookupTable, facts: Facts) -> LookupAnswer:
        try:
            if table.hook:
                return await self._of_function(table, facts)
            return await self._of_url(table, facts)
        except (UnreachableError, BadAnswerError, ProviderConfigError) as error:
            raise LookupFailedError(str(error)) from None

    async def _of_function(self, table: LookupTable, facts: Facts) -> LookupAnswer:
        hook = imported(table.hook, table.path)
        try:
            return understood(await hook(facts.message()))
        except BadAnswerError:
            raise
        except Exception as error:
            raise LookupFailedError(f"{type(error).__name__}{place(error)}") from None

    async def _of_url(self, table: LookupTable, facts: Facts) -> LookupAnswer:
        if table.method == "GET":
            status, body = await self._applications.get(table, NAME, facts.query())
        else:
            status, body = await self._applications.post(
                table, NAME, uuid.uuid4().hex, facts.message()
            )
        if status in NOT_KNOWN:
            return LookupAnswer()
        if not 200 <= status < 300:
            raise LookupFailedError(f"status {status}")
        return read_answer(body)
