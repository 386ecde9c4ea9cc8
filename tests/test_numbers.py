"""Phone numbers: one form inside, and who answers for which."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exobridge.errors import ConfigError
from exobridge.numbers import NumberBook, mask, normalise, spoken

PHONE = "+918047112233"


@pytest.mark.parametrize(
    "written",
    [
        "08047112233",
        "8047112233",
        "+918047112233",
        "+91 80 4711 2233",
        "+91-80-4711-2233",
        "918047112233",
        "00918047112233",
        "0918047112233",
        " 918047112233",  # a plus sign that a query string turned into a space
        "(080) 4711.2233",
    ],
)
def test_every_way_to_write_a_number_is_one_number(written: str) -> None:
    """National with and without 0, international with +, 00 or nothing: all become E.164."""
    assert normalise(written) == PHONE


def test_numbers_of_other_countries_keep_their_code() -> None:
    """A number that names its country is not read as Indian."""
    assert normalise("+1 415-555-2671") == "+14155552671"
    assert normalise("0014155552671") == "+14155552671"


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        "   ",
        "null",
        "anonymous",
        "100",
        "12345",
        "sip:alice@example.com",
        "sip:+918047112233@example.com",
        "+91804711",
        "804711223344556677",
        "+",
        "1800FLOWERS",
        "८०४७११२२३३",
        "8047112233;ext=5",
        "8" * 5000,
    ],
)
def test_what_is_no_phone_number_is_none(written: str | None) -> None:
    """Short codes, addresses, words and nonsense give None, not an error."""
    assert normalise(written) is None


@given(st.one_of(st.text(), st.text(alphabet="+0123456789 ().-", max_size=45)))
@example("+" * 30)
@example("0" * 40)
def test_any_text_is_a_number_in_e164_or_none(text: str) -> None:
    """Nothing raises, what comes out is E.164, and normalising twice changes nothing."""
    number = normalise(text)
    if number is not None:
        assert re.fullmatch(r"\+[1-9][0-9]{5,14}", number)
        assert normalise(number) == number


@given(st.text())
def test_masking_any_text_shows_at_most_three_digits_and_a_country_code(text: str) -> None:
    """Whatever comes in, a log line never shows a whole number."""
    shown = mask(text)
    assert (not text) == (not shown)
    assert shown in ("", "***") or re.fullmatch(r"\+[0-9]{1,3}\*+[0-9]{3}", shown)


def test_a_masked_number_keeps_country_and_last_digits() -> None:
    """Two callers can be told apart in a log, and nobody can be called back from it."""
    assert mask("08047112233") == "+91*******233"
    assert mask("+14155552671") == "+1*******671"
    assert mask("alice") == "***"
    assert mask(None) == ""


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("+919811122233", "9 8 1 1 1 2 2 2 3 3"),
        ("08047112233", "8 0 4 7 1 1 2 2 3 3"),
        ("+14155552671", "1 4 1 5 5 5 5 2 6 7 1"),
        ("anonymous", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_spoken_number_is_told_digit_by_digit(number: str | None, said: str) -> None:
    """As people tell one: without the country code in India, with it elsewhere."""
    assert spoken(number) == said


def test_the_unset_book_gives_every_number_the_default_template() -> None:
    """Without EXOTEL_NUMBERS a first call works, whatever number it comes in on."""
    for text in (None, "", " , "):
        book = NumberBook.parse(text)
        assert not book.is_set
        assert book.templates == {"default"}
        assert book.template_for(PHONE) == book.template_for("null") == "default"
        assert book.template_for(None) == "default"


def test_a_book_finds_its_numbers_however_they_are_written() -> None:
    """The number in the setting and the number in the call need not be written alike."""
    book = NumberBook.parse(" 08047112233 = reception,+91 80 4711 2244=sales_2, ")
    assert book.is_set
    assert book.templates == {"reception", "sales_2"}
    assert book.template_for("+918047112233") == "reception"
    assert book.template_for("918047112244") == "sales_2"
    assert book.template_for("+918047112255") is None
    assert book.template_for("null") is None
    assert book.template_for(None) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("8047112233", "entry 1 (+91*******233): no template's name"),
        ("8047112233=", "entry 1 (+91*******233): no template's name"),
        ("8047112233=Big Sales", "entry 1 (+91*******233): no template's name"),
        ("8047112233=../etc/passwd", "entry 1 (+91*******233): no template's name"),
        ("8047112233=a,reception", "entry 2 (***): it does not begin with a phone number"),
        ("8047112233=a,=b", "entry 2 (without a number): it does not begin"),
        ("8047112233=a,08047112233=b", "entry 2 (+91*******233): the number is listed twice"),
    ],
)
def test_a_wrong_entry_is_named_by_position_and_masked_number(text: str, problem: str) -> None:
    """The error names the variable and the entry, shows no whole number and says the cure."""
    with pytest.raises(ConfigError) as caught:
        NumberBook.parse(text)
    assert caught.value.where == "EXOTEL_NUMBERS"
    assert problem in caught.value.problem
    assert "EXOTEL_NUMBERS=+918047112233=reception" in caught.value.cure
    assert "8047112233" not in caught.value.problem


def test_a_book_does_not_print_its_numbers() -> None:
    """Settings may stand in a log; the numbers in them may not."""
    assert "8047112233" not in repr(NumberBook.parse(f"{PHONE}=reception"))
