"""Whole calls whose template takes noise out of the caller's audio."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from exobridge.simulator import Clip, Say
from exobridge_codecs.pcm import rms_dbfs
from exobridge_providers.base import SttConfig, SttSession
from exobridge_providers.denoise import is_installed
from exobridge_providers.testing.fakes import FakeStt
from tests.played import Scene, play
from tests.server import bot

if not is_installed():
    pytest.skip("webrtc-noise-gain is not installed", allow_module_level=True)

SECONDS = 3


def _hiss() -> Clip:
    samples = np.random.default_rng(3).standard_normal(8000 * SECONDS) * 800
    return Clip(samples.astype("<i2").tobytes(), 8000, "hiss")


class NotingStt(FakeStt):
    """Keeps what it is sent, by the language of the call."""

    heard: ClassVar[dict[str, tuple[int, bytearray]]] = {}

    async def open(self, config: SttConfig) -> SttSession:
        """As :meth:`exobridge_providers.base.SttProvider.open`."""
        session = await super().open(config)
        kept = bytearray()
        self.heard[config.language] = (config.format.sample_rate, kept)
        send = session.send

        class Noting:
            """Hands everything on."""

            def send(self, audio: bytes) -> None:
                kept.extend(audio)
                send(audio)

            def __init__(self) -> None:
                self.finalize = session.finalize
                self.peek = session.peek
                self.events = session.events
                self.aclose = session.aclose

        return Noting()


async def test_the_recogniser_hears_less_noise(tmp_path: Path) -> None:
    """Of the same hiss, at least 6 dB less than in a call that takes nothing out, at the rate the
    suppression works at; both calls end well."""
    stt = {"provider": f"{__name__}:NotingStt", "options": {"continuous": True}}
    scenes = {
        "plain": Scene(bot(stt=stt, language="en-IN"), (Say(_hiss()),)),
        "clean": Scene(
            bot(stt=stt, language="en-GB", audio={"denoise": "webrtc"}), (Say(_hiss()),)
        ),
    }
    played = await play(tmp_path, scenes)
    assert all(each.call.outcome is not None for each in played.values())
    (plain_rate, plain), (clean_rate, clean) = (
        NotingStt.heard[language] for language in ("en-IN", "en-GB")
    )
    assert (plain_rate, clean_rate) == (8000, 16_000)
    assert _loudest_second(bytes(clean), clean_rate) < _loudest_second(bytes(plain), plain_rate) - 6


def _loudest_second(pcm: bytes, rate: int) -> float:
    """Its level, in dBFS."""
    second = 2 * rate
    return max(rms_dbfs(pcm[at : at + second]) for at in range(0, len(pcm) - second, second // 10))
