"""Whisper (tiny, English): speech-to-text inside the process, offline.

Fewer wrong words than Moonshine for two to three times its time: about 200 ms of one core an
utterance, and 90 MB a worker.
"""

from __future__ import annotations

from exobridge_codecs.formats import pcm16
from exobridge_providers.base import SttCapabilities
from exobridge_providers.stt.local import LocalOptions, LocalStt
from exobridge_providers.stt.whisper_model import WhisperModel


class WhisperOptions(LocalOptions):
    """The ``[stt.options]`` table."""


class WhisperStt(LocalStt):
    """English speech-to-text, offline."""

    name = "whisper"
    options_type = WhisperOptions
    capabilities = SttCapabilities(
        formats=(pcm16(16_000), pcm16(8_000)),
        languages=frozenset({"en"}),
        continuous=False,
        on_demand=True,
    )

    def load(self) -> WhisperModel:
        """As :meth:`LocalStt.load`: about 0.3 s."""
        return WhisperModel()
