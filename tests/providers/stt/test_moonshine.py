"""Moonshine, on real speech over a telephone line."""

from __future__ import annotations

import asyncio
import re
import sys
import threading

import numpy as np
import pytest

from exobridge_codecs.formats import pcm16
from exobridge_codecs.pcm import from_float, gain
from exobridge_codecs.tones import dtmf
from exobridge_providers.base import Final, Partial, SttConfig, SttEvent, SttTrouble
from exobridge_providers.errors import ProviderConfigError, ProviderError
from exobridge_providers.stt.moonshine import MoonshineOptions, MoonshineStt
from exobridge_providers.stt.moonshine_model import MoonshineModel
from tests.providers.conftest import Speech

pytestmark = pytest.mark.speech

SENTENCES = (
    "What time do you open on Saturday?",
    "I would like to speak to a colleague, please.",
    "I want to change the delivery address of the parcel that I ordered last week.",
    "Thank you very much for your help.",
)


def _words(text: str) -> list[str]:
    return re.sub(r"[^a-z0-9 ]", "", text.lower()).split()


def _word_errors(said: str, heard: str) -> int:
    """Words inserted, left out or changed."""
    expected, found = _words(said), _words(heard)
    row = list(range(len(found) + 1))
    for number, word in enumerate(expected, 1):
        previous, row = row, [number]
        for column, other in enumerate(found, 1):
            row.append(
                min(previous[column - 1] + (word != other), previous[column] + 1, row[-1] + 1)
            )
    return row[-1]


async def _hear(
    provider: MoonshineStt, *segments: bytes, sample_rate: int = 8000
) -> list[SttEvent]:
    """The events of segments, each ended, all pending at once."""
    session = await provider.open(SttConfig(pcm16(sample_rate), "en-IN"))
    for segment in segments:
        session.send(segment)
        session.finalize()
    events: list[SttEvent] = []
    async with asyncio.timeout(20):
        async for event in session.events():
            events.append(event)
            if sum(isinstance(each, Final) for each in events) == len(segments):
                break
    await session.aclose()
    return events


def _texts(events: list[SttEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, Final)]


@pytest.mark.parametrize("sample_rate", [8000, 16_000])
async def test_telephone_speech_is_understood(
    moonshine: MoonshineStt, speech: Speech, sample_rate: int
) -> None:
    """Fewer than one word in ten is wrong, at either rate; segments pending together are
    answered in order."""
    segments = [speech(sentence, sample_rate) for sentence in SENTENCES]
    heard = _texts(await _hear(moonshine, *segments, sample_rate=sample_rate))
    errors = sum(map(_word_errors, SENTENCES, heard))
    assert errors <= 0.1 * sum(len(_words(sentence)) for sentence in SENTENCES), heard


async def test_a_segment_that_goes_on_can_be_looked_into(
    moonshine: MoonshineStt, speech: Speech
) -> None:
    """A peek tells the words so far; the final holds all of them."""
    session = await moonshine.open(SttConfig(pcm16(8000), "en-IN"))
    audio = speech(SENTENCES[0], 8000)
    session.send(audio[: len(audio) * 2 // 3])
    session.peek()
    events = aiter(session.events())
    async with asyncio.timeout(20):
        partial = await anext(events)
        session.send(audio[len(audio) * 2 // 3 :])
        session.finalize()
        final = await anext(events)
    assert isinstance(partial, Partial)
    assert _words(partial.text)[:3] == ["what", "time", "do"]
    assert isinstance(final, Final)
    assert _words(final.text)[-1] == "saturday"
    await session.aclose()


async def test_a_short_thank_you_survives(moonshine: MoonshineStt, speech: Speech) -> None:
    """It is on the lists of inventions elsewhere, and callers say it all the time."""
    [heard] = _texts(await _hear(moonshine, speech("Thank you.", 8000)))
    assert _words(heard) == ["thank", "you"]


async def test_a_soft_voice_is_heard(moonshine: MoonshineStt, speech: Speech) -> None:
    """40 dB softer than usual is still a voice."""
    [heard] = _texts(await _hear(moonshine, gain(speech(SENTENCES[0], 8000), -40)))
    assert "open" in _words(heard)


@pytest.mark.parametrize(
    "sound",
    [
        bytes(16_000),
        from_float(np.random.default_rng(0).standard_normal(16_000) * 0.05),
        dtmf("159#", 8000),
        dtmf("1", 8000),
        b"",
    ],
    ids=["silence", "noise", "keys", "one key", "nothing"],
)
async def test_what_is_no_voice_gives_no_words(moonshine: MoonshineStt, sound: bytes) -> None:
    """The recogniser alone would say "You", "to the", or signs of other scripts."""
    assert _texts(await _hear(moonshine, sound)) == [""]


async def test_a_key_is_no_yes(moonshine: MoonshineStt) -> None:
    """The recogniser takes some of these tones for a plausible word, so it is not even asked."""
    keys = [dtmf(key, 8000, tone_ms=200) for key in "0123456789*#"]
    assert _texts(await _hear(moonshine, *keys)) == [""] * len(keys)


async def test_inventions_are_dropped_without_the_voice_check_too() -> None:
    """What passes for voice (music, a crowd) is still mostly answered with "You"."""
    provider = MoonshineStt(MoonshineOptions(min_voiced_ms=0))
    await provider.start()
    assert _texts(await _hear(provider, bytes(16_000))) == [""]
    await provider.aclose()


async def test_long_speech_is_cut_and_joined(speech: Speech) -> None:
    """With pieces of at most five seconds nothing of a longer segment is lost."""
    provider = MoonshineStt(MoonshineOptions(max_segment_seconds=5, workers=2))
    await provider.start()
    said = " ".join(SENTENCES)
    audio = b"".join(speech(sentence, 8000) for sentence in SENTENCES)
    assert len(audio) > 2 * 8000 * 10
    [heard] = _texts(await _hear(provider, audio))
    assert _word_errors(said, heard) <= 0.15 * len(_words(said)), heard
    await provider.aclose()


async def test_a_full_line_answers_with_trouble_and_an_empty_final(speech: Speech) -> None:
    """One is recognised, one waits, the third is refused; each finalize has its one answer."""
    provider = MoonshineStt(MoonshineOptions(queue_limit=1))
    await provider.start()
    events = await _hear(provider, *[speech(SENTENCES[0], 8000)] * 3)
    texts = _texts(events)
    assert all("open" in text for text in texts[:2])
    assert texts[2] == ""
    [trouble] = [event for event in events if isinstance(event, SttTrouble)]
    assert trouble.error.retryable
    assert isinstance(events[-2], SttTrouble)
    await provider.aclose()


async def test_closing_in_the_middle_of_a_recognition_leaves_nothing(speech: Speech) -> None:
    """The session ends at once, the provider when its thread has; later work is refused."""
    before = {thread.ident for thread in threading.enumerate()}
    provider = MoonshineStt(MoonshineOptions())
    await provider.start()
    session = await provider.open(SttConfig(pcm16(8000), "en-IN"))
    left_open = await provider.open(SttConfig(pcm16(8000), "en-IN"))
    session.send(speech(SENTENCES[2], 8000))
    session.finalize()
    await asyncio.sleep(0.01)
    await session.aclose()
    await provider.aclose()
    left = [thread.name for thread in threading.enumerate() if thread.ident not in before]
    assert not [name for name in left if name.startswith("exobridge")]
    left_open.send(speech(SENTENCES[0], 8000))
    left_open.finalize()
    events = aiter(left_open.events())
    assert isinstance(await anext(events), SttTrouble)
    assert await anext(events) == Final("", finalized=True)
    await left_open.aclose()
    with pytest.raises(ProviderConfigError, match="not started"):
        await provider.open(SttConfig(pcm16(8000), "en-IN"))


async def test_only_english_is_taken(moonshine: MoonshineStt) -> None:
    """Hindi needs another provider, and the error says so."""
    with pytest.raises(ProviderConfigError, match="Choose another provider"):
        await moonshine.open(SttConfig(pcm16(8000), "hi-IN"))


def test_a_closed_model_refuses() -> None:
    """Its memory is gone: an error, not a crash."""
    model = MoonshineModel()
    model.close()
    model.close()
    with pytest.raises(ProviderError, match="closed"):
        model.transcribe(bytes(3200), 8000)


def test_no_sound_library_is_needed() -> None:
    """Servers have no PortAudio, so nothing that needs it may be imported."""
    assert "sounddevice" not in sys.modules
