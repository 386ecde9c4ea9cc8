"""What a call's conversation stands on, once the line is open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from exobridge.call.events import EndedBy
from exobridge.call.hearing import Hearing
from exobridge.call.plan import CallPlan, Services
from exobridge.call.speaking import Speaking
from exobridge.call.tally import Tally
from exobridge_codecs.formats import AudioFormat
from exobridge_providers.base import CallContext


class Closable(Protocol):
    """A provider's session."""

    async def aclose(self) -> None:
        """End it."""
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """One call's line and what happens on it.

    Attributes:
        line_format: What the line carries.
        stream_sid: For the record.
        started_at: When the stream began, on the loop's clock; turns count from there.
        spawn: Starts a task that ends with the call.
        end: Ends the call; the first end counts.
        log: Names the call in every entry, whichever task or timer writes it.
        exits: Closed when the call is over.
        tally: What the stream uses of what providers bill.
    """

    plan: CallPlan
    services: Services
    hearing: Hearing
    speaking: Speaking
    line_format: AudioFormat
    stream_sid: str
    started_at: float
    spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
    end: Callable[[EndedBy, str], None]
    log: structlog.stdlib.BoundLogger
    exits: AsyncExitStack
    tally: Tally

    def context(self) -> CallContext:
        """What a dialogue is told of the call."""
        plan = self.plan
        return CallContext(
            call_sid=plan.call_sid,
            caller=plan.caller,
            called=plan.called,
            direction=plan.direction,
            language=plan.template.language,
            variables=plan.variables(),
            greeting=plan.text(plan.template.greeting),
        )

    def close_at_the_end(self, session: Closable, what: str) -> None:
        """Close a provider's session when the call is over, whatever it does then."""
        self.exits.push_async_callback(self._close, session, what)

    async def _close(self, session: Closable, what: str) -> None:
        try:
            async with asyncio.timeout(self.services.waits.close):
                await session.aclose()
        except Exception as error:  # a plugin's bug must not keep the other sessions open
            self.log.warning("session not closed cleanly", stage=what, error=type(error).__name__)
