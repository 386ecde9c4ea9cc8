"""The recordings: prompts of the Asterisk project, one woman's voice at 8 kHz.

They are not in this repository (CC-BY-SA 3.0): ``apt install asterisk-core-sounds-en-wav`` brings
them, and ``asterisk-moh-opsound-wav`` music. ``prompts.tsv`` holds what is said in each that has
four words or more, numbers as they are said. The project's own list of texts differs from some
recordings; the file follows the recordings.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from exobridge_codecs.wav import read_wav

PROMPTS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
MUSIC = Path("/usr/share/asterisk/moh")
PACKAGES = "asterisk-core-sounds-en-wav asterisk-moh-opsound-wav"
RATE = 8000
"""Hertz, of all of them."""

_TEXTS = Path(__file__).parent / "prompts.tsv"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A recording and what is said in it."""

    name: str
    said: str

    def pcm(self) -> bytes:
        """Its audio: PCM16."""
        return _pcm(PROMPTS / f"{self.name}.wav")


@cache
def prompts() -> tuple[Prompt, ...]:
    """All of them, by name."""
    lines = _TEXTS.read_text("utf-8").splitlines()
    return tuple(Prompt(*line.split("\t")) for line in lines)


def tunes() -> list[Path]:
    """The pieces of music that are installed."""
    return sorted(MUSIC.glob("*.wav"))


def music(path: Path, seconds: float) -> bytes:
    """A tune again and again, as callers hear it who are put on hold."""
    once = _pcm(path)
    size = 2 * int(seconds * RATE)
    return (once * (size // len(once) + 1))[:size]


def installed() -> bool:
    """Whether the recordings are there."""
    return PROMPTS.is_dir() and MUSIC.is_dir()


def _pcm(path: Path) -> bytes:
    wav = read_wav(path)
    assert wav.sample_rate == RATE, path
    return wav.mono()
