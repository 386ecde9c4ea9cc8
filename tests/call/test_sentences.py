"""Where a sentence ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.call.sentences import next_end, spans

TEXTS = st.text(alphabet="abN1. ,?!।\n\"'RsDr", max_size=60)


def sentences(text: str) -> list[str]:
    return [text[begin:end] for begin, end in spans(text)]


@pytest.mark.parametrize(
    "parts",
    [
        ["Hello.", "How are you?", "Fine!"],
        ["What?!", "Really...well."],
        ["It costs 3.5 lakh.", "Come at 10.30 or 11.", "Thank you."],
        ["Pay Rs. 1,00,000 to Dr. Rao.", "Mr. J. P. Nadar will call."],
        ["No.", "That is wrong."],
        ["Your order No. 45 is ready."],
        ["Rs. five hundred, approx. ten dollars."],
        ["Acme Pvt. Ltd. is closed."],
        ["We belong to Acme Ltd.", "Call us."],
        ["Open from 9 a.m. to 6 p.m. today.", "We close at 6 p.m.", "Goodbye."],
        ["Write to help@acme.co.in or see https://acme.in/?q=a.b now.", "Thanks."],
        ["Near M.G. Road, i.e. the centre.", "Turn left."],
        ["1. Press the key.", "2. Wait."],
        ['Pay now (Rs. 500) or ask "Dr. Rao" for help.', "Thanks."],
        ["Wait... I am looking.", "Found."],
        ['He said "Come in."', "Then he left."],
        ["**Done.**", "(It was easy.)", "Bye"],
        ["नमस्ते।", "आप कैसे हैं?", "डॉ. शर्मा यहाँ हैं।"],
        ["रु. 500 दीजिए।।", "धन्यवाद"],
        ["آپ کیسے ہیں؟", "ٹھیک ہوں۔"],
    ],
)
def test_a_text_falls_into_its_sentences(parts: list[str]) -> None:
    """Numbers, abbreviations, initials and addresses are in one piece."""
    assert sentences(" ".join(parts)) == parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        (" \n ", []),
        ("one\ntwo", ["one", "two"]),
        ("हाँ।नहीं।", ["हाँ।", "नहीं।"]),
        ("  Hello.  There.  ", ["Hello.", "There."]),
    ],
)
def test_white_space_is_not_part_of_a_sentence(text: str, parts: list[str]) -> None:
    """A line break and a danda end one, with a space behind them or without."""
    assert sentences(text) == parts


@pytest.mark.parametrize("text", ["Hello", "Hello.", "Hello?!", "हाँ।", "No. ", "Dr. Rao", 'Yes."'])
def test_an_end_is_certain_only_with_what_follows(text: str) -> None:
    """More text may still make it another thing: ``3.`` becomes ``3.5``."""
    assert next_end(text) is None


def test_an_end_is_looked_for_from_a_place_on() -> None:
    """A number that begins a sentence is one of a list, wherever the sentence begins."""
    text = "Choose. 1. Tea or 2. Milk. Now"
    assert next_end(text) == 7
    assert next_end(text, 7) == len("Choose. 1. Tea or 2.")


@given(TEXTS, st.integers(0, 60))
def test_what_has_ended_stays_ended(text: str, cut: int) -> None:
    """Text that comes later does not move an end."""
    early = next_end(text[:cut])
    assert early is None or early == next_end(text)


@given(TEXTS)
def test_sentences_are_all_of_the_text(text: str) -> None:
    """In order, without overlap, and nothing but white space between them."""
    found = sentences(text)
    assert all(found)
    assert "".join("".join(found).split()) == "".join(text.split())
    places = [place for span in spans(text) for place in span]
    assert places == sorted(places)
