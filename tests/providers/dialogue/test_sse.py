"""Lines and server-sent events out of bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge_providers.dialogue.sse import Events, Lines
from exobridge_providers.errors import ProviderProtocolError


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The data in pieces that end at these places."""
    ends = sorted({min(place, len(data)) for place in places} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@given(
    st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=8)),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.lists(st.integers(0, 80)),
)
def test_lines_are_the_same_however_the_bytes_were_cut(
    lines: list[str], ending: str, places: list[int]
) -> None:
    """In the middle of a character, or between a return and its line feed."""
    reader = Lines("test")
    data = "".join(line + ending for line in lines).encode()
    found = [line for piece in cut(data, places) for line in reader.feed(piece)]
    assert found == lines
    assert reader.flush() == ""


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_no_bytes_crash_it(pieces: list[bytes]) -> None:
    """They are lines and events, or an error of the provider's."""
    lines, events = Lines("test", 30), Events("test", 30)
    try:
        for piece in pieces:
            lines.feed(piece)
            events.feed(piece)
        lines.flush()
    except ProviderProtocolError:
        pass


def test_a_return_and_its_line_feed_may_come_apart() -> None:
    """They end one line, also when nothing comes between them."""
    reader = Lines("test")
    pieces = (b"one\r", b"", b"\ntwo\r", b"three\r", b"\n", b"\n")
    assert [reader.feed(piece) for piece in pieces] == [["one"], [], ["two"], ["three"], [], [""]]


def test_a_last_line_needs_no_end() -> None:
    """It comes with the flush."""
    reader = Lines("test")
    assert reader.feed(b"one\ntw") == ["one"]
    assert reader.feed(b"o") == []
    assert reader.flush() == "two"


def test_an_event_is_its_data() -> None:
    """Comments, names, ids and empty events are passed over; lines of data belong together."""
    events = Events("test")
    assert events.feed(b": waiting\n\nevent: x\nid: 7\ndata: one\n\ndata:two\r\n") == ["one"]
    assert events.feed(b"data: three\n\n\n\ndata\n\n") == ["two\nthree", ""]


@pytest.mark.parametrize(
    "data", [b"x" * 101, b"data: " + b"x" * 50 + b"\ndata: " + b"x" * 60 + b"\n", b"data:\n" * 102]
)
def test_what_has_no_end_is_refused(data: bytes) -> None:
    """A line, and an event of many lines; each piece may be small."""
    events = Events("test", 100)
    pieces = [data[at : at + 7] for at in range(0, len(data), 7)]
    with pytest.raises(ProviderProtocolError, match="longer than 100"):
        [events.feed(piece) for piece in pieces]


def test_what_is_no_utf8_is_refused() -> None:
    """Nothing is guessed."""
    with pytest.raises(ProviderProtocolError, match="not UTF-8"):
        Lines("test").feed(b"\xff\n")
