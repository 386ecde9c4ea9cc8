"""Exotel's playout buffer, in virtual time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.simulator.playout import (
    MAX_MARK_CHARS,
    MAX_MARKS,
    MAX_PENDING_MS,
    Gap,
    Heard,
    Playout,
)
from exobridge_codecs.formats import AudioFormat, Encoding, pcm16

MULAW = AudioFormat(Encoding.MULAW, 8000)
A, B = b"\x01" * 320, b"\x02" * 320  # 20 ms of PCM16 at 8 kHz, 160 samples


def test_chunks_play_back_to_back() -> None:
    """Two chunks at once take their time, and the second waits for the first."""
    playout = Playout(pcm16(8000))
    playout.receive(0, A)
    playout.receive(0, B)
    assert playout.advance(10) == [Heard(0, A[:160])]
    assert playout.advance(30) == [Heard(80, A[160:]), Heard(160, B[:160])]
    assert playout.unplayed_ms(30) == 10
    assert playout.advance(1000) == [Heard(240, B[160:])]
    assert playout.advance(2000) == []
    assert playout.gaps == []


def test_an_empty_buffer_is_silence_and_a_gap() -> None:
    """A chunk that comes late plays when it comes."""
    playout = Playout(pcm16(8000))
    playout.receive(100, A)
    playout.receive(150, B)
    assert playout.advance(200) == [Heard(800, A), Heard(1200, B)]
    assert playout.gaps == [Gap(120, 30)]


def test_a_long_silence_is_no_gap() -> None:
    """After 600 ms it is another utterance."""
    playout = Playout(pcm16(8000))
    playout.receive(0, A)
    playout.receive(620, B)
    assert playout.gaps == []


def test_an_odd_chunk_leaves_a_hole() -> None:
    """20 ms of silence follow a chunk that is no multiple of 320 bytes."""
    playout = Playout(pcm16(8000))
    playout.receive(0, A[:160])
    playout.receive(0, B)
    assert playout.advance(100) == [Heard(0, A[:160]), Heard(80 + 160, B)]


def test_half_a_sample_is_not_played() -> None:
    """PCM16 has two bytes a sample; the hole follows all the same."""
    playout = Playout(pcm16(8000))
    playout.receive(0, A[:3])
    playout.receive(0, B)
    assert playout.advance(100) == [Heard(0, A[:2]), Heard(161, B)]


def test_mulaw_has_one_byte_a_sample() -> None:
    """320 bytes of μ-law play for 40 ms."""
    playout = Playout(MULAW)
    playout.receive(0, A)
    assert playout.unplayed_ms(0) == 40


def test_a_mark_returns_when_its_audio_was_played() -> None:
    """Not before, not twice, and in order; at once if nothing is buffered."""
    playout = Playout(pcm16(8000))
    playout.mark(0, "first")
    assert playout.due_marks(0) == ["first"]
    playout.receive(0, A)
    playout.mark(0, "second")
    playout.mark(0, "third")
    assert playout.next_mark_ms() == 20
    assert playout.due_marks(19.8) == []
    assert playout.due_marks(20) == ["second", "third"]
    assert playout.due_marks(30) == []
    assert playout.next_mark_ms() is None


@pytest.mark.parametrize(("after_clear", "returned"), [(True, ["end"]), (False, list[str]())])
def test_clear_drops_what_was_not_played(after_clear: bool, returned: list[str]) -> None:
    """What was heard stays heard; waiting marks return at once, or never, as set."""
    playout = Playout(pcm16(8000), marks_after_clear=after_clear)
    playout.receive(0, A)
    playout.mark(0, "played")
    playout.receive(0, B)
    playout.mark(0, "end")
    assert playout.clear(30) == 10
    assert playout.advance(100) == [Heard(0, A), Heard(160, B[:160])]
    assert playout.due_marks(30) == ["played", *returned]
    assert playout.next_mark_ms() is None


def test_after_clear_new_audio_plays_at_once() -> None:
    """And the silence before it is no gap."""
    playout = Playout(pcm16(8000))
    playout.receive(0, A * 100)
    playout.clear(50)
    playout.receive(60, B)
    assert playout.advance(100)[-1] == Heard(480, B)
    assert playout.gaps == []


def test_the_buffer_is_bounded() -> None:
    """Beyond five minutes of unplayed audio chunks are dropped."""
    playout = Playout(pcm16(8000))
    chunk = bytes(96_000)  # 6 s
    taken = sum(playout.receive(0, chunk) for _ in range(100))
    assert taken == MAX_PENDING_MS // 6000 + 1


def test_the_marks_that_wait_are_bounded() -> None:
    """In their number and in their names' length; a place is free again once one has returned."""
    playout = Playout(pcm16(8000))
    playout.receive(0, A)
    assert sum(playout.mark(0, "") for _ in range(MAX_MARKS + 10)) == MAX_MARKS
    assert len(playout.due_marks(1000)) == MAX_MARKS
    name = "x" * (MAX_MARK_CHARS // 4)
    playout.receive(1000, A)
    assert [playout.mark(1000, name) for _ in range(5)] == [True] * 4 + [False]
    playout.clear(1000)
    assert not playout.mark(1000, name)
    assert playout.due_marks(1000) == [name] * 4
    assert playout.mark(1000, name)


Moves = st.lists(
    st.tuples(
        st.sampled_from(["receive", "receive", "mark", "clear", "advance", "marks"]),
        st.floats(0, 60),
        st.integers(0, 700),
    ),
    max_size=60,
)


@given(Moves, st.booleans())
def test_nothing_is_played_twice_and_order_is_kept(
    moves: list[tuple[str, float, int]], after_clear: bool
) -> None:
    """Whatever happens: each sample is heard once at most, in the order sent, at its own time;
    without a clear all of them are; each mark returns once at most, and in order."""
    playout = Playout(MULAW, marks_after_clear=after_clear)
    now, sent, cleared, marks = 0.0, 0, False, 0
    heard: list[Heard] = []
    returned: list[str] = []
    for move, later, size in moves:
        now += later
        match move:
            case "receive":
                # Each sample is its running number, in the range of a byte.
                playout.receive(now, bytes((sent + index) % 251 for index in range(size)))
                sent += size
            case "mark":
                playout.mark(now, str(marks))
                marks += 1
            case "clear":
                cleared = True
                playout.clear(now)
            case "advance":
                heard += playout.advance(now)
                assert all(part.start + len(part.audio) <= now * 8 + 1 for part in heard)
            case _:
                returned += playout.due_marks(now)
    heard += playout.advance(now + 1e6)
    returned += playout.due_marks(now + 1e6)

    ends = [part.start + len(part.audio) for part in heard]
    assert all(end <= part.start for end, part in zip(ends, heard[1:], strict=False))
    played = b"".join(part.audio for part in heard)
    everything = bytes(index % 251 for index in range(sent))
    if not cleared:
        assert played == everything
    assert len(played) <= sent
    assert returned == sorted(set(returned), key=int)
    if after_clear or not cleared:
        assert len(returned) == marks
