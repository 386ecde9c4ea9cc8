"""The providers a template asks for: which ones, and whether they can be had."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from exobridge.provider_names import NO_VAD, dialogue_kind, known_names, may_be_named
from exobridge.templates.models import Template
from exobridge.validation import Problem, problems
from exobridge_providers.base import Provider
from exobridge_providers.errors import ProviderConfigError
from exobridge_providers.registry import Kind, names, provider_class


@dataclass(frozen=True, slots=True)
class ProviderUse:
    """One provider of a template, as :func:`exobridge_providers.registry.create` takes it."""

    kind: Kind
    name: str
    options: Mapping[str, Any]


def provider_uses(template: Template) -> tuple[ProviderUse, ...]:
    """The providers a call with this template needs.

    A speech-to-speech provider hears and speaks for itself: it needs no STT, and TTS only for the
    line of a refusal.
    """
    kind = dialogue_kind(template.dialogue.provider)
    uses = [ProviderUse(kind, template.dialogue.provider, template.dialogue.options)]
    if template.vad.provider != NO_VAD:
        uses.append(ProviderUse(Kind.VAD, template.vad.provider, template.vad.options))
    if kind is Kind.DIALOGUE:
        uses.append(ProviderUse(Kind.STT, template.stt.provider, template.stt.options))
    if kind is Kind.DIALOGUE or template.refusal.mode == "say":
        uses.append(ProviderUse(Kind.TTS, template.tts.provider, template.tts.options))
    return tuple(uses)


def provider_problems(template: Template) -> list[Problem]:
    """Unknown names, missing packages, options a provider does not take. Starts nothing."""
    found = [problem for use in provider_uses(template) for problem in _use_problems(use)]
    if template.vad.provider == NO_VAD:
        found += _without_vad(template)
    return found


def _use_problems(use: ProviderUse) -> list[Problem]:
    table = "dialogue" if use.kind is Kind.REALTIME else str(use.kind)
    known = known_names(use.kind)
    if not may_be_named(use.kind, use.name):
        cure = f"Known: {', '.join(known)}."
        return [Problem((table, "provider"), f"there is no such {table} provider", cure)]
    try:
        found = provider_class(use.kind, use.name)
    except ProviderConfigError as error:
        cure = f"Install what is missing, or choose another of: {', '.join(known)}."
        return [Problem((table, "provider"), str(error), cure)]
    return _option_problems(found, use.options, table)


def _option_problems(
    found: type[Provider], options: Mapping[str, Any], table: str
) -> list[Problem]:
    try:
        found.options_type.model_validate(dict(options))
    except ValidationError as error:
        keys = sorted(found.options_type.model_fields)
        return [
            Problem(
                (table, "options", *problem.path),
                problem.problem,
                problem.cure or _options_cure(problem, keys),
            )
            for problem in problems(error)
        ]
    return []


def _options_cure(problem: Problem, keys: list[str]) -> str:
    if not keys:
        return "This provider has no options."
    near = difflib.get_close_matches(str(problem.path[0]) if problem.path else "", keys, n=1)
    if near and near[0] not in problem.path:
        return f"Did you mean {near[0]}?"
    return f"The provider's options are: {', '.join(keys)}."


def _without_vad(template: Template) -> list[Problem]:
    if dialogue_kind(template.dialogue.provider) is Kind.REALTIME:
        return []
    cure = f"Choose another of: {', '.join(names(Kind.VAD))}."
    problem = f'"{NO_VAD}" works only with a speech-to-speech dialogue'
    return [Problem(("vad", "provider"), problem, cure)]
