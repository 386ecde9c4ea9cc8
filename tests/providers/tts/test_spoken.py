"""Written English as it is to be spoken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge_providers.tts.spoken import speakable


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("₹1,200", "one thousand two hundred rupees"),
        ("₹1,20,000 is due.", "one lakh twenty thousand rupees is due."),
        ("It is Rs. 500/- only.", "It is five hundred rupees only."),
        ("₹1,200.50", "one thousand two hundred rupees fifty paise"),
        ("₹0.5", "fifty paise"),
        ("Rs 1", "one rupee"),
        ("You paid ₹500.", "You paid five hundred rupees."),
        ("1,20,000 people", "one lakh twenty thousand people"),
    ],
)
def test_rupees_and_lakhs(written: str, spoken: str) -> None:
    """Amounts are read in rupees and paise, numbers with Indian commas in lakhs."""
    assert speakable(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        (
            "Call +919876543210 now",
            "Call plus nine one, nine eight seven six five, four three two one zero now",
        ),
        (
            "+91 98765 43210",
            "plus nine one, nine eight seven six five, four three two one zero",
        ),
        ("022-2345-6789", "zero two two, two three four five, six seven eight nine"),
        ("Your code is 483920.", "Your code is four eight three, nine two zero."),
        ("pin 0471", "pin zero four seven one"),
    ],
)
def test_numbers_that_name_something_are_read_digit_by_digit(written: str, spoken: str) -> None:
    """Telephone numbers, codes, and what begins with a zero."""
    assert speakable(written) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("on 12/03", "on 12 March"),
        ("12/03/2026", "12 March 2026"),
        ("1-4-2026.", "1 April 2026."),
        ("01.10.2026", "1 October 2026"),
    ],
)
def test_the_day_comes_before_the_month(written: str, spoken: str) -> None:
    """As dates are written in India."""
    assert speakable(written) == spoken


@pytest.mark.parametrize(
    "text",
    [
        "order 4712",
        "open 10:30 to 18:00",
        "2024-2026",
        "version 2.5",
        "3.14159",
        "24/7",
        "1/2",
        "99/99",
        "10,000 rupees",
        "1,234,567",
        "A-42",
        "user_name",
        "It is 35°C.",
        "What's that? It's fine!",
    ],
)
def test_the_rest_stays_as_it_is(text: str) -> None:
    """What the synthesiser reads well, or what nobody could tell, is left alone."""
    assert speakable(text) == text


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("**Hello** _there_, `now`", "Hello there, now"),
        ("See [our site](https://example.com/a).", "See our site."),
        ("# Title\n- one\n* two", "Title\none\ntwo"),
        ("Done 😀👍🏽!", "Done !"),
        ("👩‍👧", ""),
    ],
)
def test_what_nobody_speaks_is_left_out(written: str, spoken: str) -> None:
    """Markdown and emoji."""
    assert speakable(written) == spoken


@given(
    st.text(alphabet=st.characters() | st.sampled_from("0123456789,.₹+-/ Rs*[]()_"), max_size=80)
)
def test_no_text_breaks_it(text: str) -> None:
    """Whatever a model writes, something comes out, and once more changes nothing of sense."""
    assert isinstance(speakable(text), str)
