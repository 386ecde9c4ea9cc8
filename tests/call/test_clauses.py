"""Pieces of an answer, joined into what can be spoken."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.call.clauses import EARLY_CHARS, MAX_CHARS, Clauses
from exobridge.call.sentences import spans

PIECES = """Hello there. | Rs. |1,00,000|3|.|5| at 10|.30 | No. |Dr. |Rao, | but |because |yes|! |?|
|see acme.in/a?b |हाँ।| नमस्ते, | लेकिन |“ok.” |... |- |the account ending in | a"""
ANSWERS = st.lists(st.sampled_from(PIECES.split("|")), max_size=40)


def joined(clauses: Clauses, pieces: list[str]) -> list[str]:
    """All that comes out."""
    return [*(line for piece in pieces for line in clauses.push(piece)), *clauses.flush()]


def words(text: str) -> str:
    return " ".join(text.split())


def whole(text: str) -> list[str]:
    return [words(text[begin:end]) for begin, end in spans(text)]


def cut(text: str, places: list[int]) -> list[str]:
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[begin:end] for begin, end in pairwise(edges)]


@given(ANSWERS, st.lists(st.integers(0, 10_000), max_size=60))
def test_however_an_answer_is_cut_its_sentences_are_the_same(
    parts: list[str], places: list[int]
) -> None:
    """Only the first may come in two lines, and no character is lost or said twice."""
    text = "".join(parts)[:MAX_CHARS]
    lines = [words(line) for line in joined(Clauses("hi-IN"), cut(text, places))]
    expected = whole(text)
    if lines != expected:
        assert len(lines[0]) >= EARLY_CHARS - 5  # white space within it was made one
        lines[:2] = [f"{lines[0]} {lines[1]}"]
    assert lines == expected


@given(st.text(alphabet="ab ,.\n", max_size=2000), st.integers(1, 50))
def test_a_line_is_never_too_long_and_nothing_is_lost(text: str, size: int) -> None:
    """A dialogue that forgets its full stops is spoken all the same."""
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    lines = joined(Clauses("en-IN"), pieces)
    assert all(0 < len(line) <= MAX_CHARS for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_a_sentence_is_spoken_as_soon_as_it_is_whole() -> None:
    """Its mark needs the character behind it, and no more."""
    clauses = Clauses("en-IN")
    assert clauses.push("It costs 3") == []
    assert clauses.push(".") == []
    assert clauses.push("5 lakh.") == []
    assert clauses.push(" ") == ["It costs 3.5 lakh."]
    assert clauses.push("Bye") == []
    assert clauses.flush() == ["Bye"]
    assert clauses.flush() == []


@pytest.mark.parametrize(
    ("language", "text", "first"),
    [
        (
            "en-IN",
            "Your order number 4521 has left our warehouse, and it will be with you",
            "Your order number 4521 has left our warehouse,",
        ),
        (
            "en-IN",
            "I looked for an appointment on that morning but nothing is free",
            "I looked for an appointment on that morning",
        ),
        (
            "hi-IN",
            "आपका ऑर्डर नंबर चार पाँच दो एक गोदाम से निकल चुका है लेकिन आज नहीं",
            "आपका ऑर्डर नंबर चार पाँच दो एक गोदाम से निकल चुका है",
        ),
        (
            "hi-IN",
            "Main aapka order dhoondh raha hoon us din ka lekin woh abhi nahin",
            "Main aapka order dhoondh raha hoon us din ka",
        ),
        ("en-IN", "Sure, let me see what there is for you on that day in", None),
        ("en-IN", "The amount that you have to pay us by Friday is 1,00,000 and", None),
        ("en-IN", "The numbers of the two appointments for you are 17, 18 and", None),
        ("ta-IN", "Main aapka order dhoondh raha hoon us din ka lekin woh abhi nahin", None),
    ],
)
def test_the_first_line_may_be_a_clause(language: str, text: str, first: str | None) -> None:
    """At a comma or before a word that begins a clause, if it is long enough; not in a number."""
    clauses = Clauses(language)
    lines = [line for char in text for line in clauses.push(char)]
    assert lines == ([] if first is None else [first])
    assert clauses.flush() == [text.removeprefix(first or "").strip()]


def test_only_the_first_line_of_an_answer_may_be_a_clause() -> None:
    """Later ones have time; the next answer begins anew."""
    clauses = Clauses("en-IN")
    long = "I have looked for it in all of our warehouses, and found"
    assert clauses.push(f"Well. {long}") == ["Well."]
    assert clauses.push(" it. ") == [f"{long} it."]
    assert clauses.push(long) == []
    assert clauses.flush() == [long]
    assert clauses.push(long) == ["I have looked for it in all of our warehouses,"]


def test_a_sentence_that_is_whole_is_not_cut() -> None:
    """An answer that comes at once sounds as it was written."""
    text = "I have looked for it in all of our warehouses, and found it. Shall I send it?"
    assert Clauses("en-IN").push(f"{text} ") == whole(text)


def test_a_line_of_the_dialogue_that_is_whole_is_left_as_it_is() -> None:
    """Only what goes on is joined; its last piece, maybe empty, ends it."""
    clauses = Clauses("en-IN")
    assert clauses.take(" We open at nine. We close at six. ", more=False) == [
        "We open at nine. We close at six."
    ]
    assert clauses.take("", more=False) == []
    assert clauses.take("Wait.", more=True) == []
    assert clauses.take(" I am look", more=True) == ["Wait."]
    assert clauses.take("ing. Yes", more=False) == ["I am looking.", "Yes"]
    assert clauses.take("No.", more=True) == []
    assert clauses.take("", more=False) == ["No."]


@pytest.mark.parametrize("last", ["", "Fine. Good."])
def test_every_answer_may_begin_early(last: str) -> None:
    """Whatever ended the one before."""
    clauses = Clauses("en-IN")
    long = "I have looked for it in all of our warehouses, and found"
    assert clauses.take("Well. ", more=True) == ["Well."]
    clauses.take(last, more=False)
    assert clauses.take(long, more=True) == ["I have looked for it in all of our warehouses,"]


def test_a_long_sentence_is_cut_between_clauses() -> None:
    """Else between words, else anywhere."""
    clause = "word " * 60 + "end,"
    assert joined(Clauses("en"), [f"Yes. {clause} {clause}"]) == ["Yes.", clause, clause]
    spaced = "word " * 100 + "end. Yes"
    first, second, yes = joined(Clauses("en"), [spaced])
    assert f"{first} {second} {yes}" == spaced
    assert (len(first), yes) == (MAX_CHARS - 1, "Yes")
    assert joined(Clauses("en"), ["a" * (MAX_CHARS + 5)]) == ["a" * MAX_CHARS, "a" * 5]
