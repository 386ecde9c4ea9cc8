"""Utterances in their order: what is given out when, and that nothing is lost or mixed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exobridge_providers.base import TtsAudio, TtsDone, TtsEvent, TtsTrouble
from exobridge_providers.errors import ProviderUnavailableError
from exobridge_providers.vendor.utterances import REMEMBERED, Utterance, Utterances, is_end


def begun(utterances: Utterances, utterance_id: str) -> Utterance:
    """One that the vendor is making, and of which it has the whole text."""
    utterances.say(utterance_id, "text", last=True)
    made = next(each for each in utterances if each.id == utterance_id)
    utterances.new_context(made)
    made.give()
    made.ended = True
    return made


def test_audio_of_the_second_waits_for_the_end_of_the_first() -> None:
    """Whatever the order in which a vendor makes them."""
    utterances = Utterances(2)
    first, second = begun(utterances, "a"), begun(utterances, "b")
    assert utterances.take(second, TtsAudio(second.context, b"22")) == []
    assert utterances.take(second, TtsDone(second.context)) == []
    assert utterances.take(first, TtsAudio(first.context, b"11")) == [TtsAudio("a", b"11")]
    assert utterances.take(first, TtsDone(first.context)) == [
        TtsDone("a"),
        TtsAudio("b", b"22"),
        TtsDone("b"),
    ]
    assert list(utterances) == []


def test_half_a_sample_waits_for_its_other_half() -> None:
    """Audio is given out in whole samples."""
    utterances = Utterances(2)
    one = begun(utterances, "a")
    assert utterances.take(one, TtsAudio("", b"1")) == []
    assert utterances.take(one, TtsAudio("", b"123")) == [TtsAudio("a", b"1123")]
    assert utterances.take(one, TtsAudio("", b"45678")) == [TtsAudio("a", b"4567")]


def test_an_event_without_a_context_is_of_the_one_at_work() -> None:
    """And of nobody where nothing is."""
    utterances = Utterances(2)
    assert utterances.of("") is None
    one = begun(utterances, "a")
    assert utterances.of("") is one
    assert utterances.of(one.context) is one
    assert utterances.of("u99") is None


def test_what_was_cancelled_is_forgotten_and_stays_so() -> None:
    """Text of it that comes late is not begun anew."""
    utterances = Utterances(2)
    one = begun(utterances, "a")
    assert utterances.cancel("a") is one
    assert utterances.cancel("a") is None
    utterances.say("a", "late", last=True)
    assert list(utterances) == []


def test_the_memory_of_what_was_cancelled_is_bounded() -> None:
    """The oldest is forgotten."""
    utterances = Utterances(2)
    for number in range(REMEMBERED + 1):
        utterances.cancel(f"u{number}")
    utterances.say("u0", "text", last=True)
    utterances.say("u1", "text", last=True)
    assert [each.id for each in utterances] == ["u0"]


def test_a_blank_text_is_over_when_it_is_whole() -> None:
    """Not before, for more may come."""
    utterances = Utterances(2)
    utterances.say("a", " ", last=False)
    assert utterances.ready() == []
    utterances.say("a", "", last=True)
    assert utterances.ready() == [TtsDone("a")]


def test_white_space_goes_with_the_words_behind_it() -> None:
    """Vendors are given no blank text, and no words run together."""
    utterances = Utterances(2)
    for piece in ("one", " ", "two", "\n"):
        utterances.say("a", piece, last=False)
    (one,) = utterances
    assert one.give() == ["one", " two"]
    assert one.give() == []
    utterances.say("a", "three", last=False)
    assert one.give() == ["\nthree"]


def test_what_was_not_heard_yet_can_be_begun_again() -> None:
    """All of its text is given to the next connection, under another name."""
    utterances = Utterances(2)
    first, second = begun(utterances, "a"), begun(utterances, "b")
    names = {first.context, second.context}
    utterances.say("b", " more", last=True)
    assert utterances.begin_again()
    assert utterances.at_work == []
    assert first.give() == ["text"]
    assert second.give() == ["text", " more"]
    assert utterances.new_context(first) not in names
    assert not first.ended


def test_what_was_heard_is_not_begun_again() -> None:
    """The caller would hear its beginning twice."""
    utterances = Utterances(2)
    first, second = begun(utterances, "a"), begun(utterances, "b")
    utterances.take(first, TtsAudio(first.context, b"11"))
    assert not utterances.begin_again()
    assert utterances.at_work == [first, second]


def test_a_vendor_that_ends_an_utterance_early_is_given_the_rest_under_another_name() -> None:
    """Text came too slowly for it: the utterance goes on."""
    utterances = Utterances(2)
    utterances.say("a", "one", last=False)
    (one,) = utterances
    name = utterances.new_context(one)
    one.give()
    assert utterances.take(one, TtsDone(name)) == []
    utterances.say("a", " two", last=True)
    assert utterances.new_context(one) != name
    assert one.give() == [" two"]
    one.ended = True
    assert utterances.take(one, TtsDone(one.context)) == [TtsDone("a")]


def test_trouble_ends_one_utterance() -> None:
    """The next is given out behind it."""
    utterances = Utterances(2)
    first, second = begun(utterances, "a"), begun(utterances, "b")
    trouble = TtsTrouble("", ProviderUnavailableError("one"))
    assert utterances.take(second, TtsAudio("", b"22")) == []
    assert utterances.take(first, trouble) == [
        TtsTrouble("a", trouble.error),
        TtsAudio("b", b"22"),
    ]
    assert is_end(trouble)
    assert not is_end(TtsAudio("a", b""))


PIECES = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9)), max_size=30)


@given(PIECES)
def test_all_audio_comes_once_in_the_order_of_the_utterances(pieces: list[tuple[int, int]]) -> None:
    """Whatever the order in which a vendor sends its pieces, and however it cuts them."""
    utterances = Utterances(2)
    made = [begun(utterances, f"{number}") for number in range(4)]
    out: list[TtsEvent] = []
    audio = [b""] * 4
    for number, size in pieces:
        piece = bytes([number]) * size
        audio[number] += piece
        out += utterances.take(made[number], TtsAudio(made[number].context, piece))
    for each in reversed(made):
        out += utterances.take(each, TtsDone(each.context))
    ids = [event.utterance_id for event in out]
    assert ids == sorted(ids)
    assert [event.utterance_id for event in out if isinstance(event, TtsDone)] == list("0123")
    heard = b"".join(event.audio for event in out if isinstance(event, TtsAudio))
    assert heard == b"".join(each[: len(each) - len(each) % 2] for each in audio)


def test_text_is_kept_until_it_is_heard() -> None:
    """And no longer: it would not be said again."""
    utterances = Utterances(2)
    one = begun(utterances, "a")
    assert one.given == ["text"]
    utterances.take(one, TtsAudio(one.context, b"11"))
    utterances.say("a", " more", last=True)
    assert one.give() == [" more"]
    assert one.given == []


def test_an_utterance_that_the_vendor_ended_early_is_over_when_no_words_follow() -> None:
    """One ``TtsDone`` comes, when its text is whole."""
    utterances = Utterances(2)
    utterances.say("a", "one", last=False)
    (one,) = utterances
    name = utterances.new_context(one)
    one.give()
    assert utterances.take(one, TtsDone(name)) == []
    utterances.say("a", " ", last=True)
    assert utterances.ready() == [TtsDone("a")]
