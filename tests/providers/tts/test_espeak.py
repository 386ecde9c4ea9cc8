"""eSpeak NG, the real program, and programs that misbehave in its place."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from exobridge_codecs.formats import pcm16
from exobridge_codecs.pcm import to_float
from exobridge_providers.base import TtsAudio, TtsConfig, TtsDone, TtsEvent, TtsTrouble
from exobridge_providers.errors import (
    ProviderConfigError,
    ProviderError,
    ProviderProtocolError,
    ProviderUnavailableError,
)
from exobridge_providers.tts.espeak import LANGUAGES, EspeakOptions, EspeakTts
from exobridge_providers.tts.espeak_program import Espeak
from tests.providers.conftest import needs_espeak
from tests.server import until

GREETINGS = {
    "as": "নমস্কাৰ, মই আপোনাক কেনেকৈ সহায় কৰিব পাৰোঁ?",
    "bn": "নমস্কার, আমি আপনাকে কীভাবে সাহায্য করতে পারি?",
    "en": "Hello, how can I help you today?",
    "gu": "નમસ્તે, હું તમને કેવી રીતે મદદ કરી શકું?",
    "hi": "नमस्ते, मैं आपकी कैसे मदद कर सकता हूँ?",
    "kn": "ನಮಸ್ಕಾರ, ನಾನು ನಿಮಗೆ ಹೇಗೆ ಸಹಾಯ ಮಾಡಬಹುದು?",
    "ml": "നമസ്കാരം, ഞാൻ എങ്ങനെ സഹായിക്കണം?",
    "mr": "नमस्कार, मी तुमची कशी मदत करू शकतो?",
    "ne": "नमस्ते, म तपाईंलाई कसरी मद्दत गर्न सक्छु?",
    "or": "ନମସ୍କାର, ମୁଁ ଆପଣଙ୍କୁ କିପରି ସାହାଯ୍ୟ କରିପାରିବି?",
    "pa": "ਸਤ ਸ੍ਰੀ ਅਕਾਲ, ਮੈਂ ਤੁਹਾਡੀ ਕਿਵੇਂ ਮਦਦ ਕਰ ਸਕਦਾ ਹਾਂ?",
    "ta": "வணக்கம், நான் உங்களுக்கு எப்படி உதவ முடியும்?",
    "te": "నమస్కారం, నేను మీకు ఎలా సహాయం చేయగలను?",
}


async def _started(**options: object) -> EspeakTts:
    provider = EspeakTts(EspeakOptions.model_validate(options))
    await provider.start()
    return provider


async def _say(
    provider: EspeakTts, text: str, language: str, *, sample_rate: int = 8000, voice: str = ""
) -> list[TtsEvent]:
    session = await provider.open(TtsConfig(pcm16(sample_rate), language, voice))
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


def _program(folder: Path, body: str) -> str:
    """A program that lists voices as the real one does, and does ``body`` when it is to speak."""
    path = folder / "espeak-ng"
    lists = "echo 'Pty Language Age/Gender VoiceName File'; echo ' 5  hi  --/M  Hindi  inc/hi'"
    path.write_text(f'#!/bin/sh\ncase "$1" in --voices*) {lists}; exit 0;; esac\n{body}\n')
    path.chmod(0o755)
    return str(path)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def _gone(pid: int) -> None:
    """A process ends within some seconds."""
    await until(lambda: not _runs(pid))


async def _written(file: Path) -> int:
    """What a program wrote into the file: its id."""
    await until(lambda: file.exists() and bool(file.read_text().strip()))
    return int(file.read_text())  # noqa: ASYNC240  # some bytes, in a test


# ------------------------------------------------------------------ the real program


@needs_espeak
@pytest.mark.parametrize("language", sorted(LANGUAGES))
async def test_every_language_is_spoken(language: str) -> None:
    """A greeting in its own script takes seconds, not the letters' names, and has a usual level."""
    provider = await _started()
    events = await _say(provider, GREETINGS[language], f"{language}-IN")
    [audio] = _audio(events)
    assert events[-1] == TtsDone("a")
    assert 1500 < pcm16(8000).duration_ms(len(audio)) < 8000
    assert 0.02 < float(np.sqrt(np.square(to_float(audio)).mean())) < 0.2


@needs_espeak
@pytest.mark.parametrize("sample_rate", [8000, 16_000, 24_000])
async def test_it_speaks_at_the_call_s_own_rate(sample_rate: int) -> None:
    """The same sentence, as long at every rate."""
    provider = await _started()
    [audio] = _audio(await _say(provider, GREETINGS["hi"], "hi-IN", sample_rate=sample_rate))
    assert 3000 < pcm16(sample_rate).duration_ms(len(audio)) < 4500


@needs_espeak
async def test_sentences_end_with_a_danda_too() -> None:
    """So that the first is heard while the second is made."""
    provider = await _started()
    events = await _say(provider, "नमस्ते। आप कैसे हैं? मैं ठीक हूँ।", "hi-IN")
    assert len(_audio(events)) == 3


@needs_espeak
async def test_pace_pitch_and_variant_are_obeyed() -> None:
    """Quicker is shorter; another pitch or variant is another voice."""
    text = GREETINGS["ta"]
    [plain] = _audio(await _say(await _started(), text, "ta"))
    [quick] = _audio(await _say(await _started(words_per_minute=300), text, "ta"))
    [high] = _audio(await _say(await _started(pitch=90), text, "ta"))
    [other] = _audio(await _say(await _started(), text, "ta", voice="f3"))
    assert len(quick) < 0.75 * len(plain)
    assert len({plain, high, other}) == 3


@needs_espeak
async def test_a_text_can_be_no_option_and_no_markup() -> None:
    """Dashes, tags, control characters and lone surrogates are text."""
    provider = await _started()
    events = await _say(provider, "-w /tmp/x --version <b>\x00\x1b[0m \ud800 hello", "en-IN")
    assert events[-1] == TtsDone("a")
    assert _audio(events)


@needs_espeak
async def test_a_text_with_nothing_to_speak_is_done_without_audio() -> None:
    """White space makes no sound."""
    assert await _say(await _started(), " \n ", "hi") == [TtsDone("a")]


@needs_espeak
async def test_an_unknown_variant_or_language_is_refused_with_the_cure() -> None:
    """The program itself would fall back to another voice without a word."""
    provider = await _started()
    with pytest.raises(ProviderConfigError, match="--voices=variant"):
        await provider.open(TtsConfig(pcm16(8000), "hi-IN", voice="no-such-voice"))
    with pytest.raises(ProviderConfigError, match="fr-FR"):
        await provider.open(TtsConfig(pcm16(8000), "fr-FR"))


# ------------------------------------------------------------------ what may go wrong


async def test_a_missing_program_is_told_with_the_cure() -> None:
    """At the start, not in the first call."""
    with pytest.raises(ProviderConfigError, match="apt install espeak-ng"):
        await _started(program="no-such-espeak-ng")


@pytest.mark.parametrize("program", ["true", "false"])
async def test_another_program_of_that_name_is_told_at_the_start(program: str) -> None:
    """It lists no voices, or fails."""
    with pytest.raises(ProviderConfigError):
        await _started(program=shutil.which(program))


async def test_a_provider_that_was_not_started_opens_nothing() -> None:
    """The error says so."""
    with pytest.raises(ProviderConfigError, match="not started"):
        await EspeakTts(EspeakOptions()).open(TtsConfig(pcm16(8000), "hi"))


async def _trouble(provider: EspeakTts) -> ProviderError:
    [event] = await _say(provider, "नमस्ते", "hi")
    assert isinstance(event, TtsTrouble)
    return event.error


async def test_a_program_that_hangs_is_killed(tmp_path: Path) -> None:
    """After the time-out; the utterance is told as failed, and may be tried again."""
    pid = tmp_path / "pid"
    hangs = _program(tmp_path, f"echo $$ > {pid}; exec sleep 60")
    error = await _trouble(await _started(program=hangs, timeout_seconds=0.3))
    assert isinstance(error, ProviderUnavailableError)
    await _gone(await _written(pid))


@pytest.mark.parametrize(
    "body", ["cat > /dev/null; exit 3", "cat > /dev/null; head -c 500 /dev/zero", "exit 0"]
)
async def test_a_program_that_fails_is_told(tmp_path: Path, body: str) -> None:
    """A status, bytes that are no WAV file; one that says nothing has said nothing."""
    provider = await _started(program=_program(tmp_path, body))
    if body == "exit 0":
        assert await _say(provider, "नमस्ते", "hi") == [TtsDone("a")]
    else:
        assert isinstance(await _trouble(provider), ProviderProtocolError)


@pytest.mark.parametrize("how", ["cancel", "close"])
async def test_cancelling_kills_the_process(tmp_path: Path, how: str) -> None:
    """Of the utterance, or of the whole session; the next utterance need not wait for it."""
    pid = tmp_path / "pid"
    hangs = _program(tmp_path, f"echo $$ > {pid}; exec sleep 60")
    provider = await _started(program=hangs, processes=1)
    session = await provider.open(TtsConfig(pcm16(8000), "hi"))
    await session.say("a", "नमस्ते")
    running = await _written(pid)
    if how == "cancel":
        await session.cancel("a")
        await _gone(running)
        pid.unlink()
        await session.say("b", "नमस्ते")
        running = await _written(pid)
    await session.aclose()
    await _gone(running)


async def test_a_session_that_is_closed_has_no_process(tmp_path: Path) -> None:
    """Whoever has waited for the end of the session need not wait for the end of its process."""
    pid = tmp_path / "pid"
    hangs = _program(tmp_path, f"echo $$ > {pid}; exec sleep 60")
    provider = await _started(program=hangs)
    session = await provider.open(TtsConfig(pcm16(8000), "hi"))
    await session.say("a", "नमस्ते")
    running = await _written(pid)
    await session.aclose()
    assert not _runs(running)


def _cancel(program: str, turns: int, *, again: bool) -> None:
    """Cancel a sentence in this turn of the loop, and maybe in each one after it; then the loop
    ends."""

    async def main() -> None:
        espeak = Espeak(program, words_per_minute=150, pitch=50, timeout_seconds=10)
        task = asyncio.create_task(espeak.speak("नमस्ते", "hi"))
        for _ in range(turns):
            await asyncio.sleep(0)
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=0 if again else None)

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(main())


@pytest.mark.parametrize("again", [False, True])
def test_cancelling_at_any_moment_leaves_nothing_of_a_process(tmp_path: Path, again: bool) -> None:
    """Not between its start and its end, nor while its end is awaited."""
    hangs = _program(tmp_path, "exec sleep 60")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for turns in range(16):
            _cancel(hangs, turns, again=again)
        gc.collect()
    assert [str(each.message) for each in told] == []


async def test_no_more_processes_than_allowed_run_at_once(tmp_path: Path) -> None:
    """Of five sentences of five calls two are made, one waits, and two are refused."""
    marks = tmp_path / "marks"
    marks.mkdir()
    hangs = _program(tmp_path, f"touch {marks}/$$; exec sleep 60")
    provider = await _started(program=hangs, processes=2, queue_limit=1)
    sessions = [await provider.open(TtsConfig(pcm16(8000), "hi")) for _ in range(5)]
    for session in sessions:
        await session.say("a", "नमस्ते")
    for refused in sessions[3:]:
        event = await anext(aiter(refused.events()))
        assert isinstance(event, TtsTrouble)
        assert event.error.retryable
    await until(lambda: len(list(marks.iterdir())) == 2)
    await asyncio.sleep(0.1)
    running = [int(mark.name) for mark in marks.iterdir()]
    assert len(running) == 2
    for session in sessions:
        await session.aclose()
    for pid in running:
        await _gone(pid)


async def test_the_program_is_not_given_our_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the environment it sees what it needs to run."""
    monkeypatch.setenv("EXOTEL_API_TOKEN", "hush-hush")
    seen = tmp_path / "seen"
    provider = await _started(program=_program(tmp_path, f"cat > /dev/null; env > {seen}"))
    await _say(provider, "नमस्ते", "hi")
    assert "PATH=" in seen.read_text()
    assert "hush-hush" not in seen.read_text()
