"""What a text-to-speech provider promises."""

from __future__ import annotations

from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_providers.base import (
    TtsAudio,
    TtsConfig,
    TtsDone,
    TtsEvent,
    TtsProvider,
    TtsTrouble,
)
from exobridge_providers.testing.contract.promises import (
    LIMIT_SECONDS,
    Reader,
    close_twice,
    nothing_left_behind,
    promise,
    refuses,
    within,
)

_UNKNOWN = AudioFormat(Encoding.PCM16, 11_025)
_LONGER = 1.5
"""How much the same text may differ in length between two formats."""


async def check_tts(
    provider: TtsProvider,
    text: str,
    language: str,
    *,
    voice: str = "",
    limit_s: float = LIMIT_SECONDS,
) -> bytes:
    """Every promise of :class:`~exobridge_providers.base.TtsProvider`.

    Args:
        provider: Started.
        text: A sentence or two to speak.
        language: BCP-47 tag of the text.
        voice: As in the template; empty for the default.
        limit_s: Longest wait for an answer, in seconds.

    Returns:
        Its audio in the first of the provider's formats.

    Raises:
        AssertionError: A promise was broken.
    """
    formats = provider.capabilities.formats
    promise(bool(formats), "capabilities name at least one format")
    promise(provider.capabilities.max_chars >= len(text), "max_chars is enough for a sentence")
    async with nothing_left_behind():
        await refuses(
            provider.open(TtsConfig(_UNKNOWN, language, voice)),
            "a format that is not declared is refused with a ProviderError",
        )
        spoken = [
            await _speaks(provider, TtsConfig(each, language, voice), text, limit_s)
            for each in formats
        ]
        lengths = [
            each.duration_ms(len(audio)) for each, audio in zip(formats, spoken, strict=True)
        ]
        promise(
            max(lengths) <= _LONGER * min(lengths),
            f"the same text is as long in every format, in milliseconds: {lengths}",
        )
        config = TtsConfig(formats[0], language, voice, call_sid="contract")
        await _keeps_order(provider, config, text, limit_s)
        await _cancels(provider, config, text, limit_s)
        await _closes_with_work_under_way(provider, config, text, limit_s)
    return spoken[0]


def _audio(events: list[TtsEvent], utterance_id: str) -> bytes:
    return b"".join(
        event.audio
        for event in events
        if isinstance(event, TtsAudio) and event.utterance_id == utterance_id
    )


def _settled(events: list[TtsEvent], utterance_id: str) -> bool:
    return any(
        isinstance(event, (TtsDone, TtsTrouble)) and event.utterance_id == utterance_id
        for event in events
    )


async def _until_settled(reader: Reader[TtsEvent], utterance_id: str, limit_s: float) -> None:
    await reader.until(
        lambda events: _settled(events, utterance_id),
        limit_s,
        f"utterance {utterance_id!r} ends with a TtsDone",
    )


async def _speaks(provider: TtsProvider, config: TtsConfig, text: str, limit_s: float) -> bytes:
    session = await provider.open(config)
    reader: Reader[TtsEvent] = Reader(session.events())
    await within(session.say("only", text), limit_s, "say returns")
    await _until_settled(reader, "only", limit_s)
    await reader.settle()
    _check_events(reader.events, config)
    audio = _audio(reader.events, "only")
    silence = config.format.silence(len(audio))
    promise(bool(audio) and audio != silence, "a text gives audio that is not silent")
    await close_twice(session.aclose, limit_s)
    await reader.ended(limit_s)
    await session.say("late", text)  # one that was on its way
    await session.cancel("only")
    return audio


def _check_events(events: list[TtsEvent], config: TtsConfig) -> None:
    done: set[str] = set()
    for event in events:
        if isinstance(event, TtsTrouble):
            promise(False, f"a plain text is spoken; trouble: {event.error!r}")
        promise(event.utterance_id not in done, "nothing of an utterance follows its TtsDone")
        if isinstance(event, TtsAudio):
            promise(
                len(event.audio) % config.format.sample_bytes == 0, "audio comes in whole samples"
            )
        else:
            done.add(event.utterance_id)


async def _keeps_order(provider: TtsProvider, config: TtsConfig, text: str, limit_s: float) -> None:
    session = await provider.open(config)
    reader: Reader[TtsEvent] = Reader(session.events())
    middle = len(text) // 2
    await session.say("first", text[:middle], last=False)
    await session.say("first", text[middle:])
    await session.say("second", text)
    await _until_settled(reader, "second", limit_s)
    _check_events(reader.events, config)
    order = [event.utterance_id for event in reader.events]
    promise(order == sorted(order), "utterances are spoken in the order they were begun")
    promise({*order} == {"first", "second"}, "text may come in parts, and ids are kept")
    await within(session.aclose(), limit_s, "aclose returns")
    await reader.ended(limit_s)


async def _cancels(provider: TtsProvider, config: TtsConfig, text: str, limit_s: float) -> None:
    session = await provider.open(config)
    reader: Reader[TtsEvent] = Reader(session.events())
    await session.say("cancelled", f"{text} {text} {text}")
    await within(session.cancel("cancelled"), limit_s, "cancel returns")
    await session.cancel("never begun")
    await session.say("next", text)
    await _until_settled(reader, "next", limit_s)
    promise(bool(_audio(reader.events, "next")), "the utterance after a cancelled one is spoken")
    await within(session.aclose(), limit_s, "aclose returns")
    await reader.ended(limit_s)


async def _closes_with_work_under_way(
    provider: TtsProvider, config: TtsConfig, text: str, limit_s: float
) -> None:
    session = await provider.open(config)
    reader: Reader[TtsEvent] = Reader(session.events())
    await session.say("unfinished", text)
    await session.say("open-ended", text, last=False)
    await close_twice(session.aclose, limit_s)
    await reader.ended(limit_s)
