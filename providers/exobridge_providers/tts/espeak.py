"""eSpeak NG: text-to-speech in twelve Indian languages and English, offline and robotic.

10 to 40 ms of one core for a sentence, in a process of its own.
"""

from __future__ import annotations

import asyncio
import re

from pydantic import Field

from exobridge_codecs.formats import pcm16
from exobridge_codecs.pcm import fade_edges, trim_silence
from exobridge_codecs.resample import resample
from exobridge_codecs.wav import WavError, parse_wav
from exobridge_providers.base import (
    Options,
    TtsCapabilities,
    TtsConfig,
    TtsProvider,
    TtsSession,
    check_config,
)
from exobridge_providers.errors import (
    ProviderConfigError,
    ProviderError,
    ProviderProtocolError,
    ProviderUnavailableError,
)
from exobridge_providers.tts.espeak_program import Espeak
from exobridge_providers.tts.sentences import SentenceSession

LANGUAGES = frozenset(
    {"as", "bn", "en", "gu", "hi", "kn", "ml", "mr", "ne", "or", "pa", "ta", "te"}
)
MAX_CHARS = 1000
LEAD_MS = 20
"""Silence before a sentence, in milliseconds."""
PAUSE_MS = 220
"""Silence after a sentence, in milliseconds."""

_SENTENCE_END = re.compile(r"(?<=[.?!।॥])\s+|\n+")
_HEADER_BYTES = 44
_UNKNOWN_LENGTH = b"\xff" * 4


class EspeakOptions(Options):
    """The ``[tts.options]`` table.

    Attributes:
        program: Its name in the ``PATH``, or its path.
        processes: Sentences made at once, 1 to 16.
        queue_limit: Sentences of all calls that may wait, 1 to 1000; more are refused.
        words_per_minute: Pace of speech, 80 to 450.
        pitch: 0 (low) to 99 (high).
        timeout_seconds: Longest wait for a sentence, 0.1 to 60 seconds; then its process is killed.
    """

    program: str = "espeak-ng"
    processes: int = Field(default=2, ge=1, le=16)
    queue_limit: int = Field(default=64, ge=1, le=1000)
    words_per_minute: int = Field(default=150, ge=80, le=450)
    pitch: int = Field(default=50, ge=0, le=99)
    timeout_seconds: float = Field(default=10, ge=0.1, le=60)


class EspeakTts(TtsProvider):
    """Text-to-speech by the program ``espeak-ng``."""

    options_type = EspeakOptions
    offline = True
    capabilities = TtsCapabilities(
        formats=(pcm16(24_000), pcm16(16_000), pcm16(8_000)),
        languages=LANGUAGES,
        max_chars=MAX_CHARS,
    )

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        assert isinstance(options, EspeakOptions)
        self._options = options
        self._espeak = Espeak(
            options.program,
            words_per_minute=options.words_per_minute,
            pitch=options.pitch,
            timeout_seconds=options.timeout_seconds,
        )
        self._languages: frozenset[str] = frozenset()
        self._variants: frozenset[str] = frozenset()
        self._processes = asyncio.Semaphore(options.processes)
        self._sentences = 0

    async def start(self) -> None:
        """Ask the program what it can speak.

        Raises:
            ProviderConfigError: It is not installed, or does not work.
        """
        try:
            self._languages = await self._espeak.languages()
            self._variants = await self._espeak.variants()
        except ProviderConfigError:
            raise
        except ProviderError as error:
            raise ProviderConfigError(str(error), provider="espeak") from error
        if not self._languages:
            raise ProviderConfigError(
                f"the program {self._options.program} lists no voices", provider="espeak"
            )

    async def open(self, config: TtsConfig) -> TtsSession:
        """As :meth:`exobridge_providers.base.TtsProvider.open`. A voice is one of the program's
        variants, ``f3`` say.

        Raises:
            ProviderConfigError: Another language, format or voice, or the provider was not
                started.
        """
        check_config(config, self.capabilities, "espeak")
        language = config.language.partition("-")[0].lower()
        if language not in self._languages:
            raise ProviderConfigError(
                f"espeak was not started, or its program has no voice for {language!r}",
                provider="espeak",
            )
        if config.voice not in {"", *self._variants}:
            raise ProviderConfigError(
                f"espeak-ng has no variant {config.voice!r}: leave the voice out of the template, "
                "or take one that espeak-ng --voices=variant lists",
                provider="espeak",
            )
        voice = f"{language}+{config.voice}" if config.voice else language
        rate = config.format.sample_rate
        return SentenceSession(
            lambda sentence: self._begin(sentence, voice, rate),
            _split,
            max_chars=MAX_CHARS,
            provider="espeak",
        )

    def _begin(self, sentence: str, voice: str, sample_rate: int) -> asyncio.Future[bytes]:
        if self._sentences >= self._options.processes + self._options.queue_limit:
            raise ProviderUnavailableError(
                f"overloaded: {self._sentences} sentences under way", provider="espeak"
            )
        self._sentences += 1
        task = asyncio.ensure_future(self._synthesise(sentence, voice, sample_rate))
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Future[bytes]) -> None:
        self._sentences -= 1
        if not task.cancelled():
            task.exception()  # a session that has gone will not look at it

    async def _synthesise(self, sentence: str, voice: str, sample_rate: int) -> bytes:
        async with self._processes:
            wav = await self._espeak.speak(sentence, voice)
        # 2 to 8 ms for a second of speech: too long for the loop.
        return await asyncio.to_thread(_finished, wav, sample_rate)


def _split(text: str) -> list[str]:
    return [sentence for sentence in _SENTENCE_END.split(text) if sentence.strip()]


def _finished(wav: bytes, sample_rate: int) -> bytes:
    """A sentence as it is played: at its rate, with the pause of a sentence behind it."""
    if len(wav) <= _HEADER_BYTES:
        return b""
    try:
        speech = parse_wav(wav[: _HEADER_BYTES - 4] + _UNKNOWN_LENGTH + wav[_HEADER_BYTES:])
    except WavError as error:
        raise ProviderProtocolError(f"espeak-ng: {error}", provider="espeak") from error
    pcm = trim_silence(speech.mono(), speech.sample_rate, lead_ms=LEAD_MS, tail_ms=PAUSE_MS)
    return resample(fade_edges(pcm, speech.sample_rate), speech.sample_rate, sample_rate)
