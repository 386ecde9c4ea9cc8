"""What is made ready ahead of the calls: providers, fixed lines, the first words of each call."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from exobridge.call.own_lines import is_fixed, rendered_ahead
from exobridge.call.plan import CallPlan, is_realtime
from exobridge.call.prompts import Prompts
from exobridge.numbers import Book
from exobridge.provider_pool import ProviderPool
from exobridge.routing import Routing
from exobridge.templates import (
    ProviderUse,
    Template,
    Templates,
    in_use,
    languages_of,
    provider_uses,
)
from exobridge.templates.text import render
from exobridge_providers.base import Provider, SttProvider, TtsProvider, speaks
from exobridge_providers.errors import ProviderConfigError, ProviderError
from exobridge_providers.registry import BASES

_log = structlog.stdlib.get_logger("exobridge")


class Ahead:
    """Makes ready what a call would otherwise wait for.

    Args:
        numbers: Say which templates answer for some number.
    """

    def __init__(
        self, numbers: Book, pool: ProviderPool, prompts: Prompts, routing: Routing
    ) -> None:
        self._numbers = numbers
        self._pool = pool
        self._prompts = prompts
        self._routing = routing
        self._greetings: set[asyncio.Task[None]] = set()

    async def templates(self, templates: Templates) -> list[str]:
        """Start the providers of the templates that answer for a number, and render their fixed
        lines.

        Returns:
            What is wrong, a sentence for each template; it is logged too.
        """
        problems: list[str] = []
        numbers = self._numbers.templates
        for name in sorted(in_use(numbers, templates)):
            problems += self._applications(name, templates[name])
            try:
                for language in languages_of(name, numbers, templates):
                    await self._start_providers(name, templates[name], language)
                await self._render_lines(templates[name])
            except Exception as error:  # a plugin's bug must not hide the others' health
                problems.append(f"template {name}: {_log_failure(name, error)}")
        return problems

    def _applications(self, name: str, template: Template) -> list[str]:
        """What is wrong with those that the template asks and tells."""
        found = self._routing.prepare(template)
        for fault in found:
            _log.error("application unusable", template=name, table=fault.table, error=fault.error)
        return [f"template {name}: [{fault.table}] {fault.error}" for fault in found]

    async def _start_providers(self, name: str, template: Template, language: str) -> None:
        """Of several that stand in for each other, one that works and knows the language is
        enough."""
        working: set[str] = set()
        failures: list[tuple[str, Exception]] = []
        strangers: list[tuple[str, Exception]] = []
        for use in provider_uses(template):
            try:
                provider = await self._pool.get(use.kind, use.name, use.options, BASES[use.kind])
                problem = _language_problem(name, language, use, provider)
            except Exception as error:
                failures.append((use.table, error))
            else:
                if problem is None:
                    working.add(use.table)
                else:
                    strangers.append((use.table, problem))
        for table, failure in failures + strangers:
            if table not in working:
                raise failure
        for _, failure in failures:  # a stranger may be there for the language of other calls
            _log_failure(name, failure)

    async def _render_lines(self, template: Template) -> None:
        if is_realtime(template.dialogue.provider):
            return
        refusal, voicemail = template.refusal, template.voicemail
        lines = [
            template.recording.consent,
            template.greeting,
            *rendered_ahead(template, template.texts),
        ]
        if voicemail.action == "message":
            lines.append(voicemail.message)
        if refusal.mode == "say":
            lines += [refusal.closed, refusal.busy, refusal.unknown]
        rate = template.stream.sample_rate
        for line in lines:
            if is_fixed(template, line):
                text = render(line, template.variables)
                await self._prompts.render(template, text, rate)

    def greeting(self, plan: CallPlan) -> None:
        """Have a call's first line ready before its stream opens."""
        if not plan.converses:
            return
        lines = plan.opening() if plan.say is None else (plan.text(plan.say),)
        for text in filter(None, lines):
            task = asyncio.create_task(self._render(plan, text))
            self._greetings.add(task)
            task.add_done_callback(self._greetings.discard)

    async def _render(self, plan: CallPlan, text: str) -> None:
        with suppress(ProviderError):  # the call itself will find out, and say so
            rate = plan.template.stream.sample_rate
            language = plan.first_language
            await self._prompts.render(plan.template, text, rate, language)

    async def aclose(self) -> None:
        """Stop what is being rendered."""
        running = list(self._greetings)
        for task in running:
            task.cancel()
        for task in running:
            await asyncio.wait([task])


def _language_problem(
    name: str, tag: str, use: ProviderUse, provider: Provider
) -> ProviderError | None:
    """Calls with this template could not use a provider that does not know their language."""
    if not isinstance(provider, SttProvider | TtsProvider):
        return None
    if speaks(provider.capabilities.languages, tag):
        return None
    return ProviderConfigError(
        f"{use.kind} {use.name} does not know {tag}, a language of {name}; "
        f"choose another {use.table}.provider",
        provider=use.name,
    )


def _log_failure(template: str, error: Exception) -> str:
    """A provider's failure at the start of the server, or its bug; in a few words."""
    if isinstance(error, ProviderError):
        _log.error("provider failed", template=template, error=str(error))
        return str(error)
    _log.error("provider crashed", template=template, exc_info=error)
    return type(error).__name__
