"""The playout, in virtual time: any order of events."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exobridge.call.playout import (
    CATCH_UP_S,
    PlayoutOptions,
)
from exobridge_codecs.formats import AudioFormat, pcm16
from exobridge_codecs.g711 import mulaw_to_pcm, pcm_to_mulaw
from tests.call.playing import MULAW_8K, PCM_8K, Exotel, audio, start

NAMES = ("a", "b", "c")
samples = st.integers(0, 2500)
events = st.one_of(
    st.tuples(st.just("begin"), st.sampled_from(NAMES)),
    st.tuples(st.just("add"), st.sampled_from(NAMES), samples),
    st.tuples(st.just("end"), st.sampled_from(NAMES)),
    st.tuples(st.just("pause")),
    st.tuples(st.just("resume")),
    st.tuples(st.just("wait"), st.floats(0, 0.7)),
    st.tuples(st.just("late"), st.floats(0, 0.7)),
)
options = st.builds(PlayoutOptions, st.integers(20, 300), st.sampled_from([0, 20, 100, 200, 500]))


def apply(exotel: Exotel, event: tuple[str, str] | tuple[str, float] | tuple[str]) -> None:
    match event:
        case ("begin", str(name)):
            exotel.playout.begin(name)
        case ("end", str(name)):
            exotel.playout.end(name)
        case ("pause",):
            exotel.playout.pause()
        case ("resume",):
            exotel.playout.resume()
        case ("wait", float(seconds)):
            exotel.run(seconds)
        case ("late", float(seconds)):
            exotel.now += seconds
            exotel.advance()
        case _:
            raise AssertionError(event)


@given(st.lists(events, max_size=40), options, st.sampled_from([PCM_8K, MULAW_8K, pcm16(16000)]))
def test_any_order_of_events_plays_each_sample_once_and_in_order(
    script: list[tuple[str, str, int] | tuple[str, str] | tuple[str, float] | tuple[str]],
    options: PlayoutOptions,
    line: AudioFormat,
) -> None:
    """Adding, ending, pausing, resuming and waiting in any order: the bytes that were added come
    out, then padding; the lead is kept; the timer always has something to do."""
    exotel = start(line, options)
    added: dict[str, bytearray] = {}
    ended: set[str] = set()
    for event in script:
        name = event[1] if len(event) > 1 else None
        if isinstance(name, str) and name in ended:
            continue  # a name is used once
        if event[0] == "add" and len(event) == 3:
            pcm = audio(event[2] / 8, 8000, first=len(added.get(event[1], b"")) // 2)
            exotel.playout.add(event[1], pcm)
            if pcm:
                added.setdefault(event[1], bytearray()).extend(pcm)
            continue
        assert len(event) < 3
        apply(exotel, event)
        if isinstance(name, str):
            added.setdefault(name, bytearray())
        if event[0] == "end":
            assert isinstance(name, str)
            ended.add(name)
    exotel.playout.resume()
    for name in added:
        if name not in ended:
            exotel.playout.end(name)
    exotel.run(10)

    def wire(pcm: bytes) -> bytes:
        return mulaw_to_pcm(pcm_to_mulaw(pcm)) if line == MULAW_8K else pcm

    block = 320 // line.sample_bytes * 2
    for name, sound in added.items():
        assert exotel.pcm(name) == wire(bytes(sound) + bytes(-len(sound) % block)), name
    assert exotel.marks == exotel.played == list(added)
    assert all(size % 320 == 0 for size in exotel.sizes)
    assert exotel.playout.due(exotel.now) is None
    assert exotel.playout.held_ms == 0
    chunk_s = line.duration_ms(-(-line.bytes_per_ms * options.chunk_ms // 320) * 320) / 1000
    lead_s = options.lead_ms / 1000
    bound = lead_s if lead_s > chunk_s else chunk_s + CATCH_UP_S
    assert exotel.most_held_s <= bound + 1e-5
