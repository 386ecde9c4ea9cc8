"""Opens what a call works with: for a conversation, or for a speech-to-speech session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from exobridge.call.conversation import Conversation
from exobridge.call.events import EndedBy
from exobridge.call.guarded import Guarded, GuardedStt, OnError
from exobridge.call.hearing import choose_format
from exobridge.call.prompts import best_rate
from exobridge.call.stage import Stage
from exobridge.provider_names import NO_VAD
from exobridge_codecs.formats import pcm16
from exobridge_providers import base
from exobridge_providers.errors import (
    ProviderError,
    ProviderUnavailableError,
    as_provider_error,
)
from exobridge_providers.registry import Kind

EventT = TypeVar("EventT")

Fail = Callable[[str, ProviderError], None]
"""``fail(stage, error)``: this stage of the call cannot go on."""


class _StageError(Exception):
    """A provider failed while it was opened; never leaves this module."""

    def __init__(self, stage: str, error: ProviderError) -> None:
        super().__init__(stage)
        self.stage = stage
        self.error = error


@asynccontextmanager
async def _opening(stage: Stage, what: str, provider: str) -> AsyncGenerator[None]:
    """Turns whatever goes wrong in its block into a ``_StageError``, a time-out included."""
    try:
        async with asyncio.timeout(stage.services.waits.open):
            yield
    except TimeoutError as error:
        late = ProviderUnavailableError("did not open in time", provider=provider)
        raise _StageError(what, late) from error
    except Exception as error:
        raise _StageError(what, _reported(stage, what, provider, error)) from error


def _reported(stage: Stage, what: str, provider: str, error: Exception) -> ProviderError:
    """A plugin's bug goes into the log with its trace; to the call it is a provider's failure."""
    if not isinstance(error, ProviderError):
        stage.log.error("provider crashed", stage=what, provider=provider, exc_info=error)
    return as_provider_error(error, what, provider)


def _on_error(stage: Stage, what: str, provider: str, fail: Fail) -> OnError:
    return lambda error: fail(what, _reported(stage, what, provider, error))


# ------------------------------------------------------------------ a conversation


async def open_conversation(stage: Stage, conversation: Conversation) -> None:
    """Greet the caller, and open voice detection, speech-to-text, text-to-speech and dialogue.

    Whatever fails is told to the conversation, which ends the call with a sorry line.
    """
    stage.spawn(_greet(stage, conversation))
    try:
        async with asyncio.TaskGroup() as opening:
            dialogue = opening.create_task(_open_dialogue(stage))
            opening.create_task(_open_tts(stage, conversation))
            opening.create_task(_open_stt(stage, conversation))
            opening.create_task(_open_vad(stage, conversation.voice, conversation.fail))
    except* _StageError as errors:
        failed = errors.exceptions[0]
        assert isinstance(failed, _StageError)
        conversation.fail(failed.stage, failed.error)
    else:
        conversation.open(dialogue.result())


async def _greet(stage: Stage, conversation: Conversation) -> None:
    plan, waits = stage.plan, stage.services.waits
    text = plan.text(plan.template.greeting)
    if not text:
        return
    rate = stage.speaking.sample_rate
    try:
        async with asyncio.timeout(waits.greeting):
            pcm = await stage.services.prompts.render(plan.template, text, rate)
    except ProviderError as error:
        conversation.fail("tts", error)
    except TimeoutError:
        conversation.fail("tts", ProviderUnavailableError("no greeting in time"))
    else:
        if not conversation.closing:  # its last words have begun
            conversation.greet(text, pcm)


async def _open_dialogue(stage: Stage) -> base.DialogueSession:
    table = stage.plan.template.dialogue
    async with _opening(stage, "dialogue", table.provider):
        provider = await stage.services.pool.get(
            Kind.DIALOGUE, table.provider, table.options, base.DialogueProvider
        )
        session = await provider.open(stage.context())
        stage.close_at_the_end(session, "dialogue")
        return session


async def _open_tts(stage: Stage, conversation: Conversation) -> None:
    table = stage.plan.template.tts
    async with _opening(stage, "tts", table.provider):
        provider = await stage.services.pool.get(
            Kind.TTS, table.provider, table.options, base.TtsProvider
        )
        rate = best_rate(provider, stage.line_format.sample_rate)
        config = base.TtsConfig(
            pcm16(rate), stage.plan.template.language, table.voice, stage.plan.call_sid
        )
        session = await provider.open(config)
        stage.close_at_the_end(session, "tts")
        stage.speaking.use(session, rate, provider.capabilities.max_chars)
        on_error = _on_error(stage, "tts", table.provider, conversation.fail)
        stage.spawn(_pump(session.events(), stage.speaking.take, on_error))


async def _open_stt(stage: Stage, conversation: Conversation) -> None:
    table = stage.plan.template.stt
    async with _opening(stage, "stt", table.provider):
        provider = await stage.services.pool.get(
            Kind.STT, table.provider, table.options, base.SttProvider
        )
        capabilities = provider.capabilities
        wanted = choose_format(capabilities.formats, stage.line_format)
        config = base.SttConfig(wanted, stage.plan.template.language, stage.plan.call_sid)
        session = await provider.open(config)
        stage.close_at_the_end(session, "stt")
        on_error = _on_error(stage, "stt", table.provider, conversation.fail)
        guarded = GuardedStt(session, on_error)
        stage.tally.to_stt = guarded.to_session
        stage.hearing.transcribe(guarded, wanted, continuous=capabilities.continuous)
        stage.spawn(_pump(session.events(), conversation.take, on_error))


async def _pump(
    events: AsyncIterator[EventT], take: Callable[[EventT], None], on_error: OnError
) -> None:
    """Hand a session's events on until the call is over; its death is the call's end."""
    try:
        async for event in events:
            take(event)
    except Exception as error:  # a plugin's bug must not take the process's other calls with it
        on_error(error)
    else:
        on_error(ProviderUnavailableError("the session ended by itself"))


# ------------------------------------------------------------------ voice detection


async def _open_vad(stage: Stage, on_voice: base.OnVoice, fail: Fail) -> None:
    table = stage.plan.template.vad
    if table.provider == NO_VAD:
        return
    async with _opening(stage, "vad", table.provider):
        provider = await stage.services.pool.get(
            Kind.VAD, table.provider, table.options, base.VadProvider
        )
        line_rate = stage.line_format.sample_rate
        rates = sorted(provider.sample_rates)
        rate = next((rate for rate in rates if rate >= line_rate), rates[-1])
        session = provider.open(rate, on_voice, lambda error: fail("vad", error))
        on_error = _on_error(stage, "vad", table.provider, fail)
        stage.exits.callback(_close_vad, session, on_error)
        stage.hearing.listen(pcm16(rate), Guarded(session.send, on_error))


def _close_vad(session: base.VadSession, on_error: OnError) -> None:
    try:
        session.close()
    except Exception as error:  # a plugin's bug must not keep the other sessions open
        on_error(error)


# ------------------------------------------------------------------ speech to speech


async def open_realtime(stage: Stage) -> None:
    """Open a speech-to-speech session. A silent call is ended where voice is detected."""

    def fail(what: str, error: ProviderError) -> None:
        stage.log.error(
            "provider failed",
            stage=what,
            provider=error.provider,
            error=str(error),
            retryable=error.retryable,
        )
        stage.services.meters.provider_failed(stage.plan.template, what, error)
        # Without ears for the caller's silence the call still has its maximum length.
        if what == "realtime":
            stage.end(EndedBy.SERVER, "realtime failed")

    try:
        await _open_realtime(stage, fail)
        await _open_vad(stage, _idle_watch(stage), fail)
    except _StageError as failed:
        fail(failed.stage, failed.error)


async def _open_realtime(stage: Stage, fail: Fail) -> None:
    table = stage.plan.template.dialogue
    rate = stage.line_format.sample_rate
    async with _opening(stage, "realtime", table.provider):
        provider = await stage.services.pool.get(
            Kind.REALTIME, table.provider, table.options, base.RealtimeProvider
        )
        rates = sorted(provider.sample_rates) or [rate]
        chosen = next((known for known in rates if known >= rate), rates[-1])
        player = stage.tally.counted(stage.speaking.player(chosen), chosen)
        session = await provider.open(stage.context(), chosen, player)
        stage.close_at_the_end(session, "realtime")
        on_error = _on_error(stage, "realtime", table.provider, fail)
        stage.tally.to_realtime = Guarded(session.hear, on_error)
        stage.hearing.listen(pcm16(chosen), stage.tally.to_realtime)


def _idle_watch(stage: Stage) -> base.OnVoice:
    """Ends the call when no voice has been heard for long."""
    loop = asyncio.get_running_loop()
    template = stage.plan.template
    last_voice = loop.time()

    def on_voice(end_ms: float, probability: float) -> None:
        del end_ms
        nonlocal last_voice
        if probability >= template.vad.start_probability:
            last_voice = loop.time()
        elif loop.time() - last_voice > template.limits.idle_seconds:
            stage.end(EndedBy.BOT, "idle")

    return on_voice
