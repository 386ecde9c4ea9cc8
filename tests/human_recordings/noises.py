"""Lines on which nobody speaks: do turns come of them?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exobridge_providers.base import SttProvider
from exobridge_providers.vad.silero_model import SileroModel
from tests.human_recordings.chain import hear
from tests.human_recordings.prompts import music, tunes
from tests.human_recordings.sounds import NOISES

SECONDS = 300.0
"""How long each line is listened to."""
MOST_TURNS = {"noise": 0, "music": 1}
"""In that time."""


@dataclass(frozen=True, slots=True)
class Listened:
    """One line.

    Attributes:
        name: Of the sound.
        kind: A key of ``MOST_TURNS``.
        turns: What the dialogue was asked.
        segments: How often the detector took it for speech, so that it was transcribed.
        voiced_seconds: How long these were, all together.
    """

    name: str
    kind: str
    turns: list[str]
    segments: int
    voiced_seconds: float


def _lines(seconds: float) -> Iterator[tuple[str, str, bytes]]:
    for name, make in NOISES.items():
        yield name, "noise", make(seconds)
    for path in tunes():
        yield path.stem, "music", music(path, seconds)


async def listen_all(provider: SttProvider, seconds: float = SECONDS) -> list[Listened]:
    """Each line, for so long."""
    model = SileroModel()
    found: list[Listened] = []
    for name, kind, pcm in _lines(seconds):
        heard = await hear(provider, model, pcm)
        voiced = sum(end - begin for begin, end in heard.segments) / 1000
        found.append(Listened(name, kind, heard.turns, len(heard.segments), voiced))
    return found
