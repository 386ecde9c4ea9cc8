"""The providers of the templates in use, started for real, and the speech that they make.

All of it runs in a loop of its own (:func:`~exobridge.doctor.aside.in_own_loop`): one that blocks
must not stop the other checks.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable
from contextlib import suppress
from typing import TypeVar

from exobridge.doctor.aside import in_own_loop
from exobridge.doctor.case import OFFLINE, Case
from exobridge.doctor.finding import Finding, error, info, ok, warning
from exobridge.doctor.provider_checks import key_variable
from exobridge.doctor.speech import Spoken, hear, speak, voice
from exobridge.templates import ProviderUse, Template, provider_uses
from exobridge_providers.base import Provider, SttProvider, TtsProvider, VadProvider, speaks
from exobridge_providers.errors import ProviderError
from exobridge_providers.registry import Kind, create

T = TypeVar("T")

START_SECONDS = 30.0
CLOSE_SECONDS = 5.0
SPEECH_SECONDS = 20.0
"""For each of: rendering, understanding, hearing."""
SLOW_START_SECONDS = 10.0
LOCAL_STT = ("moonshine", "whisper")
"""Those that cost nothing to ask and can be judged by a made voice."""
SPEECH = (Kind.STT, Kind.TTS, Kind.VAD)
VOICED = 0.5
"""Probability from which a window counts as speech."""


async def look(case: Case) -> list[Finding]:
    """Start each provider once, and let it work."""
    return await in_own_loop(lambda: _all(case))


async def _all(case: Case) -> list[Finding]:
    findings: list[Finding] = []
    started: dict[str, Provider | None] = {}
    tried: set[str] = set()
    try:
        for template in case.in_use.values():
            uses = provider_uses(template)
            for use in uses:
                if repr(use) not in started:
                    finding, started[repr(use)] = await _start(case, use)
                    findings.append(finding)
            speech = [use for use in uses if use.kind in SPEECH]
            if (what := f"{speech} {template.language} {template.tts.voice}") not in tried:
                tried.add(what)
                case.tell("trying the speech")
                there = [
                    (use, each)
                    for use in speech
                    if (each := started[repr(use)]) is not None
                    and not _passed_over(template, use, each)
                ]
                findings += await _try(template, there)
    finally:
        for each in started.values():
            if each is not None:
                with suppress(Exception):  # what it did is told; how it ends is its own affair
                    await asyncio.wait_for(each.aclose(), CLOSE_SECONDS)
    return list(dict.fromkeys(findings))


def _passed_over(template: Template, use: ProviderUse, provider: Provider) -> bool:
    """Whether it is one of several and does not know the template's language."""
    if len(use.options_path) <= 2 or not isinstance(provider, SttProvider | TtsProvider):
        return False
    return not speaks(provider.capabilities.languages, template.language)


async def _start(case: Case, use: ProviderUse) -> tuple[Finding, Provider | None]:
    name = f"{use.kind} {use.name}"
    begun = time.monotonic()
    try:
        provider = create(use.kind, use.name, use.options)
        if case.scope.offline and not provider.offline:
            return info("doctor.skipped", f"start of {name}: {OFFLINE}"), None
        if (key := key_variable(use)) and not os.environ.get(key, "").strip():
            return info("doctor.skipped", f"start of {name}: it has no key"), None
        case.tell(f"starting {name}")
        await asyncio.wait_for(provider.start(), START_SECONDS)
    except TimeoutError:
        found = f"{name} did not start within {START_SECONDS:.0f} s"
        cure = "Look at its log, its network and its key; a slow disk takes long the first time."
        return error("providers.start", found, cure), None
    except ProviderError as problem:
        cure = "Mend what it says, or choose another provider."
        return error("providers.start", f"{name}: {problem}", cure), None
    except Exception as problem:  # a plugin's bug
        found = f"{name} crashed when it was started ({type(problem).__name__})"
        return error("providers.start", found, "Tell its author, or choose another."), None
    seconds = time.monotonic() - begun
    found = f"{name} started in {seconds:.1f} s"
    if seconds > SLOW_START_SECONDS:
        return info("providers.start", f"{found}: calls that come sooner wait"), provider
    return ok("providers.start", found), provider


async def _try(template: Template, started: list[tuple[ProviderUse, Provider]]) -> list[Finding]:
    """Speech from text, and back."""
    findings: list[Finding] = []
    spoken: Spoken | None = None
    for use, provider in started:
        if isinstance(provider, TtsProvider):
            finding, made = await _tts(use.name, provider, template)
            findings.append(finding)
            spoken = spoken or made
    if spoken is None:
        return findings
    for use, provider in started:
        if isinstance(provider, SttProvider) and use.name in LOCAL_STT:
            findings.append(await _stt(use.name, provider, template, spoken))
        if isinstance(provider, VadProvider) and spoken.is_speech:
            findings.append(await _vad(use.name, provider, spoken))
    return findings


async def _tts(
    name: str, provider: TtsProvider, template: Template
) -> tuple[Finding, Spoken | None]:
    begun = time.monotonic()
    try:
        voices = {choice.name: choice.voice for choice in template.tts.choices()}
        spoken = await _within(speak(provider, template.language, voices[name]))
    except Exception as problem:
        return _failed("models.tts", f"tts {name} made no speech", problem), None
    if not spoken.pcm:
        return _failed("models.tts", f"tts {name} made no speech", None), None
    seconds = time.monotonic() - begun
    return _speed("models.tts", f"tts {name} made", seconds, spoken.seconds), spoken


async def _stt(name: str, provider: SttProvider, template: Template, spoken: Spoken) -> Finding:
    begun = time.monotonic()
    try:
        text = await _within(hear(provider, template.language, spoken))
    except Exception as problem:
        return _failed("models.stt", f"stt {name} understood nothing", problem)
    if not text.strip():
        return _failed("models.stt", f"stt {name} understood nothing", None)
    seconds = time.monotonic() - begun
    return _speed("models.stt", f"stt {name} understood", seconds, spoken.seconds)


async def _vad(name: str, provider: VadProvider, spoken: Spoken) -> Finding:
    begun = time.monotonic()
    try:
        highest = await _within(voice(provider, spoken))
    except Exception as problem:
        return _failed("models.vad", f"vad {name} heard nothing", problem)
    if highest < VOICED:
        found = f"vad {name} heard no voice in speech (at most {highest:.2f} of 1)"
        return warning("models.vad", found, "Choose another vad.provider in the template.")
    seconds = time.monotonic() - begun
    return _speed("models.vad", f"vad {name} heard the voice in", seconds, spoken.seconds)


async def _within(work: Awaitable[T]) -> T:
    return await asyncio.wait_for(work, SPEECH_SECONDS)


def _failed(about: str, what: str, problem: Exception | None) -> Finding:
    why = ""
    if isinstance(problem, TimeoutError):
        why = f" within {SPEECH_SECONDS:.0f} s"
    elif problem is not None:
        why = f": {problem}" if isinstance(problem, ProviderError) else f" ({problem!r})"
    return error(about, what + why, "Try it alone with: exobridge demo. Or choose another.")


def _speed(about: str, what: str, seconds: float, audio_seconds: float) -> Finding:
    factor = seconds / audio_seconds
    found = f"{what} {audio_seconds:.1f} s of speech in {seconds:.2f} s (real-time factor "
    found += f"{factor:.2f})"
    if factor <= 1:
        return ok(about, found)
    cure = "It is slower than speech: use a faster machine, fewer calls at once (MAX_CALLS), or "
    return warning(about, found, cure + "a provider on the network.")
