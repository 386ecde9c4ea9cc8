"""What is meant for the eye alone is never spoken, in any language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exobridge.ear import for_the_ear
from exobridge.ear.markup import without_markup


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("**Hello** _there_, `now` ~~or never~~", "Hello there, now or never"),
        ("***Really*** __good__", "Really good"),
        ("**Hello there.", "Hello there."),
        ("2 * 3", "2×3"),
        (r"\*not bold\*", "not bold"),
        ("snake_case stays", "snake_case stays"),
        ("# Opening hours #\nWe are open.", "Opening hours. We are open."),
        ("- one\n- two", "one. two"),
        ("* one,\n* two", "one, two"),
        ("• first!\n• second", "first! second"),
        ("- [x] paid\n- [ ] sent", "paid. sent"),
        ("1. One\n2) Two", "1. One. 2. Two"),
        ("> Said\n> twice", "Said twice"),
        ("A line\nthat goes on", "A line that goes on"),
        ("One paragraph\n\nanother", "One paragraph. another"),
        ("| Plan | Price |\n|---|---|\n| A | 500 |", "Plan, Price. A, 500"),
        ("Before\n\n---\n\nafter", "Before. after"),
        ("Title\n=====\nText", "Title. Text"),
        ("```python\nprint(1)\n```", "print(1)"),
        ("```Hello there.```", "Hello there."),
        ("``` Hello there.", "Hello there."),
        ("See [our site](https://example.com/a).", "See our site."),
        ("See [it](https://example.com/a_(b)) now", "See it now"),
        ("![a map](map.png) here", "a map here"),
        ("[text][1]\n[1]: https://example.com", "text"),
        ("<https://example.com/pay>", "example.com"),
        ("Mail <asha@example.com>.", "Mail asha@example.com."),
        ("<b>Bold</b> &amp; <i class='x'>more</i><br>line", "Bold & more. line"),
        ("<!-- hidden -->seen", "seen"),
        ("x <y and z> a", "x <y and z> a"),
        ("3 < 5 and 7 > 6", "3 < 5 and 7 > 6"),
        ("AT&T &copy me &#8377;5", "AT&T &copy me ₹5"),
        (
            "go to https://user:secret@www.example.com:8080/a?b=c#d, please",
            "go to example.com, please",
        ),
        ("(https://example.com)", "(example.com)"),
        ("[laughs] (softly) yes", "[laughs] (softly) yes"),
        ("Done 😀👍🏽!", "Done!"),
        ("👩‍👧", ""),
        ("Flag 🇮🇳 and 1️⃣", "Flag and 1"),
        ("Fine :) ok", "Fine ok"),
        ("ratio 3:1 at 10:30", "ratio 3:1 at 10:30"),
        ("Tea™ ✓ ★", "Tea"),
        ("25℃, № 5", "25°C, No. 5"),
        ("a\u200bb\ufeff c\u00add\x07", "ab cd"),
        ("tabs\tand \u00a0 spaces", "tabs and spaces"),
        ("", ""),
        ("***", ""),
        ("\n\n", ""),
    ],
)
def test_marks_are_left_out_and_words_stay(written: str, plain: str) -> None:
    """Markdown, HTML, addresses of pages, pictures, control characters."""
    assert without_markup(written, ".") == plain
    assert for_the_ear(written, "ta-IN") == plain


@pytest.mark.parametrize(
    "text",
    [
        "வணக்கம், உங்கள் எண் 4821.",
        "ಕ್ಷ ಮತ್ತು ಕ್\u200cಷ",
        "മലയാള\u200d ഭാഷ",
        "آپ کا نمبر ۴۸۲۱ ہے\u200c۔",
        "ৎ ও ক্\u200dষ ₹500",
        "௹ 500",
    ],
)
def test_other_scripts_keep_every_sign(text: str) -> None:
    """Joiners shape letters in them, and their digits are left to the voice."""
    assert for_the_ear(text, "xx-IN") == text


def test_hindi_ends_a_heading_with_a_danda() -> None:
    """As its sentences end."""
    assert for_the_ear("# समय\nहम खुले हैं।", "hi-IN") == "समय। हम खुले हैं।"


@given(st.text(st.sampled_from("ab *_`~#>-|[]()<>!&;:/.1\n"), max_size=60))
def test_no_letter_and_no_digit_is_lost_with_plain_marks(text: str) -> None:
    """Whatever marks stand around them; links, tags, fences and definitions aside."""
    kept = [character for character in text if character.isalnum()]
    hidden = any(sign in text for sign in ("](", "][", "]:", "<", "```", "~~~", "&"))
    spoken = without_markup(text, ".")
    if not hidden:
        assert [character for character in spoken if character.isalnum()] == kept
