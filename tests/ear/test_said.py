"""What is written, and how it is said: the cases of ``said.txt``, which is meant to be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from exobridge.ear import for_the_ear

SAID = Path(__file__).parent / "said.txt"


def cases() -> Iterator[tuple[str, str, str]]:
    """Each as written, language and as said."""
    _, _, text = SAID.read_text("utf-8").partition("\n# ")
    for block in text.split("\n\n"):
        written, *said = block.splitlines()
        for line in said:
            language, words = line.strip().split("  ", 1)
            yield written, language, words


CASES = list(cases())


def test_the_cases_are_read() -> None:
    """None is lost on the way, in either language."""
    lines = SAID.read_text("utf-8").splitlines()
    for language in ("en", "hi"):
        number = sum(line.startswith(f"  {language}  ") for line in lines)
        assert number == sum(case[1] == language for case in CASES) > 150


@pytest.mark.parametrize(
    ("written", "language", "said"), CASES, ids=[f"{case[1]} {case[0]}" for case in CASES]
)
def test_what_is_written_is_said_so(written: str, language: str, said: str) -> None:
    """To the letter."""
    assert for_the_ear(written, f"{language}-IN") == said


@pytest.mark.parametrize(("written", "language", "said"), CASES)
def test_what_was_said_stays(written: str, language: str, said: str) -> None:
    """Words are left as they are: nothing is expanded twice."""
    assert for_the_ear(said, language) == said, written


def test_the_page_says_the_same() -> None:
    """Each row of the table that users read."""
    page = (Path(__file__).parents[2] / "docs" / "topics" / "ear.md").read_text("utf-8")
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", page, re.MULTILINE)[1:]
    said = [row for row in rows if not row[0].startswith("-")]
    assert len(said) > 20
    for written, english, hindi in said:
        assert for_the_ear(written, "en-IN") == english
        assert for_the_ear(written, "hi-IN") == hindi
