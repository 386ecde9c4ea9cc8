"""What is written down of a call."""

from __future__ import annotations

from exobridge.simulator.flows.one_call import Book
from exobridge.simulator.timeline import Entry, Kind, Party, Timeline


def test_what_the_timeline_has_no_room_for_is_told() -> None:
    """As a note, behind the others; nothing is said where there was room."""
    book = Book(timeline=Timeline(limit=2))
    book.note("the caller was shy")
    entry = Entry(0, Party.CALLER, Party.EXOTEL, Kind.PHONE, "calls")
    book.timeline.add(entry, entry)
    assert list(book.told) == ["the caller was shy"]
    book.timeline.add(entry, entry, entry)
    assert list(book.told) == ["the caller was shy", "3 more entries had no room in the timeline"]
