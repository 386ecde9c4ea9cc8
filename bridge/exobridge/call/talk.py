"""Opens what a call works with: for a conversation, or for a speech-to-speech session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import structlog

from exobridge.call.conversation import Conversation
from exobridge.call.hearing import choose_format
from exobridge.call.prompts import best_rate
from exobridge.call.stage import Stage
from exobridge.call.state import EndedBy
from exobridge.provider_names import NO_VAD
from exobridge_codecs.formats import pcm16
from exobridge_providers import base
from exobridge_providers.errors import ProviderError, ProviderUnavailableError
from exobridge_providers.registry import Kind

_log = structlog.stdlib.get_logger("exobridge.call")

EventT = TypeVar("EventT")


async def open_conversation(stage: Stage, conversation: Conversation) -> None:
    """Greet the caller, and open voice detection, speech-to-text, text-to-speech and dialogue.

    Whatever fails is told to the conversation, which ends the call with a sorry line.
    """
    stage.spawn(_greet(stage, conversation))
    try:
        async with asyncio.timeout(stage.services.waits.open), asyncio.TaskGroup() as opening:
            opening.create_task(_open_dialogue(stage, conversation))
            opening.create_task(_open_tts(stage, conversation))
            opening.create_task(_open_stt(stage, conversation))
            opening.create_task(_open_vad(stage, conversation))
    except* TimeoutError:
        conversation.fail("opening", ProviderUnavailableError("a provider did not open in time"))
    except* _StageError as errors:
        failed = errors.exceptions[0]
        assert isinstance(failed, _StageError)
        conversation.fail(failed.stage, failed.error)


class _StageError(Exception):
    """A provider failed while it was opened; never leaves this module."""

    def __init__(self, stage: str, error: ProviderError) -> None:
        super().__init__(stage)
        self.stage = stage
        self.error = error


class _Opening:
    """Turns whatever goes wrong in its block into a ``_StageError``."""

    def __init__(self, stage: str) -> None:
        self._stage = stage

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ProviderError):
            raise _StageError(self._stage, error) from error
        if isinstance(error, Exception):
            _log.error("provider crashed", stage=self._stage, exc_info=error)
            raise _StageError(self._stage, ProviderError(type(error).__name__)) from error


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
        conversation.greet(text, pcm)


async def _open_dialogue(stage: Stage, conversation: Conversation) -> None:
    with _Opening("dialogue"):
        table = stage.plan.template.dialogue
        provider = await stage.services.pool.get(
            Kind.DIALOGUE, table.provider, table.options, base.DialogueProvider
        )
        session = await provider.open(stage.context())
        stage.close_at_the_end(session, "dialogue")
        conversation.open(session)


async def _open_tts(stage: Stage, conversation: Conversation) -> None:
    with _Opening("tts"):
        table = stage.plan.template.tts
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
        stage.spawn(_pump("tts", session.events(), stage.speaking.take, conversation))


async def _open_stt(stage: Stage, conversation: Conversation) -> None:
    with _Opening("stt"):
        table = stage.plan.template.stt
        provider = await stage.services.pool.get(
            Kind.STT, table.provider, table.options, base.SttProvider
        )
        wanted = choose_format(provider.capabilities.formats, stage.line_format)
        config = base.SttConfig(wanted, stage.plan.template.language, stage.plan.call_sid)
        session = await provider.open(config)
        stage.close_at_the_end(session, "stt")
        stage.hearing.transcribe(session, wanted, continuous=provider.capabilities.continuous)
        stage.spawn(_pump("stt", session.events(), conversation.take, conversation))


async def _open_vad(stage: Stage, conversation: Conversation) -> None:
    with _Opening("vad"):
        await _listen_for_voice(
            stage, conversation.voice, lambda error: conversation.fail("vad", error)
        )


async def _listen_for_voice(
    stage: Stage, on_voice: base.OnVoice, on_failure: base.OnVadFailure
) -> None:
    table = stage.plan.template.vad
    if table.provider == NO_VAD:
        return
    provider = await stage.services.pool.get(
        Kind.VAD, table.provider, table.options, base.VadProvider
    )
    line_rate = stage.line_format.sample_rate
    rates = sorted(provider.sample_rates)
    rate = next((rate for rate in rates if rate >= line_rate), rates[-1])
    session = provider.open(rate, on_voice, on_failure)
    stage.exits.callback(session.close)
    stage.hearing.listen(pcm16(rate), session.send)


async def _pump(
    what: str,
    events: AsyncIterator[EventT],
    take: Callable[[EventT], None],
    conversation: Conversation,
) -> None:
    """Hand a session's events on until the call is over; its death is the call's end."""
    try:
        async for event in events:
            take(event)
        error: ProviderError = ProviderUnavailableError("the session ended by itself")
    except ProviderError as raised:
        error = raised
    except Exception as raised:  # a plugin's bug must not take the process's other calls with it
        _log.exception("provider crashed", stage=what)
        error = ProviderError(type(raised).__name__)
    conversation.fail(what, error)


async def open_realtime(stage: Stage) -> None:
    """Open a speech-to-speech session. A silent call is ended where voice is detected."""
    table = stage.plan.template.dialogue
    rate = stage.line_format.sample_rate
    try:
        async with asyncio.timeout(stage.services.waits.open):
            provider = await stage.services.pool.get(
                Kind.REALTIME, table.provider, table.options, base.RealtimeProvider
            )
            rates = sorted(provider.sample_rates) or [rate]
            chosen = next((known for known in rates if known >= rate), rates[-1])
            player = stage.speaking.player(chosen)
            session = await provider.open(stage.context(), chosen, player)
            stage.close_at_the_end(session, "realtime")
            stage.hearing.listen(pcm16(chosen), session.hear)
            await _end_when_idle(stage)
    except (ProviderError, TimeoutError) as error:
        _log.error("provider failed", stage="realtime", error=str(error) or "not open in time")
        stage.end(EndedBy.SERVER, "realtime failed")


async def _end_when_idle(stage: Stage) -> None:
    loop = asyncio.get_running_loop()
    table = stage.plan.template.vad
    last_voice = loop.time()

    def on_voice(end_ms: float, probability: float) -> None:
        del end_ms
        nonlocal last_voice
        if probability >= table.start_probability:
            last_voice = loop.time()
        elif loop.time() - last_voice > stage.plan.template.limits.idle_seconds:
            stage.end(EndedBy.BOT, "idle")

    def on_failure(error: ProviderError) -> None:
        _log.error("provider failed", stage="vad", error=str(error))

    await _listen_for_voice(stage, on_voice, on_failure)
