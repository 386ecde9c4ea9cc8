"""Whether a file is the sound that it is said to be, and what it tells of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tinytag import TinyTag

from exobridge.recordings.errors import NotReadyError

Suffix = Literal["mp3", "wav"]

MEDIA_TYPES: dict[Suffix, str] = {"mp3": "audio/mpeg", "wav": "audio/wav"}
"""Of each kind of file that is known."""

MAX_SECONDS = 24 * 3600
"""Longer is no call; the file is wrong about itself."""


@dataclass(frozen=True, slots=True)
class Audio:
    """What a file is.

    Attributes:
        duration_ms: How long it sounds; ``channels`` and ``sample_rate`` (Hz) likewise as the file
            tells.
    """

    suffix: Suffix
    duration_ms: int
    channels: int | None
    sample_rate: int | None

    @property
    def media_type(self) -> str:
        """For HTTP."""
        return MEDIA_TYPES[self.suffix]


def inspect(path: Path) -> Audio:
    """Read a file's head. Blocking: for a thread.

    Raises:
        NotReadyError: It is empty, or no audio: an error page, say, or the beginning of a file that
            is still being written.
    """
    with path.open("rb") as file:
        head = file.read(16)
    if not head:
        raise NotReadyError("it is empty")
    suffix = kind_of(head)
    if suffix is None:
        raise NotReadyError("it is no audio")
    try:
        with path.open("rb") as file:
            name = f"recording.{suffix}"  # by which it knows what to read
            tag = TinyTag.get(name, file, tags=False, check_magic_bytes=False)
    except Exception as error:  # the parser meets bytes that anybody may have made
        raise NotReadyError(f"its audio cannot be read ({type(error).__name__})") from None
    seconds = tag.duration
    if not seconds or not 0 < seconds <= MAX_SECONDS:
        raise NotReadyError("it holds no sound")
    return Audio(suffix, max(1, round(seconds * 1000)), tag.channels, tag.samplerate)


def kind_of(head: bytes) -> Suffix | None:
    """The kind of a file by its first 12 bytes; ``None``: not one that a recording comes in."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[:3] == b"ID3" or _is_mp3_frame(head):
        return "mp3"
    return None


def _is_mp3_frame(head: bytes) -> bool:
    """ISO 11172-3: 11 bits of sync, a version that is not reserved, layer III; then a bit rate and
    a sampling rate that are not forbidden."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    return version != 1 and layer == 1 and head[2] >> 4 != 15 and head[2] >> 2 & 3 != 3
