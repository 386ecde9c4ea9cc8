"""What the caller said and pressed that is in no answered turn yet."""

from __future__ import annotations

from exobridge.call.turns.said import ANSWER_IN_TIME_S, MAX_DIGITS, Said


def test_what_is_taken_is_no_news_until_it_is_given_back() -> None:
    """Then it is part of the next turn, before what came meanwhile."""
    said = Said()
    said.add("one")
    said.press("1")
    said.interrupted = True
    said.take()
    assert not said.news
    assert not said.interrupted
    said.add("two")
    said.press("2")
    assert (said.news, said.new_text) == (True, "two")
    said.give_back()
    assert (said.text, said.digits, said.interrupted) == ("one two", "12", True)


def test_what_is_answered_is_gone() -> None:
    """And nothing else."""
    said = Said()
    said.add("one")
    said.take()
    said.add("two")
    said.answered()
    assert said.text == said.new_text == "two"
    said.answered()
    assert said.text == "two"


def test_the_last_keys_are_kept() -> None:
    """Also where a turn is given back."""
    said = Said()
    for _ in range(MAX_DIGITS):
        said.press("1")
    said.take()
    said.press("2")
    said.give_back()
    assert said.digits == "1" * (MAX_DIGITS - 1) + "2"


def test_a_murmur_is_forgotten_after_a_while() -> None:
    """One that is not, counts as said."""
    said = Said()
    said.add("Delhi")
    said.add("haan")
    said.murmur(1, 10.0)
    said.add("ji")
    said.murmur(2, 12.0)
    said.forget_murmurs(12.0 + ANSWER_IN_TIME_S)
    assert said.text == "Delhi ji"
    said.forget_murmurs(99.0)
    assert said.text == "Delhi ji"


def test_texts_are_counted_from_the_first() -> None:
    """Those from one on can be looked at, and forgotten."""
    said = Said()
    for text in ("one", "two", "three"):
        said.add(text)
    assert len(said) == 3
    assert said.since(1) == "two three"
    said.forget(1)
    assert said.text == "one"
