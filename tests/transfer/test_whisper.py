"""What is whispered: who calls, what about, and never too long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.call.events import Role, Turn
from exobridge.call.state import Call, replay
from exobridge.templates.transfer import TransferTable
from exobridge.transfer.whisper import cut, last_words, whisper_text
from exobridge.visible import visible
from tests.transfer.facts import talked


def call() -> Call:
    """From +919811100000."""
    found = replay(talked())
    assert found is not None
    return found


def turns(*lines: str) -> list[Turn]:
    """The caller's, each answered by the bot."""
    found: list[Turn] = []
    for number, line in enumerate(lines):
        begin = number * 4000
        found.append(Turn("c", "s", 2 * number + 1, Role.CALLER, line, begin, begin + 900))
        found.append(Turn("c", "s", 2 * number + 2, Role.BOT, "I see.", begin + 1000, begin + 1900))
    return found


def whispered(summary: str = "", *lines: str, **keys: object) -> str:
    """What the human hears."""
    return whisper_text(TransferTable.model_validate(keys), summary, call(), turns(*lines))


def test_the_dialogues_summary_comes_first() -> None:
    """In one line; what the caller said last is not added to it."""
    assert whispered(" Wants\n a refund. ", "Hello") == "Wants a refund."


def test_the_template_says_how() -> None:
    """With the numbers digit by digit, as they are told on a phone."""
    text = "From {caller} to {called}, {custom_field}: {summary}"
    assert whispered("A refund.", whisper_text=text) == (
        "From 9 8 1 1 1 0 0 0 0 0 to 8 0 4 7 1 1 2 2 3 3, : A refund."
    )


def test_it_is_as_long_as_the_template_lets_it_be() -> None:
    """Whatever the dialogue's summary; the template's own words are counted."""
    told = "Wants a refund. Was billed twice."
    assert whispered(told, whisper_max_chars=len(told)) == told
    assert whispered(told, whisper_max_chars=len(told) - 1) == "Wants a refund."
    assert whispered(told, whisper_text="Caller: {summary}", whisper_max_chars=len(told)) == (
        "Caller: Wants a refund."
    )


def test_what_a_caller_says_is_no_template() -> None:
    """Braces in a summary are spoken of, not filled in."""
    assert whispered("{caller} {secret} {") == "{caller} {secret} {"


def test_the_callers_last_lines_stand_in_for_a_summary() -> None:
    """Three at most, each ended; the bot's are not among them."""
    lines = ("Hello", "I was billed twice", "In October.", "क्या पैसा वापस मिलेगा।")
    assert whispered("", *lines) == "I was billed twice. In October. क्या पैसा वापस मिलेगा।"
    assert whispered("", "", " ") == ""
    assert whispered("") == ""


def test_lines_that_do_not_fit_are_left_out_whole() -> None:
    """Of the last one at least the beginning is said."""
    said = turns("This is a long story", "And it ends here.")
    assert last_words(said, 30) == "And it ends here."
    assert last_words(said, 12) == "And it ends"


@pytest.mark.parametrize(
    ("text", "limit", "left"),
    [
        ("Short.", 20, "Short."),
        ("One is here. Two is there. Three is far.", 30, "One is here. Two is there."),
        ("One is here. Two is there.", 12, "One is here."),
        ("One is here. Two is there. Three is far.", 26, "One is here. Two is there."),
        ("One sentence without an end that goes on", 20, "One sentence without"),
        ("Aaaaaaaaaaaaaaaaaaaaaaaaaaaa", 20, "A" + "a" * 19),
        ("पैसा वापस चाहिए। कल तक।", 17, "पैसा वापस चाहिए।"),
        ("He pays Rs. 500 a month. He is angry.", 27, "He pays Rs. 500 a month."),
    ],
)
def test_what_is_too_long_ends_where_a_sentence_does(text: str, limit: int, left: str) -> None:
    """Else where a word does."""
    assert cut(text, limit) == left


@given(st.text(), st.lists(st.text(), max_size=5), st.integers(20, 1000), st.text(max_size=40))
def test_it_is_never_too_long(summary: str, lines: list[str], limit: int, custom: str) -> None:
    """Whatever was said, it is one line within the limit."""
    table = TransferTable(whisper_max_chars=limit, whisper_text="{custom_field} {summary}")
    text = whisper_text(table, summary, call(), turns(*lines))
    assert len(text) <= limit
    assert text == " ".join(text.split())
    assert visible(text) == text


def test_what_joins_letters_stays() -> None:
    """Malayalam's final n, and a half consonant, are written with it."""
    summary = "അവന\u0d4d\u200d വിളിച്ചു, शक\u094d\u200dति"
    assert whisper_text(TransferTable(whisper_text="{summary}"), summary, call(), []) == summary
