"""Moonshine: English speech-to-text inside the process, offline.

40 to 130 ms of one core an utterance, about 110 MB a worker.
"""

from __future__ import annotations

from exobridge_codecs.formats import pcm16
from exobridge_providers.base import SttCapabilities
from exobridge_providers.stt.local import LocalOptions, LocalStt
from exobridge_providers.stt.moonshine_model import MoonshineModel


class MoonshineOptions(LocalOptions):
    """The ``[stt.options]`` table."""


class MoonshineStt(LocalStt):
    """English speech-to-text, offline."""

    name = "moonshine"
    options_type = MoonshineOptions
    capabilities = SttCapabilities(
        formats=(pcm16(16_000), pcm16(8_000)),
        languages=frozenset({"en"}),
        continuous=False,
        on_demand=True,
    )

    def load(self) -> MoonshineModel:
        """As :meth:`LocalStt.load`: about 0.3 s."""
        return MoonshineModel()
