"""What words say of an interruption, and of the end of a turn."""

from __future__ import annotations

import pytest

from exobridge.call.turns.vocabulary import Ending, Verdict, Vocabulary, vocabulary
from exobridge.languages import codes, language

NO_WORDS, BACKCHANNEL = Verdict.NO_WORDS, Verdict.BACKCHANNEL
UNSURE, INTERRUPTION = Verdict.UNSURE, Verdict.INTERRUPTION

ENGLISH = vocabulary("en-IN", 2, (), ())


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("", NO_WORDS),
        ("...", NO_WORDS),
        ("haan", BACKCHANNEL),
        ("okay, okay, thik hai", BACKCHANNEL),
        ("no problem", BACKCHANNEL),
        ("go on", BACKCHANNEL),
        ("no", INTERRUPTION),
        ("haan nahi", INTERRUPTION),
        ("Wait!", INTERRUPTION),
        ("haan Delhi", INTERRUPTION),
        ("Delhi", UNSURE),
        ("four", UNSURE),
        ("42", INTERRUPTION),
        ("book another", INTERRUPTION),
    ],
)
def test_words_spoken_into_the_bots(said: str, verdict: Verdict) -> None:
    """Backchannels, whatever their number, are none; some words are one alone; else they count,
    each digit of a number too."""
    assert ENGLISH.verdict(said) is verdict


@pytest.mark.parametrize(
    ("tag", "said", "verdict"),
    [
        ("bn-IN", "আচ্ছা", BACKCHANNEL),
        ("ta-IN", "சரிங்க", BACKCHANNEL),
        ("te-IN", "అవునండి", BACKCHANNEL),
        ("mr-IN", "ठीक आहे", BACKCHANNEL),
        ("gu-IN", "બરાબર છે", BACKCHANNEL),
        ("kn-IN", "ಸರಿ", BACKCHANNEL),
        ("ml-IN", "ശരി", BACKCHANNEL),
        ("pa-IN", "ਹਾਂ ਜੀ", BACKCHANNEL),
        ("or-IN", "ଠିକ ଅଛି", BACKCHANNEL),
        ("ta-IN", "okay", BACKCHANNEL),
        ("kn-IN", "ji haan", BACKCHANNEL),
        ("ta-IN", "niruthunga", INTERRUPTION),
        ("te-IN", "ఆగండి", INTERRUPTION),
        ("bn-IN", "thamun", INTERRUPTION),
        ("fr-FR", "okay", BACKCHANNEL),
    ],
)
def test_languages(tag: str, said: str, verdict: Verdict) -> None:
    """Each has its own words, in its own and in Latin script; English and Hindi ones count too."""
    assert vocabulary(tag, 2, (), ()).verdict(said) is verdict


@pytest.mark.parametrize("code", codes())
def test_each_language_knows_its_own_words(code: str) -> None:
    """A backchannel is never an interruption, nor the other way round; alone each decides."""
    known = vocabulary(f"{code}-IN", 9, (), ())
    own = language(code)
    for phrase in own.backchannels:
        assert known.verdict(phrase) is BACKCHANNEL, phrase
    for phrase in own.interruptions:
        assert known.verdict(phrase) is INTERRUPTION, phrase


def test_a_template_adds_words() -> None:
    """They count before the language's own."""
    known = vocabulary("en-IN", 2, ("stop it", "bolo bhai"), ("okay", "manager"))
    assert known.verdict("Bolo, bhai") is BACKCHANNEL
    assert known.verdict("stop it") is BACKCHANNEL
    assert known.verdict("manager") is INTERRUPTION
    assert known.verdict("okay") is INTERRUPTION
    assert vocabulary("en-IN", 2, (), ()).verdict("manager") is UNSURE


@pytest.mark.parametrize(("min_words", "verdict"), [(1, INTERRUPTION), (2, UNSURE), (3, UNSURE)])
def test_the_minimum_of_words(min_words: int, verdict: Verdict) -> None:
    """One word, where it takes one, two or three."""
    assert Vocabulary(language("en"), min_words=min_words).verdict("Delhi") is verdict


@pytest.mark.parametrize(
    ("said", "ending"),
    [
        ("", Ending.PLAIN),
        ("I have a problem", Ending.PLAIN),
        ("I want to go to", Ending.OPEN),
        ("a table for two and", Ending.OPEN),
        ("my name is", Ending.OPEN),
        ("well,", Ending.OPEN),
        ("I was thinking...", Ending.OPEN),
        ("um", Ending.OPEN),
        ("where is it?", Ending.WHOLE),
        ("and what is that for?", Ending.PLAIN),
        ("What are your?", Ending.PLAIN),
        ("no thank you", Ending.WHOLE),
        ("I think so", Ending.WHOLE),
        ("that's what I want.", Ending.WHOLE),
    ],
)
def test_how_words_end(said: str, ending: Ending) -> None:
    """With a word that sentences do not end with, with one that turns end with, or with neither."""
    assert ENGLISH.ending(said) is ending


@pytest.mark.parametrize(
    ("said", "ending"),
    [
        ("a table for two", Ending.PLAIN),
        ("500", Ending.PLAIN),
        ("My order number is 47.", Ending.OPEN),
        ("the code is four", Ending.OPEN),
        ("my order number is 4711", Ending.PLAIN),
        ("the number of rooms is 47", Ending.PLAIN),
        ("two thirty", Ending.PLAIN),
        ("nine eight", Ending.OPEN),
        ("my number is nine eight four", Ending.OPEN),
        ("98450", Ending.OPEN),
        ("nine eight double", Ending.OPEN),
        ("four seven one one", Ending.OPEN),
        ("560001", Ending.OPEN),
        ("nine eight four five 0 0 1 2 3 4", Ending.WHOLE),
        ("98450 01234", Ending.WHOLE),
        ("+91 98450 01234", Ending.WHOLE),
        ("9845001", Ending.OPEN),
    ],
)
def test_a_number_that_is_dictated(said: str, ending: Ending) -> None:
    """It goes on until it is a telephone number, or a card's: a shorter one may be the half of
    it."""
    assert ENGLISH.ending(said) is ending


@pytest.mark.parametrize(
    ("tag", "said", "ending"),
    [
        ("hi-IN", "मुझे दिल्ली जाना है और", Ending.OPEN),
        ("hi-IN", "mera number", Ending.PLAIN),
        ("hi-IN", "मेरा नंबर 98", Ending.OPEN),
        ("hi-IN", "mujhe", Ending.OPEN),
        ("hi-IN", "nau aath saat", Ending.OPEN),
        ("hi-IN", "नहीं चाहिए", Ending.WHOLE),
        ("ta-IN", "எனக்கு ஒரு", Ending.OPEN),
        ("ta-IN", "I want to", Ending.OPEN),
        ("bn-IN", "ঠিক আছে", Ending.WHOLE),
    ],
)
def test_how_words_end_in_other_languages(tag: str, said: str, ending: Ending) -> None:
    """Each in its own words, and in English ones."""
    assert vocabulary(tag, 2, (), ()).ending(said) is ending


@pytest.mark.parametrize("code", codes())
def test_a_greeting_asks_for_nothing_while_the_bot_begins(code: str) -> None:
    """Of each language, and of English and Hindi in each; with more words it interrupts."""
    known = vocabulary(f"{code}-IN", 2, (), ())
    for said in {*language(code).greetings, "Hello?", "namaste"}:
        assert known.verdict(said, early=True) is BACKCHANNEL, said
    assert known.verdict("hello, where is my parcel", early=True) is INTERRUPTION


def test_a_word_that_a_template_lets_interrupt_does_so_in_the_first_line_too() -> None:
    """Even a greeting."""
    known = vocabulary("en-IN", 2, (), ("hello",))
    assert known.verdict("hello", early=True) is INTERRUPTION
