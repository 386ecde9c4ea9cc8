"""Text for the ear: what a dialogue writes is for the eye, and what a voice gets is for the ear.

Pure functions of a text and a language. :func:`for_the_ear` stands between a line and the
text-to-speech provider; the record and the dialogue keep the line as it was written.
"""

from __future__ import annotations

from exobridge.ear import addresses, amounts, codes, dates, quantities, signs, times
from exobridge.ear.english import ENGLISH
from exobridge.ear.hindi import HINDI
from exobridge.ear.language import Language
from exobridge.ear.markup import tidy, without_markup
from exobridge.ear.written import Rule, apply

__all__ = ["for_the_ear"]

_RULES: tuple[Rule, ...] = (
    *addresses.RULES,
    *amounts.RULES,
    *dates.RULES,
    *times.RULES,
    *quantities.RULES_BEFORE_CODES,
    *codes.RULES,
    *quantities.RULES,
    *signs.RULES,
)
_ASCII_DIGITS = str.maketrans("०१२३४५६७८९", "0123456789")


def for_the_ear(text: str, language: str) -> str:
    """A line as it is to be spoken; may be empty.

    Markup and emoji are left out for every language. For English, as it is spoken in India, and for
    Hindi, whatever is written in digits or signs is put into words, so that no digit is left.
    Other languages keep their digits: their vendor reads them better than a wrong word would.

    Args:
        text: What the dialogue wrote: a sentence, a few, or a piece of one.
        language: BCP-47 tag of the voice, e.g. ``hi-IN``. Hindi in Latin script, ``hi-Latn``, has
            its numbers in English words.
    """
    known = _language(language)
    plain = without_markup(text, known.stop if known else ".")
    if known is None:
        return plain
    return tidy(apply(_RULES, plain.translate(_ASCII_DIGITS), known))


def _language(tag: str) -> Language | None:
    subtags = tag.lower().split("-")
    if subtags[0] == "hi" and "latn" not in subtags:
        return HINDI
    return ENGLISH if subtags[0] in ("en", "hi") else None
