"""Which text answers which request: the rules, and that none is lost or answered twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exobridge_providers.base import Final
from exobridge_providers.vendor.answers import LATE_SECONDS, TOLD_SECONDS, Answers

EMPTY = Final("", finalized=True)


def acknowledged() -> Answers:
    """Of a vendor that marks its answers."""
    return Answers(acknowledged=True, answer_seconds=2.5)


def plain() -> Answers:
    """Of a vendor that does not."""
    return Answers(acknowledged=False, answer_seconds=2.5)


def asked(answers: Answers, now: float = 0.0) -> None:
    """Audio was sent, and its text asked for."""
    answers.sent()
    assert answers.ask(now) == (True, [])


def test_a_request_without_audio_is_answered_at_once() -> None:
    """The vendor is not asked."""
    assert plain().ask(0.0) == (False, [EMPTY])


def test_a_request_without_audio_behind_another_waits_for_it() -> None:
    """Answers come in the order of the requests."""
    answers = plain()
    asked(answers)
    assert answers.ask(0.1) == (False, [])
    assert answers.take(Final("hello"), 0.2) == [Final("hello", finalized=True), EMPTY]


def test_the_first_text_after_a_request_answers_it() -> None:
    """Where the vendor does not mark its answers."""
    answers = plain()
    asked(answers)
    assert answers.take(Final("hello"), 0.1) == [Final("hello", finalized=True)]
    assert answers.take(Final("later"), 0.2) == [Final("later")]


def test_a_text_that_is_not_marked_answers_nothing() -> None:
    """Where the vendor marks its answers."""
    answers = acknowledged()
    asked(answers)
    assert answers.take(Final("one"), 0.1) == [Final("one")]
    assert answers.take(Final("two", finalized=True), 0.2) == [Final("two", finalized=True)]


def test_a_marked_text_that_nobody_asked_for_is_text() -> None:
    """And an empty one is nothing."""
    answers = acknowledged()
    assert answers.take(Final("one", finalized=True), 0.1) == [Final("one")]
    assert answers.take(EMPTY, 0.2) == []


def test_an_empty_end_of_turn_is_told() -> None:
    """It says something also without words."""
    assert plain().take(Final("", end_of_turn=True), 0.0) == [Final("", end_of_turn=True)]


def test_an_end_of_turn_answers_all_requests_so_far() -> None:
    """Where the vendor decides itself when a text is final."""
    answers = plain()
    asked(answers)
    asked(answers, 0.1)
    told = answers.take(Final("hello", end_of_turn=True), 0.2)
    assert told == [Final("hello", end_of_turn=True, finalized=True), EMPTY]


def test_a_request_is_given_up_after_the_vendors_time() -> None:
    """Its answer is empty."""
    answers = plain()
    assert answers.due(hearing=False) is None
    asked(answers, 1.0)
    assert answers.due(hearing=False) == 3.5
    assert answers.give_up(3.5) == [EMPTY]
    assert answers.due(hearing=False) is None


def test_a_request_after_a_text_that_came_by_itself_waits_for_less() -> None:
    """The vendor has told what there was, unless it hears more."""
    answers = plain()
    answers.sent()
    answers.take(Final("hello"), 0.0)
    asked(answers, 1.0)
    assert answers.due(hearing=False) == 1.0 + TOLD_SECONDS
    assert answers.due(hearing=True) == 3.5


def test_a_late_mark_is_not_taken_for_the_next_requests() -> None:
    """The first of two answers belongs to the request that was given up."""
    answers = acknowledged()
    asked(answers)
    answers.give_up(2.5)
    asked(answers, 3.0)
    assert answers.take(Final("late", finalized=True), 3.1) == [Final("late")]
    assert answers.take(Final("next", finalized=True), 3.2) == [Final("next", finalized=True)]


def test_a_mark_that_never_comes_is_forgotten() -> None:
    """It does not cost later requests their answers for ever."""
    answers = acknowledged()
    asked(answers)
    answers.give_up(2.5)
    asked(answers, 8.0)
    now = 2.5 + LATE_SECONDS + 0.1
    assert answers.take(Final("next", finalized=True), now) == [Final("next", finalized=True)]


STEPS = st.lists(st.sampled_from(["sent", "ask", "text", "marked", "turn", "give up"]), max_size=40)


@given(STEPS, st.booleans(), st.booleans())
def test_each_request_is_answered_once_and_each_text_told_once(
    steps: list[str], marks: bool, forgets: bool
) -> None:
    """Whatever comes when: never more answers than requests, and in the end as many."""
    answers = Answers(acknowledged=marks, answer_seconds=2.5, forgets=forgets)
    requests, texts, told = 0, 0, list[Final]()
    for now, step in enumerate(steps):
        match step:
            case "sent":
                answers.sent()
            case "ask":
                requests += 1
                told += answers.ask(now)[1]
            case "give up":
                if answers.due(hearing=False) is not None:
                    told += answers.give_up(now)
            case _:
                texts += 1
                final = Final(f"{texts}", finalized=step == "marked", end_of_turn=step == "turn")
                told += answers.take(final, now)
        assert sum(each.finalized for each in told) <= requests
    while answers.due(hearing=False) is not None:
        told += answers.give_up(len(steps))
    assert sum(each.finalized for each in told) == requests
    assert [each.text for each in told if each.text] == [f"{at + 1}" for at in range(texts)]
