"""The other kinds of plugin: their contract suites."""

from __future__ import annotations

from exobridge_codecs.formats import pcm16
from exobridge_codecs.tones import tone
from exobridge_providers.base import DialogueProvider, RealtimeProvider, UserTurn, VadProvider
from exobridge_providers.testing.conformance.stage import Stage
from exobridge_providers.testing.contract import check_dialogue, check_realtime, check_vad

_RATE = 8000
_TURNS = (UserTurn("What time do you open on Saturday?"), UserTurn(digits="7"))


async def vad(stage: Stage) -> None:
    """Voice activity."""
    assert isinstance(stage.provider, VadProvider)
    await check_vad(stage.provider, stage.speech(pcm16(_RATE)), _RATE)


async def dialogue(stage: Stage) -> None:
    """A dialogue."""
    assert isinstance(stage.provider, DialogueProvider)
    await check_dialogue(stage.provider, list(_TURNS))


async def realtime(stage: Stage) -> None:
    """Speech-to-speech."""
    assert isinstance(stage.provider, RealtimeProvider)
    await check_realtime(stage.provider, tone(440, 300, _RATE), _RATE)
