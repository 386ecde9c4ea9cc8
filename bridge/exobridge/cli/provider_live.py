"""A provider and its real vendor: one sentence, its latencies, and how well it was understood."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from exobridge.cli.provider_asked import NOBODY
from exobridge.cli.provider_samples import made, recorded, sentence
from exobridge.simulator.speech import Ears, SpeechError
from exobridge.simulator.words import word_error
from exobridge_codecs.codec import decoder, encoder
from exobridge_codecs.formats import AudioFormat
from exobridge_codecs.resample import resample
from exobridge_providers.base import SttConfig, SttProvider, TtsConfig, TtsProvider
from exobridge_providers.errors import ProviderError
from exobridge_providers.registry import Kind, create, provider_class
from exobridge_providers.testing.live import SttTimes, TtsTimes, try_stt, try_tts


@dataclass(frozen=True, slots=True)
class Sample:
    """What is said, and who listens.

    Attributes:
        language: BCP-47 tag.
        text: Empty: the sentence of the language.
        audio: A recording of it; without it a voice of this machine speaks it.
        voice: Of a text-to-speech; empty: its default.
        ear: A speech-to-text that writes down what a text-to-speech says, or ``NOBODY``.
    """

    language: str
    text: str
    audio: Path | None
    voice: str
    ear: str


@dataclass(frozen=True, slots=True)
class LiveReport:
    """What came of it.

    Attributes:
        problem: Why it did not go well; empty: it did.
        spoken_by: Whose voice the sentence is.
        said, heard: The words; ``heard`` is ``None`` where nobody wrote them down, and ``note``
            says why.
        audio_format: What the session worked in.
    """

    kind: Kind
    name: str
    problem: str = ""
    audio_format: AudioFormat | None = None
    spoken_by: str = ""
    said: str = ""
    heard: str | None = None
    note: str = ""
    times: SttTimes | TtsTimes | None = None

    @property
    def word_error(self) -> float | None:
        """Of what was heard."""
        return None if self.heard is None else word_error(self.said, self.heard)

    def lines(self) -> Iterator[tuple[str, str]]:
        """For a human: what, and how much."""
        if self.audio_format is not None:
            known = self.audio_format
            yield "format", f"{known.encoding} at {known.sample_rate} Hz"
        if self.spoken_by:
            yield "spoken by", self.spoken_by
        if self.said:
            yield "said", self.said
        if self.heard is not None:
            yield "heard", self.heard or "nothing"
        yield from _times(self.times)
        if self.word_error is not None:
            yield "word error", f"{self.word_error:.0%}"
        if self.note:
            yield "note", self.note
        yield ("failed", self.problem) if self.problem else ("result", "it answered")

    def to_json(self) -> dict[str, Any]:
        """For a program."""
        times = {} if self.times is None else asdict(self.times)
        times.pop("text", None)
        if isinstance(self.times, TtsTimes):
            times["real_time_factor"] = round(self.times.real_time_factor, 3)
        return {
            "kind": str(self.kind),
            "name": self.name,
            "passed": not self.problem,
            "problem": self.problem,
            "format": None if self.audio_format is None else asdict(self.audio_format),
            "spoken_by": self.spoken_by,
            "said": self.said,
            "heard": self.heard,
            "word_error": self.word_error,
            "note": self.note,
            "times": times,
        }


def _times(times: SttTimes | TtsTimes | None) -> Iterator[tuple[str, str]]:
    match times:
        case SttTimes():
            yield "connected", _ms(times.connect_ms)
            first = times.first_interim_ms
            yield "first interim", "none came" if first is None else f"{_ms(first)} into the speech"
            yield "final text", f"{_ms(times.final_ms)} after the end of the speech"
            yield "answer to finalize()", _ms(times.asked_ms)
            if times.end_of_turn_ms is not None:
                yield "end of turn", f"{_ms(times.end_of_turn_ms)} after the end of the speech"
        case TtsTimes():
            yield "connected", _ms(times.connect_ms)
            yield "first audio", _ms(times.first_audio_ms)
            yield "all of it", f"{_ms(times.done_ms)} for {_ms(times.audio_ms)} of audio"
            yield "real-time factor", f"{times.real_time_factor:.2f}"
        case None:
            pass


def _ms(value: float) -> str:
    return f"{value:.0f} ms"


async def try_live(kind: Kind, name: str, options: Mapping[str, Any], sample: Sample) -> LiveReport:
    """Ask the vendor.

    Raises:
        ProviderError: There is no such provider, or it does not take the options.
        SpeechError: There is no sentence to be said.
    """
    provider = create(kind, name, options)
    secrets = _secrets(kind, name, options)
    try:
        await provider.start()
        if isinstance(provider, SttProvider):
            return await _stt(provider, name, sample)
        assert isinstance(provider, TtsProvider), "other kinds are not tried"
        return await _tts(provider, name, sample)
    except ProviderError as error:
        return LiveReport(kind, name, _without(str(error), secrets))
    except SpeechError:
        raise
    except Exception as error:  # a plugin may raise anything, and in any words
        return LiveReport(kind, name, f"it crashed with {type(error).__name__}")
    finally:
        with suppress(Exception):  # what it did is told
            await provider.aclose()


async def _stt(provider: SttProvider, name: str, sample: Sample) -> LiveReport:
    if sample.audio is None:
        said = sample.text or sentence(sample.language)
        clip, speaker = await made(said, sample.language)
    else:
        clip, speaker = recorded(sample.audio, sample.text), sample.audio.name
    audio = provider.capabilities.formats[0]
    pcm = resample(clip.pcm, clip.sample_rate, audio.sample_rate)
    config = SttConfig(audio, sample.language, call_sid="live")
    times = await try_stt(provider, config, encoder(audio.encoding)(pcm))
    problem = "" if times.text else "it understood nothing"
    heard = times.text if clip.text else None
    note = "" if clip.text else f"heard {times.text!r}; --text would tell the word error"
    return LiveReport(Kind.STT, name, problem, audio, speaker, clip.text, heard, note, times)


async def _tts(provider: TtsProvider, name: str, sample: Sample) -> LiveReport:
    said = sample.text or sentence(sample.language)
    audio = provider.capabilities.formats[0]
    config = TtsConfig(audio, sample.language, sample.voice, call_sid="live")
    times, made_audio = await try_tts(provider, config, said)
    heard, note = await _written_down(decoder(audio.encoding)(made_audio), audio, sample)
    return LiveReport(Kind.TTS, name, "", audio, "", said, heard, note, times)


async def _written_down(pcm: bytes, audio: AudioFormat, sample: Sample) -> tuple[str | None, str]:
    """What was heard, or why nobody did."""
    if sample.ear == NOBODY:
        return None, ""
    try:
        async with Ears(sample.ear, sample.language) as ears:
            return await ears.text(pcm, audio.sample_rate), ""
    except SpeechError as error:
        return None, f"nobody wrote down what it said: {error}"


def _secrets(kind: Kind, name: str, options: Mapping[str, Any]) -> list[str]:
    """The keys that the provider reads."""
    fields = provider_class(kind, name).options_type.model_fields
    variables = [
        str(options.get(option, info.default))
        for option, info in fields.items()
        if option.endswith("_env")
    ]
    return [value for each in variables if (value := os.environ.get(each, "").strip())]


def _without(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "…")
    return text
