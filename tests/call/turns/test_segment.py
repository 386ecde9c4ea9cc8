"""The segment of speech under way, as the recogniser sees it."""

from __future__ import annotations

from exobridge.call.turns import DropSegment, Finalize, Peek, StartSegment
from exobridge.call.turns.segment import PEEK_EVERY_MS, PEEK_LIMIT_S, Segment


def started() -> Segment:
    segment = Segment()
    assert segment.start(0, 60) == StartSegment(0)
    return segment


def test_a_segment_is_over_once() -> None:
    """Finalised or dropped; nothing is asked for after that."""
    finalized, dropped = started(), started()
    assert finalized.finalize(500) == [Finalize(500)]
    assert dropped.drop() == [DropSegment()]
    for segment in (finalized, dropped):
        assert segment.finalize(600) == []
        assert segment.drop() == []
        assert segment.peek_into(9000, 9) == []
    assert (finalized.finals_due, dropped.finals_due) == (1, 0)


def test_it_is_known_when_its_text_is() -> None:
    """Or when its words up to the pause are."""
    segment = started()
    assert not segment.known
    segment.ask(500, 0.5)
    segment.take_partial("book it", 0.6)
    assert segment.known
    segment.start(0, 700)
    assert not segment.known
    segment.finalize(900)
    assert not segment.known
    segment.take_final()
    assert segment.known


def test_peeks_are_some_time_apart_and_one_at_a_time() -> None:
    """Counted in the caller's audio."""
    segment = started()
    assert segment.peek_into(60 + PEEK_EVERY_MS - 1, 0.3) == []
    assert segment.peek_into(60 + PEEK_EVERY_MS, 0.3) == [Peek(settled=False)]
    assert segment.peek_into(60 + 2 * PEEK_EVERY_MS, 0.6) == []
    segment.take_partial("book", 0.6)
    assert segment.peek_into(60 + 2 * PEEK_EVERY_MS, 0.6) == [Peek(settled=False)]
    later = 0.6 + PEEK_LIMIT_S
    assert segment.peek_into(3000, later - 0.1) == []
    assert segment.peek_into(3000, later) == [Peek(settled=False)]


def test_a_peek_that_was_under_way_in_the_pause_settles_nothing() -> None:
    """The words after it are missing: it is asked for them when it has answered."""
    segment = started()
    segment.peek_into(400, 0.4)
    assert segment.ask(500, 0.5) == []
    assert segment.take_partial("book", 0.6) == [Peek(settled=True)]
    assert not segment.settled
    assert segment.take_partial("book it", 0.7) == []
    assert segment.settled


def test_words_that_nobody_asked_for_settle_nothing() -> None:
    """A recogniser that sends them by itself may be behind."""
    segment = started()
    segment.take_partial("book", 0.3)
    assert (segment.partial, segment.settled) == ("book", False)
    segment.ask(500, 0.5)
    segment.take_partial("book it", 0.6)
    assert segment.settled
    assert segment.take_partial("book it now", 0.7) == []
    assert segment.partial == "book it now"


def test_a_recogniser_that_cannot_be_peeked_into_is_asked_for_its_text_in_a_pause_only() -> None:
    """While the voice goes on nothing is asked for."""
    segment = started()
    segment.peek_into(500, 0.5)
    assert segment.no_peek(500) == []
    segment.ask(600, 0.6)
    assert segment.no_peek(500) == [Finalize(500)]


def test_partial_words_last_until_the_text_is_there() -> None:
    """Those of the next segment are not touched by the text of the one before."""
    segment = started()
    segment.take_partial("book", 0.3)
    segment.finalize(500)
    assert segment.partial == "book"
    segment.take_partial("book it", 0.6)
    assert segment.partial == "book it"
    segment.start(800, 860)
    assert segment.partial == ""
    segment.take_partial("now", 1.0)
    segment.take_final()
    assert (segment.partial, segment.finals_due) == ("now", 0)
    segment.finalize(1200)
    segment.take_final()
    assert segment.partial == ""


def test_words_last_that_two_partials_have() -> None:
    """However they are written, and wherever they stand; each segment begins anew."""
    segment = started()
    segment.take_partial("know I", 0.3)
    assert segment.lasting == ""
    segment.take_partial("No, I asked", 0.5)
    assert segment.lasting == "i"
    segment.take_partial("no i asked about", 0.7)
    assert segment.lasting == "no i asked"
    segment.finalize(800)
    segment.start(900, 960)
    assert segment.lasting == ""


def test_more_texts_than_segments_are_harmless() -> None:
    """None is awaited then."""
    segment = Segment()
    segment.take_final()
    assert segment.finals_due == 0
