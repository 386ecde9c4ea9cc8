"""Whole calls whose caller is heard by Flux."""

from __future__ import annotations

from pathlib import Path

from exobridge.simulator import Clip, Say
from exobridge_providers.testing.cases import key_in_environment
from exobridge_providers.testing.fake_vendor import KEY_VARIABLE
from exobridge_providers.testing.letters import spoken
from exobridge_providers.testing.vendors.deepgram_flux import PATH, FakeDeepgramFlux
from tests.played import Scene, play
from tests.server import bot

SILENCE_MS = 1500
"""That would end a turn, if Flux did not."""


def clip(*pieces: str, pause_ms: int = 700) -> Clip:
    """Words with pauses."""
    silence = bytes(16 * pause_ms)
    return Clip(silence.join(map(spoken, pieces)), 8000, " ".join(pieces))


async def test_flux_ends_the_turns_of_a_call(tmp_path: Path) -> None:
    """Sooner than the silence of the template would, but not where the caller clearly goes on; with
    ``force_end_turn`` that silence ends them."""
    async with FakeDeepgramFlux().listening() as flux:
        flux.interim_seconds = 0.05

        def template(silence_ms: int, **options: object) -> str:
            given = {"url": f"{flux.url}{PATH}", "api_key_env": KEY_VARIABLE, "chunk_ms": 20}
            stt = {"provider": "deepgram-flux", "options": {"script": None, **given, **options}}
            turns = {"end_silence_ms": silence_ms, "max_end_silence_ms": silence_ms}
            return bot(stt=stt, turns=turns)

        scenes = {
            "whole": Scene(template(SILENCE_MS), (Say(clip("book a table")), Say(clip("for two")))),
            "open": Scene(template(200), (Say(clip("book tables and", "a room")),)),
            "forced": Scene(
                template(200, force_end_turn=True, eot_threshold=1, eager_eot_threshold=0),
                (Say(clip("book tables and", "a room", pause_ms=SILENCE_MS)),),
            ),
        }
        with key_in_environment(flux):
            calls = await play(tmp_path, scenes)
        assert not flux.violations
    told = {name: [turn.text for turn in call.told] for name, call in calls.items()}
    assert told["whole"] == ["book a table", "for two"]
    assert told["open"] == ["book tables and a room"]
    assert told["forced"] == ["book tables and", "a room"]
    waited = [turn.eot_ms for turn in calls["whole"].turns if turn.eot_ms is not None]
    assert len(waited) == 2
    assert max(waited) < SILENCE_MS
    assert not any(call.broken_rules for call in calls.values())
