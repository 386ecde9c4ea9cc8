"""Which names may stand for a provider in a setting or a template."""

from __future__ import annotations

from functools import cache

from exobridge.validation import wrong
from exobridge_providers.errors import ProviderConfigError
from exobridge_providers.registry import Kind, names, provider_class

NO_VAD = "none"
"""A call without voice-activity detection."""

MAX_PROVIDERS = 5
"""Names in a list: no caller waits for more."""


def listed(value: str) -> tuple[str, ...]:
    """The names of a comma-separated list, without the spaces around them."""
    return tuple(name.strip() for name in value.split(","))


def provider_list(value: str) -> str:
    """A list of providers without its spaces, each named once."""
    names = listed(value)
    if len(names) > 1 and not all(names):
        raise wrong("names nothing beside a comma", "Write it like one,another.")
    if len(set(names)) < len(names):
        raise wrong("names a provider twice", "Name each once.")
    if len(names) > MAX_PROVIDERS:
        raise wrong(f"names more than {MAX_PROVIDERS} providers", "Keep the best of them.")
    return ",".join(names)


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
    speech-to-speech provider has that name. Of several, none can be one."""
    if "," in name:
        return Kind.DIALOGUE
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
