"""What a stream used of what providers bill: plain numbers, kept with the call when it ends.

The numbers of a stream are written when it ends. A process that dies loses those of its open
streams, and no others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from exobridge.call.guarded import Guarded
from exobridge.templates.models import Template
from exobridge_codecs.formats import FRAME_MS
from exobridge_providers.base import Usage

Told = dict[str, str | int | float]
"""One provider's numbers, and its name as ``provider``."""


@dataclass(slots=True)
class Tally:
    """One stream's, as it goes on. What stands by provider does so by its name in the template.

    Attributes:
        to_stt: What takes the frames for each session of speech-to-text, with its provider.
        to_realtime: What takes them for a speech-to-speech session; ``None``: none is open.
        spoken_s: Audio that session made, in seconds.
        tts_characters: Text that was sent to text-to-speech sessions, by provider; lines from the
            prompts rendered ahead are no part of it.
        input_tokens, output_tokens: As the dialogues reported them, by provider.
    """

    to_stt: list[tuple[str, Guarded]] = field(default_factory=list[tuple[str, Guarded]])
    to_realtime: Guarded | None = None
    spoken_s: float = 0.0
    tts_characters: Counter[str] = field(default_factory=Counter[str])
    input_tokens: Counter[str] = field(default_factory=Counter[str])
    output_tokens: Counter[str] = field(default_factory=Counter[str])

    def counted(self, play: Callable[[bytes], None], sample_rate: int) -> Callable[[bytes], None]:
        """``play`` for PCM16 at ``sample_rate`` Hz, which counts what is played."""
        per_byte = 1 / (2 * sample_rate)

        def counting(pcm: bytes) -> None:
            self.spoken_s += len(pcm) * per_byte
            play(pcm)

        return counting

    def count_tokens(self, provider: str, usage: Usage) -> None:
        """A dialogue reported what an answer cost."""
        self.input_tokens[provider] += usage.input_tokens
        self.output_tokens[provider] += usage.output_tokens

    def record(self, template: Template) -> dict[str, Told | list[Told]]:
        """The numbers by kind, each with its provider; a list where several were used. Kinds that
        were not used are left out."""
        told = {
            "stt": self._stt(),
            "tts": self._tts(),
            "dialogue": self._dialogue(),
            "realtime": self._realtime(template.dialogue.provider),
        }
        return {kind: each if each[1:] else each[0] for kind, each in told.items() if each}

    def _stt(self) -> list[Told]:
        seconds: Counter[str] = Counter()
        for provider, frames in self.to_stt:
            seconds[provider] += frames.frames
        return [
            {"provider": provider, "seconds": frames * FRAME_MS / 1000}
            for provider, frames in seconds.items()
            if frames
        ]

    def _tts(self) -> list[Told]:
        counted = self.tts_characters.items()
        return [{"provider": name, "characters": characters} for name, characters in counted]

    def _dialogue(self) -> list[Told]:
        return [
            {
                "provider": name,
                "input_tokens": self.input_tokens[name],
                "output_tokens": self.output_tokens[name],
            }
            for name in self.input_tokens
            if self.input_tokens[name] or self.output_tokens[name]
        ]

    def _realtime(self, provider: str) -> list[Told]:
        frames = 0 if self.to_realtime is None else self.to_realtime.frames
        heard_s, spoken_s = frames * FRAME_MS / 1000, round(self.spoken_s, 2)
        if not heard_s and not spoken_s:
            return []
        return [{"provider": provider, "heard_seconds": heard_s, "spoken_seconds": spoken_s}]
