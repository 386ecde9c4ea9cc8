"""The data of each language."""

from __future__ import annotations

import re
import zipfile
from dataclasses import fields
from importlib.resources import files
from pathlib import Path

import pytest

from exobridge import languages
from exobridge.ear import for_the_ear
from exobridge.languages import Language, codes, language, lines
from exobridge.templates import Template
from exobridge_providers.dialogue.words import words

LISTS = [field.name for field in fields(Language)]
NATIVE = {
    "bn": r"[\u0980-\u09ff]",
    "gu": r"[\u0a80-\u0aff]",
    "hi": r"[\u0900-\u097f]",
    "kn": r"[\u0c80-\u0cff]",
    "ml": r"[\u0d00-\u0d7f]",
    "mr": r"[\u0900-\u097f]",
    "or": r"[\u0b00-\u0b7f]",
    "pa": r"[\u0a00-\u0a7f]",
    "ta": r"[\u0b80-\u0bff]",
    "te": r"[\u0c00-\u0c7f]",
}
"""The script of each."""


def test_the_languages_of_india_are_there() -> None:
    """Those that callers speak most."""
    assert set(codes()) == {"en", *NATIVE}


@pytest.mark.parametrize("code", codes())
def test_each_list_holds_words(code: str) -> None:
    """As they are found in a text: an entry that holds no word would never match."""
    known = language(code)
    for name in LISTS:
        entries = getattr(known, name)
        assert len(entries) >= 10, name
        assert all(map(words, entries)), name
    assert not known.backchannels & known.interruptions
    assert not known.goes_on & known.whole


@pytest.mark.parametrize("code", NATIVE)
def test_each_list_is_in_both_scripts(code: str) -> None:
    """Recognisers write Latin letters, too."""
    for name in LISTS:
        entries = getattr(language(code), name)
        assert any(re.search(NATIVE[code], entry) for entry in entries), name
        assert any(entry.isascii() for entry in entries), name


def test_a_region_does_not_matter_and_an_unknown_language_has_what_counts_everywhere() -> None:
    """The tag's first part alone decides."""
    assert language("hi-IN") == language("HI") == language("hi")
    assert language("fr-FR") == language("en")


def test_the_calls_own_language_decides_about_a_word() -> None:
    """ "par" says "but" in Punjabi, and is nothing in Bengali; "ki" asks in Bengali."""
    assert "par" in language("pa").interruptions
    assert "par" not in language("bn").interruptions
    for code in codes():
        assert language("hi").backchannels - language(code).backchannels <= (
            language(code).interruptions
        )


def test_the_data_is_in_the_package(tmp_path: Path) -> None:
    """A wheel that is built has every file."""
    hatchling = pytest.importorskip("hatchling.builders.wheel")
    builder = hatchling.WheelBuilder(str(Path(__file__).parents[2]))
    (wheel,) = builder.build(directory=str(tmp_path), versions=["standard"])
    packed = set(zipfile.ZipFile(wheel).namelist())
    here = {entry.name for entry in files(languages.__name__).iterdir()}
    for name in here:
        if name.endswith(".toml"):
            assert f"exobridge/languages/{name}" in packed


@pytest.mark.parametrize("code", [code for code in NATIVE if code != "or"])
def test_the_lines_of_a_template_are_in_the_script_of_its_language(code: str) -> None:
    """Each of them; none is left in English."""
    template = Template.model_validate({"language": f"{code}-IN"})
    said = [template.greeting, *template.refusal.model_dump(exclude={"mode"}).values()]
    said += template.texts.model_dump().values()
    assert len(said) == 16
    for text in said:
        assert re.fullmatch(rf"({NATIVE[code]}|[ ,.?।’\u200c\u200d])+", text), text
        assert for_the_ear(text, f"{code}-IN")


def test_a_language_without_lines_has_the_english_ones() -> None:
    """English itself needs none."""
    english = Template()
    for tag in ("or-IN", "fr-FR", "en-GB"):
        template = Template.model_validate({"language": tag})
        assert (template.greeting, template.texts, template.refusal) == (
            english.greeting,
            english.texts,
            english.refusal,
        )


def test_the_reference_names_the_languages_with_lines() -> None:
    """All of them."""
    page = Path(__file__).parents[2] / "docs" / "reference" / "templates.md"
    [named] = re.findall(r"template's `language`, if that is ([^:]+):", page.read_text("utf-8"))
    assert named.replace(",", "").split() == [c for c in codes() if lines(c) or c == "en"]
