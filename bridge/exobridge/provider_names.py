"""Which names may stand for a provider in a setting or a template."""

from __future__ import annotations

from functools import cache

from exobridge_providers.errors import ProviderConfigError
from exobridge_providers.registry import Kind, names, provider_class

NO_VAD = "none"
"""A call without voice-activity detection."""


def known_names(kind: Kind) -> list[str]:
    """What may be written for this kind; a dialogue may also be a speech-to-speech provider."""
    if kind is Kind.VAD:
        return [*names(kind), NO_VAD]
    if kind in (Kind.DIALOGUE, Kind.REALTIME):
        return sorted({*names(Kind.DIALOGUE), *names(Kind.REALTIME)})
    return names(kind)


def may_be_named(kind: Kind, name: str) -> bool:
    """Whether this may stand for a provider of this kind. A ``module:Class`` may; whether it is
    there shows when it is imported."""
    return ":" in name or name in known_names(kind)


def dialogue_kind(name: str) -> Kind:
    """What stands behind ``dialogue.provider``: ``DIALOGUE``, or ``REALTIME`` where only a
    speech-to-speech provider has that name."""
    if ":" in name:
        return Kind.REALTIME if _is_realtime(name) else Kind.DIALOGUE
    if name not in names(Kind.DIALOGUE) and name in names(Kind.REALTIME):
        return Kind.REALTIME
    return Kind.DIALOGUE


@cache
def _is_realtime(name: str) -> bool:
    try:
        provider_class(Kind.REALTIME, name)
    except ProviderConfigError:
        return False
    return True
