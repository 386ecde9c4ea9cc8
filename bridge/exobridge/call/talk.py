"""Opens what a call works with: for a conversation, or for a speech-to-speech session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from exobridge.call.conversation import Conversation
from exobridge.call.events import EndedBy
from exobridge.call.failover.dialogue import DialogueRelay
from exobridge.call.failover.lineup import Lineup
from exobridge.call.failover.means import Means
from exobridge.call.failover.stt import SttRelay
from exobridge.call.failover.tts import TtsRelay
from exobridge.call.failover.vad import VadRelay
from exobridge.call.guarded import Guarded, Harmless
from exobridge.call.machine_watch import MachineWatch, is_watched
from exobridge.call.stage import Stage
from exobridge.provider_names import NO_VAD
from exobridge.templates.provider_table import Choice
from exobridge_codecs.formats import pcm16
from exobridge_providers import base
from exobridge_providers.denoise import Denoise, denoiser
from exobridge_providers.errors import ProviderError, ProviderUnavailableError
from exobridge_providers.registry import Kind

Fail = Callable[[str, ProviderError], None]
"""``fail(stage, error)``: this stage of the call cannot go on."""


class _StageError(Exception):
    """A provider failed while it was opened; never leaves this module."""

    def __init__(self, stage: str, error: ProviderError) -> None:
        super().__init__(stage)
        self.stage = stage
        self.error = error


@asynccontextmanager
async def _opening(means: Means, what: str, provider: str) -> AsyncGenerator[None]:
    """Turns whatever goes wrong in its block into a ``_StageError``, a time-out included."""
    try:
        async with asyncio.timeout(means.waits.open):
            yield
    except TimeoutError as error:
        late = ProviderUnavailableError("did not open in time", provider=provider)
        raise _StageError(what, late) from error
    except Exception as error:
        raise _StageError(what, means.reported(what, provider, error)) from error


def _means(stage: Stage) -> Means:
    services = stage.services
    means = Means(
        services.pool, services.waits, services.meters, stage.tally, stage.spawn, stage.log
    )
    stage.exits.push_async_callback(means.settled)
    return means


# ------------------------------------------------------------------ a conversation


async def open_conversation(stage: Stage, conversation: Conversation) -> None:
    """Greet the caller, and open voice detection, speech-to-text, text-to-speech and dialogue.

    What fails, and can be replaced by nothing, is told to the conversation, which ends the call
    with a sorry line.
    """
    tts = stage.plan.template.tts
    stage.speaking.spoken = lambda text: tts.spoken(text, stage.language)
    stage.spawn(_greet(stage, conversation))
    means = _means(stage)
    ears = _ears(stage, conversation)
    try:
        async with asyncio.TaskGroup() as opening:
            dialogue = opening.create_task(_open_dialogue(stage, means))
            opening.create_task(_open_tts(stage, means, conversation))
            opening.create_task(_open_stt(stage, means, ears, conversation.fail))
            opening.create_task(_open_vad(stage, means, ears.voice, conversation.fail))
    except* _StageError as errors:
        failed = errors.exceptions[0]
        assert isinstance(failed, _StageError)
        conversation.fail(failed.stage, failed.error)
    else:
        conversation.open(dialogue.result())


def _ears(stage: Stage, conversation: Conversation) -> Conversation | MachineWatch:
    """Who is told what the caller does."""
    if not is_watched(stage.plan):
        return conversation
    rate = stage.line_format.sample_rate
    return MachineWatch(stage.plan, stage.hearing, rate, conversation, stage.log)


async def _greet(stage: Stage, conversation: Conversation) -> None:
    plan, waits = stage.plan, stage.services.waits
    opening = plan.opening()
    if not any(opening):
        return
    prompts, rate = stage.services.prompts, stage.speaking.sample_rate
    try:
        async with asyncio.timeout(waits.greeting):
            consent, greeting = [
                await prompts.render(plan.template, text, rate, stage.language) if text else b""
                for text in opening
            ]
    except ProviderError as error:
        conversation.fail("tts", error)
    except TimeoutError:
        conversation.fail("tts", ProviderUnavailableError("no greeting in time"))
    else:
        if not conversation.closing:  # its last words have begun
            consent_ms = pcm16(rate).duration_ms(len(consent))
            conversation.greet(" ".join(filter(None, opening)), consent + greeting, consent_ms)


async def _open_dialogue(stage: Stage, means: Means) -> DialogueRelay:
    choices = stage.plan.template.dialogue.choices()
    lineup = Lineup(Kind.DIALOGUE, base.DialogueProvider, choices, means, stage.language)
    relay = DialogueRelay(lineup, means, stage.context)
    stage.exits.push_async_callback(relay.aclose)
    await _opened("dialogue", relay.open())
    return relay


async def _open_tts(stage: Stage, means: Means, conversation: Conversation) -> None:
    choices = stage.plan.template.tts.choices()
    lineup = Lineup(Kind.TTS, base.TtsProvider, choices, means, stage.language, _knows)
    relay = TtsRelay(
        lineup,
        means,
        stage.language,
        stage.plan.call_sid,
        stage.line_format,
        own_language=stage.plan.template.language,
        take=stage.speaking.take,
        fail=partial(conversation.fail, "tts"),
    )
    stage.exits.push_async_callback(relay.aclose)
    await _opened("tts", relay.open())
    stage.knows["tts"] = lineup.knows
    stage.on_language.append(relay.switch_language)
    stage.speaking.use(relay, relay.sample_rate, relay.max_chars)


async def _open_stt(
    stage: Stage, means: Means, ears: Conversation | MachineWatch, fail: Fail
) -> None:
    choices, hearing = stage.plan.template.stt.choices(), stage.hearing
    hearing.denoise = _denoise(stage)
    lineup = Lineup(Kind.STT, base.SttProvider, choices, means, stage.language, _knows)
    relay = SttRelay(
        lineup,
        means,
        stage.language,
        stage.plan.call_sid,
        hearing.for_stt,
        take=ears.take,
        fail=partial(fail, "stt"),
        speaking=lambda: hearing.in_segment,
        seated=hearing.suit,
    )
    stage.exits.push_async_callback(relay.aclose)
    await _opened("stt", relay.open())
    stage.knows["stt"] = lineup.knows
    stage.on_language.append(relay.switch_language)
    hearing.transcribe(
        relay, pcm16(hearing.for_stt.sample_rate), continuous=relay.capabilities.continuous
    )


def _denoise(stage: Stage) -> Denoise | None:
    """The template's noise suppression; where it fails the caller is heard with the noise."""
    name = stage.plan.template.audio.denoise

    def failed(error: Exception) -> None:
        stage.log.error("provider crashed", stage="denoise", provider=name, exc_info=error)

    try:
        denoise = denoiser(name)
    except Exception as error:
        failed(error)
        return None
    return None if denoise is None else Harmless(denoise, failed)


def _knows(provider: base.SttProvider | base.TtsProvider, language: str) -> bool:
    return base.speaks(provider.capabilities.languages, language)


async def _opened(what: str, opening: Awaitable[None]) -> None:
    try:
        await opening
    except ProviderError as error:
        raise _StageError(what, error) from error


# ------------------------------------------------------------------ voice detection


async def _open_vad(stage: Stage, means: Means, on_voice: base.OnVoice, fail: Fail) -> None:
    table = stage.plan.template.vad
    if table.provider == NO_VAD:
        return
    async with _opening(means, "vad", table.provider):
        provider = await stage.services.pool.get(
            Kind.VAD, table.provider, table.options, base.VadProvider
        )
        line_rate = stage.line_format.sample_rate
        rates = sorted(provider.sample_rates)
        rate = next((rate for rate in rates if rate >= line_rate), rates[-1])
        choice = Choice(table.provider, table.options)
        relay = VadRelay(
            Lineup(Kind.VAD, base.VadProvider, [choice], means, stage.language),
            means,
            choice,
            provider,
            rate,
            on_voice=on_voice,
            fail=partial(fail, "vad"),
        )
        relay.open()
        stage.exits.callback(relay.close)
        stage.hearing.listen(pcm16(rate), relay.send)


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

    means = _means(stage)
    try:
        await _open_realtime(stage, means, fail)
        await _open_vad(stage, means, _idle_watch(stage), fail)
    except _StageError as failed:
        fail(failed.stage, failed.error)


async def _open_realtime(stage: Stage, means: Means, fail: Fail) -> None:
    table = stage.plan.template.dialogue
    rate = stage.line_format.sample_rate
    async with _opening(means, "realtime", table.provider):
        provider = await stage.services.pool.get(
            Kind.REALTIME, table.provider, table.options, base.RealtimeProvider
        )
        rates = sorted(provider.sample_rates) or [rate]
        chosen = next((known for known in rates if known >= rate), rates[-1])
        player = stage.tally.counted(stage.speaking.player(chosen), chosen)
        session = await provider.open(stage.context(), chosen, player)
        stage.exits.push_async_callback(means.close, "realtime", session)

        def on_error(error: Exception) -> None:
            fail("realtime", means.reported("realtime", table.provider, error))

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
