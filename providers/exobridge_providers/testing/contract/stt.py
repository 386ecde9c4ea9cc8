"""What a speech-to-text provider promises."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from exobridge_codecs.formats import AudioFormat, Encoding
from exobridge_providers.base import (
    EagerEnd,
    Final,
    Partial,
    Resumed,
    SpeechEnded,
    SpeechStarted,
    SttCapabilities,
    SttConfig,
    SttEvent,
    SttProvider,
    SttSession,
    SttTrouble,
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

_EVENTS = (SpeechStarted, Partial, Final, EagerEnd, Resumed, SpeechEnded, SttTrouble)
_UNKNOWN = AudioFormat(Encoding.PCM16, 11_025)


async def check_stt(
    provider: SttProvider, speech: bytes, language: str, *, limit_s: float = LIMIT_SECONDS
) -> str:
    """Every promise of :class:`~exobridge_providers.base.SttProvider`.

    Args:
        provider: Started.
        speech: A spoken sentence in the first of its formats.
        language: BCP-47 tag of the sentence.
        limit_s: Longest wait for an answer, in seconds.

    Returns:
        The text that was understood.

    Raises:
        AssertionError: A promise was broken.
    """
    known = provider.capabilities
    promise(bool(known.formats), "capabilities name at least one format")
    config = SttConfig(known.formats[0], language, call_sid="contract")
    async with nothing_left_behind():
        await refuses(
            provider.open(SttConfig(_UNKNOWN, language)),
            "a format that is not declared is refused with a ProviderError",
        )
        text = await _answers(provider, config, speech, limit_s)
        await _two_calls(provider, config, speech, limit_s)
        if known.on_demand:
            await _peeks(provider, config, speech, limit_s)
        await _closes_with_work_under_way(provider, config, speech, limit_s)
    return text


def _send(session: SttSession, config: SttConfig, audio: bytes) -> None:
    size = config.format.frame_bytes
    for start in range(0, len(audio) - size + 1, size):
        session.send(audio[start : start + size])


def _finalized(events: Iterable[SttEvent]) -> list[Final]:
    return [event for event in events if isinstance(event, Final) and event.finalized]


def _text(events: Iterable[SttEvent]) -> str:
    return " ".join(event.text for event in events if isinstance(event, Final)).strip()


async def _answers(provider: SttProvider, config: SttConfig, speech: bytes, limit_s: float) -> str:
    session = await provider.open(config)
    reader: Reader[SttEvent] = Reader(session.events())
    _send(session, config, speech)
    session.finalize()
    await reader.until(
        lambda events: bool(_finalized(events)), limit_s, "finalize() is answered by a Final"
    )
    text = _text(reader.events)
    promise(bool(text), "speech gives a text")
    session.finalize()
    session.finalize()
    await reader.until(
        lambda events: len(_finalized(events)) >= 3,
        limit_s,
        "each finalize() is answered, also without audio and while another is pending",
    )
    await reader.settle()
    promise(len(_finalized(reader.events)) == 3, "each finalize() is answered exactly once")
    _check_events(reader.events, provider.capabilities)
    await close_twice(session.aclose, limit_s)
    await reader.ended(limit_s)
    session.send(config.format.silence(config.format.frame_bytes))  # a frame that was on its way
    session.finalize()
    return text


def _is_event(event: object) -> bool:
    return isinstance(event, _EVENTS)


def _check_events(events: list[SttEvent], known: SttCapabilities) -> None:
    for event in events:
        promise(_is_event(event), f"events are of the declared types, not {event!r}")
        if isinstance(event, Partial):
            promise(
                known.interims or known.on_demand,
                "a Partial comes only where interims or on_demand are declared",
            )
        if isinstance(event, Final) and event.end_of_turn:
            promise(known.end_of_turn, "end_of_turn comes only where it is declared")
    eager = 0
    for event in events:
        if isinstance(event, EagerEnd):
            eager += 1
        elif isinstance(event, (Resumed, Final)):
            promise(eager > 0 or isinstance(event, Final), "Resumed comes after an EagerEnd")
            eager = 0


async def _two_calls(
    provider: SttProvider, config: SttConfig, speech: bytes, limit_s: float
) -> None:
    sessions = [await provider.open(config) for _ in range(2)]
    readers: list[Reader[SttEvent]] = [Reader(session.events()) for session in sessions]
    _send(sessions[0], config, speech)
    for session in sessions:
        session.finalize()
    for reader in readers:
        await reader.until(
            lambda events: bool(_finalized(events)), limit_s, "two calls at once are both answered"
        )
    promise(not _text(readers[1].events), "a call that heard nothing gets none of another's text")
    for session, reader in zip(sessions, readers, strict=True):
        await within(session.aclose(), limit_s, "aclose returns")
        await reader.ended(limit_s)


async def _peeks(provider: SttProvider, config: SttConfig, speech: bytes, limit_s: float) -> None:
    session = await provider.open(config)
    reader: Reader[SttEvent] = Reader(session.events())
    session.peek()  # nothing was sent yet
    _send(session, config, speech)
    session.peek()
    await reader.until(
        lambda events: any(isinstance(event, Partial) and event.text for event in events),
        limit_s,
        "speech that goes on gives a Partial when it is asked for",
    )
    session.peek()
    session.peek()
    session.finalize()
    session.peek()
    await reader.until(
        lambda events: bool(_finalized(events)), limit_s, "a peek does not stop the Final"
    )
    await reader.settle()
    promise(len(_finalized(reader.events)) == 1, "a peek is not answered by a Final")
    promise(bool(_text(reader.events)), "a peek takes no audio from the Final")
    promise(isinstance(reader.events[-1], Final), "no Partial of a text follows its Final")
    await within(session.aclose(), limit_s, "aclose returns")
    await reader.ended(limit_s)
    session.peek()


async def _closes_with_work_under_way(
    provider: SttProvider, config: SttConfig, speech: bytes, limit_s: float
) -> None:
    session = await provider.open(config)
    reader: Reader[SttEvent] = Reader(session.events())
    _send(session, config, speech)
    if provider.capabilities.on_demand:
        session.peek()
    session.finalize()
    await asyncio.sleep(0.005)
    await close_twice(session.aclose, limit_s)
    await reader.ended(limit_s)
