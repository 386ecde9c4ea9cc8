"""Noise taken out of the caller's audio, before it is transcribed.

WebRTC's noise suppression, which learns the noise while it lasts: a fan, traffic, a bad line. It
takes nothing out of music or of other people's voices.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Protocol, cast

from exobridge_codecs.formats import pcm16
from exobridge_providers.errors import ProviderConfigError

CLEAN = pcm16(16_000)
"""What a denoiser takes and gives: frames of 20 ms of it."""

Denoise = Callable[[bytes], bytes]
"""A frame of ``CLEAN`` in, with less noise out. One call's own: it remembers."""

PACKAGE = "webrtc_noise_gain"
_LEVEL = 2
"""Of 0 (off) to 4 (most)."""
_NO_GAIN = 0
_STEP_BYTES = CLEAN.bytes_per_ms * 10


class _Processed(Protocol):
    audio: bytes


class _Processor(Protocol):
    """The part of ``webrtc_noise_gain`` used here; it carries no types."""

    def Process10ms(self, audio: bytes) -> _Processed: ...


def is_installed() -> bool:
    """Whether its package can be imported."""
    try:
        import_module(PACKAGE)
    except ImportError:
        return False
    return True


def denoiser(name: str) -> Denoise | None:
    """A new one by its name in a template; ``none`` is none.

    Raises:
        ProviderConfigError: Its package is not installed.
    """
    return WebrtcDenoiser() if name == "webrtc" else None


class WebrtcDenoiser:
    """The noise suppression of one call.

    Raises:
        ProviderConfigError: Its package is not installed.
    """

    def __init__(self) -> None:
        try:
            package = import_module(PACKAGE)
        except ImportError as error:
            raise ProviderConfigError(
                f"the package webrtc-noise-gain cannot be imported: {error} "
                "(pip install 'exobridge[denoise]')",
                provider="webrtc",
            ) from error
        make = cast(Callable[[int, int], _Processor], package.AudioProcessor)
        self._processor = make(_NO_GAIN, _LEVEL)

    def __call__(self, frame: bytes) -> bytes:
        """A frame of ``CLEAN``, 20 ms, with less noise, 6 ms late. It takes 37 µs."""
        first, second = frame[:_STEP_BYTES], frame[_STEP_BYTES:]
        process = self._processor.Process10ms
        return process(first).audio + process(second).audio
