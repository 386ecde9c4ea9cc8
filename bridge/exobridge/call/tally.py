"""What a stream used of what providers bill: plain numbers, kept with the call when it ends.

The numbers of a stream are written when it ends. A process that dies loses those of its open
streams, and no others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exobridge.call.guarded import Guarded
from exobridge.templates.models import Template
from exobridge_codecs.formats import FRAME_MS


@dataclass(slots=True)
class Tally:
    """One stream's, as it goes on.

    Attributes:
        to_stt: What takes the frames for speech-to-text; ``None``: none is open.
        to_realtime: Likewise, for a speech-to-speech session.
        spoken_s: Audio that session made, in seconds.
        tts_characters: Text that was sent to the text-to-speech session; lines from the prompts
            rendered ahead are no part of it.
        input_tokens, output_tokens: As the dialogue reported them.
    """

    to_stt: Guarded | None = None
    to_realtime: Guarded | None = None
    spoken_s: float = 0.0
    tts_characters: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def counted(self, play: Callable[[bytes], None], sample_rate: int) -> Callable[[bytes], None]:
        """``play`` for PCM16 at ``sample_rate`` Hz, which counts what is played."""
        per_byte = 1 / (2 * sample_rate)

        def counting(pcm: bytes) -> None:
            self.spoken_s += len(pcm) * per_byte
            play(pcm)

        return counting

    def record(self, template: Template) -> dict[str, dict[str, str | int | float]]:
        """The numbers by kind, each with its provider; without kinds that were not used."""
        told: dict[str, dict[str, str | int | float]] = {}
        if stt_s := _seconds(self.to_stt):
            told["stt"] = {"provider": template.stt.provider, "seconds": stt_s}
        if self.tts_characters:
            provider = template.tts.provider
            told["tts"] = {"provider": provider, "characters": self.tts_characters}
        if self.input_tokens or self.output_tokens:
            told["dialogue"] = {
                "provider": template.dialogue.provider,
                "input_tokens": self.input_tokens,
                "output_tokens": self.output_tokens,
            }
        heard_s, spoken_s = _seconds(self.to_realtime), round(self.spoken_s, 2)
        if heard_s or spoken_s:
            told["realtime"] = {
                "provider": template.dialogue.provider,
                "heard_seconds": heard_s,
                "spoken_seconds": spoken_s,
            }
        return told


def _seconds(frames: Guarded | None) -> float:
    return 0.0 if frames is None else frames.frames * FRAME_MS / 1000
