"""Whole numbers in words, and back again by a reader that shares nothing with the writer."""

from __future__ import annotations

import unicodedata
from string import ascii_uppercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.ear import for_the_ear
from exobridge.ear.english import ENGLISH
from exobridge.ear.hindi import HINDI
from exobridge.ear.language import Language

LARGEST = 10**12

ENGLISH_NAMES = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
HINDI_NAMES = {
    "शून्य": 0, "एक": 1, "दो": 2, "तीन": 3, "चार": 4, "पाँच": 5, "छह": 6, "सात": 7, "आठ": 8,
    "नौ": 9, "दस": 10, "ग्यारह": 11, "बारह": 12, "तेरह": 13, "चौदह": 14, "पंद्रह": 15, "सोलह": 16,
    "सत्रह": 17, "अठारह": 18, "उन्नीस": 19, "बीस": 20, "इक्कीस": 21, "बाईस": 22, "तेईस": 23,
    "चौबीस": 24, "पच्चीस": 25, "छब्बीस": 26, "सत्ताईस": 27, "अट्ठाईस": 28, "उनतीस": 29, "तीस": 30,
    "इकतीस": 31, "बत्तीस": 32, "तैंतीस": 33, "चौंतीस": 34, "पैंतीस": 35, "छत्तीस": 36, "सैंतीस": 37,
    "अड़तीस": 38, "उनतालीस": 39, "चालीस": 40, "इकतालीस": 41, "बयालीस": 42, "तैंतालीस": 43,
    "चवालीस": 44, "पैंतालीस": 45, "छियालीस": 46, "सैंतालीस": 47, "अड़तालीस": 48, "उनचास": 49,
    "पचास": 50, "इक्यावन": 51, "बावन": 52, "तिरपन": 53, "चौवन": 54, "पचपन": 55, "छप्पन": 56,
    "सत्तावन": 57, "अट्ठावन": 58, "उनसठ": 59, "साठ": 60, "इकसठ": 61, "बासठ": 62, "तिरसठ": 63,
    "चौंसठ": 64, "पैंसठ": 65, "छियासठ": 66, "सड़सठ": 67, "अड़सठ": 68, "उनहत्तर": 69, "सत्तर": 70,
    "इकहत्तर": 71, "बहत्तर": 72, "तिहत्तर": 73, "चौहत्तर": 74, "पचहत्तर": 75, "छिहत्तर": 76,
    "सतहत्तर": 77, "अठहत्तर": 78, "उनासी": 79, "अस्सी": 80, "इक्यासी": 81, "बयासी": 82, "तिरासी": 83,
    "चौरासी": 84, "पचासी": 85, "छियासी": 86, "सत्तासी": 87, "अट्ठासी": 88, "नवासी": 89, "नब्बे": 90,
    "इक्यानवे": 91, "बानवे": 92, "तिरानवे": 93, "चौरानवे": 94, "पचानवे": 95, "छियानवे": 96,
    "सत्तानवे": 97, "अट्ठानवे": 98, "निन्यानवे": 99,
}  # fmt: skip
SCALES = (
    (("crore", "करोड़"), 10_000_000),
    (("lakh", "लाख"), 100_000),
    (("thousand", "हज़ार"), 1000),
    (("hundred", "सौ"), 100),
)
NAMES = {**ENGLISH_NAMES, **HINDI_NAMES}
LANGUAGES = [pytest.param(ENGLISH, id="en"), pytest.param(HINDI, id="hi")]


def read(words: list[str]) -> int:
    """The number that the words say. What stands before the last of the largest scales is counted
    in it."""
    for names, scale in SCALES:
        places = [place for place, word in enumerate(words) if word in names]
        if places:
            before, after = words[: places[-1]], words[places[-1] + 1 :]
            assert before, f"{words} begin with a scale"
            return read(before) * scale + (read(after) if after else 0)
    values = [NAMES[word] for word in words]
    if len(values) == 2:
        assert values[0] in range(20, 100, 10), words
        assert values[1] in range(1, 10), words
    assert len(values) in (1, 2), words
    return sum(values)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_to_five_thousand(language: Language) -> None:
    """Each has its own words."""
    for number in range(5000):
        assert read(language.cardinal(number).split()) == number


@pytest.mark.parametrize("language", LANGUAGES)
@given(st.integers(0, LARGEST) | st.sampled_from([10**power for power in range(13)]))
def test_any_number_up_to_a_lakh_crore(language: Language, number: int) -> None:
    """What is written in words is read as the same number."""
    assert read(language.cardinal(number).split()) == number


def indian(number: int) -> str:
    """With commas before the last three digits and then every two."""
    rest, last = divmod(number, 1000)
    if not rest:
        return str(number)
    pairs: list[str] = []
    while rest >= 100:
        rest, pair = divmod(rest, 100)
        pairs.insert(0, f"{pair:02}")
    return ",".join([str(rest), *pairs, f"{last:03}"])


@pytest.mark.parametrize("tag", ["en-IN", "hi-IN"])
@given(st.integers(1000, LARGEST))
def test_commas_make_no_difference(tag: str, number: int) -> None:
    """Indian and western ones stand for the same number, in money too, and with a sign."""
    for written in (indian(number), f"{number:,}"):
        assert read(for_the_ear(written, tag).split()) == number
        *words, _ = for_the_ear(f"₹{written}", tag).split()
        assert read(words) == number
        _, *words = for_the_ear(f"it -{written}", tag).split()
        assert read(words[1:]) == number


@pytest.mark.parametrize("tag", ["en-IN", "hi-IN"])
@given(st.integers(0, 10**9 - 1), st.integers(0, 99))
def test_rupees_and_paise_add_up(tag: str, rupees: int, paise: int) -> None:
    """Nothing of an amount is lost or put in."""
    words = for_the_ear(f"₹{indian(rupees)}.{paise:02}", tag).split()
    total, counted = 0, list[str]()
    for word in words:
        if word in ("rupee", "rupees", "रुपया", "रुपये"):
            total += 100 * read(counted)
            counted = []
        elif word in ("paisa", "paise", "पैसा", "पैसे"):
            total += read(counted)
            counted = []
        elif word not in ("and", "और"):
            counted.append(word)
    assert not counted
    assert total == 100 * rupees + paise


@pytest.mark.parametrize("language", LANGUAGES)
@given(st.text("0123456789", min_size=1, max_size=40))
def test_digits_are_said_each_in_their_place(language: Language, digits: str) -> None:
    """In groups of two to five, but for one that is alone."""
    said = language.in_groups(digits)
    assert "".join(str(NAMES[word]) for word in said.replace(",", "").split()) == digits
    sizes = [len(group.split()) for group in said.split(", ")]
    assert all(2 <= size <= 5 for size in sizes) or len(digits) == 1


@pytest.mark.parametrize("language", LANGUAGES)
@given(st.text("0123456789", min_size=16, max_size=60))
def test_a_number_too_large_to_be_counted_is_read_out(language: Language, digits: str) -> None:
    """Above fifteen digits."""
    assert language.number(digits) == language.in_groups(digits)


def test_hindi_is_written_in_one_way() -> None:
    """Two spellings of a letter with a dot would be two words to a voice."""
    texts = [*map(HINDI.cardinal, range(100)), *HINDI.signs.values(), *HINDI.months]
    texts += [HINDI.letters(ascii_uppercase), *HINDI.weekdays, *HINDI.scales.values()]
    assert all(unicodedata.is_normalized("NFC", text) for text in texts)


def test_ordinals_of_english() -> None:
    """They end as they are written: 1st, 2nd, 3rd, 4th."""
    for number in range(1, 1000):
        last, teens = number % 10, number % 100 in (11, 12, 13)
        suffix = "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(last, "th")
        assert for_the_ear(f"{number}{suffix}", "en-IN").endswith(suffix)
