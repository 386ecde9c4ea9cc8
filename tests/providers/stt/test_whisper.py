"""Whisper, on real speech over a telephone line."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest

from exobridge_codecs.formats import pcm16
from exobridge_codecs.pcm import from_float
from exobridge_codecs.tones import dtmf
from exobridge_providers.base import Final, Partial, SttConfig, SttEvent
from exobridge_providers.errors import ProviderConfigError, ProviderError
from exobridge_providers.stt.whisper import WhisperOptions, WhisperStt
from exobridge_providers.stt.whisper_model import WhisperModel
from tests.human_recordings.wording import word_errors, words_of
from tests.providers.conftest import Speech

pytestmark = pytest.mark.speech

SENTENCES = (
    "What time do you open on Saturday?",
    "My number is nine eight four five zero one two three four five.",
    "Thank you very much for your help.",
)


@pytest.fixture(scope="module")
def model() -> WhisperModel:
    """The recogniser, without a provider around it."""
    return WhisperModel()


async def _events(provider: WhisperStt, *segments: bytes) -> list[SttEvent]:
    session = await provider.open(SttConfig(pcm16(8000), "en-IN"))
    for segment in segments:
        session.send(segment)
        session.finalize()
    events: list[SttEvent] = []
    async with asyncio.timeout(30):
        async for event in session.events():
            events.append(event)
            if sum(isinstance(each, Final) for each in events) == len(segments):
                break
    await session.aclose()
    return events


async def test_telephone_speech_is_understood(whisper: WhisperStt, speech: Speech) -> None:
    """Fewer than one word in ten is wrong, digits included; the finals come in order."""
    events = await _events(whisper, *(speech(sentence, 8000) for sentence in SENTENCES))
    heard = [event.text for event in events if isinstance(event, Final)]
    errors = [
        word_errors(words_of(said), words_of(text))
        for said, text in zip(SENTENCES, heard, strict=True)
    ]
    assert sum(errors[1:], errors[0]).rate < 0.1, heard


async def test_a_segment_that_goes_on_can_be_looked_into(
    whisper: WhisperStt, speech: Speech
) -> None:
    """A peek tells the words so far; the final holds all of them."""
    session = await whisper.open(SttConfig(pcm16(8000), "en-IN"))
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
    assert words_of(partial.text)[:3] == ["what", "time", "do"]
    assert isinstance(final, Final)
    assert words_of(final.text)[-1] == "saturday"
    await session.aclose()


@pytest.mark.parametrize(
    "sound",
    [
        bytes(32_000),
        from_float(np.random.default_rng(0).standard_normal(32_000) * 0.05),
        dtmf("159#", 8000),
        b"",
    ],
    ids=["silence", "noise", "keys", "nothing"],
)
async def test_what_is_no_voice_gives_no_words(whisper: WhisperStt, sound: bytes) -> None:
    """The recogniser alone would say "Thank you." or "you"."""
    events = await _events(whisper, sound)
    assert [event.text for event in events if isinstance(event, Final)] == [""]


def test_one_word_comes_out_once(model: WhisperModel, speech: Speech) -> None:
    """However short the audio is, and however much of the window is padding."""
    for word in ("Family.", "Delhi.", "Hello?"):
        heard = words_of(model.transcribe(speech(word, 8000), 8000))
        assert len(heard) <= 2, heard


def test_audio_of_any_length_is_read(model: WhisperModel, speech: Speech) -> None:
    """From nothing through one sample to the longest segment."""
    assert model.transcribe(b"", 8000) == ""
    assert isinstance(model.transcribe(b"\x01\x00", 8000), str)
    sentences = b"".join(speech(sentence, 8000) for sentence in SENTENCES)
    long = (sentences * 2)[: 2 * 8000 * 15]
    assert "saturday" in words_of(model.transcribe(long, 8000))


def test_a_pause_in_the_middle_is_not_the_end(model: WhisperModel, speech: Speech) -> None:
    """What is said after it, in the same segment, is told too."""
    both = speech(SENTENCES[0], 8000) + bytes(16 * 1500) + speech(SENTENCES[2], 8000)
    heard = words_of(model.transcribe(both, 8000))
    assert {"saturday", "help"} <= set(heard), heard


def test_a_closed_model_refuses() -> None:
    """An error, not a crash."""
    model = WhisperModel()
    model.close()
    model.close()
    with pytest.raises(ProviderError, match="closed"):
        model.transcribe(bytes(3200), 8000)


async def test_only_english_is_taken(whisper: WhisperStt) -> None:
    """Hindi needs another provider, and the error says so."""
    with pytest.raises(ProviderConfigError, match="Choose another provider"):
        await whisper.open(SttConfig(pcm16(8000), "hi-IN"))


async def test_closing_in_the_middle_of_a_recognition_leaves_no_thread(speech: Speech) -> None:
    """The provider waits for its thread."""
    before = {thread.ident for thread in threading.enumerate()}
    provider = WhisperStt(WhisperOptions())
    await provider.start()
    session = await provider.open(SttConfig(pcm16(8000), "en-IN"))
    session.send(speech(SENTENCES[0], 8000))
    session.finalize()
    await asyncio.sleep(0.01)
    await session.aclose()
    await provider.aclose()
    left = [thread.name for thread in threading.enumerate() if thread.ident not in before]
    assert not [name for name in left if name.startswith("exobridge")]
