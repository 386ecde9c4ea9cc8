"""A provider's plain methods, called once a frame: a plugin's bug ends its call, and no other.

What such a method raises would come out where the line's frames are read, far from the provider.
"""

from __future__ import annotations

from collections.abc import Callable

OnError = Callable[[Exception], None]


class Guarded:
    """Calls ``method`` with each frame until it raises; that is told once, and then no more calls
    are made.

    Attributes:
        frames: How many were handed over.
    """

    __slots__ = ("_dead", "_method", "_on_error", "frames")

    def __init__(self, method: Callable[[bytes], None], on_error: OnError) -> None:
        self._method = method
        self._on_error = on_error
        self._dead = False
        self.frames = 0

    def __call__(self, frame: bytes) -> None:
        """Hand over one frame."""
        if self._dead:
            return
        try:
            self._method(frame)
            self.frames += 1
        except Exception as error:
            self._dead = True
            self._on_error(error)


class Harmless:
    """Changes each frame by ``change``, until that raises or gives back what is no such frame; that
    is told once, and from then on frames stay as they are."""

    __slots__ = ("_change", "_on_error")

    def __init__(self, change: Callable[[bytes], bytes], on_error: OnError) -> None:
        self._change: Callable[[bytes], object] | None = change
        self._on_error = on_error

    def __call__(self, frame: bytes) -> bytes:
        """The frame, changed or not."""
        if self._change is None:
            return frame
        try:
            changed = self._change(frame)
            if isinstance(changed, bytes) and len(changed) == len(frame):
                return changed
            raise TypeError("a frame of the same length is wanted")
        except Exception as error:
            self._change = None
            self._on_error(error)
            return frame
