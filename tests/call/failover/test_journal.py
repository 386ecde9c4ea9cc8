"""What is kept of the caller's audio."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exobridge.call.failover.journal import LEAD_FRAMES, LOOK_EVERY, MAX_FRAMES, Entry, Journal


def speech() -> Journal:
    """Of a caller who speaks all the time."""
    return Journal(lambda: True)


def heard(journal: Journal, frames: int, *, tag: bytes = b"f") -> None:
    """So many frames of 20 ms."""
    for number in range(frames):
        journal.heard(tag + str(number).encode())


def kept(journal: Journal) -> list[Entry]:
    """All that is kept."""
    return list(journal.since(journal.begins, 10_000))


def test_an_answer_takes_what_was_before_its_request() -> None:
    """What was heard since stays."""
    journal = speech()
    heard(journal, 3, tag=b"a")
    journal.asked()
    heard(journal, 2, tag=b"b")
    journal.answered()
    assert kept(journal) == [b"b0", b"b1"]
    assert journal.requests == 0


def test_requests_are_answered_in_their_order() -> None:
    """Each answer takes one."""
    journal = speech()
    for tag in (b"a", b"b"):
        heard(journal, 1, tag=tag)
        journal.asked()
    journal.answered()
    assert kept(journal) == [b"b0", None]
    journal.answered()
    assert journal.is_empty
    journal.answered()  # nobody had asked
    assert journal.is_empty


def test_of_silence_half_a_second_is_kept() -> None:
    """A word may have begun in it."""
    journal = Journal(lambda: False)
    heard(journal, 500)
    assert len(kept(journal)) == LEAD_FRAMES
    assert kept(journal)[-1] == b"f499"


def test_speech_that_was_none_is_dropped_within_a_second() -> None:
    """Nobody asks for its text."""
    speaking = [True]
    journal = Journal(lambda: speaking[0])
    heard(journal, 300)
    assert len(kept(journal)) == 300
    speaking[0] = False
    heard(journal, LOOK_EVERY + 1)
    assert len(kept(journal)) == LEAD_FRAMES


def test_a_request_that_waits_is_kept_whatever_comes() -> None:
    """It has to be asked again."""
    journal = speech()
    journal.asked()
    heard(journal, MAX_FRAMES + 10)
    assert kept(journal)[0] is None


def test_what_waits_for_its_text_is_kept_through_the_silence_after_it() -> None:
    """And that silence with it."""
    journal = Journal(lambda: False)
    heard(journal, 20)
    journal.asked()
    heard(journal, 100)
    assert len(kept(journal)) == 121


def test_of_speech_a_minute_is_kept() -> None:
    """Memory is bounded."""
    journal = speech()
    heard(journal, MAX_FRAMES + 10)
    assert len(kept(journal)) == MAX_FRAMES
    assert kept(journal)[0] == b"f10"


def test_a_text_nobody_asked_for_leaves_half_a_second() -> None:
    """It may not hold the latest words yet; while a request waits, nothing is dropped."""
    journal = speech()
    heard(journal, 100)
    journal.told()
    assert len(kept(journal)) == LEAD_FRAMES
    journal.asked()
    heard(journal, 100)
    journal.told()
    assert len(kept(journal)) == LEAD_FRAMES + 101


def test_places_count_from_the_beginning() -> None:
    """Whoever reads on is not moved by what is dropped meanwhile."""
    journal = speech()
    heard(journal, 4)
    journal.asked()
    heard(journal, 4, tag=b"g")
    assert journal.since(6, 2) == (b"g1", b"g2")
    journal.answered()
    assert journal.begins == 5
    assert journal.since(6, 2) == (b"g1", b"g2")
    assert journal.since(0, 1) == (b"g0",)


@given(st.lists(st.sampled_from(["frame", "ask", "answer"]), max_size=60))
def test_whatever_was_not_answered_is_kept_in_its_order(steps: list[str]) -> None:
    """By a plain list, cut after each answered request."""
    journal, plain = speech(), list[Entry]()
    for number, step in enumerate(steps):
        if step == "frame":
            journal.heard(str(number).encode())
            plain.append(str(number).encode())
        elif step == "ask":
            journal.asked()
            plain.append(None)
        elif None in plain:
            journal.answered()
            del plain[: plain.index(None) + 1]
        assert kept(journal) == plain
        assert journal.requests == plain.count(None)
