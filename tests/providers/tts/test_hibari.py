"""Hibari, the real voice."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest

from exobridge_codecs.formats import pcm16
from exobridge_codecs.pcm import to_float
from exobridge_providers.base import TtsAudio, TtsConfig, TtsDone, TtsEvent
from exobridge_providers.errors import ProviderConfigError
from exobridge_providers.tts.hibari import HibariOptions, HibariTts

pytestmark = pytest.mark.speech

TWO = "Good morning. How can I help you today?"


async def _say(provider: HibariTts, text: str, sample_rate: int = 8000) -> list[TtsEvent]:
    session = await provider.open(TtsConfig(pcm16(sample_rate), "en-IN", "heart"))
    await session.say("a", text)
    events: list[TtsEvent] = []
    async with asyncio.timeout(20):
        async for event in session.events():
            events.append(event)
            if not isinstance(event, TtsAudio):
                break
    await session.aclose()
    return events


def _audio(events: list[TtsEvent]) -> list[bytes]:
    return [event.audio for event in events if isinstance(event, TtsAudio)]


async def test_two_sentences_are_two_pieces_of_audio(hibari: HibariTts) -> None:
    """So that the first is heard while the second is made."""
    events = await _say(hibari, TWO)
    assert len(_audio(events)) == 2
    assert events[-1] == TtsDone("a")


@pytest.mark.parametrize("sample_rate", [8000, 16_000, 24_000])
async def test_it_speaks_at_the_call_s_own_rate(hibari: HibariTts, sample_rate: int) -> None:
    """The same sentence, as long and about as loud at every rate."""
    [audio] = _audio(await _say(hibari, "How can I help you today?", sample_rate))
    assert 1000 < pcm16(sample_rate).duration_ms(len(audio)) < 2200
    level = float(np.sqrt(np.square(to_float(audio)).mean()))
    assert 0.02 < level < 0.15


async def test_the_same_text_makes_the_same_bytes(hibari: HibariTts) -> None:
    """So that what was made once can be kept."""
    assert _audio(await _say(hibari, TWO)) == _audio(await _say(hibari, TWO))


async def test_no_piece_begins_or_ends_with_a_click(hibari: HibariTts) -> None:
    """The first and last samples are next to silence."""
    for audio in _audio(await _say(hibari, "Yes. No. Okay, goodbye!")):
        samples = to_float(audio)
        assert abs(samples[0]) < 0.001
        assert abs(samples[-1]) < 0.001


async def test_a_text_with_nothing_to_speak_is_done_without_audio(hibari: HibariTts) -> None:
    """A smile makes no sound."""
    assert await _say(hibari, "😀") == [TtsDone("a")]


async def test_another_voice_is_refused_with_the_cure(hibari: HibariTts) -> None:
    """The others are downloads, which this provider does not do."""
    with pytest.raises(ProviderConfigError, match='voice = "heart"'):
        await hibari.open(TtsConfig(pcm16(8000), "en-IN", voice="emma"))


async def test_only_english_is_taken(hibari: HibariTts) -> None:
    """Hindi needs another provider."""
    with pytest.raises(ProviderConfigError, match="hi-IN"):
        await hibari.open(TtsConfig(pcm16(8000), "hi-IN"))


async def test_closing_in_the_middle_of_a_sentence_leaves_no_thread() -> None:
    """Neither the session's task nor the provider's threads stay."""
    before = {thread.ident for thread in threading.enumerate()}
    provider = HibariTts(HibariOptions(threads=2))
    with pytest.raises(ProviderConfigError, match="not started"):
        await provider.open(TtsConfig(pcm16(8000), "en"))
    await provider.start()
    session = await provider.open(TtsConfig(pcm16(8000), "en"))
    await session.say("a", TWO)
    await asyncio.sleep(0.005)
    await session.aclose()
    await provider.aclose()
    left = [thread.name for thread in threading.enumerate() if thread.ident not in before]
    assert not [name for name in left if name.startswith("exobridge")]
