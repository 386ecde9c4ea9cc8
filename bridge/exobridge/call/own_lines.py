"""What the bridge itself says in a call: in the language that is spoken, and rendered ahead."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from exobridge.call.stage import Stage
from exobridge.templates.models import OwnLines, Template
from exobridge.templates.text import names_in, render
from exobridge_providers.errors import ProviderError


def rendered_ahead(template: Template, lines: OwnLines) -> Iterator[str]:
    """Those that calls with this template may say, and that are the same in each."""
    limits = template.limits
    texts = [lines.sorry, lines.goodbye, lines.idle, lines.too_long, lines.resumed]
    if template.transfer.names_somebody:
        failed = template.transfer.when_failed == "resume"
        texts += [lines.transfer, lines.transfer_closed, lines.welcome_back]
        texts.append(lines.transfer_failed if failed else lines.nobody_free)
    if limits.filler_ms:
        texts.append(lines.filler)
    if 0 < limits.warning_seconds < limits.max_call_seconds:
        texts.append(lines.warning)
    return (text for text in texts if is_fixed(template, text))


def is_fixed(template: Template, text: str) -> bool:
    """Whether there is something to say, and the same in every call."""
    return bool(text) and names_in(text) <= set(template.variables)


class SpokenLines:
    """One call's. After a switch of language they stay what they were until they can be heard in
    the new one: for good, if there is no voice for it.

    Attributes:
        texts: The lines.
        language: What they are in, a BCP-47 tag.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._template = stage.plan.template
        self.language = stage.language
        self.texts: OwnLines = self._template.texts_in(self.language)
        self._following: asyncio.Task[None] | None = None
        stage.on_language.append(self._switch)

    def _switch(self, language: str) -> None:
        if self._following is not None:
            self._following.cancel()
        self._following = self._stage.spawn(self._follow(language))

    async def _follow(self, language: str) -> None:
        texts = self._template.texts_in(language)
        prompts, rate = self._stage.services.prompts, self._stage.speaking.sample_rate
        try:
            for text in rendered_ahead(self._template, texts):
                line = render(text, self._template.variables)
                await prompts.render(self._template, line, rate, language)
        except ProviderError as error:
            self._stage.log.warning(
                "language not switched", stage="texts", language=language, error=str(error)
            )
            return
        self.texts, self.language = texts, language
