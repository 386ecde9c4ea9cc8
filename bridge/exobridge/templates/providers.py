"""The providers a template asks for: which ones, and whether they can be had."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from exobridge.provider_names import NO_VAD, dialogue_kind, known_names, may_be_named
from exobridge.templates.models import Template
from exobridge.templates.provider_table import ProviderTable
from exobridge.validation import PLAIN_WORDS, Problem, problems
from exobridge_providers.base import Provider
from exobridge_providers.errors import ProviderConfigError
from exobridge_providers.registry import Kind, names, provider_class


@dataclass(frozen=True, slots=True)
class ProviderUse:
    """One provider of a template, as :func:`exobridge_providers.registry.create` takes it.

    Attributes:
        options_path: Where in the template its options stand.
    """

    kind: Kind
    name: str
    options: Mapping[str, Any]
    options_path: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def table(self) -> str:
        """The table of the template that names it."""
        return "dialogue" if self.kind is Kind.REALTIME else str(self.kind)


def provider_uses(template: Template) -> tuple[ProviderUse, ...]:
    """The providers a call with this template needs, those that stand in for another included.

    A speech-to-speech provider hears and speaks for itself: it needs no STT, and TTS only for the
    line of a refusal.
    """
    kind = dialogue_kind(template.dialogue.provider)
    uses = _table_uses(kind, "dialogue", template.dialogue)
    if template.vad.provider != NO_VAD:
        vad = template.vad
        uses.append(ProviderUse(Kind.VAD, vad.provider, vad.options, ("vad", "options")))
    if kind is Kind.DIALOGUE:
        uses += _table_uses(Kind.STT, "stt", template.stt)
    if kind is Kind.DIALOGUE or template.refusal.mode == "say":
        uses += _table_uses(Kind.TTS, "tts", template.tts)
    return tuple(uses)


def _table_uses(kind: Kind, table: str, providers: ProviderTable) -> list[ProviderUse]:
    choices = providers.choices()
    path = (table, "options")
    return [
        ProviderUse(kind, each.name, each.options, (*path, each.name) if choices[1:] else path)
        for each in choices
    ]


def provider_problems(template: Template) -> list[Problem]:
    """Unknown names, missing packages, options a provider does not take. Starts nothing."""
    found = [problem for use in provider_uses(template) for problem in _use_problems(use)]
    if template.vad.provider == NO_VAD:
        found += _without_vad(template)
    return found


def _use_problems(use: ProviderUse) -> list[Problem]:
    where, known = (use.table, "provider"), known_names(use.kind)
    if not may_be_named(use.kind, use.name):
        which = f": {use.name}" if len(use.options_path) > 2 else ""
        cure = f"Known: {', '.join(known)}."
        return [Problem(where, f"there is no such {use.table} provider{which}", cure)]
    if use.kind is Kind.DIALOGUE and dialogue_kind(use.name) is Kind.REALTIME:
        problem = f"{use.name} hears and speaks for itself: nothing stands in for it"
        return [Problem(where, problem, "Name it alone, or dialogues only.")]
    try:
        found = provider_class(use.kind, use.name)
    except ProviderConfigError as error:
        cure = f"Install what is missing, or choose another of: {', '.join(known)}."
        return [Problem(where, str(error), cure)]
    return _option_problems(found, use)


def _option_problems(found: type[Provider], use: ProviderUse) -> list[Problem]:
    try:
        found.options_type.model_validate(dict(use.options))
    except ValidationError as error:
        keys = sorted(found.options_type.model_fields)
        return [
            Problem(
                (*use.options_path, *problem.path),
                problem.problem,
                problem.cure or _options_cure(problem, keys),
            )
            for problem in problems(error)
        ]
    return []


def _options_cure(problem: Problem, keys: list[str]) -> str:
    if not keys:
        return "This provider has no options."
    first = problem.path[0] if problem.path else ""
    if problem.problem != PLAIN_WORDS["missing"] and (not first or first in keys):
        return "See the provider's options in docs/reference/providers.md."
    near = difflib.get_close_matches(str(first), keys, n=1)
    if near and near[0] not in problem.path:
        return f"Did you mean {near[0]}?"
    return f"The provider's options are: {', '.join(keys)}."


def _without_vad(template: Template) -> list[Problem]:
    if dialogue_kind(template.dialogue.provider) is Kind.REALTIME:
        return []
    cure = f"Choose another of: {', '.join(names(Kind.VAD))}."
    problem = f'"{NO_VAD}" works only with a speech-to-speech dialogue'
    return [Problem(("vad", "provider"), problem, cure)]
