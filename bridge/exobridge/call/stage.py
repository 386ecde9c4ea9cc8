"""What a call's conversation stands on, once the line is open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import structlog

from exobridge.call.events import EndedBy
from exobridge.call.hearing import Hearing
from exobridge.call.plan import CallPlan, Services
from exobridge.call.speaking import Speaking
from exobridge.call.tally import Tally
from exobridge_codecs.formats import AudioFormat
from exobridge_providers.base import CallContext

Knows = Callable[[str], bool]
"""Whether a provider knows a language, a BCP-47 tag."""


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
        languages: Those that were switched to, in order.
        knows: Of recognition and voice, by stage, once they are open.
        on_language: Are told of each.
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
    languages: list[str] = field(default_factory=list[str])
    knows: dict[str, Knows] = field(default_factory=dict[str, Knows])
    on_language: list[Callable[[str], None]] = field(default_factory=list[Callable[[str], None]])

    @property
    def language(self) -> str:
        """The call's language now, a BCP-47 tag."""
        return self.languages[-1] if self.languages else self.plan.first_language

    def can_speak(self, language: str) -> bool:
        """Whether the call could go on in a language, as far as its providers declare."""
        return not self._deaf_to(language)

    def _deaf_to(self, language: str) -> list[str]:
        return [stage for stage, knows in self.knows.items() if not knows(language)]

    def switch_language(self, language: str) -> None:
        """Go on in another language, if both recognition and voice know it. Returns at once: they
        follow as soon as their sessions are open, and nothing that is said meanwhile is lost."""
        if language == self.language:
            return
        deaf = self._deaf_to(language)
        for stage in deaf:
            error = "no provider knows it"
            self.log.warning("language not switched", stage=stage, language=language, error=error)
        if deaf:
            return
        self.languages.append(language)
        for listener in self.on_language:
            listener(language)

    def context(self) -> CallContext:
        """What a dialogue is told of the call."""
        plan = self.plan
        return CallContext(
            call_sid=plan.call_sid,
            caller=plan.caller,
            called=plan.called,
            direction=plan.direction,
            language=self.language,
            variables=plan.variables(),
            greeting=" ".join(filter(None, plan.opening())),
            history=plan.history,
            resumed=plan.resumed,
            can_speak=self.can_speak,
        )
