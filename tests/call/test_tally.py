"""What a stream used."""

from __future__ import annotations

from exobridge.call.guarded import Guarded
from exobridge.call.tally import Tally
from exobridge.templates import Template
from exobridge_providers.base import Usage

TEMPLATE = Template.model_validate(
    {
        "stt": {"provider": "ears"},
        "tts": {"provider": "mouth"},
        "dialogue": {"provider": "mind"},
        "vad": {"provider": "none"},
    }
)


def fed(frames: int) -> Guarded:
    """What took so many frames."""
    guarded = Guarded(lambda frame: None, lambda error: None)
    for _ in range(frames):
        guarded(b"")
    return guarded


def test_nothing_used_is_nothing_told() -> None:
    """A session that was opened and never fed is no use."""
    assert Tally().record(TEMPLATE) == {}
    assert Tally(to_stt=[("ears", fed(0))], to_realtime=fed(0)).record(TEMPLATE) == {}


def test_each_kind_is_told_with_its_provider() -> None:
    """In the units that providers bill."""
    tally = Tally(to_stt=[("ears", fed(75))])
    tally.tts_characters["mouth"] += 40
    tally.count_tokens("mind", Usage(input_tokens=7))
    assert tally.record(TEMPLATE) == {
        "stt": {"provider": "ears", "seconds": 1.5},
        "tts": {"provider": "mouth", "characters": 40},
        "dialogue": {"provider": "mind", "input_tokens": 7, "output_tokens": 0},
    }


def test_several_providers_of_a_kind_are_told_one_by_one() -> None:
    """A list in place of the one; sessions of the same provider are added up."""
    tally = Tally(to_stt=[("ears", fed(75)), ("spare", fed(0)), ("ears", fed(25))])
    tally.tts_characters.update(mouth=40, spare=2)
    tally.count_tokens("mind", Usage())
    tally.count_tokens("spare", Usage(output_tokens=3))
    assert tally.record(TEMPLATE) == {
        "stt": {"provider": "ears", "seconds": 2.0},
        "tts": [
            {"provider": "mouth", "characters": 40},
            {"provider": "spare", "characters": 2},
        ],
        "dialogue": {"provider": "spare", "input_tokens": 0, "output_tokens": 3},
    }


def test_a_speech_to_speech_session_counts_both_ways() -> None:
    """What it heard, and what it had played, at its own rate."""
    played: list[bytes] = []
    tally = Tally(to_realtime=fed(100))
    play = tally.counted(played.append, 16_000)
    for _ in range(3):
        play(bytes(16_000))
    assert played == [bytes(16_000)] * 3
    assert tally.record(TEMPLATE) == {
        "realtime": {"provider": "mind", "heard_seconds": 2.0, "spoken_seconds": 1.5}
    }


def test_a_frame_that_was_not_taken_is_not_counted() -> None:
    """The session died of it, and of all that would have followed."""

    def die(frame: bytes) -> None:
        if frame:
            raise ValueError

    guarded = Guarded(die, lambda error: None)
    for frame in (b"", b"", b"x", b""):
        guarded(frame)
    assert guarded.frames == 2
