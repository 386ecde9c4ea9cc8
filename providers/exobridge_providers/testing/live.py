"""A plugin against its real vendor: how late it is, and what it hears or says.

Unlike the checks of the kit this judges nothing: it measures one sentence, at the pace of a call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from exobridge_codecs.formats import FRAME_MS
from exobridge_providers.base import (
    Final,
    Partial,
    SttConfig,
    SttProvider,
    SttSession,
    SttTrouble,
    TtsAudio,
    TtsConfig,
    TtsDone,
    TtsProvider,
    TtsSession,
    TtsTrouble,
)
from exobridge_providers.errors import ProviderUnavailableError

PAUSE_MS = 400.0
"""Quiet after the speech until its final text is asked for, in milliseconds: about when a call's
turn-taking asks."""

ANSWER_SECONDS = 15.0
"""Longest wait for a final text, and for the whole of a text's audio."""

_UTTERANCE = "live"


@dataclass(frozen=True, slots=True)
class SttTimes:
    """One sentence through speech-to-text; times in milliseconds.

    Attributes:
        text: What was understood.
        connect_ms: Until the session was open.
        interims: How many came.
        first_interim_ms: From the first frame of the speech to the first text of it; ``None``:
            there was none.
        final_ms: From the last frame of the speech until its whole text was final. It is asked for
            after ``PAUSE_MS``; a vendor that hears the end itself may be quicker.
        asked_ms: From ``finalize()`` to its answer.
        end_of_turn_ms: From the last frame of the speech until the vendor said that the turn is
            over; ``None``: it did not, before it was asked.
    """

    text: str
    connect_ms: float
    interims: int
    first_interim_ms: float | None
    final_ms: float
    asked_ms: float
    end_of_turn_ms: float | None


@dataclass(frozen=True, slots=True)
class TtsTimes:
    """One text through text-to-speech; times in milliseconds.

    Attributes:
        connect_ms: Until the session was open.
        first_audio_ms: From the text to its first audio.
        done_ms: From the text to the end of its audio.
        audio_ms: How long the audio plays.
    """

    connect_ms: float
    first_audio_ms: float
    done_ms: float
    audio_ms: float

    @property
    def real_time_factor(self) -> float:
        """Time to make the audio, per time that it plays: below 1 it never runs dry."""
        return self.done_ms / self.audio_ms


# ------------------------------------------------------------------ speech-to-text


@dataclass(slots=True)
class _Heard:
    """What came of the speech, with the times of the loop's clock."""

    texts: list[str] = field(default_factory=list[str])
    interims: list[float] = field(default_factory=list[float])
    end_of_turn: float | None = None
    whole: float | None = None
    answered: float = 0.0


async def try_stt(provider: SttProvider, config: SttConfig, speech: bytes) -> SttTimes:
    """One sentence, sent as fast as somebody speaks it.

    Args:
        provider: Started.
        speech: In the config's format, without silence around it.

    Raises:
        ProviderError: It was not understood; whether any words were is told by the text.
    """
    clock = asyncio.get_running_loop().time
    begun = clock()
    session = await provider.open(config)
    connected = clock()
    listening = asyncio.create_task(_listen(session, clock))
    try:
        speech_ends = connected + config.format.duration_ms(len(speech)) / 1000
        frames = _frames(config, speech)
        asked: float | None = None
        due = connected
        while not listening.done() and due < (asked or due) + ANSWER_SECONDS:
            session.send(next(frames))
            due += FRAME_MS / 1000
            await asyncio.wait([listening], timeout=max(0.0, due - clock()))
            if asked is None and due >= speech_ends + PAUSE_MS / 1000:
                session.finalize()
                asked = clock()
        if not listening.done():
            raise ProviderUnavailableError(f"no answer to finalize() within {ANSWER_SECONDS:g} s")
        heard = listening.result()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await session.aclose()
    return SttTimes(
        text=" ".join(filter(None, heard.texts)),
        connect_ms=_ms(connected - begun),
        interims=len(heard.interims),
        first_interim_ms=_ms(heard.interims[0] - connected) if heard.interims else None,
        final_ms=_ms((heard.whole or heard.answered) - speech_ends),
        asked_ms=_ms(heard.answered - (asked or heard.answered)),
        end_of_turn_ms=None if heard.end_of_turn is None else _ms(heard.end_of_turn - speech_ends),
    )


def _frames(config: SttConfig, speech: bytes) -> Iterator[bytes]:
    """The speech, and silence for ever."""
    size = config.format.frame_bytes
    silence = config.format.silence(size)
    for at in range(0, len(speech), size):
        frame = speech[at : at + size]
        yield frame + silence[len(frame) :]
    while True:
        yield silence


async def _listen(session: SttSession, clock: Callable[[], float]) -> _Heard:
    heard = _Heard()
    async for event in session.events():
        match event:
            case Partial():
                heard.interims.append(clock())
            case Final(text=text, finalized=finalized, end_of_turn=end_of_turn):
                heard.texts.append(text)
                if text:
                    heard.whole = clock()
                if end_of_turn and heard.end_of_turn is None:
                    heard.end_of_turn = clock()
                if finalized:
                    heard.answered = clock()
                    return heard
            case SttTrouble(error=error):
                raise error
            case _:
                pass
    raise ProviderUnavailableError("the session ended before the text was there")


# ------------------------------------------------------------------ text-to-speech


async def try_tts(provider: TtsProvider, config: TtsConfig, text: str) -> tuple[TtsTimes, bytes]:
    """One text spoken; its audio, in the config's format, stands beside the times.

    Args:
        provider: Started.

    Raises:
        ProviderError: It was not made, or not all of it.
    """
    clock = asyncio.get_running_loop().time
    begun = clock()
    session = await provider.open(config)
    try:
        asked = clock()
        async with asyncio.timeout(ANSWER_SECONDS):
            await session.say(_UTTERANCE, text)
            first, audio = await _hear_out(session, clock)
        done = clock()
    except TimeoutError:
        raise ProviderUnavailableError(f"not spoken within {ANSWER_SECONDS:g} s") from None
    finally:
        await session.aclose()
    return TtsTimes(
        connect_ms=_ms(asked - begun),
        first_audio_ms=_ms(first - asked),
        done_ms=_ms(done - asked),
        audio_ms=config.format.duration_ms(len(audio)),
    ), audio


async def _hear_out(session: TtsSession, clock: Callable[[], float]) -> tuple[float, bytes]:
    """When the first audio came, and all of it."""
    first: float | None = None
    audio = bytearray()
    async for event in session.events():
        match event:
            case TtsAudio(audio=part):
                first = clock() if first is None else first
                audio += part
            case TtsTrouble(error=error):
                raise error
            case TtsDone():
                if first is None:
                    raise ProviderUnavailableError("the text gave no audio", retryable=False)
                return first, bytes(audio)
    raise ProviderUnavailableError("the session ended in the middle of the text")


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
