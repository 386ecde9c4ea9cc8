"""Frames of one size out of chunks of any size.

The network sends audio in whatever pieces it likes (20 ms, 100 ms, odd sizes); everything inside
works on whole frames.
"""

from __future__ import annotations


class Reframer:
    """Cuts a stream of bytes into frames, in order, losing nothing.

    Never holds as much as one frame. A chunk that is exactly one frame, with nothing held, is
    passed on as it is.

    Args:
        frame_bytes: Size of a frame, at least 1.

    Raises:
        ValueError: ``frame_bytes`` is less than 1.
    """

    __slots__ = ("_frame_bytes", "_held")

    def __init__(self, frame_bytes: int) -> None:
        if frame_bytes < 1:
            raise ValueError(f"a frame has at least one byte, not {frame_bytes}")
        self._frame_bytes = frame_bytes
        self._held = b""

    @property
    def frame_bytes(self) -> int:
        """Size of a frame."""
        return self._frame_bytes

    @property
    def held_bytes(self) -> int:
        """How much waits for the rest of its frame: less than ``frame_bytes``."""
        return len(self._held)

    def push(self, chunk: bytes) -> list[bytes]:
        """Take a chunk; give the frames that are now whole, possibly none."""
        size = self._frame_bytes
        if not self._held and len(chunk) == size:
            return [chunk]
        audio = self._held + chunk
        whole = len(audio) - len(audio) % size
        self._held = audio[whole:]
        return [audio[start : start + size] for start in range(0, whole, size)]

    def flush(self, padding: bytes | None = None) -> bytes:
        """Give what is held and hold nothing; empty when nothing is.

        Args:
            padding: ``None``: the remainder as it is, shorter than a frame. Otherwise the byte
                that fills it up to a whole frame (0x00 for PCM16, 0xFF for μ-law, 0xD5 for A-law:
                ``AudioFormat.silence(1)``).

        Raises:
            ValueError: ``padding`` is not one byte; nothing is lost.
        """
        if padding is not None and len(padding) != 1:
            raise ValueError(f"padding is one byte, not {len(padding)}")
        held, self._held = self._held, b""
        if padding is None or not held:
            return held
        return held.ljust(self._frame_bytes, padding)
