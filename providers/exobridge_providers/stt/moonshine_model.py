"""Moonshine's recogniser, called through its C library.

The package's own Python class converts audio to and from lists of floats, sample by sample, which
holds the interpreter for milliseconds; here a buffer is passed and only the text is read, and the
interpreter is free while the network runs.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np

from exobridge_codecs.pcm import to_float
from exobridge_codecs.resample import resample
from exobridge_providers.errors import ProviderConfigError, ProviderError

# The package carries no types: this is the one place that talks to it.
_api: Any = import_module("moonshine_voice.moonshine_api")

SAMPLE_RATE = 16_000
"""Of the model, in hertz."""
TAIL_MS = 500
"""Silence put behind the audio, in milliseconds: the network is unsure of the last words where it
hears no end. On human recordings, cut as they end, it takes away a third of the errors."""
TINY = 0
"""The architecture of the model inside the package: 27 million parameters, 16 kHz, English."""
OPTIONS = {
    "vad_threshold": "0.0",  # its own segmentation invents words in the gaps
    "identify_speakers": "false",
    "return_audio_data": "false",
}
_SINGLE_THREAD = "MOONSHINE_ORT_SINGLE_THREAD"


class MoonshineModel:
    """One loaded recogniser, about 110 MB. Not thread-safe: one caller at a time.

    Raises:
        ProviderConfigError: The library or the model cannot be loaded.
    """

    def __init__(self) -> None:
        folder = Path(_api.__file__).parent / "assets" / "tiny-en"
        array, count, _keep_alive = _api.moonshine_options_array(OPTIONS)
        try:
            self._library: Any = _api._MoonshineLib().lib
        except _api.MoonshineError as error:
            raise ProviderConfigError(
                f"the library of moonshine-voice cannot be loaded on this machine: {error}",
                provider="moonshine",
            ) from error
        with _one_core():
            handle: int = self._library.moonshine_load_transcriber_from_files(
                str(folder).encode(), TINY, array, count, _api.MOONSHINE_HEADER_VERSION
            )
        if handle < 0:
            raise ProviderConfigError(
                f"the model of moonshine-voice cannot be loaded (code {handle}); "
                "install moonshine-voice==0.1.0, later releases carry no model",
                provider="moonshine",
            )
        self._handle: int | None = handle

    def transcribe(self, pcm: bytes, sample_rate: int) -> str:
        """The text of some PCM16.

        Audio at another rate than the model's is resampled here: the library's own resampler is
        cheaper and loses an "s" now and then.

        Raises:
            ProviderError: The library refused, or the model is closed.
        """
        if self._handle is None:
            raise ProviderError("the model is closed", provider="moonshine")
        speech = to_float(resample(pcm, sample_rate, SAMPLE_RATE))
        if not len(speech):
            return ""
        samples = np.pad(speech, (0, TAIL_MS * SAMPLE_RATE // 1000))
        transcript = cast(Any, ctypes.POINTER(_api.TranscriptC))()
        code: int = self._library.moonshine_transcribe_without_streaming(
            self._handle,
            samples.ctypes.data_as(ctypes.POINTER(ctypes.c_float)),
            len(samples),
            SAMPLE_RATE,
            0,
            ctypes.byref(transcript),
        )
        if code != 0:
            raise ProviderError(
                f"the recogniser failed with code {code}", provider="moonshine", retryable=True
            )
        return " ".join(filter(None, _lines(transcript)))

    def close(self) -> None:
        """Free the memory."""
        if self._handle is not None:
            self._library.moonshine_free_transcriber(self._handle)
            self._handle = None


def _lines(transcript: Any) -> Iterator[str]:
    # The library owns this memory until the next call, so it is copied out here and now.
    if transcript:
        content = transcript.contents
        for index in range(content.line_count):
            if text := content.lines[index].text:
                yield ctypes.string_at(text).decode("utf-8", "ignore").strip()


@contextmanager
def _one_core() -> Generator[None]:
    """Have a model loaded in here compute on the calling thread alone. A second core makes it
    8 % faster for 75 % more CPU, and takes that core from the calls."""
    before = os.environ.get(_SINGLE_THREAD)
    os.environ[_SINGLE_THREAD] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SINGLE_THREAD]
        else:
            os.environ[_SINGLE_THREAD] = before
