"""Which names may stand for a provider in a setting or a template."""

from __future__ import annotations

from exobridge_providers.registry import Kind, names

NO_VAD = "none"
"""A call without voice-activity detection."""


def known_names(kind: Kind) -> list[str]:
    """What may be written for this kind; a dialogue may also be a speech-to-speech provider."""
    if kind is Kind.VAD:
        return [*names(kind), NO_VAD]
    if kind in (Kind.DIALOGUE, Kind.REALTIME):
        return sorted({*names(Kind.DIALOGUE), *names(Kind.REALTIME)})
    return names(kind)


def dialogue_kind(name: str) -> Kind:
    """What stands behind ``dialogue.provider``: ``DIALOGUE``, or ``REALTIME`` where only a
    speech-to-speech provider has that name."""
    if name not in names(Kind.DIALOGUE) and name in names(Kind.REALTIME):
        return Kind.REALTIME
    return Kind.DIALOGUE
