"""Providers by name: the built-in ones, imported on first use, and those of installed packages.

A package outside the tree registers by an entry point, and ``pip install`` is all it takes::

    [project.entry-points."exobridge.stt"]
    acme = "acme_exobridge.stt:AcmeStt"

The group is ``exobridge.`` and the kind: ``stt``, ``tts``, ``vad``, ``dialogue``, ``realtime``. A
built-in name cannot be taken by a package. A class that is merely importable needs no entry point:
``my_bot.dialogue:MyBot`` is a name too.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.metadata import EntryPoints, entry_points

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from exobridge_providers.base import (
    AnyOptions,
    DialogueProvider,
    Provider,
    RealtimeProvider,
    SttProvider,
    TtsProvider,
    VadProvider,
)
from exobridge_providers.errors import ProviderConfigError


class Kind(StrEnum):
    """What a provider is for."""

    STT = "stt"
    TTS = "tts"
    VAD = "vad"
    DIALOGUE = "dialogue"
    REALTIME = "realtime"


BASES: dict[Kind, type[Provider]] = {
    Kind.STT: SttProvider,
    Kind.TTS: TtsProvider,
    Kind.VAD: VadProvider,
    Kind.DIALOGUE: DialogueProvider,
    Kind.REALTIME: RealtimeProvider,
}

BUILT_IN: dict[Kind, dict[str, str]] = {
    Kind.STT: {
        "moonshine": "exobridge_providers.stt.moonshine:MoonshineStt",
        "whisper": "exobridge_providers.stt.whisper:WhisperStt",
        "deepgram": "exobridge_providers.stt.deepgram:DeepgramStt",
        "elevenlabs": "exobridge_providers.stt.elevenlabs:ElevenLabsStt",
        "deepgram-flux": "exobridge_providers.stt.deepgram_flux:DeepgramFlux",
        "soniox": "exobridge_providers.stt.soniox:SonioxStt",
        "assemblyai": "exobridge_providers.stt.assemblyai:AssemblyAiStt",
        "sarvam": "exobridge_providers.stt.sarvam:SarvamStt",
        "sarvam-legacy": "exobridge_providers.stt.sarvam_legacy:SarvamLegacyStt",
    },
    Kind.TTS: {
        "hibari": "exobridge_providers.tts.hibari:HibariTts",
        "espeak": "exobridge_providers.tts.espeak:EspeakTts",
        "openai": "exobridge_providers.tts.openai:OpenAiTts",
        "elevenlabs": "exobridge_providers.tts.elevenlabs:ElevenLabsTts",
        "deepgram": "exobridge_providers.tts.deepgram:DeepgramTts",
        "deepgram-flux": "exobridge_providers.tts.deepgram_flux:DeepgramFluxTts",
        "cartesia": "exobridge_providers.tts.cartesia:CartesiaTts",
        "smallest": "exobridge_providers.tts.smallest:SmallestTts",
        "sarvam": "exobridge_providers.tts.sarvam:SarvamTts",
    },
    Kind.VAD: {"silero": "exobridge_providers.vad.silero:SileroVad"},
    Kind.DIALOGUE: {
        "scripted": "exobridge_providers.dialogue.scripted:ScriptedDialogue",
        "openai": "exobridge_providers.dialogue.openai:OpenAiDialogue",
        "webhook": "exobridge_providers.dialogue.webhook:WebhookDialogue",
        "python": "exobridge_providers.dialogue.python:PythonDialogue",
    },
    Kind.REALTIME: {"echo": "exobridge_providers.realtime.echo:Echo"},
}

EXTRAS = {"whisper": "local,whisper"}
"""What built-in providers need installed; the others: ``local``."""


def _installed(kind: Kind) -> EntryPoints:
    return _scanned(tuple(sys.path))[kind]


@cache
def _scanned(path: tuple[str, ...]) -> Mapping[Kind, EntryPoints]:
    """What is installed along ``path``, which is ``sys.path``. Looked for once: every package that
    is installed is read, which takes tens of milliseconds."""
    del path
    found = entry_points()
    return {kind: found.select(group=f"exobridge.{kind}") for kind in Kind}


def names(kind: Kind) -> list[str]:
    """Every registered name of this kind, sorted."""
    return sorted({*BUILT_IN[kind], *_installed(kind).names})


def _find(kind: Kind, name: str) -> object:
    if (target := BUILT_IN[kind].get(name)) or ":" in name:
        module, _, attribute = (target or name).partition(":")
        return getattr(importlib.import_module(module), attribute)
    entries = list(_installed(kind).select(name=name))
    if len(entries) > 1:
        packages = ", ".join(sorted(entry.dist.name if entry.dist else "?" for entry in entries))
        raise ProviderConfigError(
            f"several packages offer a {kind} provider named {name!r}: {packages}; "
            "uninstall all but one, or name its class as module:Class",
            provider=name,
        )
    if entries:
        return entries[0].load()
    raise ProviderConfigError(
        f"there is no {kind} provider named {name!r}; known: {', '.join(names(kind))}",
        provider=name,
    )


def provider_class(kind: Kind, name: str) -> type[Provider]:
    """The class behind a name.

    Raises:
        ProviderConfigError: No such name, its package cannot be imported, or it is no such class.
    """
    try:
        found = _find(kind, name)
    except ImportError as error:
        extra = EXTRAS.get(name, "local")
        cure = f" (pip install 'exobridge[{extra}]')" if name in BUILT_IN[kind] else ""
        raise ProviderConfigError(
            f"the {kind} provider {name!r} cannot be imported: {error}{cure}", provider=name
        ) from error
    except (AttributeError, TypeError, ValueError) as error:
        raise ProviderConfigError(
            f"the {kind} provider {name!r} is not where its name says: {error}", provider=name
        ) from error
    if not (isinstance(found, type) and issubclass(found, BASES[kind])):
        raise ProviderConfigError(
            f"the {kind} provider {name!r} is no subclass of {BASES[kind].__name__}", provider=name
        )
    return found


def create(kind: Kind, name: str, options: AnyOptions) -> Provider:
    """A provider, not yet started.

    Raises:
        ProviderConfigError: Unknown name, missing package, or options it does not take.
    """
    found = provider_class(kind, name)
    try:
        return found(found.options_type.model_validate(dict(options)))
    except ValidationError as error:
        problems = "; ".join(map(_told, error.errors(include_input=False, include_url=False)))
        raise ProviderConfigError(
            f"options of the {kind} provider {name!r}: {problems}", provider=name
        ) from None


def _told(problem: ErrorDetails) -> str:
    path = (*problem["loc"], *problem.get("ctx", {}).get("path", ()))
    message = problem["msg"].removeprefix("Value error, ")
    return f"{'.'.join(map(str, path)) or 'options'}: {message}"
