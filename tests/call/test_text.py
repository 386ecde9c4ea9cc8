"""A bot's text against its audio."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.call.text import heard_part, split, spoken_pieces, unheard_part

texts = st.text(alphabet="abé नम ।.!?\n ", max_size=120)


@pytest.mark.parametrize(
    ("text", "max_chars", "pieces"),
    [
        ("", 10, []),
        ("  Hello.  ", 10, ["Hello."]),
        ("One. Two. Three.", 10, ["One. Two.", "Three."]),
        ("आप कैसे हैं। मैं ठीक हूँ।", 15, ["आप कैसे हैं।", "मैं ठीक हूँ।"]),
        ("one two three four", 8, ["one two", "three", "four"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("Pay 3.50 rupees now", 9, ["Pay 3.50", "rupees", "now"]),
    ],
)
def test_a_text_is_cut_where_it_sounds_best(text: str, max_chars: int, pieces: list[str]) -> None:
    """Between sentences, else between words, else anywhere."""
    assert split(text, max_chars) == pieces


@given(texts, st.integers(1, 30))
def test_pieces_fit_and_lose_nothing(text: str, max_chars: int) -> None:
    """No piece is too long or empty, and together they have every character but white space."""
    pieces = split(text, max_chars)
    assert all(0 < len(piece) <= max_chars for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


@pytest.mark.parametrize("max_chars", [0, -1])
def test_pieces_of_nothing_are_refused(max_chars: int) -> None:
    """A provider that declares no room for text would keep the loop busy for ever."""
    with pytest.raises(ValueError, match="at least one character"):
        split("a", max_chars)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", [""]),
        ("One. Two.", ["One. Two."]),
        ("One. Two. Three.", ["One. ", "Two. ", "Three."]),
    ],
)
def test_pieces_for_a_provider_can_be_joined(text: str, pieces: list[str]) -> None:
    """What is joined again does not run two sentences together."""
    assert spoken_pieces(text, 9) == pieces


@given(texts, st.integers(2, 30))
def test_pieces_for_a_provider_fit_too(text: str, max_chars: int) -> None:
    """The joining space is counted; there is always one piece."""
    pieces = spoken_pieces(text, max_chars)
    assert pieces
    assert all(len(piece) <= max_chars for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("fraction", "heard"),
    [
        (-0.5, ""),
        (0.0, ""),
        (0.2, ""),
        (0.34, "one"),
        (0.5, "one"),
        (0.65, "one two"),
        (0.99, "one two"),
        (1.0, "one two six"),
        (1.7, "one two six"),
    ],
)
def test_a_word_that_was_not_finished_was_not_heard(fraction: float, heard: str) -> None:
    """Eleven characters: each is an eleventh of the audio."""
    assert heard_part("one two six", fraction) == heard


@pytest.mark.parametrize(("fraction", "heard"), [(0.7, "Pay"), (0.9, "Pay ₹500")])
def test_what_takes_longer_to_say_than_to_write_is_heard_later(fraction: float, heard: str) -> None:
    """An amount is most of this line's audio."""

    def spoken(text: str) -> str:
        return text.replace("₹500", "five hundred rupees")

    assert heard_part("Pay ₹500 now", fraction, spoken) == heard


@pytest.mark.parametrize("space", ["\n", "\t", "\u00a0"])
def test_words_may_be_parted_by_any_white_space(space: str) -> None:
    """A line break ends a word too."""
    assert heard_part(f"one{space}two", 0.8) == "one"


@given(texts, st.floats(-0.5, 1.5))
def test_what_was_heard_is_the_beginning_of_the_text(text: str, fraction: float) -> None:
    """Whatever the text, and never more than its share."""
    heard = heard_part(text, fraction)
    assert text.startswith(heard)
    assert fraction >= 1 or len(heard) <= max(0.0, fraction) * len(text) + 1e-6


def test_no_text_was_heard_of_no_text() -> None:
    """A tone has audio and no words."""
    assert heard_part("", 0.5) == ""


@pytest.mark.parametrize(
    ("heard", "unheard"),
    [
        ("", "We open at nine. We close at six. Goodbye."),
        ("We open", "We open at nine. We close at six. Goodbye."),
        ("We open at nine.", "We close at six. Goodbye."),
        ("We open at nine. We close", "We close at six. Goodbye."),
        ("We open at nine. We close at six.", "Goodbye."),
        ("We open at nine. We close at six. Goodbye.", ""),
        ("something else", "We open at nine. We close at six. Goodbye."),
    ],
)
def test_the_bot_goes_on_with_the_sentence_that_was_cut(heard: str, unheard: str) -> None:
    """From its start; what was heard whole is not said again."""
    assert unheard_part("We open at nine. We close at six. Goodbye.", heard) == unheard


@given(texts, st.floats(0, 1))
def test_heard_and_unheard_cover_the_text(text: str, fraction: float) -> None:
    """Nothing falls between them."""
    heard = heard_part(text, fraction)
    unheard = unheard_part(text, heard)
    assert text.endswith(unheard)
    assert len("".join(heard.split())) + len("".join(unheard.split())) >= len("".join(text.split()))


def test_a_danda_ends_a_sentence() -> None:
    """Hindi is cut between its sentences, and said again from the start of one."""
    assert split("हाँ। कल सुबह आइए", 13) == ["हाँ।", "कल सुबह आइए"]
    assert unheard_part("नमस्ते। कल आइए।", "नमस्ते। कल") == "कल आइए।"


def test_a_word_that_just_fits_stays_in_its_piece() -> None:
    """The space after it is where the cut is."""
    assert split("ab cd ef", 5) == ["ab cd", "ef"]
