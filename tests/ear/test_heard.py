"""What was heard of a line that was cut, told in its own words."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.call.text import heard_part
from exobridge.ear import for_the_ear

LINE = "You owe ₹1,25,000 today."
"""Spoken: "You owe one lakh twenty five thousand rupees today." """
SPOKEN = for_the_ear(LINE, "en-IN")


def test_of_a_line_that_was_not_played_nothing_was_heard() -> None:
    """Not even what is not spoken."""
    assert heard_part("😀 Hello", 0, partial(for_the_ear, language="en-IN")) == ""


@pytest.mark.parametrize(
    ("until", "heard"),
    [
        ("You ow", "You"),
        ("You owe", "You owe"),
        ("You owe one lakh twenty five thousand rupee", "You owe"),
        ("You owe one lakh twenty five thousand rupees", "You owe ₹1,25,000"),
        ("You owe one lakh twenty five thousand rupees toda", "You owe ₹1,25,000"),
        (SPOKEN, LINE),
    ],
)
def test_an_amount_was_heard_when_all_its_words_were(until: str, heard: str) -> None:
    """Not when a third of its few signs was."""
    assert SPOKEN.startswith(until)
    fraction = len(until) / len(SPOKEN)
    assert heard_part(LINE, fraction, partial(for_the_ear, language="en-IN")) == heard


@given(
    st.lists(st.sampled_from(["₹500", "12/03", "a", "word.", "**b**", "😀", "+91 98450 12345"])),
    st.floats(-0.5, 1.5),
    st.sampled_from(["en-IN", "hi-IN", "ta-IN"]),
)
def test_what_was_heard_is_the_beginning_of_the_line(
    words: list[str], fraction: float, language: str
) -> None:
    """In whole words, and no more of them the less was played."""
    line = " ".join(words)
    spoken = partial(for_the_ear, language=language)
    heard = heard_part(line, fraction, spoken)
    assert line.startswith(heard)
    assert not heard or line[len(heard) :][:1] in ("", " ")
    assert len(heard_part(line, fraction - 0.2, spoken)) <= len(heard)
