"""Frames of one size out of chunks of any size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge_codecs.framing import Reframer


@given(st.lists(st.binary(max_size=50)), st.integers(1, 40))
def test_any_chunking_gives_the_same_frames(chunks: list[bytes], size: int) -> None:
    """Frames are whole, in order, as early as possible, and nothing is lost."""
    reframer = Reframer(size)
    received = b""
    frames: list[bytes] = []
    for chunk in chunks:
        received += chunk
        frames += reframer.push(chunk)
        assert len(frames) == len(received) // size
        assert reframer.held_bytes == len(received) % size
    assert all(len(frame) == size for frame in frames)
    assert b"".join(frames) + reframer.flush() == received
    assert reframer.held_bytes == 0


def test_a_whole_frame_is_passed_on_uncopied() -> None:
    """The common case costs no copy."""
    frame = bytes(range(160))
    (given_back,) = Reframer(160).push(frame)
    assert given_back is frame


def test_a_whole_frame_after_a_part_keeps_its_place() -> None:
    """A chunk of exactly one frame does not overtake what is held."""
    reframer = Reframer(4)
    assert reframer.push(b"ab") == []
    assert reframer.push(b"cdef") == [b"abcd"]
    assert reframer.flush() == b"ef"


def test_the_remainder_is_padded_when_asked() -> None:
    """It becomes one whole frame, ended by the byte of silence given."""
    reframer = Reframer(4)
    reframer.push(b"ab")
    assert reframer.flush(padding=b"\xff") == b"ab\xff\xff"
    assert reframer.flush(padding=b"\xff") == b""


def test_padding_is_one_byte() -> None:
    """Anything else is refused and what is held stays."""
    reframer = Reframer(4)
    reframer.push(b"ab")
    for wrong in (b"", b"\0\0"):
        with pytest.raises(ValueError, match="one byte"):
            reframer.flush(padding=wrong)
    assert reframer.flush() == b"ab"


@pytest.mark.parametrize("size", [0, -160])
def test_a_frame_has_a_size(size: int) -> None:
    """Sizes below one byte are refused."""
    with pytest.raises(ValueError, match="at least one byte"):
        Reframer(size)


def test_the_size_can_be_asked() -> None:
    """It is what was given."""
    assert Reframer(320).frame_bytes == 320
